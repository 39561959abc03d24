"""The WAN between one hub and its CSP, in process: octets with delay, loss and doubling."""

from collections.abc import Callable
from dataclasses import dataclass

from protocols.interfaces import SECOND, Clock, Random


@dataclass(frozen=True, slots=True)
class WanSettings:
    """delay_up, delay_down: ns from the hub to the CSP and back. loss, doubled: shares of envelopes, 0 to 1."""

    delay_up: int = 2 * SECOND
    delay_down: int = 2 * SECOND
    loss: float = 0.0
    doubled: float = 0.0


class WanEnd:
    """`protocols.interfaces.WanLink` of one side."""

    def __init__(self, clock: Clock, random: Random, delay: int, settings: WanSettings) -> None:
        self._clock, self._random, self._delay, self._settings = clock, random, delay, settings
        self._receiver: Callable[[bytes], None] | None = None
        self.peer: WanEnd | None = None
        self.listening = True  # False: what arrives is lost, as at a modem without power
        self.silent = False  # True: what is sent is lost, as at a modem that has just lost its power
        self.sent = self.lost = 0

    def attach(self, receiver: Callable[[bytes], None]) -> None:
        self._receiver = receiver

    def send(self, octets: bytes) -> None:
        self.sent += 1
        if self.silent or self._drawn(self._settings.loss):
            self.lost += 1
            return
        copies = 2 if self._drawn(self._settings.doubled) else 1
        for copy in range(1, copies + 1):
            self._clock.call_at(self._clock.now() + copy * self._delay, self._arrive, octets)

    def _drawn(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    def _arrive(self, octets: bytes) -> None:
        if self.peer is None or not self.peer.deliver(octets):
            self.lost += 1

    def deliver(self, octets: bytes) -> bool:
        """Hand over what arrived; False if nobody listens."""
        if self._receiver is None or not self.listening:
            return False
        self._receiver(octets)
        return True


@dataclass(frozen=True, slots=True)
class Wan:
    hub: WanEnd
    csp: WanEnd


def wan_pair(clock: Clock, random: Random, settings: WanSettings | None = None) -> Wan:
    """Return the two ends of one hub's WAN; `random` decides about loss and doubling only."""
    settings = settings if settings is not None else WanSettings()
    hub = WanEnd(clock, random, settings.delay_up, settings)
    csp = WanEnd(clock, random, settings.delay_down, settings)
    hub.peer, csp.peer = csp, hub
    return Wan(hub, csp)
