"""One HAN node: a `HanPort` over one radio, or over two of a bridge."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import count
from typing import cast

from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.crypto.mmo import aes_mmo
from protocols.errors import UsageError
from protocols.interfaces import (
    SECOND,
    ActiveEndpoints,
    ApsData,
    Clock,
    Delivered,
    DeliveryStatus,
    Discovered,
    Entropy,
    Handle,
    HanEvent,
    HanLimits,
    LinkKey,
    MatchDescriptor,
    RadioLink,
    Recorder,
    SimpleDescriptor,
    Storage,
    TrustBackup,
    ZdpQuery,
)
from protocols.stack.application import Application
from protocols.stack.aps import PLAIN_ROOM
from protocols.stack.counts import Counts
from protocols.stack.keys import PartnerKeyListener
from protocols.stack.running import Running
from protocols.stack.settings import KeyLog, NodeRole, NodeStatistics, StackSettings
from protocols.zdp import messages as zdp
from protocols.zdp.management import Binding

_DEFAULTS = StackSettings()
_OK, _new = DeliveryStatus.OK, tuple.__new__
_TOLD_WHERE = SECOND  # in which a node whose short address is asked for has answered [I]


@cache
def _limits(room: int, routes: bool) -> HanLimits:
    return HanLimits(PLAIN_ROOM, room, True, True, routes)


class Node:
    """`protocols.interfaces.HanPort`: coordinator, router, end device or sleepy end device.

    It is switched on when made: a node whose storage knows a network takes it up again. Events come from the clock's
    callbacks, never out of a call of the application. A node that is off raises UsageError where it is used.
    """

    __slots__ = (
        "_application", "_clock", "_counts", "_entropy", "_extended_pan_id", "_handles", "_key_log", "_radios",
        "_recorder", "_running", "_settings", "_storage", "eui", "limits", "name", "role",
    )  # fmt: skip

    def __init__(
        self,
        role: NodeRole,
        eui: Eui64,
        radios: Sequence[RadioLink],
        clock: Clock,
        storage: Storage,
        entropy: Entropy,
        settings: StackSettings = _DEFAULTS,
        key_log: KeyLog | None = None,
        recorder: Recorder | None = None,
        name: str = "",
    ) -> None:
        """`radios`: the HAN's first, those of the backhaul after. `key_log` gets every key as it comes into use."""
        if not radios:
            raise UsageError("a node needs a radio")
        self.role, self.eui, self.name = role, eui, name or str(eui)
        self._radios, self._clock, self._storage, self._entropy = list(radios), clock, storage, entropy
        self._settings, self._key_log, self._recorder = settings, key_log, recorder
        self._application = Application()
        self._counts = Counts()
        self._handles = cast("Iterator[Handle]", count(1))
        self._running: Running | None = None
        self._extended_pan_id = eui
        self._start()
        room = self._on().aps.secured_room
        routes = role in (NodeRole.COORDINATOR, NodeRole.ROUTER)
        self.limits = _limits(room, routes)

    # --- HanPort -----------------------------------------------------------------------------------------------

    def attach(self, listener: Callable[[HanEvent], None]) -> None:
        self._application.listener = listener

    def register(self, endpoints: Sequence[SimpleDescriptor]) -> None:
        """Set the endpoints of the application; they stay through power cuts."""
        self._application.register(endpoints)

    def send(self, to: Eui64, aps: ApsData, *, secured: bool, acknowledged: bool) -> Handle:
        """Send to a node of the network; `Delivered` tells the end.

        A message that does not fit one frame goes in fragments and is acknowledged in any case. `NO_ROUTE`: this node
        has no network or knows no short address of `to`. `NO_KEY`: `secured`, and no link key with `to` that may be
        used (`StackSettings.established_keys_only`).
        """
        running, handle = self._running or self._on(), next(self._handles)
        express = running.express
        if (
            secured
            and not acknowledged
            and express is not None
            and express.send(to, aps, partial(self._delivered, handle))
        ):
            return handle
        state = running.state
        peer = state.peers.get(to)
        if peer is None or peer.short == NO_SHORT_ADDRESS or state.network is None:
            running.zdp.ask_where(to)
            running.timers.soon(self._delivered, handle, DeliveryStatus.NO_ROUTE)
        elif secured and (peer.security is None or not running.aps.serves_data(peer)):
            running.timers.soon(self._delivered, handle, DeliveryStatus.NO_KEY)
        else:
            running.aps.send(peer, aps, partial(self._delivered, handle), secured=secured, acknowledged=acknowledged)
        return handle

    def _delivered(self, handle: Handle, status: DeliveryStatus) -> None:
        if status is not _OK:
            self._counts.failures += 1
        listener = self._application.listener
        listener(_new(Delivered, (handle, status)))

    def allow_join(self, who: Eui64, key: LinkKey, seconds: int) -> None:
        """Let `who` join for `seconds` under `key`: at the trust centre for it alone, at the routers by permission."""
        self._on().trust().allow(who, key, seconds)

    def readmit(self, who: Eui64, seconds: int) -> bool:
        """Let `who` come back for `seconds` under the link key it had when it was removed; False if none is kept."""
        return self._on().trust().readmit(who, seconds)

    def install_link_key(self, who: Eui64, key: LinkKey, *, proven: bool = True) -> None:
        """Use a link key that was established with `who`, in place of the one before; counters start anew.

        The one before is taken until `who` has spoken under this one. `proven`: `who` is known to have it; if not, it
        gets frames under the one before as long as it speaks under that.
        """
        self._on().state.establish_key(who, key, proven=proven)

    def key_established(self, who: Eui64) -> bool:
        """Tell whether the link key with `who` was installed by `install_link_key`."""
        peer = self._on().state.peers.get(who)
        return peer is not None and peer.established

    def request_partner_key(self, partner: Eui64, done: Callable[[bool], object]) -> None:
        """Ask the trust centre for a link key with another member; `done` tells whether it came."""
        self._on().keys.request_partner_key(partner, done)

    def install_partner_key(self, who: Eui64, key: LinkKey) -> None:
        """Use a link key with another member as if the trust centre had sent it."""
        self._on().state.establish_key(who, key, proven=True, partner=True)

    def watch_partner_keys(self, listener: PartnerKeyListener) -> None:
        """Have `listener` say with whom the trust centre's keys are taken, and hear of them."""
        self._application.partners = listener

    @property
    def partners(self) -> list[Eui64]:
        """With whom there is a link key that the trust centre began, in order."""
        return sorted(eui for eui, peer in self._on().state.peers.items() if peer.partner)

    def agreed_with(self, who: Eui64) -> bool:
        """Tell whether the link key with a partner is one that both have agreed on since, by key establishment."""
        peer = self._on().state.peers.get(who)
        return peer is not None and peer.agreed

    def drop_link_key(self, who: Eui64) -> None:
        """Forget the link key shared with `who`: nothing of it is understood any more."""
        state = self._on().state
        state.clear_key(state.peer(who))

    def update_network_key(self) -> None:
        """At the trust centre: give all members a new network key and switch to it a little later."""
        self._on().trust().keys.update_network_key()

    def remove(self, who: Eui64) -> None:
        self._on().trust().remove(who)

    def discover(self, who: Eui64, query: ZdpQuery) -> Handle:
        running, handle = self._on(), next(self._handles)
        peer = running.state.peers.get(who)
        if peer is None or peer.short == NO_SHORT_ADDRESS:
            running.zdp.ask_where(who)
            running.timers.after(_TOLD_WHERE, self._discover, running, handle, who, query)
        else:
            self._discover(running, handle, who, query)
        return handle

    def _discover(self, running: Running, handle: Handle, who: Eui64, query: ZdpQuery) -> None:
        peer = running.state.peers.get(who)
        if peer is None or peer.short == NO_SHORT_ADDRESS:
            running.post(Discovered(handle, who, (), None, False))
            return
        request: zdp.ZdpMessage
        if isinstance(query, MatchDescriptor):
            request = zdp.MatchDescriptorRequest(peer.short, query.profile, query.server_clusters)
        elif isinstance(query, ActiveEndpoints):
            request = zdp.ActiveEndpointsRequest(peer.short)
        else:
            request = zdp.SimpleDescriptorRequest(peer.short, query.endpoint)
        running.zdp.query(peer, request, partial(self._discovered, handle, who))

    def _discovered(self, handle: Handle, who: Eui64, answer: zdp.ZdpMessage | None) -> None:
        endpoints = answer.endpoints if isinstance(answer, zdp.EndpointsResponse) else ()
        descriptor = answer.descriptor if isinstance(answer, zdp.SimpleDescriptorResponse) else None
        self._application.listener(Discovered(handle, who, endpoints, descriptor, answer is not None))

    def export_trust(self) -> TrustBackup:
        state = self._on().state
        epid = self._extended_pan_id if state.network is None else state.network.extended_pan_id
        keys = sorted((peer.eui, peer.key) for peer in state.peers.values() if peer.key is not None)
        return TrustBackup(epid, tuple((eui, aes_mmo(key)) for eui, key in keys))

    def restore_trust(self, backup: TrustBackup) -> None:
        """Stand in for another trust centre: take over its extended PAN id, and the hashes as link keys of its members.

        A network formed already goes on under that extended PAN id. Members come back by a rejoin without network key.
        """
        running = self._on()
        trust = running.trust()
        self._extended_pan_id = backup.extended_pan_id
        for eui, hashed in backup.hashed_link_keys:
            trust.expect_back(eui, LinkKey(hashed))
        network = running.state.network
        if network is not None:
            running.state.enter(network._replace(extended_pan_id=backup.extended_pan_id))

    # --- beyond the port ---------------------------------------------------------------------------------------

    def query(self, who: Eui64, message: zdp.ZdpMessage, answered: Callable[[zdp.ZdpMessage | None], object]) -> None:
        """Ask `who` by any ZDP request; `answered` gets the answer, None if there was none.

        Raises UsageError if no short address of `who` is known.
        """
        running = self._on()
        peer = running.state.peers.get(who)
        if peer is None or peer.short == NO_SHORT_ADDRESS:
            raise UsageError(f"{self.name} knows no address of {who}")
        running.zdp.query(peer, message, answered)

    def broadcast(self, destination: ShortAddress, aps: ApsData) -> None:
        """Send to all nodes of a class (`protocols.addresses`), under NWK security only; nobody acknowledges."""
        self._on().aps.broadcast(destination, aps)

    def knows(self, who: Eui64) -> ShortAddress | None:
        """Return the short address that this node has of `who`, None if it has none."""
        peer = self._on().state.peers.get(who)
        return None if peer is None or peer.short == NO_SHORT_ADDRESS else peer.short

    def hear(self, frame: bytes) -> None:
        """Take a MAC frame (without FCS) as if the first radio had heard it: for tests with damaged frames."""
        self._on().hear(frame)

    def bound(self, endpoint: int, cluster: int) -> list[Binding]:
        """Return what `cluster` of the own `endpoint` is bound to."""
        return self._on().bindings.of(endpoint, cluster)

    def form(self, pan_id: int, channel: int) -> None:
        """Start the network as its coordinator; the network key comes from the entropy."""
        running = self._on()
        running.trust()
        if running.state.network is not None:
            raise UsageError(f"{self.name} has a network already")
        key = self._entropy.random(f"network key {self.eui}").randbytes(16)
        running.form(pan_id, channel, self._extended_pan_id, key)

    def join(self, key: LinkKey, channels: Sequence[int] = (11,)) -> None:
        """Look for a network and join it under the install-code link key `key`, again and again until joined.

        Then `Joined(trust centre)`. Goes on after a power cut.
        """
        running = self._on()
        if self.role is NodeRole.COORDINATOR or running.state.network is not None:
            raise UsageError(f"{self.name} has a network already")
        running.join(key, tuple(channels))

    def leave(self, *, rejoin: bool = False) -> None:
        """Leave the network, `Left(itself)` follows; with `rejoin` look for a parent in it at once."""
        self._on().membership.leave(rejoin)

    def rejoin(self, *, without_key: bool = False) -> None:
        """Look for a parent in the own network; `without_key` has the trust centre send the network key again."""
        self._on().membership.rejoin(without_key=without_key)

    def announce(self) -> None:
        """Tell the trust centre again that the node is there: it may have missed that of the last restart."""
        self._on().announce()

    def take_address(self, short: ShortAddress) -> None:
        """Take another short address, and announce it; one that another node has makes both change again."""
        self._on().membership.take_address(short)

    def change_channel(self, channel: int) -> None:
        """At the coordinator: move the whole network to `channel`, in a few seconds."""
        self._on().trust().change_channel(channel)

    def power_off(self) -> None:
        """Radios off, timers dead; what is not in the storage is lost."""
        if self._running is not None:
            self._running.stop()
            self._running = None
            self._note("power-off")

    def power_on(self) -> None:
        """Start from the storage: a joined node announces itself (the hub sees `Rejoined`), another goes on joining.

        A node that was a member gets `Rejoined(trust centre)` when the trust centre has answered.
        """
        if self._running is None:
            self._note("power-on")
            self._start()

    def _start(self) -> None:
        boot = int.from_bytes(self._storage.get("boots") or b"", "little") + 1
        self._storage.put("boots", boot.to_bytes(4, "little"))
        self._running = Running(
            self.role,
            self.eui,
            self._radios,
            self._clock,
            self._storage,
            self._entropy,
            self._settings,
            self._key_log,
            self._counts,
            boot,
            self._application,
            self._note,
        )

    def _note(self, event: str, **fields: str | int | bool | None) -> None:
        if self._recorder is not None:
            self._recorder.note(self.name, event, **fields)

    def _on(self) -> Running:
        if self._running is None:
            raise UsageError(f"{self.name} is off")
        return self._running

    @property
    def powered(self) -> bool:
        return self._running is not None

    @property
    def joined(self) -> bool:
        """Whether the node is on and has the network key."""
        return self._running is not None and self._running.state.network is not None

    @property
    def short(self) -> ShortAddress:
        return NO_SHORT_ADDRESS if self._running is None else self._running.state.short

    @property
    def parent(self) -> Eui64 | None:
        """The router this node is a child of; None without network and at the coordinator."""
        network = None if self._running is None else self._running.state.network
        return None if network is None or network.parent == self.eui else network.parent

    @property
    def children(self) -> list[Eui64]:
        """The end devices that are children of this node."""
        return [] if self._running is None else [child.eui for child in self._running.zdp.descriptors.children()]

    @property
    def trust_centre(self) -> Eui64 | None:
        network = None if self._running is None else self._running.state.network
        return None if network is None else network.trust_centre

    @property
    def statistics(self) -> NodeStatistics:
        return self._counts.statistics()
