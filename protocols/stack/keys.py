"""Keys after joining: network key updates, application link keys, and what the trust centre hands out.

Source: Zigbee 05-3474 4.4.2 to 4.4.8 and 4.6.3; ZSE 07-5356 5.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from protocols.addresses import BROADCAST_ALL, Eui64, ShortAddress
from protocols.aps.commands import (
    ConfirmKey,
    ConfirmStatus,
    KeyType,
    RequestedKeyType,
    RequestKey,
    SwitchKey,
    TransportApplicationLinkKey,
    TransportNetworkKey,
    TransportTrustCentreLinkKey,
    VerifyKey,
)
from protocols.aps.security import KeyId
from protocols.crypto.mmo import verify_key_hash
from protocols.interfaces import LinkKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.aps.commands import ApsCommand
    from protocols.interfaces import Random, Timer
    from protocols.stack.aps import ApsLayer
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState, Peer
    from protocols.stack.timers import Timers


class PartnerKeyListener(Protocol):
    """Whom a node's owner wants a link key with, and who hears that one is there."""

    def admits(self, partner: Eui64) -> bool:
        """Tell whether the trust centre's key with `partner` is taken."""
        ...

    def keyed(self, partner: Eui64) -> None:
        """Hear of a key that the trust centre has sent, whoever had asked for it."""
        ...


class NodeKeys:
    """Any node's part: takes what the trust centre sends, asks for keys with partners."""

    __slots__ = ("_aps", "_ask_where", "_listener", "_settings", "_state", "_timers", "_wanted")

    def __init__(
        self,
        state: NodeState,
        aps: ApsLayer,
        timers: Timers,
        settings: StackSettings,
        ask_where: Callable[[Eui64], object],
        listener: Callable[[], PartnerKeyListener | None],
    ) -> None:
        self._state, self._aps, self._timers, self._settings, self._ask_where = state, aps, timers, settings, ask_where
        self._listener = listener
        self._wanted: dict[Eui64, tuple[Callable[[bool], object], Timer]] = {}  # by partner

    def command(self, command: ApsCommand, key_id: int | None) -> bool:
        """Take a command of the trust centre; False if it is none of this module's."""
        if isinstance(command, TransportNetworkKey):
            if key_id == KeyId.KEY_TRANSPORT and command.destination in (0, self._state.eui):
                self._state.set_next_network_key(command.key, command.key_sequence)
        elif isinstance(command, SwitchKey):
            if command.key_sequence == self._state.next_key_sequence:
                self.switch()
        elif isinstance(command, TransportApplicationLinkKey):
            if key_id == KeyId.KEY_LOAD:
                self._take_partner_key(command)
        else:
            return False
        return True

    def switch(self) -> None:
        """Use the next network key from now on."""
        self._state.switch_network_key()

    def request_partner_key(self, partner: Eui64, done: Callable[[bool], object]) -> None:
        """Ask the trust centre for a link key with `partner`; `done` tells whether it came in time."""
        network = self._state.network
        if network is None or partner in self._wanted:
            self._timers.soon(done, False)
            return
        timer = self._timers.after(self._settings.exchange_wait, self._expired, partner)
        self._wanted[partner] = (done, timer)
        request = RequestKey(RequestedKeyType.APPLICATION_LINK, partner)
        self._aps.send_command(self._state.peer(network.trust_centre), request.encode(), secured=True)

    def _expired(self, partner: Eui64) -> None:
        done, _ = self._wanted.pop(partner)
        done(False)

    def _take_partner_key(self, command: TransportApplicationLinkKey) -> None:
        listener, waiting = self._listener(), self._wanted.pop(command.partner, None)
        if waiting is None and listener is not None and not listener.admits(command.partner):
            return
        self._state.establish_key(command.partner, LinkKey(command.key), proven=True, partner=True)
        if self._state.peer(command.partner).short >= 0xFFF8:
            self._ask_where(command.partner)
        if waiting is not None:
            waiting[1].cancel()
            self._timers.soon(waiting[0], True)
        if listener is not None:
            self._timers.soon(listener.keyed, command.partner)


class TrustCentreKeys:
    """The trust centre's part."""

    __slots__ = ("_aps", "_random", "_settings", "_state", "_switch", "_timers", "_unverified")

    def __init__(
        self,
        state: NodeState,
        aps: ApsLayer,
        timers: Timers,
        settings: StackSettings,
        random: Random,
        switch: Callable[[], object],
    ) -> None:
        self._state, self._aps, self._timers, self._settings, self._random = state, aps, timers, settings, random
        self._unverified: dict[Eui64, LinkKey] = {}  # handed out, not proven yet
        self._switch = switch

    def command(self, peer: Peer, command: ApsCommand, key_id: int | None) -> bool:
        """Serve a request of a member; False if it is none of this module's."""
        if isinstance(command, RequestKey):
            if key_id == KeyId.LINK:
                self._requested(peer, command)
        elif isinstance(command, VerifyKey):
            self._verify(peer, command)
        else:
            return False
        return True

    # --- link keys ---------------------------------------------------------------------------------------------

    def _requested(self, peer: Peer, command: RequestKey) -> None:
        if command.key_type == RequestedKeyType.APPLICATION_LINK and command.partner is not None:
            self._hand_out_partner_key(peer, self._state.peers.get(command.partner))
        elif command.key_type == RequestedKeyType.TRUST_CENTRE_LINK and self._settings.issue_link_keys:
            key = self._unverified[peer.eui] = LinkKey(self._random.randbytes(16))
            transport = TransportTrustCentreLinkKey(key, peer.eui, self._state.eui)
            self._aps.send_command(peer, transport.encode(), secured=True, key_id=KeyId.KEY_LOAD)

    def _hand_out_partner_key(self, asker: Peer, partner: Peer | None) -> None:
        """Give both a key, if both are members whose own keys are what the settings ask for."""
        if partner is None or partner is asker or not (partner.member and asker.member) or partner.key is None:
            return
        if self._settings.established_keys_only and not (asker.established and partner.established):
            return
        key = self._random.randbytes(16)
        for to, other, initiator in ((asker, partner, True), (partner, asker, False)):
            transport = TransportApplicationLinkKey(key, other.eui, initiator)
            self._aps.send_command(to, transport.encode(), secured=True, key_id=KeyId.KEY_LOAD)

    def _verify(self, peer: Peer, command: VerifyKey) -> None:
        key = self._unverified.get(peer.eui)
        good = key is not None and command.source == peer.eui and command.key_type == KeyType.TRUST_CENTRE_LINK
        if key is not None and good and command.key_hash == verify_key_hash(key):
            del self._unverified[peer.eui]
            self._state.establish_key(peer.eui, key, proven=True)
            status = ConfirmStatus.SUCCESS
        else:
            status = ConfirmStatus.SECURITY_FAILURE
        confirm = ConfirmKey(status, KeyType.TRUST_CENTRE_LINK, peer.eui)
        self._aps.send_command(peer, confirm.encode(), secured=peer.security is not None)

    # --- network key -------------------------------------------------------------------------------------------

    def update_network_key(self) -> None:
        """Send a new network key to every member, and have all switch when it has arrived."""
        network = self._state.network
        if network is None:
            return
        key, sequence = self._random.randbytes(16), (network.key_sequence + 1) & 0xFF
        self._state.set_next_network_key(key, sequence)
        for peer in list(self._state.peers.values()):
            if peer.member and peer.key is not None:
                transport = TransportNetworkKey(key, sequence, peer.eui, self._state.eui)
                self._aps.send_command(peer, transport.encode(), secured=True, key_id=KeyId.KEY_TRANSPORT)
        self._timers.after(self._settings.key_switch_wait, self._switch_all, sequence)

    def _switch_all(self, sequence: int) -> None:
        if self._state.next_key_sequence == sequence:
            self._aps.broadcast_command(ShortAddress(BROADCAST_ALL), SwitchKey(sequence).encode())
            self._timers.after(self._settings.key_switch_spread, self._switch)
