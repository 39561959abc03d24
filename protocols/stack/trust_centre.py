"""The trust centre: who may join, the network key, who is a member."""

from collections.abc import Callable

from protocols.addresses import Eui64
from protocols.aps.commands import RemoveDevice, TransportNetworkKey, Tunnel, UpdateDevice, UpdateStatus
from protocols.aps.security import KeyId
from protocols.errors import UsageError
from protocols.interfaces import SECOND, HanEvent, Joined, Left, LinkKey, Rejoined, Timer
from protocols.nwk.commands import Leave
from protocols.stack.aps import ApsLayer
from protocols.stack.broadcasts import DELIVERY_TIME
from protocols.stack.keys import TrustCentreKeys
from protocols.stack.nwk import NwkLayer
from protocols.stack.parent import Parent
from protocols.stack.settings import StackSettings
from protocols.stack.state import NodeState, Peer
from protocols.stack.timers import Timers
from protocols.stack.zdp import ZdpLayer

_GATHER = 20_000_000  # ns in which several reasons to open joining make one broadcast


class TrustCentre:
    """Runs on the coordinator."""

    __slots__ = (
        "_aps", "_expected", "_nwk", "_parent", "_post", "_renewal", "_renewal_at", "_settings", "_state", "_timers",
        "_unannounced", "_zdp", "keys",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        aps: ApsLayer,
        zdp: ZdpLayer,
        parent: Parent,
        timers: Timers,
        settings: StackSettings,
        post: Callable[[HanEvent], object],
    ) -> None:
        self._state, self._nwk, self._aps, self._zdp, self._parent = state, nwk, aps, zdp, parent
        self._timers, self._settings, self._post = timers, settings, post
        self.keys: TrustCentreKeys
        self._renewal: Timer | None = None
        self._renewal_at = 0
        self._expected: dict[Eui64, int] = {}  # got the key, not announced yet: repetitions left
        self._unannounced: dict[Eui64, int] = {}  # confirmed before its announcement came, until when that counts
        parent.user = self
        zdp.announced = self._announced
        zdp.asked = self._asked
        if state.authorised:
            self._open_joining()

    # --- permission --------------------------------------------------------------------------------------------

    def allow(self, eui: Eui64, key: LinkKey, seconds: int) -> None:
        """Let `eui` join under `key` for `seconds`, at this node and over every router.

        One with an established key keeps that, and has to join under it.
        """
        if not self._state.peer(eui).established:
            self._state.set_key(eui, key)
        self._state.authorise(eui, self._timers.now() + seconds * SECOND)
        self._parent.permit(min(seconds, self._settings.permit_seconds))
        self._open_joining()

    def readmit(self, eui: Eui64, seconds: int) -> bool:
        """Let `eui` come back for `seconds` under the link key it had when it was removed; False if none is kept."""
        if not self._state.recall(eui):
            return False
        self._state.authorise(eui, self._timers.now() + seconds * SECOND)
        self._open_joining()
        return True

    def expect_back(self, eui: Eui64, hashed: LinkKey) -> None:
        """Count `eui` as a member that has still to come back, under the hash of the key it had with the hub before."""
        self._state.set_key(eui, hashed)
        peer = self._state.peer(eui)
        peer.member = True
        self._state.save(peer)

    def _open_joining(self) -> None:
        """Renew the permission soon, unless that is about to happen."""
        due = self._timers.now() + _GATHER
        if self._renewal is not None:
            if self._renewal_at <= due:
                return
            self._renewal.cancel()
        self._schedule(due)

    def _schedule(self, due: int) -> None:
        self._renewal_at = due
        self._renewal = self._timers.after(due - self._timers.now(), self._renew)

    def _renew(self) -> None:
        self._renewal = None
        now = self._timers.now()
        for eui in [eui for eui, until in self._state.authorised.items() if until <= now]:
            self._state.authorise(eui, 0)
        if not self._state.authorised or self._state.network is None:
            return
        left = -(-(max(self._state.authorised.values()) - now) // SECOND)
        seconds = min(left, self._settings.permit_seconds)
        self._parent.permit(seconds)
        self._zdp.open_joining(seconds)
        self._schedule(now + self._settings.permit_renewal)

    def _may_join(self, eui: Eui64) -> bool:
        return self._state.authorised.get(eui, 0) > self._timers.now()

    # --- admission ---------------------------------------------------------------------------------------------

    def child_joined(self, child: Peer) -> None:
        child.parent = self._state.eui
        if self._may_join(child.eui):
            self._expect(child)
        else:
            self._parent.drop(child)

    def update_device(self, reporter: Peer, command: UpdateDevice) -> None:
        """A router reports a device that associated with it, or left."""
        device = self._state.peer(command.device)
        if command.status == UpdateStatus.LEFT:
            self._left(device)
        elif command.status == UpdateStatus.UNSECURED_JOIN:
            if not self._may_join(command.device):
                self._aps.send_command(reporter, RemoveDevice(command.device).encode(), secured=True)
                return
            if device.child_radio >= 0:
                self._state.disown(device)
            self._place(device, command, reporter)
            self._expect(device)
        elif command.status in (UpdateStatus.SECURED_REJOIN, UpdateStatus.TRUST_CENTRE_REJOIN):
            if device.child_radio >= 0:
                self._state.disown(device)
            self._place(device, command, reporter)
            if command.status == UpdateStatus.TRUST_CENTRE_REJOIN:
                self._renew_key(device)

    def _place(self, device: Peer, command: UpdateDevice, reporter: Peer) -> None:
        """Note where a device behind a router is."""
        device.parent = reporter.eui
        self._state.set_short(device, command.short)
        self._state.save(device)
        self._state.learn_route(command.short, *self._state.routes.get(reporter.short, (0, reporter.short)))

    def child_rejoined(self, child: Peer, secured: bool) -> None:
        child.parent = self._state.eui
        if not secured:
            self._renew_key(child)

    def child_left(self, child: Peer) -> None:
        """Nobody needs to be told: this node has heard it."""

    def _renew_key(self, device: Peer) -> None:
        """A member has rejoined without the network key: it gets it again."""
        if device.key is None or not (device.member or self._may_join(device.eui)):
            return
        self._expected[device.eui] = self._settings.key_repeats
        self._send_key(device)

    def _expect(self, device: Peer) -> None:
        """Send the network key, again a few times until the device announces itself."""
        device.member = False
        self._state.save(device)
        self._expected[device.eui] = self._settings.key_repeats
        self._send_key(device)

    def _send_key(self, device: Peer) -> None:
        network = self._state.network
        if network is None or device.eui not in self._expected:
            return
        command = TransportNetworkKey(network.key, network.key_sequence, device.eui, self._state.eui)
        frame = self._aps.command_frame(device, command.encode(), KeyId.KEY_TRANSPORT)
        if device.child_radio >= 0:
            self._nwk.plain.to_joiner(device, frame)
        else:
            reporter = self._state.peer(device.parent)
            self._aps.send_command(reporter, Tunnel(device.eui, frame).encode(), secured=False)
        self._timers.after(self._settings.key_repeat, self._repeat_key, device)

    def _repeat_key(self, device: Peer) -> None:
        left = self._expected.get(device.eui, 0)
        if (left and device.eui in self._nwk.unauthenticated) or (left and device.child_radio < 0):
            self._expected[device.eui] = left - 1
            self._send_key(device)

    def change_channel(self, channel: int) -> None:
        """Tell all nodes to go to `channel` when the broadcast has reached them, and go there."""
        network = self._state.network
        if network is None:
            raise UsageError("no network")
        update_id = (network.update_id + 1) & 0xFF
        self._zdp.move_to(channel, update_id)

    # --- membership --------------------------------------------------------------------------------------------

    def _announced(self, peer: Peer) -> None:
        if peer.key is None:
            return
        if peer.router and self._state.authorised:
            self._open_joining()  # a router forgets the permission when it restarts
        self._expected.pop(peer.eui, None)
        if self._unannounced.pop(peer.eui, 0) > self._timers.now():
            return
        if peer.member:
            self._post(Rejoined(peer.eui))
        else:
            self._enter(peer)

    def _asked(self, peer: Peer) -> None:
        """A node that confirms its joining speaks to the trust centre: its announcement may have been lost.

        It has the network key and a link key, so it was let in, if only before the trust centre lost its power.
        """
        if peer.key is not None and not peer.member:
            self._expected.pop(peer.eui, None)
            self._unannounced[peer.eui] = self._timers.now() + DELIVERY_TIME
            self._enter(peer)

    def _enter(self, peer: Peer) -> None:
        peer.member = True
        self._state.save(peer)
        self._post(Joined(peer.eui))

    def remove(self, eui: Eui64) -> None:
        """Take the device out of the network and put its key aside."""
        peer = self._state.peers.get(eui)
        if eui in self._state.authorised:
            self._state.authorise(eui, 0)
        if peer is None:
            return
        if peer.child_radio >= 0:
            self._nwk.send_command(peer.short, Leave(request=True).encode(), lambda status: self._state.disown(peer))
        elif peer.parent in self._state.peers:
            parent = self._state.peers[peer.parent]
            self._aps.send_command(parent, RemoveDevice(eui).encode(), secured=True)
        self._left(peer)
        self._state.put_aside(peer)

    def _left(self, peer: Peer) -> None:
        if peer.member:
            peer.member = False
            self._state.save(peer)
            self._post(Left(peer.eui))
