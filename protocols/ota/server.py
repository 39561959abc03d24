"""The hub's side of the OTA Upgrade cluster as a machine without I/O. Source: ZCL 07-5123 §11."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.errors import DecodeError, TruncatedError
from protocols.interfaces import DAY, SECOND
from protocols.ota.image import OtaHeader
from protocols.zcl.clusters import ota
from protocols.zcl.foundation import default_response_to
from protocols.zcl.frame import ZclFrame, ZclStatus

ZIGBEE_EPOCH = 946_684_800  # s from 1970 to 2000-01-01 UTC
_BLOCK_REQUEST = struct.Struct("<BHHIIB")
_BLOCK_RESPONSE = struct.Struct("<BBBBHHIIB")
_REQUEST_OCTETS = 3 + _BLOCK_REQUEST.size


@dataclass(frozen=True, slots=True, kw_only=True)
class OtaServerSettings:
    """block_size caps what a client asks for: 48 octets fit one frame with APS security and extended nonce."""

    block_size: int = 48  # octets
    transfer_timeout: int = DAY  # ns without a request until a transfer counts as failed
    notify_jitter: int = 100  # 1 to 100


# --- effects -------------------------------------------------------------------------------------------------------


class Send(NamedTuple):
    device: Eui64
    frame: bytes  # ZCL


class TransferStarted(NamedTuple):
    """First block request of an offer."""

    device: Eui64
    version: int
    offset: int


class TransferEnded(NamedTuple):
    """The device said how it went, or fell silent (TIMEOUT). Any status but SUCCESS withdraws the offer."""

    device: Eui64
    version: int
    status: int


class HardwareMismatch(NamedTuple):
    """The device's hardware version lies outside the image's range; said once an offer."""

    device: Eui64
    version: int
    hardware_version: int


Effect = Send | TransferStarted | TransferEnded | HardwareMismatch


@dataclass(slots=True)
class Transfer:
    """One offer of one image to one device, and how far it got."""

    image: bytes  # the whole file
    header: OtaHeader
    activate_now: bool  # upgrade time "now" in place of "wait"
    started: int | None = None  # ns
    ended: int | None = None  # ns
    last_request: int = 0  # ns
    status: int | None = None  # of the Upgrade End Request
    blocks: int = 0  # answered
    repeated: int = 0  # requests for an offset already answered
    served: int = 0  # octets from the front
    held_until: int = 0  # ns
    mismatch_told: bool = False
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.image)

    @property
    def running(self) -> bool:
        return self.started is not None and self.ended is None

    @property
    def image_id(self) -> tuple[int, int, int]:
        """Manufacturer, image type, file version."""
        return (self.header.manufacturer, self.header.image_type, self.header.file_version)


class OtaServer:
    """Serves images to the devices they are offered to, one image a device.

    `now` is UTC in ns: it goes into the upgrade times. Every call returns the effects in order.
    """

    def __init__(self, settings: OtaServerSettings | None = None) -> None:
        self.settings = settings if settings is not None else OtaServerSettings()
        self._transfers: dict[Eui64, Transfer] = {}
        self._sequence = 0

    # --- offers ------------------------------------------------------------------------------------------------

    def offer(self, image: bytes, devices: Iterable[Eui64], *, activate_now: bool) -> OtaHeader:
        """Offer a whole OTA file to `devices` in place of what each was offered before.

        activate_now: answer Upgrade End with "now" (PPMID, bridges), else with "wait" (CS06 activates).
        Raises DecodeError for a file without a good header.
        """
        header = OtaHeader.decode(image)
        for device in devices:
            self._transfers[device] = Transfer(image, header, activate_now)
        return header

    def withdraw(self, device: Eui64) -> Transfer | None:
        """Offer nothing to `device` any more; a transfer under way ends with ABORT at its next request."""
        return self._transfers.pop(device, None)

    def transfer(self, device: Eui64) -> Transfer | None:
        """Return the present offer to `device` and its progress."""
        return self._transfers.get(device)

    def hold(self, device: Eui64, until: int) -> None:
        """Answer block requests of `device` with WAIT_FOR_DATA until then (ns)."""
        if (transfer := self._transfers.get(device)) is not None:
            transfer.held_until = until

    def notify(self, device: Eui64) -> list[Effect]:
        """Return the Image Notify for the offer to `device`, with all ids; nothing without an offer."""
        transfer = self._transfers.get(device)
        if transfer is None:
            return []
        self._sequence = (self._sequence + 1) & 0xFF
        notify = ota.ImageNotify(self.settings.notify_jitter, *transfer.image_id)
        return [Send(device, ota.encode(notify, self._sequence))]

    def expire(self, now: int) -> list[Effect]:
        """End the transfers whose device has been silent for too long."""
        late = [
            (device, transfer)
            for device, transfer in self._transfers.items()
            if transfer.running and now - transfer.last_request >= self.settings.transfer_timeout
        ]
        return [effect for device, transfer in late for effect in self._end(device, transfer, ZclStatus.TIMEOUT, now)]

    def next_expiry(self) -> int | None:
        """Return when `expire` may have something to do, ns."""
        requests = [transfer.last_request for transfer in self._transfers.values() if transfer.running]
        return min(requests) + self.settings.transfer_timeout if requests else None

    # --- frames ------------------------------------------------------------------------------------------------

    def frame(self, device: Eui64, octets: bytes, now: int) -> list[Effect]:
        """Take a ZCL frame of the cluster from `device`."""
        if octets[:1] == b"\x01" and octets[2:3] == b"\x03":
            return self._block_requested(device, octets, now)
        frame = ZclFrame.decode(octets)
        if not frame.cluster_specific:
            return []
        try:
            return self._command(device, frame, ota.decode(frame), now)
        except TruncatedError:
            return self._answer(device, frame, ZclStatus.MALFORMED_COMMAND)
        except DecodeError:
            return self._answer(device, frame, ZclStatus.UNSUP_CLUSTER_COMMAND)

    def _answer(self, device: Eui64, frame: ZclFrame, status: ZclStatus) -> list[Effect]:
        return [Send(device, default_response_to(frame, status))]

    def _command(self, device: Eui64, frame: ZclFrame, command: ota.OtaCommand, now: int) -> list[Effect]:
        match command:
            case ota.QueryNextImageRequest():
                return self._queried(device, frame.transaction, command)
            case ota.UpgradeEndRequest():
                return self._upgrade_ended(device, frame, command, now)
            case _:
                return self._answer(device, frame, ZclStatus.UNSUP_CLUSTER_COMMAND)

    def _queried(self, device: Eui64, transaction: int, query: ota.QueryNextImageRequest) -> list[Effect]:
        none = ota.QueryNextImageResponse(ZclStatus.NO_IMAGE_AVAILABLE)
        nothing = Send(device, ota.encode(none, transaction))
        transfer = self._transfers.get(device)
        if transfer is None or transfer.image_id[:2] != query[:2] or transfer.header.file_version == query.file_version:
            return [nothing]
        hardware = query.hardware_version
        admitted = transfer.header.hardware_range
        if hardware is not None and admitted is not None and not admitted.admits(hardware):
            told, transfer.mismatch_told = transfer.mismatch_told, True
            return [nothing] if told else [nothing, HardwareMismatch(device, transfer.header.file_version, hardware)]
        offer = ota.QueryNextImageResponse(ZclStatus.SUCCESS, *transfer.image_id, transfer.size)
        return [Send(device, ota.encode(offer, transaction))]

    def _block_requested(self, device: Eui64, octets: bytes, now: int) -> list[Effect]:
        """Answer a Block Request: the path that is walked 16,000 times an image."""
        if len(octets) < _REQUEST_OCTETS:
            return self._answer(device, ZclFrame.decode(octets), ZclStatus.MALFORMED_COMMAND)
        _, maker, kind, version, offset, most = _BLOCK_REQUEST.unpack_from(octets, 3)
        transfer = self._transfers.get(device)
        if transfer is None or transfer.image_id != (maker, kind, version):
            return [Send(device, ota.encode(ota.ImageBlockRefused(ZclStatus.ABORT), octets[1]))]
        if offset >= transfer.size or not most:
            return self._answer(device, ZclFrame.decode(octets), ZclStatus.MALFORMED_COMMAND)
        effects: list[Effect] = [] if transfer.started is not None else [TransferStarted(device, version, offset)]
        if effects:
            transfer.started = now
        transfer.last_request = now
        if now < transfer.held_until:
            return [*effects, self._hold(device, octets[1], transfer, now)]
        data = self.block(transfer.image, offset, min(most, self.settings.block_size))
        transfer.blocks += 1
        if offset < transfer.served:
            transfer.repeated += 1
        else:
            transfer.served = offset + len(data)
        head = _BLOCK_RESPONSE.pack(0x19, octets[1], 0x05, 0x00, maker, kind, version, offset, len(data))
        effects.append(Send(device, head + data))
        return effects

    def block(self, image: bytes, offset: int, size: int) -> bytes:
        """Return the octets of `image` to send for a request; fewer at its end."""
        return image[offset : offset + size]

    def _hold(self, device: Eui64, transaction: int, transfer: Transfer, now: int) -> Effect:
        seconds = -((now - transfer.held_until) // SECOND)  # rounded up
        return Send(device, ota.encode(ota.ImageBlockWait(0, seconds, 0), transaction))

    def _upgrade_ended(self, device: Eui64, frame: ZclFrame, request: ota.UpgradeEndRequest, now: int) -> list[Effect]:
        """Answer success with the upgrade time, a failure with a Default Response."""
        transfer = self._transfers.get(device)
        if transfer is None or transfer.image_id != request[1:]:
            status = ZclStatus.SUCCESS if request.status else ZclStatus.NO_IMAGE_AVAILABLE
            return self._answer(device, frame, status)
        if request.status != ZclStatus.SUCCESS:
            return self._answer(device, frame, ZclStatus.SUCCESS) + self._end(device, transfer, request.status, now)
        answer = Send(device, ota.encode(self._end_response(transfer, now), frame.transaction))
        return [answer, *self._end(device, transfer, ZclStatus.SUCCESS, now)]

    def _end_response(self, transfer: Transfer, now: int) -> ota.UpgradeEndResponse:
        """All wildcards and "wait", or the image with upgrade time equal to current time."""
        if not transfer.activate_now:
            anything = (ota.WILDCARD_16, ota.WILDCARD_16, ota.WILDCARD_32)
            return ota.UpgradeEndResponse(*anything, ota.WILDCARD_32, ota.UPGRADE_WAIT)
        seconds = now // SECOND - ZIGBEE_EPOCH
        return ota.UpgradeEndResponse(*transfer.image_id, seconds, seconds)

    def _end(self, device: Eui64, transfer: Transfer, status: int, now: int) -> list[Effect]:
        """Close a transfer once; a repeated Upgrade End Request is answered, and changes nothing."""
        if status != ZclStatus.SUCCESS:
            del self._transfers[device]
        if transfer.ended is not None:
            return []
        transfer.ended, transfer.status = now, status
        return [TransferEnded(device, transfer.header.file_version, status)]
