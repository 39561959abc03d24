"""How a sleepy end device fetches what its parent holds for it."""

from collections.abc import Callable

from protocols.addresses import ShortAddress
from protocols.interfaces import Timer, TransmitStatus
from protocols.mac.commands import DataRequest
from protocols.mac.frame import FrameType
from protocols.stack.hooks import nobody
from protocols.stack.mac import MacLayer
from protocols.stack.settings import StackSettings
from protocols.stack.timers import Timers


class Poller:
    """Sends data requests: often while something is expected, else every `poll_period`."""

    __slots__ = (
        "_due", "_fast_until", "_mac", "_parent", "_settings", "_timer", "_timers", "_window", "_windows", "heard",
        "missed",
    )  # fmt: skip

    def __init__(self, mac: MacLayer, timers: Timers, settings: StackSettings) -> None:
        self._mac, self._timers, self._settings = mac, timers, settings
        self._parent = ShortAddress(0)
        self._fast_until = 0
        self._timer: Timer | None = None
        self._due = 0  # of the timer
        self._window = 0  # number of the receive window that is open, 0 if none is
        self._windows = 0
        self.missed: Callable[[], object] = nobody  # the parent did not acknowledge a data request
        self.heard: Callable[[], object] = nobody

    def start(self, parent: ShortAddress) -> None:
        """Sleep and poll `parent` from now on."""
        self._parent = parent
        self._mac.polled = self._received
        self._mac.set_receiver(on=False)
        self.expect()

    def stop(self) -> None:
        """Poll no more."""
        self._mac.polled = None
        self._window = 0
        if self._timer is not None:
            self._timer.cancel()

    def expect(self) -> None:
        """Poll fast for a while: an answer may come."""
        now = self._timers.now()
        self._fast_until = now + self._settings.fast_poll_window
        soon = now + self._settings.fast_poll_period
        if self._timer is None or self._due > soon:
            self._schedule(self._settings.fast_poll_period)

    def _schedule(self, delay: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = self._timers.now() + delay
        self._timer = self._timers.after(delay, self._poll)

    def _next(self) -> None:
        settings = self._settings
        fast = self._timers.now() < self._fast_until
        self._schedule(settings.fast_poll_period if fast else settings.poll_period)

    def _poll(self) -> None:
        self._timer = None
        mac = self._mac
        mac.transmit(
            FrameType.COMMAND, DataRequest().encode(), to=self._parent, source=mac.short, done=self._acknowledged
        )

    def _acknowledged(self, status: TransmitStatus, pending: bool) -> None:
        if status is not TransmitStatus.OK:
            self._next()
            self.missed()
            return
        self.heard()
        if not pending:
            self._next()
            return
        self._windows += 1
        self._window = self._windows
        self._mac.set_receiver(on=True)
        self._timers.after(self._settings.receive_window, self._close, self._window)

    def _close(self, window: int) -> None:
        if window == self._window:
            self._window = 0
            self._mac.set_receiver(on=False)
            self._next()

    def _received(self, more: bool) -> None:
        """A frame came in the window: sleep again, or ask for the next at once."""
        if not self._window:
            return
        self._window = 0
        self._mac.set_receiver(on=False)
        if self._timer is not None:
            self._timer.cancel()
        if more:
            self._poll()
        else:
            self._next()
