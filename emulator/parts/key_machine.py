"""Runs one machine of key establishment over the air: sends for it, wakes it, tells it what was delivered."""

from collections.abc import Callable, Iterable

from emulator.parts.han_application import KEY_ESTABLISHMENT, HanApplication
from emulator.parts.timers import Timers
from protocols.cbke.initiator import Initiator
from protocols.cbke.responder import Responder
from protocols.cbke.types import Effect, Established, Failed, Send
from protocols.errors import DecodeError
from protocols.interfaces import Clock, DeliveryStatus, Received

_WAKE = "key establishment wake"


class KeyMachine:
    """established(effect, proven): a key is there; of a responder first without proof that the partner has it too."""

    def __init__(
        self,
        application: HanApplication,
        clock: Clock,
        machine: Initiator | Responder,
        *,
        established: Callable[[Established, bool], object],
        failed: Callable[[Failed], object],
    ) -> None:
        self._application, self._clock, self._timers, self._machine = application, clock, Timers(clock), machine
        self._established, self._failed = established, failed
        self._fresh: dict[int, Established] = {}  # by the token of the message that ended the exchange

    def stop(self) -> None:
        """Forget what waits: the power went, or the network is left."""
        self._timers.clear()
        self._fresh.clear()

    def frame(self, event: Received) -> None:
        """Take a frame of the cluster."""
        octets, now, machine = event.aps.payload, self._clock.now(), self._machine
        try:
            if isinstance(machine, Initiator):
                self.run(machine.frame(event.who, octets, now))
            else:
                self.run(machine.frame(event.who, event.aps.source_endpoint, octets, now))
        except DecodeError:
            return

    def run(self, effects: Iterable[Effect]) -> None:
        last: Send | None = None
        for effect in effects:
            if isinstance(effect, Send):
                last = effect
                self._pass_on(effect)
            elif isinstance(effect, Failed):
                self._failed(effect)
            else:
                if last is not None:
                    self._fresh[last.token] = effect
                self._established(effect, last is None)
        if self._machine.deadline is not None:
            self._timers.at(_WAKE, self._machine.deadline, self._wake)
        else:
            self._timers.cancel(_WAKE)

    def _wake(self) -> None:
        self.run(self._machine.wake(self._clock.now()))

    def _pass_on(self, send: Send) -> None:
        def done(status: DeliveryStatus) -> None:
            acknowledged, ended = status is DeliveryStatus.OK, self._fresh.pop(send.token, None)
            if ended is not None and acknowledged:
                self._established(ended, True)
            self.run(self._machine.delivered(send.token, self._clock.now(), acknowledged=acknowledged))

        application = self._application
        application.send_from(
            application.endpoint, send.partner, KEY_ESTABLISHMENT, send.endpoint, send.frame,
            secured=False, acknowledged=True, done=done,
        )  # fmt: skip
