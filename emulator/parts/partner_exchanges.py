"""Key establishment between two devices neither of which is the hub: one begins when told to, the other if it may."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from emulator.parts.gbcs_application import Note
from emulator.parts.han_application import HanApplication
from emulator.parts.key_machine import KeyMachine
from protocols.addresses import Eui64
from protocols.cbke.initiator import Initiator
from protocols.cbke.responder import Responder
from protocols.cbke.types import CbkeSettings, Established, Failed
from protocols.crypto.ecqv import Credentials
from protocols.crypto.suites import Suite
from protocols.interfaces import Clock, Random, Received
from protocols.stack.node import Node

_ATTEMPTS = 2  # [I]: the other side may get the hub's key, without which it refuses, later than this one

Ended = Callable[[Failed | None], object]


class PartnerExchanges:
    """`admits(who)` tells who may begin; others are told NO_RESOURCES. `agreed(who)` hears of a key with who began."""

    def __init__(
        self,
        application: HanApplication,
        node: Node,
        clock: Clock,
        credentials: Mapping[Suite, Credentials],
        random: Random,
        *,
        note: Note,
        settings: CbkeSettings | None,
    ) -> None:
        self._node, self._clock, self._note = node, clock, note
        settings = settings if settings is not None else CbkeSettings()
        self.admits: Callable[[Eui64], bool] = lambda who: False
        self.agreed: Callable[[Eui64], object] = lambda who: None
        self._initiator = Initiator(credentials, random, replace(settings, attempts=_ATTEMPTS))
        self._responder = Responder(credentials, random, settings, admits=lambda who: self.admits(who))
        self._ours = KeyMachine(application, clock, self._initiator, established=self._ended, failed=self._failed)
        self._theirs = KeyMachine(application, clock, self._responder, established=self._answered, failed=self._refused)
        self._done: Ended | None = None

    def stop(self) -> None:
        """Forget what is under way: the power went, or the network is left."""
        for machine in (self._ours, self._theirs):
            machine.stop()
        self._initiator.stop()
        self._responder.reset()
        self._done = None

    def agree(self, partner: Eui64, endpoint: int, done: Ended) -> None:
        """Agree with `partner` on a link key, one partner at a time; `done` hears None or why not."""
        self._done = done
        self._ours.run(self._initiator.start(partner, endpoint, self._clock.now()))

    def frame(self, event: Received, *, from_server: bool) -> None:
        """Take a frame of the cluster from any device but the hub."""
        (self._ours if from_server else self._theirs).frame(event)

    # --- what comes of it --------------------------------------------------------------------------------------

    def _ended(self, effect: Established, proven: bool) -> None:
        self._install(effect, proven=proven)
        self._tell(None)

    def _failed(self, effect: Failed) -> None:
        self._refused(effect)
        if effect.retry_at is None:
            self._tell(effect)

    def _tell(self, outcome: Failed | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(outcome)

    def _answered(self, effect: Established, proven: bool) -> None:
        if proven:
            self._node.install_link_key(effect.partner, effect.key)
            return
        self._install(effect, proven=False)
        self.agreed(effect.partner)

    def _install(self, effect: Established, *, proven: bool) -> None:
        self._node.install_link_key(effect.partner, effect.key, proven=proven)
        self._note("key-established", partner=str(effect.partner), suite=effect.suite.name)

    def _refused(self, effect: Failed) -> None:
        status = "none" if effect.status is None else f"{effect.status:02X}"
        partner = str(effect.partner)
        self._note("key-establishment-failed", partner=partner, cause=effect.cause.value, status=status)
