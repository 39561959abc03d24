"""The joiner: scan, association, network key, announcement; again and again until it has worked."""

from collections.abc import Callable, Sequence

from protocols.addresses import Eui64, ShortAddress
from protocols.aps.commands import TransportNetworkKey, decode_command
from protocols.aps.frame import FrameType, decode_header
from protocols.aps.security import ApsSecurity, KeyId, read_auxiliary
from protocols.errors import DecodeError
from protocols.interfaces import LinkKey, Random
from protocols.mac.commands import Capability
from protocols.stack.mac import Candidate, MacLayer
from protocols.stack.settings import StackSettings
from protocols.stack.state import Network, NodeState
from protocols.stack.timers import Timers

_WEAK = 40  # LQI below which a parent is a last resort


class Joiner:
    """Attempts of one node that has no network."""

    __slots__ = (
        "_associated", "_attempt", "_capability", "_channels", "_entered", "_failed", "_failures", "_key", "_macs",
        "_parent", "_parent_eui", "_random", "_security", "_settings", "_short", "_state", "_timers",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        macs: list[MacLayer],
        timers: Timers,
        settings: StackSettings,
        random: Random,
        capability: Capability,
        entered: Callable[[], object],
        associated: Callable[[Candidate | None], object],
    ) -> None:
        self._state, self._macs, self._timers, self._settings = state, macs, timers, settings
        self._random, self._capability = random, capability
        self._entered, self._associated = entered, associated
        self._key = LinkKey(b"")
        self._channels: tuple[int, ...] = (11,)
        self._security = ApsSecurity(bytes(16))
        self._attempt = 0  # number of the attempt that runs
        self._failures = 0  # in a row
        self._failed: dict[tuple[int, int, int], int] = {}  # by candidate: attempts that led to nothing
        self._parent: Candidate | None = None
        self._parent_eui = Eui64(0)
        self._short: ShortAddress | None = None  # while the network key is awaited

    def start(self, key: LinkKey, channels: Sequence[int]) -> None:
        self._key, self._channels = key, tuple(channels)
        self._security = ApsSecurity(key)
        self._scan(0, [])

    # --- scan --------------------------------------------------------------------------------------------------

    def _scan(self, radio: int, heard: list[Candidate]) -> None:
        if radio == len(self._macs):
            self._choose(heard)
            return
        channels = self._channels if radio == 0 else (self._settings.backhaul_channel,)
        self._macs[radio].scan(channels, lambda more: self._scan(radio + 1, heard + more))

    def _choose(self, heard: list[Candidate]) -> None:
        ready = [each for each in heard if each.beacon.association_permit]
        if not ready:
            self._retry()
            return
        self._parent = parent = min(ready, key=self._preference)
        self._attempt += 1
        self._macs[parent.radio].associate(parent, self._capability, self._answered)

    def _preference(self, each: Candidate) -> tuple[int, bool, int, int]:
        failures = self._failed.get((each.radio, each.pan_id, each.short), 0)
        return failures, each.lqi < _WEAK, each.beacon.depth, -each.lqi

    # --- association -------------------------------------------------------------------------------------------

    def _answered(self, short: ShortAddress | None, parent_eui: Eui64 | None) -> None:
        parent = self._parent
        self._parent_eui = parent_eui or Eui64(0)
        if short is None or parent is None:
            self._fail()
            return
        self._short = short
        mac = self._macs[parent.radio]
        mac.configure(short=short, pan_id=parent.pan_id, channel=parent.channel)
        self._associated(parent)
        self._timers.after(self._settings.authentication_wait, self._give_up, self._attempt)

    def _give_up(self, attempt: int) -> None:
        if self._short is not None and attempt == self._attempt:
            self._short = None
            self._fail()

    def _fail(self) -> None:
        parent = self._parent
        if parent is not None:
            key = (parent.radio, parent.pan_id, parent.short)
            self._failed[key] = self._failed.get(key, 0) + 1
        self._retry()

    def _retry(self) -> None:
        """Begin again after a pause that grows, with chance in it so that joiners do not meet again and again."""
        self._associated(None)
        pause = min(self._settings.join_backoff << min(self._failures, 16), self._settings.join_backoff_most)
        self._failures += 1
        self._timers.after(pause // 2 + self._random.randrange(0, pause), self._scan, 0, [])

    # --- network key -------------------------------------------------------------------------------------------

    @property
    def awaits_key(self) -> bool:
        return self._short is not None

    def take_key(self, octets: bytes) -> None:
        """Take an APS frame without NWK security. Raises DecodeError unless it is the network key for this node."""
        parent, short = self._parent, self._short
        if parent is None or short is None:
            raise DecodeError("a frame without NWK security that was not awaited", data=octets)
        command, centre, counter = open_network_key(octets, self._security, self._state.eui)
        known = self._state.peers.get(centre)
        if known is not None and known.key == self._key and counter < known.aps_next:
            raise DecodeError("a replayed Transport-Key", data=octets)
        self._short = None
        self._enter(parent, short, command, centre)
        self._state.aps_heard(self._state.peer(centre), counter)
        self._failures = 0
        self._entered()

    def _enter(self, parent: Candidate, short: ShortAddress, key: TransportNetworkKey, centre: Eui64) -> None:
        channel = parent.channel if parent.radio == 0 else self._channels[0]
        state = self._state
        state.set_key(centre, self._key)
        state.set_short(state.peer(centre), ShortAddress(0))
        state.set_short(state.peer(self._parent_eui), parent.short)
        state.enter(
            Network(
                parent.pan_id,
                channel,
                parent.beacon.extended_pan_id,
                key.key,
                key.key_sequence,
                short,
                centre,
                self._parent_eui,
                parent.short,
                parent.radio,
                parent.beacon.depth + 1,
                parent.beacon.update_id,
            )
        )


def open_network_key(octets: bytes, security: ApsSecurity, own: Eui64) -> tuple[TransportNetworkKey, Eui64, int]:
    """Return the command, its originator and frame counter of an APS frame with the network key for `own`.

    Raises DecodeError if it is anything else, or not under the key-transport key of `security`.
    """
    header, end = decode_header(octets)
    if header.frame_type != FrameType.COMMAND or not header.security:
        raise DecodeError("not a secured command", data=octets)
    if read_auxiliary(octets, end).key_id != KeyId.KEY_TRANSPORT:
        raise DecodeError("not under the key-transport key", data=octets)
    payload, centre, counter = security.unprotect(octets, end)
    command = decode_command(payload)
    if not isinstance(command, TransportNetworkKey) or command.destination != own:
        raise DecodeError("not the network key for this node", data=octets)
    return command, centre, counter
