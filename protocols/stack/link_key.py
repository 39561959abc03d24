"""The trust-centre link key exchange of Zigbee 3.0, for joiners of a foreign trust centre.

Request-Key, Transport-Key under the key-load key, Verify-Key, Confirm-Key. Smart Energy does not use it: its link key
comes from key establishment. Source: Zigbee 05-3474-22 4.4.10 and 4.7.3.8; times of the Base Device Behaviour 13-0402.
"""

from collections.abc import Callable

from protocols.aps.commands import (
    ConfirmKey,
    ConfirmStatus,
    KeyType,
    RequestedKeyType,
    RequestKey,
    TransportTrustCentreLinkKey,
    VerifyKey,
)
from protocols.aps.security import KeyId
from protocols.crypto.mmo import verify_key_hash
from protocols.interfaces import LinkKey, Storage, Timer
from protocols.stack.aps import ApsLayer
from protocols.stack.settings import StackSettings
from protocols.stack.state import NodeState, Peer
from protocols.stack.timers import Timers

_VERIFIED = "link key verified"  # cell: the trust centre that confirmed


class LinkKeyExchange:
    """One joiner's exchange. It starts again from Request-Key when an answer stays out, a few times."""

    __slots__ = (
        "_aps", "_centre", "_ended", "_left", "_settings", "_state", "_storage", "_timer", "_timers", "_transported",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        aps: ApsLayer,
        timers: Timers,
        settings: StackSettings,
        storage: Storage,
        ended: Callable[[bool], object],
    ) -> None:
        """`ended` is told whether the trust centre has confirmed the key."""
        self._state, self._aps, self._timers, self._settings = state, aps, timers, settings
        self._storage, self._ended = storage, ended
        self._centre: Peer | None = None
        self._left = 0
        self._timer: Timer | None = None
        self._transported = False

    def start(self, centre: Peer) -> None:
        """Exchange keys with `centre` unless it has confirmed one before."""
        if self._centre is None and self._storage.get(_VERIFIED) != centre.eui.wire:
            self._centre, self._left = centre, self._settings.exchange_attempts
            self._request()

    def _request(self) -> None:
        centre = self._centre
        if centre is None:
            return
        if not self._left:
            self._centre = None
            self._ended(False)
            return
        self._left -= 1
        self._transported = False
        self._aps.send_command(centre, RequestKey(RequestedKeyType.TRUST_CENTRE_LINK).encode(), secured=True)
        self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._timers.after(self._settings.exchange_wait, self._request)

    def transported(self, command: TransportTrustCentreLinkKey, key_id: int | None) -> None:
        """Take the new key of the trust centre and prove it."""
        centre, own = self._centre, self._state.eui
        if centre is None or key_id != KeyId.KEY_LOAD or command.destination != own:
            return
        self._state.set_key(centre.eui, LinkKey(command.key))
        self._transported = True
        proof = VerifyKey(KeyType.TRUST_CENTRE_LINK, own, verify_key_hash(command.key))
        self._aps.send_command(centre, proof.encode(), secured=False)
        self._wait()

    def confirmed(self, command: ConfirmKey, key_id: int | None) -> None:
        """Take the verdict of the trust centre, which stands under the new key."""
        centre = self._centre
        if centre is None or not self._transported or key_id != KeyId.LINK or command.destination != self._state.eui:
            return
        if command.status != ConfirmStatus.SUCCESS:
            return  # the next attempt follows
        if self._timer is not None:
            self._timer.cancel()
        self._centre = None
        self._storage.put(_VERIFIED, centre.eui.wire)
        self._ended(True)

    def forget(self) -> None:
        """The node leaves its network."""
        self._centre = None
        if self._timer is not None:
            self._timer.cancel()
        self._storage.delete(_VERIFIED)
