"""Takes captured frames apart, layer by layer, with the codecs only."""

from collections import Counter
from typing import Final, NamedTuple

from gateway.campaigns.evidence.addresses import AddressBook, AddressSpace
from gateway.campaigns.evidence.assembly import Duplicates, Ends, Reassembly
from gateway.campaigns.evidence.keyring import KeyRing
from gateway.campaigns.evidence.watching import ApsSighting, Watcher
from protocols.addresses import Eui64
from protocols.aps import commands as aps_commands
from protocols.aps import frame as aps_frame
from protocols.aps.security import read_auxiliary
from protocols.errors import DecodeError, IntegrityError
from protocols.mac import commands as mac_commands
from protocols.mac.beacon import Beacon
from protocols.mac.frame import FCS_SIZE, FrameType, MacFrame, has_good_fcs
from protocols.nwk import commands as nwk_commands
from protocols.nwk import frame as nwk_frame
from protocols.pcapng import CapturedFrame
from protocols.zdp import messages as zdp

FCS, UNDECRYPTED, MALFORMED, UNPROTECTED = "fcs", "undecrypted", "malformed", "unprotected"

_MAC_NAMES: Final = {
    mac_commands.AssociationRequest: "mac association request",
    mac_commands.AssociationResponse: "mac association response",
    mac_commands.CoordinatorRealignment: "mac coordinator realignment",
    mac_commands.DisassociationNotification: "mac disassociation notification",
    mac_commands.DataRequest: "mac data request",
    mac_commands.OrphanNotification: "mac orphan notification",
    mac_commands.BeaconRequest: "mac beacon request",
}
_Ends = tuple[Eui64 | None, Eui64 | None]  # source, destination
_PLAIN_WITHOUT_KEY = (aps_commands.TransportNetworkKey,)  # the only command a node without network key may be sent


class Defect(NamedTuple):
    """A frame that is not in order."""

    frame: int  # number in the capture, from 1
    network: str
    time: int  # ns UTC
    kind: str  # FCS, UNDECRYPTED, MALFORMED or UNPROTECTED
    reason: str


class Association(NamedTuple):
    """A parent gave a device its short address."""

    frame: int
    time: int
    network: str
    device: Eui64
    parent: Eui64
    short: int


class Announcement(NamedTuple):
    """Device_annce, its first sighting."""

    frame: int
    time: int
    network: str
    device: Eui64
    short: int


class KeyTransport(NamedTuple):
    """Transport-Key brought a device the network key, under a key derived from its link key."""

    frame: int
    time: int
    network: str
    device: Eui64
    key: bytes  # the link key


class PartnerKey(NamedTuple):
    """Request-Key for a link key with another device, or the Transport-Key that brought one; each sighting."""

    frame: int
    time: int
    device: Eui64  # who asked, or was sent it
    partner: Eui64
    key: bytes | None  # None: asked for


class ApsMessage(NamedTuple):
    """What an application sent to another: one APS data frame or the fragments of one, first sighting."""

    frame: int  # that completed it
    time: int  # ns UTC, of that frame
    network: str
    source: Eui64 | None
    destination: Eui64 | None  # None: broadcast, or not known
    from_coordinator: bool
    cluster: int
    profile: int
    secured: bool  # with a link key
    fragments: tuple[int, ...]  # numbers of the frames, empty if sent in one
    payload: bytes
    key: bytes | None  # the link key, None without APS security
    with_coordinator: bool  # which is one of the two ends
    endpoint: int  # of the source


class Dissector:
    """Feed frames in order of time; each gives the application message it completes, if any."""

    def __init__(self, keys: KeyRing, watcher: Watcher | None = None) -> None:
        """watcher: sees every frame, relays and repetitions too."""
        self._keys, self._watcher = keys, watcher
        self._book = AddressBook()
        self._duplicates, self._reassembly = Duplicates(), Reassembly()
        self.frames = 0
        self.protected = 0  # frames under NWK or APS security, all opened
        self.secured = 0  # of these, frames under APS security
        self.kinds: Counter[str] = Counter()
        self.networks: Counter[str] = Counter()
        self.defects: list[Defect] = []
        self.associations: list[Association] = []
        self.announcements: list[Announcement] = []
        self.key_transports: list[KeyTransport] = []
        self.partner_keys: list[PartnerKey] = []
        self.first = self.last = 0  # ns UTC

    def take(self, captured: CapturedFrame) -> ApsMessage | None:
        """Take one frame; what is wrong with it goes to `defects`."""
        number, network, time, octets, _ = captured
        self.frames += 1
        self.networks[network] += 1
        self.first, self.last = self.first or time, time
        if not has_good_fcs(octets):
            self.reject(captured, FCS, "the FCS is wrong")
            return None
        try:
            frame = MacFrame.decode(octets[:-FCS_SIZE])
            if self._watcher is not None:
                self._watcher.mac(captured, frame)
            if frame.frame_type == FrameType.DATA:
                return self._network_frame(captured, frame)
            self._mac(frame, number, network, time)
        except IntegrityError as error:
            self.reject(captured, UNDECRYPTED, str(error))
        except DecodeError as error:
            self.reject(captured, MALFORMED, str(error))
        return None

    def reject(self, captured: CapturedFrame, kind: str, reason: str) -> None:
        self.defects.append(Defect(captured.number, captured.network, captured.time, kind, reason))

    def unfinished(self) -> int:
        """Return how many fragmented messages never became whole."""
        return len(self._reassembly.unfinished())

    def euis(self) -> list[Eui64]:
        return self._book.euis()

    # --- MAC -------------------------------------------------------------------------------------------------------

    def _mac(self, frame: MacFrame, number: int, network: str, time: int) -> None:
        if frame.frame_type == FrameType.ACKNOWLEDGEMENT:
            self.kinds["mac acknowledgement"] += 1
            return
        if frame.frame_type == FrameType.BEACON:
            Beacon.decode(frame.payload)
            self.kinds["mac beacon"] += 1
            return
        command = mac_commands.decode_command(frame.payload)
        self.kinds[_MAC_NAMES[type(command)]] += 1
        if not isinstance(command, mac_commands.AssociationResponse) or command.status:
            return
        device, parent = frame.destination, frame.source
        if frame.destination_pan is not None and isinstance(device, Eui64) and isinstance(parent, Eui64):
            self._book.space(network, frame.destination_pan).euis[command.short] = device
            self.associations.append(Association(number, time, network, device, parent, command.short))

    # --- NWK -------------------------------------------------------------------------------------------------------

    def _network_frame(self, captured: CapturedFrame, frame: MacFrame) -> ApsMessage | None:
        if frame.destination_pan is None:
            raise DecodeError("a data frame without PAN id", data=frame.payload)
        space = self._book.space(captured.network, frame.destination_pan)
        octets = frame.payload
        header, end = nwk_frame.decode_header(octets)
        if header.security:
            plain, hop, counter, space = self._opened(captured.network, frame.destination_pan, octets, end)
            self.protected += 1
            if self._watcher is not None and space.security is not None:
                self._watcher.nwk(captured, space, space.security.key_sequence, hop, counter)
            if frame.source is not None and not isinstance(frame.source, Eui64):
                space.euis[frame.source] = hop
        else:
            plain = octets[end:]
        if header.source_ieee is not None:
            space.euis[header.source] = header.source_ieee
        if header.destination_ieee is not None:
            space.euis[header.destination] = header.destination_ieee
        if header.frame_type == nwk_frame.FrameType.COMMAND:
            self._network_command(captured, plain, header.security)
            return None
        return self._aps(captured, frame, space, header, plain)

    def _opened(self, network: str, pan: int, octets: bytes, end: int) -> tuple[bytes, Eui64, int, AddressSpace]:
        """Return payload, hop and counter of a NWK frame, and the address space whose key opened it."""
        space = self._book.space(network, pan)
        if space.security is not None:
            try:
                plain, hop, counter = space.security.unprotect(octets, end)
            except IntegrityError:
                pass  # another key sequence, or a frame of a neighbour
            else:
                return plain, hop, counter, space
        key, security = self._keys.find_network_key(octets, end)
        plain, hop, counter = security.unprotect(octets, end)
        return plain, hop, counter, self._book.opened(network, pan, key, security)

    def _network_command(self, captured: CapturedFrame, plain: bytes, security: bool) -> None:
        command = nwk_commands.decode_command(plain)
        self.kinds[f"nwk {type(command).__name__}"] += 1
        rejoin = isinstance(command, nwk_commands.RejoinRequest | nwk_commands.RejoinResponse)
        if not security and not rejoin:
            self.reject(captured, UNPROTECTED, "a NWK command without security")

    # --- APS -------------------------------------------------------------------------------------------------------

    def _aps(
        self, captured: CapturedFrame, mac: MacFrame, space: AddressSpace, nwk: nwk_frame.NwkHeader, octets: bytes
    ) -> ApsMessage | None:
        header, end = aps_frame.decode_header(octets)
        source, destination = space.euis.get(nwk.source), space.euis.get(nwk.destination)
        key: bytes | None = None
        if header.security:
            plain, source, key = self._keys.open_link(octets, end, source, destination, self._book.euis)
            self.secured += 1
            if not nwk.security:
                self.protected += 1
        else:
            plain = octets[end:]
        if self._watcher is not None:
            counter = read_auxiliary(octets, end).counter if header.security else None
            sighting = ApsSighting(captured, mac, space, nwk, header, source, destination, counter, octets, key)
            self._watcher.aps(sighting)
        if header.frame_type == aps_frame.FrameType.COMMAND:
            self._aps_command(captured, plain, nwk.security, key, (source, destination))
            return None
        if not nwk.security:
            self.reject(captured, UNPROTECTED, "an APS frame without NWK security")
        if header.frame_type == aps_frame.FrameType.ACKNOWLEDGEMENT:
            self.kinds["aps acknowledgement"] += 1
            return None
        ends = Ends(space.number, nwk.source, nwk.destination)
        fragments: tuple[int, ...] = ()
        if header.fragmentation:
            self.kinds["aps fragment"] += 1
            whole = self._reassembly.take(ends, header, plain, captured.time, captured.number)
            if whole is None:
                return None
            plain, fragments = whole
        elif not self._duplicates.is_new(ends, header, plain, captured.time):
            self.kinds["aps data, relayed or repeated"] += 1
            return None
        if header.profile == zdp.PROFILE:
            self._zdp(captured, space, header.cluster, plain)
            return None
        return ApsMessage(
            captured.number,
            captured.time,
            captured.network,
            source,
            destination,
            nwk.source == 0,
            header.cluster,
            header.profile,
            header.security,
            fragments,
            plain,
            key,
            nwk.source == 0 or nwk.destination == 0,
            header.source_endpoint,
        )

    def _aps_command(
        self, captured: CapturedFrame, plain: bytes, nwk_security: bool, key: bytes | None, ends: _Ends = (None, None)
    ) -> None:
        command = aps_commands.decode_command(plain)
        self.kinds[f"aps {type(command).__name__}"] += 1
        if isinstance(command, aps_commands.Tunnel):
            self._tunnelled(captured, command)
        elif isinstance(command, aps_commands.TransportNetworkKey):
            self._keys.add(command.key)
            if key is not None:
                place = (captured.number, captured.time, captured.network)
                self.key_transports.append(KeyTransport(*place, command.destination, key))
        else:
            self._partner_key(captured, command, *ends)
        key_for_joiner = key is not None and isinstance(command, _PLAIN_WITHOUT_KEY)
        if not nwk_security and not key_for_joiner:
            self.reject(captured, UNPROTECTED, "an APS command without NWK security")

    def _partner_key(
        self, captured: CapturedFrame, command: aps_commands.ApsCommand, source: Eui64 | None, to: Eui64 | None
    ) -> None:
        if isinstance(command, aps_commands.TransportApplicationLinkKey):
            self._keys.add(command.key)
            if to is not None:
                seen = PartnerKey(captured.number, captured.time, to, command.partner, command.key)
                self.partner_keys.append(seen)
        elif isinstance(command, aps_commands.RequestKey) and command.partner is not None and source is not None:
            self.partner_keys.append(PartnerKey(captured.number, captured.time, source, command.partner, None))

    def _tunnelled(self, captured: CapturedFrame, tunnel: aps_commands.Tunnel) -> None:
        """Open the command that a parent is to hand on as it is."""
        header, end = aps_frame.decode_header(tunnel.frame)
        if not header.security or header.frame_type != aps_frame.FrameType.COMMAND:
            raise DecodeError("an APS tunnel with something else than a secured command", data=tunnel.frame)
        plain, _, key = self._keys.open_link(tunnel.frame, end, None, tunnel.destination, self._book.euis)
        self.secured += 1
        self._aps_command(captured, plain, True, key)

    def _zdp(self, captured: CapturedFrame, space: AddressSpace, cluster: int, plain: bytes) -> None:
        _, message = zdp.decode(cluster, plain)
        self.kinds[f"zdp {type(message).__name__}"] += 1
        if isinstance(message, zdp.DeviceAnnounce):
            space.euis[message.short] = message.eui
            self.announcements.append(
                Announcement(captured.number, captured.time, captured.network, message.eui, message.short)
            )
