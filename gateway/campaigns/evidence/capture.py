"""Evidence from a capture alone: what was on the air, decrypted with the key table of the run.

`read_capture(capture, keys)` is the entry. Nothing here knows the emulator; a capture of a real HAN does as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gateway.campaigns.evidence.dissector import MALFORMED, Announcement, ApsMessage, Association, Defect, Dissector
from gateway.campaigns.evidence.energy import EnergyCommand, EnergyLog
from gateway.campaigns.evidence.keyring import KeyRing
from gateway.campaigns.evidence.link_keys import LinkKeyLog, LinkKeys
from gateway.campaigns.evidence.readings import MeterReading, ReadingLog
from gateway.campaigns.evidence.transfers import Transfer, Transfers
from gateway.campaigns.evidence.watching import Watcher
from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.pcap import read_any
from protocols.pcapng import CapturedFrame, CaptureKey, read_keys
from protocols.zcl import general
from protocols.zcl.clusters import ota, tunneling
from protocols.zcl.frame import ZclFrame


class OtaEvent(NamedTuple):
    """An OTA command, its first sighting."""

    frame: int
    time: int  # ns UTC
    network: str
    device: Eui64 | None  # the client; None for a broadcast Image Notify
    secured: bool  # with a link key
    transaction: int
    command: ota.OtaCommand


class TunnelEvent(NamedTuple):
    """A tunnelling command, its first sighting; Transfer Data is a `TunnelMessage`."""

    frame: int
    time: int  # ns UTC
    network: str
    device: Eui64  # the end that is not the coordinator
    upward: bool  # from the device
    command: tunneling.TunnelingCommand


class TunnelMessage(NamedTuple):
    """What a tunnel carried, whole: a GBCS message; to and from a GSME with the header of its queue in front."""

    frame: int  # that completed it
    time: int  # ns UTC, of that frame
    network: str
    device: Eui64  # the end that is not the coordinator
    upward: bool  # from the device
    secured: bool  # with a link key
    tunnel: int  # 16 bits
    fragments: tuple[int, ...]  # numbers of the frames, empty if sent in one
    data: bytes


@dataclass(frozen=True)
class CaptureEvidence:
    """Everything a capture shows. Lists are in order of time, frame numbers count from 1 as Wireshark does."""

    frames: int
    protected: int  # frames under NWK or APS security that were opened
    secured: int  # frames under APS security that were opened
    networks: dict[str, int]  # frames of each radio network
    kinds: dict[str, int]  # frames of each kind
    defects: list[Defect]  # bad FCS, undecrypted, malformed, unprotected
    unfinished: int  # fragmented messages that never became whole
    first: int  # ns UTC, of the first frame, 0 without frames
    last: int
    associations: list[Association]
    announcements: list[Announcement]
    ota: list[OtaEvent]
    transfers: list[Transfer]
    tunnels: list[TunnelEvent]
    messages: list[TunnelMessage]
    link_keys: LinkKeys
    readings: list[MeterReading] = field(default_factory=list)
    energy: list[EnergyCommand] = field(default_factory=list)


class _Collector:
    """Sorts application messages."""

    def __init__(self, dissector: Dissector) -> None:
        self._dissector = dissector
        self._names: dict[tuple[int, int, int], str] = {}
        self.transfers = Transfers()
        self.ota: list[OtaEvent] = []
        self.tunnels: list[TunnelEvent] = []
        self.messages: list[TunnelMessage] = []
        self.link_keys = LinkKeyLog()
        self.readings = ReadingLog()
        self.energy = EnergyLog()

    def take(self, message: ApsMessage) -> None:
        frame = ZclFrame.decode(message.payload)
        self._count(message.cluster, frame)
        self.link_keys.take(message, frame)
        if not frame.control & 1:
            command = general.check(frame)
            if command is not None:
                self.readings.take(message, frame, command)
        elif message.cluster == ota.CLUSTER:
            self._ota(message, frame)
        elif message.cluster == tunneling.CLUSTER:
            self._tunnel(message, frame)
        else:
            self.energy.take(message, frame)

    def _count(self, cluster: int, frame: ZclFrame) -> None:
        key = (cluster, frame.control & 0x09, frame.command)
        name = self._names.get(key)
        if name is None:
            scope = "command" if frame.cluster_specific else "global command"
            side = "server" if frame.from_server else "client"
            name = self._names[key] = f"zcl {cluster:#06x} {scope} {frame.command:#04x} of the {side}"
        self._dissector.kinds[name] += 1

    def _ota(self, message: ApsMessage, frame: ZclFrame) -> None:
        command = ota.decode(frame)
        device = message.destination if frame.from_server else message.source
        if device is None and not isinstance(command, ota.ImageNotify):
            raise DecodeError("an OTA command of a device that is not known")
        self.ota.append(
            OtaEvent(message.frame, message.time, message.network, device, message.secured, frame.transaction, command)
        )
        if device is not None:
            self.transfers.take(device, command, message.time, message.frame)

    def _tunnel(self, message: ApsMessage, frame: ZclFrame) -> None:
        command = tunneling.decode(frame)
        device = message.destination if message.from_coordinator else message.source
        if device is None:
            raise DecodeError("a tunnelling command of a device that is not known")
        place, upward = (message.frame, message.time, message.network, device), not message.from_coordinator
        if isinstance(command, tunneling.TransferData):
            content = (message.secured, command.tunnel, message.fragments, command.data)
            self.messages.append(TunnelMessage(*place, upward, *content))
        else:
            self.tunnels.append(TunnelEvent(*place, upward, command))


def dissect(
    frames: Iterable[CapturedFrame], keys: Iterable[CaptureKey], watcher: Watcher | None = None
) -> CaptureEvidence:
    """Take frames apart in order of time. A frame that is not in order becomes a defect, never an error."""
    dissector = Dissector(KeyRing(keys), watcher)
    collector = _Collector(dissector)
    for captured in frames:
        message = dissector.take(captured)
        if message is not None:
            try:
                collector.take(message)
            except DecodeError as error:
                dissector.reject(captured, MALFORMED, str(error))
    return CaptureEvidence(
        dissector.frames,
        dissector.protected,
        dissector.secured,
        dict(dissector.networks),
        dict(sorted(dissector.kinds.items())),
        dissector.defects,
        dissector.unfinished(),
        dissector.first,
        dissector.last,
        dissector.associations,
        dissector.announcements,
        collector.ota,
        collector.transfers.found,
        collector.tunnels,
        collector.messages,
        collector.link_keys.found(dissector.key_transports, dissector.partner_keys),
        collector.readings.found,
        collector.energy.found,
    )


def read_capture(capture: Path, keys: Path, watcher: Watcher | None = None) -> CaptureEvidence:
    """Dissect a capture file, pcapng or classic pcap, with a key table.

    watcher: sees every frame on the way. Raises InputError, in one line, if one of the files cannot be read.
    """
    try:
        table = read_keys(keys.read_text(encoding="utf-8"))
        with capture.open("rb") as file:
            return dissect(read_any(file), table, watcher)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{capture.parent}: {error}") from None
    except DecodeError as error:
        raise InputError(f"{capture}: {error}") from None
