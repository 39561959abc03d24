"""Key establishment of a device: right after joining it agrees with the hub on the link key for everything else."""

from collections.abc import Callable, Mapping

from emulator.parts.cluster_server import ClusterServer
from emulator.parts.han_application import KEY_ESTABLISHMENT, HanApplication
from emulator.parts.key_machine import KeyMachine
from emulator.parts.partner_exchanges import PartnerExchanges
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.cbke.exchange import offered
from protocols.cbke.initiator import Initiator
from protocols.cbke.types import CbkeSettings, Established, Failed
from protocols.crypto.ecqv import Credentials
from protocols.crypto.suites import Suite
from protocols.interfaces import SECOND, Clock, Discovered, MatchDescriptor, Random, Received
from protocols.stack.node import Node
from protocols.zcl.attribute_server import ANSWERS, Attribute, constant
from protocols.zcl.clusters import key_establishment
from protocols.zcl.clusters.key_establishment import TerminateStatus
from protocols.zcl.frame import GLOBAL_FROM_SERVER, ZclFrame
from protocols.zcl.protection import SMART_ENERGY

SuiteCredentials = Mapping[Suite, Credentials]

_LOOK = "key establishment look"
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

    It tries again after failures, and leaves the network when one side does not know the other's issuer. Exchanges
    with other devices are those of `partners`.
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
        self._machine = KeyMachine(
            application, clock, self._initiator, established=self._established, failed=self._failed
        )
        self.partners = PartnerExchanges(application, node, clock, credentials, random, note=note, settings=settings)
        self._hub = Eui64(0)
        self._begin = application.gate(self._in_network, self.stop)
        application.serve(ClusterServer(KEY_ESTABLISHMENT, suite_attributes(credentials)))
        application.on(KEY_ESTABLISHMENT, self._frame)

    def stop(self) -> None:
        """Forget what is under way: the power went, or the network is left."""
        self._timers.clear()
        self._machine.stop()
        self._initiator.stop()
        self.partners.stop()

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
            self._machine.run(self._initiator.start(event.who, event.endpoints[0], self._clock.now()))
        else:
            self._timers.after(_LOOK, _LOOK_AGAIN, self._look)

    # --- the exchange ------------------------------------------------------------------------------------------

    def _frame(self, event: Received) -> None:
        octets = event.aps.payload
        from_server = bool(octets) and bool(octets[0] & GLOBAL_FROM_SERVER)
        if from_server and event.who == self._hub:
            self._machine.frame(event)
        else:
            self.partners.frame(event, from_server=from_server)

    def _established(self, effect: Established, proven: bool) -> None:
        self._node.install_link_key(effect.partner, effect.key, proven=proven)
        self._note("key-established", partner=str(effect.partner), suite=effect.suite.name)
        self._begin(effect.partner)

    def _failed(self, effect: Failed) -> None:
        status = "none" if effect.status is None else f"{effect.status:02X}"
        again = effect.retry_at is not None
        self._note("key-establishment-failed", cause=effect.cause.value, status=status, again=again)
        if effect.status == TerminateStatus.UNKNOWN_ISSUER:
            self._node.leave()
