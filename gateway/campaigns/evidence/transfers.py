"""Rebuilds firmware images from the OTA commands on the air."""

from dataclasses import dataclass, field

from protocols.addresses import Eui64
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclStatus


@dataclass(slots=True)
class Transfer:
    """One download of one image by one device, from the answer to its query or its first block to Upgrade End."""

    device: Eui64
    manufacturer_code: int
    image_type: int
    file_version: int
    started: int  # ns UTC
    first_frame: int
    size: int | None = None  # octets, as Query Next Image Response announced
    ended: int = 0  # ns UTC, of the last frame that belongs to it
    last_frame: int = 0
    requests: int = 0  # Image Block and Page Requests, repeated ones included
    blocks: dict[int, bytes] = field(default_factory=dict)  # by offset
    conflicting: list[int] = field(default_factory=list)  # frames with other octets for an offset served before
    waits: int = 0  # answers WAIT_FOR_DATA
    refused: int | None = None  # status of a block response that gave nothing and asked for no wait
    status: int | None = None  # of Upgrade End Request; None while it did not come
    end_response: ota.UpgradeEndResponse | None = None

    @property
    def image(self) -> bytes:
        """Return the octets served from offset 0 up to the first gap."""
        parts, at = [], 0
        while (block := self.blocks.get(at)) is not None and block:
            parts.append(block)
            at += len(block)
        return b"".join(parts)

    @property
    def complete(self) -> bool:
        return self.size is not None and len(self.image) == self.size


@dataclass(slots=True)
class Transfers:
    """All transfers of a capture, in order of their start."""

    found: list[Transfer] = field(default_factory=list)
    _open: dict[tuple[Eui64, int, int, int], Transfer] = field(default_factory=dict)
    _announced: dict[tuple[Eui64, int, int, int], int] = field(default_factory=dict)

    def take(self, device: Eui64, command: ota.OtaCommand, time: int, frame: int) -> None:
        """Add one command, first sightings in order of time; `device` is the client."""
        match command:
            case ota.ImageBlockResponse(maker, kind, version, offset, data):
                self._block((device, maker, kind, version), offset, data, time, frame)
            case ota.ImageBlockRequest(maker, kind, version, offset) | ota.ImagePageRequest(
                maker, kind, version, offset
            ):
                self._resume((device, maker, kind, version), offset)
                transfer = self._continued((device, maker, kind, version), time, frame)
                transfer.requests += 1
            case ota.QueryNextImageResponse(0, maker, kind, version, size):
                self._announced[device, maker, kind, version] = size
            case ota.UpgradeEndRequest(status, maker, kind, version):
                transfer = self._continued((device, maker, kind, version), time, frame, block=False)
                transfer.status = status
            case ota.UpgradeEndResponse(maker, kind, version):
                self._answered(device, (maker, kind, version), command, time, frame)
            case ota.ImageBlockWait() | ota.ImageBlockRefused():
                self._not_served(device, command, time, frame)
            case _:
                pass

    def _block(self, key: tuple[Eui64, int, int, int], offset: int, data: bytes, time: int, frame: int) -> None:
        transfer = self._continued(key, time, frame)
        if transfer.blocks.setdefault(offset, data) != data:
            transfer.conflicting.append(frame)
            transfer.blocks[offset] = data

    def _resume(self, key: tuple[Eui64, int, int, int], offset: int) -> None:
        """Take a request for just what an aborted transfer lacked as its continuation: the server was silent."""
        transfer = self._open.get(key)
        if transfer is not None and transfer.status == ZclStatus.ABORT and 0 < offset == len(transfer.image):
            transfer.status = None

    def _continued(self, key: tuple[Eui64, int, int, int], time: int, frame: int, *, block: bool = True) -> Transfer:
        """Return the transfer at hand; after one that was ended or given up a block begins a new one."""
        transfer = self._open.get(key)
        over = transfer is None or transfer.refused is not None or transfer.status is not None
        if transfer is None or (over and block):
            transfer = Transfer(*key, started=time, first_frame=frame)
            self.found.append(transfer)
            self._open[key] = transfer
        if transfer.size is None:
            transfer.size = self._announced.get(key)
        transfer.ended, transfer.last_frame = time, frame
        return transfer

    def _latest(self, device: Eui64) -> Transfer | None:
        return next((transfer for transfer in reversed(self.found) if transfer.device == device), None)

    def _answered(
        self, device: Eui64, identity: tuple[int, int, int], command: ota.UpgradeEndResponse, time: int, frame: int
    ) -> None:
        """Give the response, whose identity may be wildcards, to the transfer that the device ended last."""
        transfer = self._latest(device)
        if transfer is not None and transfer.status is not None:
            wildcards = (ota.WILDCARD_16, ota.WILDCARD_16, ota.WILDCARD_32)
            own = (transfer.manufacturer_code, transfer.image_type, transfer.file_version)
            if all(given in (mine, any_) for given, mine, any_ in zip(identity, own, wildcards, strict=True)):
                transfer.end_response = command
                transfer.ended, transfer.last_frame = time, frame

    def _not_served(
        self, device: Eui64, command: ota.ImageBlockWait | ota.ImageBlockRefused, time: int, frame: int
    ) -> None:
        transfer = self._latest(device)
        if transfer is not None and transfer.status is None:
            if isinstance(command, ota.ImageBlockWait):
                transfer.waits += 1
            else:
                transfer.refused = command.status
            transfer.ended, transfer.last_frame = time, frame
