"""Key establishment of a device: right after joining it agrees with the hub on the link key for everything else."""

from collections.abc import Callable, Iterable, Mapping

from emulator.parts.cluster_server import ClusterServer
from emulator.parts.han_application import KEY_ESTABLISHMENT, HanApplication
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.cbke.exchange import offered
from protocols.cbke.initiator import Initiator
from protocols.cbke.responder import Responder
from protocols.cbke.types import CbkeSettings, Effect, Established, Failed, Send
from protocols.crypto.ecqv import Credentials
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError
from protocols.interfaces import SECOND, Clock, DeliveryStatus, Discovered, MatchDescriptor, Random, Received
from protocols.stack.node import Node
from protocols.zcl.attribute_server import ANSWERS, Attribute, constant
from protocols.zcl.clusters import key_establishment
from protocols.zcl.clusters.key_establishment import TerminateStatus
from protocols.zcl.frame import ZclFrame
from protocols.zcl.protection import SMART_ENERGY

SuiteCredentials = Mapping[Suite, Credentials]

_WAKE, _LOOK = "key establishment wake", "key establishment look"
_LOOK_AGAIN = 30 * SECOND  # after a hub that showed no endpoint with the cluster [I]


def suite_attributes(credentials: SuiteCredentials) -> dict[int, Attribute]:
    """Return the attributes of the cluster: KeyEstablishmentSuite."""
    number = key_establishment.Attribute.KEY_ESTABLISHMENT_SUITE
    return {int(number): constant(key_establishment.TYPES[number], offered(credentials))}


def is_for_attributes(frame: ZclFrame) -> bool:
    """Return whether a frame of a client is none of the machines'."""
    return not frame.cluster_specific and frame.command not in ANSWERS


class KeyEstablishment:
    """Stands between joining and the rest of the device: the application hears of its network once there is a key.

    It tries again after failures, and leaves the network when one side does not know the other's issuer. Others that
    begin an exchange with the device are told that it has no resources.
    """

    def __init__(
        self,
        application: HanApplication,
        node: Node,
        clock: Clock,
        credentials: SuiteCredentials,
        random: Random,
        *,
        note: Callable[..., None],
        settings: CbkeSettings | None = None,
    ) -> None:
        self._application, self._node, self._clock, self._note = application, node, clock, note
        self._timers = Timers(clock)
        self._initiator = Initiator(credentials, random, settings)
        self._responder = Responder(credentials, random, settings, admits=lambda who: False)
        self._hub = Eui64(0)
        self._begin = application.gate(self._in_network, self.stop)
        application.serve(ClusterServer(KEY_ESTABLISHMENT, suite_attributes(credentials)))
        application.on(KEY_ESTABLISHMENT, self._frame)

    def stop(self) -> None:
        """Forget what is under way: the power went, or the network is left."""
        self._timers.clear()
        self._initiator.stop()

    def renew(self) -> None:
        """Agree with the hub on another key; the present one serves until then."""
        if self._initiator.idle:
            self._look()

    # --- finding the hub ---------------------------------------------------------------------------------------

    def _in_network(self, hub: Eui64) -> None:
        if hub != self._hub:  # what ran with another one is in vain
            self._initiator.stop()
        self._hub = hub
        if self._node.key_established(hub):
            self._begin(hub)
        elif self._initiator.idle:
            self._look()

    def _look(self) -> None:
        query = MatchDescriptor(SMART_ENERGY, (KEY_ESTABLISHMENT,))
        self._application.discover(self._hub, query, self._found)

    def _found(self, event: Discovered) -> None:
        if not self._initiator.idle:
            return
        if event.endpoints:
            self._run(self._initiator, self._initiator.start(event.who, event.endpoints[0], self._clock.now()))
        else:
            self._timers.after(_LOOK, _LOOK_AGAIN, self._look)

    # --- in ----------------------------------------------------------------------------------------------------

    def _frame(self, event: Received) -> None:
        octets, now = event.aps.payload, self._clock.now()
        try:
            frame = ZclFrame.decode(octets)
            if frame.from_server:
                self._run(self._initiator, self._initiator.frame(event.who, octets, now))
            else:
                effects = self._responder.frame(event.who, event.aps.source_endpoint, octets, now)
                self._run(self._responder, effects)
        except DecodeError:
            return

    def _wake(self) -> None:
        self._run(self._initiator, self._initiator.wake(self._clock.now()))

    # --- out ---------------------------------------------------------------------------------------------------

    def _run(self, machine: Initiator | Responder, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._pass_on(machine, effect)
            elif isinstance(effect, Established):
                self._established(effect)
            elif machine is self._initiator:
                self._failed(effect)
        if self._initiator.deadline is not None:
            self._timers.at(_WAKE, self._initiator.deadline, self._wake)
        else:
            self._timers.cancel(_WAKE)

    def _pass_on(self, machine: Initiator | Responder, send: Send) -> None:
        def done(status: DeliveryStatus) -> None:
            acknowledged = status is DeliveryStatus.OK
            self._run(machine, machine.delivered(send.token, self._clock.now(), acknowledged=acknowledged))

        self._send(send.partner, send.endpoint, send.frame, done)

    def _send(self, to: Eui64, endpoint: int, frame: bytes, done: Callable[[DeliveryStatus], None] | None) -> None:
        application = self._application
        application.send_from(
            application.endpoint, to, KEY_ESTABLISHMENT, endpoint, frame, secured=False, acknowledged=True, done=done
        )

    def _established(self, effect: Established) -> None:
        self._node.install_link_key(effect.partner, effect.key)
        self._note("key-established", partner=str(effect.partner), suite=effect.suite.name)
        self._begin(effect.partner)

    def _failed(self, effect: Failed) -> None:
        status = "none" if effect.status is None else f"{effect.status:02X}"
        again = effect.retry_at is not None
        self._note("key-establishment-failed", cause=effect.cause.value, status=status, again=again)
        if effect.status == TerminateStatus.UNKNOWN_ISSUER:
            self._node.leave()
