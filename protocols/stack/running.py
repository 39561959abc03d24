"""The layers of a node between power-on and power-off."""

from collections.abc import Callable, Sequence

from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.aps.commands import ApsCommand
from protocols.errors import DecodeError, UsageError
from protocols.interfaces import (
    MILLISECOND,
    SECOND,
    ApsData,
    Clock,
    Entropy,
    HanEvent,
    Joined,
    Left,
    LinkKey,
    RadioLink,
    Received,
    Rejoined,
    Storage,
)
from protocols.stack.application import Application
from protocols.stack.aps import ApsLayer
from protocols.stack.bindings import Bindings
from protocols.stack.children import Children
from protocols.stack.commands import Commands, Reports
from protocols.stack.counts import Counts
from protocols.stack.descriptors import capability_of
from protocols.stack.express import Express
from protocols.stack.joiner import Joiner
from protocols.stack.keep_alive import KeepAlive
from protocols.stack.keys import NodeKeys, TrustCentreKeys
from protocols.stack.link_key import LinkKeyExchange
from protocols.stack.mac import Candidate, MacLayer
from protocols.stack.management import Management
from protocols.stack.membership import Membership
from protocols.stack.neighbours import Neighbours
from protocols.stack.nwk import NwkLayer
from protocols.stack.parent import Parent
from protocols.stack.polling import Poller
from protocols.stack.presence import Presence
from protocols.stack.rejoin import Rejoiner
from protocols.stack.settings import KeyLog, NodeRole, StackSettings
from protocols.stack.state import Network, NodeState, Peer
from protocols.stack.timers import Timers
from protocols.stack.trust_centre import TrustCentre
from protocols.stack.zdp import ZdpLayer
from protocols.zdp import messages as zdp

_PARENT_ANNOUNCE_AFTER = 10 * SECOND  # apsParentAnnounceBaseTimer
_ANNOUNCE_AFTER = 10_000_000  # ns between having the network key and announcing


class Running:
    """Made at power-on from the storage, thrown away at power-off. Serves the APS layer and the NWK layer."""

    __slots__ = (
        "_application", "_children", "_commands", "_counts", "_exchange", "_joiner", "_keep_alive", "_macs", "_note",
        "_nwk", "_parent", "_poller", "_presence", "_random", "_rejoiner", "_role", "_settings", "aps", "bindings",
        "express", "keys", "management", "membership", "neighbours", "state", "timers", "trust_centre", "zdp",
    )  # fmt: skip

    def __init__(
        self,
        role: NodeRole,
        eui: Eui64,
        radios: Sequence[RadioLink],
        clock: Clock,
        storage: Storage,
        entropy: Entropy,
        settings: StackSettings,
        key_log: KeyLog | None,
        counts: Counts,
        boot: int,
        application: Application,
        note: Callable[..., object],
    ) -> None:
        """`boot` is how often the node was switched on: each time has its own randomness."""
        random = entropy.random(f"stack {eui} {boot}")
        router = role in (NodeRole.COORDINATOR, NodeRole.ROUTER)
        self._role, self._settings, self._counts = role, settings, counts
        self._random, self._application, self._note = random, application, note
        self.timers = timers = Timers(clock)
        self.state = state = NodeState(eui, storage, settings.counter_jump, key_log)
        self._macs = [MacLayer(i, eui, radio, timers, settings, random) for i, radio in enumerate(radios)]
        self._nwk = nwk = NwkLayer(state, self._macs, timers, settings, counts, random, router=router)
        self.aps = ApsLayer(state, nwk, timers, settings, counts, random)
        self.neighbours = Neighbours(nwk, state, timers, settings, random, len(radios)) if router else None
        self.bindings = Bindings(storage)
        self.management = Management(state, nwk, self._macs[0], self.neighbours, self.bindings, timers)
        self.zdp = ZdpLayer(state, self.aps, timers, settings, role, application, self.management)
        self.aps.unknown_sender = self.zdp.ask_who
        self.express: Express | None = None  # sends ordinary messages, and takes them up
        if settings.express and not settings.extended_nonce:
            self.express = Express(state, nwk, self.aps, settings, counts, application, router=router)
            for mac in self._macs:
                mac.express = self.express
        self._children = Children(state, nwk, self._macs, timers, settings)
        self._parent = Parent(state, nwk, timers, settings, random, self._children, Reports(state, self.aps))
        capability = capability_of(role)
        self._rejoiner = Rejoiner(state, nwk, self._macs, timers, settings, random, capability, self)
        self.membership = Membership(state, nwk, timers, settings, role, self._parent, self._rejoiner, self)
        self._keep_alive: KeepAlive | None = None
        if not router:
            sleepy = role is NodeRole.SLEEPY_END_DEVICE
            self._keep_alive = KeepAlive(state, nwk, timers, settings, self._parent_lost, sleepy=sleepy)
        self.keys = NodeKeys(state, self.aps, timers, settings, self.zdp.ask_where, lambda: application.partners)
        nwk.keys = self.keys
        self._poller: Poller | None = None
        self._joiner: Joiner | None = None
        self._presence: Presence | None = None
        self._exchange: LinkKeyExchange | None = None
        if settings.exchange_link_key:
            self._exchange = LinkKeyExchange(state, self.aps, timers, settings, storage, self._exchanged)
        self.trust_centre: TrustCentre | None = None
        nwk.user = self.aps.user = self
        self.management.membership = self.membership
        for mac in self._macs:
            mac.deliver = nwk.receive
            mac.user = self._parent if router else None
        if role is NodeRole.COORDINATOR:
            self.trust_centre = TrustCentre(state, nwk, self.aps, self.zdp, self._parent, timers, settings, self.post)
            self.trust_centre.keys = TrustCentreKeys(state, self.aps, timers, settings, random, self.keys.switch)
        else:
            self.zdp.permit_joining = self._parent.permit
        self._commands = Commands(
            state, nwk, self.keys, self._parent, self.membership, self._exchange, self.trust_centre
        )
        self._resume()

    def hear(self, frame: bytes) -> None:
        """Take a MAC frame as if the HAN radio had heard it."""
        self._macs[0].received(frame, -60, 170, self.timers.now())

    def post(self, event: HanEvent) -> None:
        """Tell the application, out of the present call."""
        self.timers.soon(self._application.listener, event)

    def stop(self) -> None:
        """Stop all timers and switch the radios off."""
        self.timers.stop()
        for mac in self._macs:
            mac.shut()

    # --- networks ----------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Go on where the storage says the node was."""
        if self.state.network is not None:
            self._configure()
            self._children.resume()
            if self._role in (NodeRole.COORDINATOR, NodeRole.ROUTER):
                self.timers.after(_PARENT_ANNOUNCE_AFTER, self.zdp.announce_children)
            if self._role is not NodeRole.COORDINATOR:
                self._announce(rejoined=True)
        elif self.state.joining is not None:
            self.join(*self.state.joining)

    def form(self, pan_id: int, channel: int, extended_pan_id: Eui64, key: bytes) -> None:
        """Become the coordinator of a new network."""
        eui = self.state.eui
        short = ShortAddress(0)
        self.state.enter(Network(pan_id, channel, extended_pan_id, key, 0, short, eui, eui, short, 0, 0))
        self._configure()

    def join(self, key: LinkKey, channels: tuple[int, ...]) -> None:
        """Look for a network until one lets this node in."""
        self.state.set_joining(key, channels)
        capability = capability_of(self._role)
        self._joiner = Joiner(
            self.state, self._macs, self.timers, self._settings, self._random, capability, self._entered, self._wake
        )
        self._joiner.start(key, channels)

    def _wake(self, parent: Candidate | None) -> None:
        """Associated: a sleepy node fetches its network key. None: the attempt is over."""
        if parent is None:
            self.stop_polling()
        elif self._role is NodeRole.SLEEPY_END_DEVICE:
            self._poll(self._macs[parent.radio], parent.short)

    def _entered(self) -> None:
        """The network key has come."""
        self._joiner = None
        self.state.end_joining()
        self._configure()
        self.timers.after(_ANNOUNCE_AFTER, lambda: self._announce(rejoined=False))

    def _configure(self) -> None:
        """Set the radios for the network: the one to the parent, and at a router all."""
        network = self.state.network
        if network is None:
            return
        router = self._role in (NodeRole.COORDINATOR, NodeRole.ROUTER)
        for mac in self._macs:
            if router or mac.index == network.parent_radio:
                channel = network.channel if mac.index == 0 else self._settings.backhaul_channel
                coordinator = self._role is NodeRole.COORDINATOR
                mac.configure(short=network.short, pan_id=network.pan_id, channel=channel, coordinator=coordinator)
        if self.neighbours is not None:
            self.neighbours.start()
        if self._role is NodeRole.COORDINATOR and self._settings.concentrator_period:
            self.timers.after(MILLISECOND, self._concentrate)
        if self._role is NodeRole.SLEEPY_END_DEVICE:
            self._poll(self._macs[network.parent_radio], network.parent_short)

    def _concentrate(self) -> None:
        self._nwk.routing.advertise()
        self.timers.after(self._settings.concentrator_period, self._concentrate)

    def _poll(self, mac: MacLayer, parent: ShortAddress) -> None:
        if self._poller is None:
            self._poller = Poller(mac, self.timers, self._settings)
            if self._keep_alive is not None:
                self._poller.missed, self._poller.heard = self._keep_alive.missed, self._keep_alive.heard
            self._nwk.activity = self._poller.expect
        self._poller.start(parent)

    def stop_polling(self) -> None:
        if self._poller is not None:
            self._poller.stop()
            self._poller = None
            self._nwk.activity = None

    def announce(self) -> None:
        """Tell the trust centre again that the node is there, as after a restart."""
        if self.state.network is not None and self._presence is None:
            self._announce(rejoined=True)

    def _announce(self, *, rejoined: bool) -> None:
        if self._presence is not None:
            self._presence.stop()
        if self._keep_alive is not None:
            self._keep_alive.start()

        def confirmed(trust_centre: Eui64) -> None:
            network = self.state.network
            if network is None:
                return
            self._presence = None
            parent, short = str(network.parent), f"{network.short:04x}"
            self._note("rebooted" if rejoined else "joined", device=str(self.state.eui), parent=parent, short=short)
            self.post(Rejoined(trust_centre) if rejoined else Joined(trust_centre))
            if self._exchange is not None:
                self._exchange.start(self.state.peer(trust_centre))

        presence = Presence(self.state, self.zdp, self.timers, self._settings, self._random, confirmed)
        self._presence = presence
        presence.announce()

    def _exchanged(self, confirmed: bool) -> None:
        self._note("link-key-confirmed" if confirmed else "link-key-not-confirmed", device=str(self.state.eui))

    # --- NwkUser -----------------------------------------------------------------------------------------------

    def nwk_data(self, source: int, payload: bytes, lqi: int) -> None:
        self.aps.receive(source, payload, lqi)

    def nwk_unsecured(self, source: int, payload: bytes) -> None:
        try:
            if self._joiner is not None and self._joiner.awaits_key:
                self._joiner.take_key(payload)
            elif self._rejoiner.awaits_key:
                self._rejoiner.take_key(payload)
        except DecodeError:
            self._counts.refused += 1

    def nwk_key_unknown(self, key_sequence: int) -> None:
        self.membership.key_unknown(key_sequence)

    def _parent_lost(self) -> None:
        self._note("parent-lost", device=str(self.state.eui))
        self.membership.rejoin(orphan=True)

    # --- MembershipUser, RejoinUser ----------------------------------------------------------------------------

    def came_back(self, unchanged: bool) -> None:
        self._configure()
        if unchanged:
            if self._keep_alive is not None:
                self._keep_alive.start()
        else:
            self.timers.after(_ANNOUNCE_AFTER, lambda: self._announce(rejoined=True))

    def moved(self, short: ShortAddress) -> None:
        self.membership.take_address(short)

    def parent_moved(self) -> None:
        self._configure()

    def changed(self) -> None:
        self._configure()
        self.timers.after(_ANNOUNCE_AFTER, self.zdp.announce)

    def left(self) -> None:
        self.state.leave()
        self.bindings.clear()
        if self._keep_alive is not None:
            self._keep_alive.stop()
        if self._presence is not None:
            self._presence.stop()
        if self._exchange is not None:
            self._exchange.forget()
        self.stop_polling()
        self._nwk.routing.clear()
        if self.neighbours is not None:
            self.neighbours.stop()
        for mac in self._macs:
            mac.configure(short=NO_SHORT_ADDRESS, pan_id=0xFFFF, channel=mac.channel, receiver_on=False)
        self._application.listener(Left(self.state.eui))

    def heard_child(self, peer: Peer) -> None:
        self.state.save(peer)

    # --- ApsUser -----------------------------------------------------------------------------------------------

    def aps_data(self, peer: Peer, data: ApsData, secured: bool, lqi: int, *, broadcast: bool) -> None:
        profile, cluster, _, endpoint, payload = data
        application = self._application
        if endpoint in application.endpoint_numbers:
            application.listener(tuple.__new__(Received, (peer.eui, data, secured, lqi, broadcast)))
        elif profile == zdp.PROFILE and endpoint == zdp.ENDPOINT:
            self.zdp.receive(peer, cluster, payload, broadcast=broadcast)

    def aps_command(self, peer: Peer, command: ApsCommand, key_id: int | None) -> None:
        self._commands.take(peer, command, key_id)

    # --- for the node ------------------------------------------------------------------------------------------

    def trust(self) -> TrustCentre:
        """Return the trust centre. Raises UsageError at any other node."""
        if self.trust_centre is None:
            raise UsageError("only the coordinator is a trust centre")
        return self.trust_centre
