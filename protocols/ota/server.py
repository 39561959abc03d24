"""The hub's side of the OTA Upgrade cluster as a machine without I/O. Source: ZCL 07-5123 §11."""

import struct
from collections.abc import Iterable

from protocols.addresses import Eui64
from protocols.errors import DecodeError, TruncatedError
from protocols.interfaces import MILLISECOND, SECOND
from protocols.ota.image import OtaHeader
from protocols.ota.server_types import (
    Effect,
    HardwareMismatch,
    OtaServerSettings,
    Page,
    Send,
    Transfer,
    TransferEnded,
    TransferStarted,
)
from protocols.zcl.clusters import ota
from protocols.zcl.foundation import DefaultResponse, default_response_to
from protocols.zcl.frame import ZclFrame, ZclStatus

__all__ = [
    "Effect", "HardwareMismatch", "OtaServer", "OtaServerSettings", "Send", "Transfer", "TransferEnded",
    "TransferStarted",
]  # fmt: skip

ZIGBEE_EPOCH = 946_684_800  # s from 1970 to 2000-01-01 UTC
_QUERY_RESPONSE, _SPECIFIC_RESPONSE, _DEFAULT_RESPONSE = 0x02, 0x09, 0x0B
_BLOCK_REQUEST = struct.Struct("<3xB8sIB")  # field control, image id, offset, octets at most
_BLOCK_RESPONSE = struct.Struct("<BBBB8sIB")
_REQUEST_OCTETS = _BLOCK_REQUEST.size


class OtaServer:
    """Serves images to the devices they are offered to, one image a device.

    `now` is UTC in ns: it goes into the upgrade times. Every call returns the effects in order.
    """

    def __init__(self, settings: OtaServerSettings | None = None) -> None:
        self.settings = settings if settings is not None else OtaServerSettings()
        self._transfers: dict[Eui64, Transfer] = {}
        self._sequence = 0

    # --- offers ------------------------------------------------------------------------------------------------

    def offer(self, image: bytes, devices: Iterable[Eui64], *, activate_now: bool, upgrade_delay: int = 0) -> OtaHeader:
        """Offer a whole OTA file to `devices` in place of what each was offered before.

        activate_now: answer Upgrade End with "now" (PPMID, bridges), else with "wait" (CS06 activates).
        upgrade_delay: with `activate_now`, how long after the first Upgrade End Request the upgrade time is, ns.
        Raises DecodeError for a file without a good header.
        """
        header = OtaHeader.decode(image)
        for device in devices:
            self._transfers[device] = Transfer(image, header, activate_now, upgrade_delay)
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

    def deadline(self) -> int | None:
        """Return when `wake` may have something to do, ns."""
        expiry = self.next_expiry()
        pages = [transfer.page.due for transfer in self._transfers.values() if transfer.page is not None]
        return min(pages if expiry is None else [*pages, expiry], default=None)

    def wake(self, now: int) -> list[Effect]:
        """Send the blocks of pages that are due, and end what has been silent for too long."""
        effects: list[Effect] = []
        for device, transfer in self._transfers.items():
            page = transfer.page
            if page is not None and page.due <= now:
                effects.append(self._next_of_page(device, transfer, page, now))
        return effects + self.expire(now)

    # --- frames ------------------------------------------------------------------------------------------------

    def frame(self, device: Eui64, octets: bytes, now: int) -> list[Effect]:
        """Take a ZCL frame of the cluster from `device`."""
        if octets[2:3] == b"\x03" and octets[0] == 1:
            return self._block_requested(device, octets, now)
        frame = ZclFrame.decode(octets)
        if not frame.cluster_specific:
            return self._refused(device, frame, now)
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
                return self._queried(device, frame.transaction, command, now)
            case ota.ImagePageRequest() if self.settings.pages:
                return self._page_requested(device, frame, command, now)
            case ota.QuerySpecificFileRequest() if self.settings.specific_files:
                return self._file_asked_for(device, frame.transaction, command)
            case ota.UpgradeEndRequest():
                return self._upgrade_ended(device, frame, command, now)
            case _:
                return self._answer(device, frame, ZclStatus.UNSUP_CLUSTER_COMMAND)

    def _refused(self, device: Eui64, frame: ZclFrame, now: int) -> list[Effect]:
        """A Default Response to an offer: the device cannot take the image, e.g. INSUFFICIENT_SPACE."""
        transfer = self._transfers.get(device)
        if frame.command != _DEFAULT_RESPONSE or transfer is None or transfer.ended is not None:
            return []
        answer = DefaultResponse.decode(frame.payload)
        if answer.status == ZclStatus.SUCCESS or answer.command not in (_QUERY_RESPONSE, _SPECIFIC_RESPONSE):
            return []
        return self._end(device, transfer, answer.status, now)

    # --- queries -----------------------------------------------------------------------------------------------

    def _queried(self, device: Eui64, transaction: int, query: ota.QueryNextImageRequest, now: int) -> list[Effect]:
        none = ota.QueryNextImageResponse(ZclStatus.NO_IMAGE_AVAILABLE)
        nothing = Send(device, ota.encode(none, transaction))
        transfer = self._transfers.get(device)
        if transfer is None or transfer.image_id[:2] != query[:2]:
            return [nothing]
        if transfer.header.file_version == query.file_version:  # the end of its transfer was missed, if it had one
            return [nothing, *self._end(device, transfer, ZclStatus.SUCCESS, now)]
        hardware = query.hardware_version
        admitted = transfer.header.hardware_range
        if hardware is not None and admitted is not None and not admitted.admits(hardware):
            told, transfer.mismatch_told = transfer.mismatch_told, True
            return [nothing] if told else [nothing, HardwareMismatch(device, transfer.header.file_version, hardware)]
        offer = ota.QueryNextImageResponse(ZclStatus.SUCCESS, *transfer.image_id, transfer.size)
        return [Send(device, ota.encode(offer, transaction))]

    def _file_asked_for(self, device: Eui64, transaction: int, query: ota.QuerySpecificFileRequest) -> list[Effect]:
        """Answer a Query Specific File: the offered file, if it is the one and its header names no other device."""
        transfer = self._transfers.get(device)
        wanted = query[1:4]
        if transfer is None or transfer.image_id != wanted or transfer.header.destination not in (None, device.wire):
            answer = ota.QuerySpecificFileResponse(ZclStatus.NO_IMAGE_AVAILABLE)
        else:
            answer = ota.QuerySpecificFileResponse(ZclStatus.SUCCESS, *transfer.image_id, transfer.size)
        return [Send(device, ota.encode(answer, transaction))]

    # --- blocks ------------------------------------------------------------------------------------------------

    def _block_requested(self, device: Eui64, octets: bytes, now: int) -> list[Effect]:
        """Answer a Block Request: the path that is walked 16,000 times an image."""
        if len(octets) < _REQUEST_OCTETS:
            return self._answer(device, ZclFrame.decode(octets), ZclStatus.MALFORMED_COMMAND)
        control, image_id, offset, most = _BLOCK_REQUEST.unpack_from(octets)
        transfer = self._transfers.get(device)
        if transfer is None or transfer.wire_id != image_id:
            return [Send(device, ota.encode(ota.ImageBlockRefused(ZclStatus.ABORT), octets[1]))]
        if offset >= transfer.size or not most:
            return self._answer(device, ZclFrame.decode(octets), ZclStatus.MALFORMED_COMMAND)
        effects: list[Effect] = []
        if transfer.started is None:
            transfer.started = now
            effects.append(TransferStarted(device, transfer.header.file_version, offset))
        transfer.last_request = now
        if now < transfer.held_until:
            return [*effects, self._hold(device, octets[1], transfer, now)]
        if control & 2 and self._too_fast(octets):
            return [*effects, self._slow_down(device, octets[1])]
        cap = self.settings.block_size
        data = self.block(transfer.image, offset, min(most, cap))
        size = len(data)
        transfer.blocks += 1
        if offset < transfer.served:
            transfer.repeated += 1
        else:
            transfer.served = offset + size
        head = _BLOCK_RESPONSE.pack(0x19, octets[1], 0x05, 0x00, image_id, offset, size)
        effects.append(Send(device, head + data))
        return effects

    def block(self, image: bytes, offset: int, size: int) -> bytes:
        """Return the octets of `image` to send for a request; fewer at its end."""
        return image[offset : offset + size]

    def _hold(self, device: Eui64, transaction: int, transfer: Transfer, now: int) -> Effect:
        seconds = -((now - transfer.held_until) // SECOND)  # rounded up
        wait = ota.ImageBlockWait(0, seconds, self.settings.minimum_block_period)
        return Send(device, ota.encode(wait, transaction))

    def _too_fast(self, octets: bytes) -> bool:
        """Whether a request, which carries the client's minimum block period, carries another than it should."""
        request = ota.ImageBlockRequest.decode(octets[3:])
        return request.minimum_block_period != self.settings.minimum_block_period

    def _slow_down(self, device: Eui64, transaction: int) -> Effect:
        """Tell a client its minimum block period; it asks again at once."""
        return Send(device, ota.encode(ota.ImageBlockWait(0, 0, self.settings.minimum_block_period), transaction))

    def _page_requested(self, device: Eui64, frame: ZclFrame, request: ota.ImagePageRequest, now: int) -> list[Effect]:
        """Answer with the first block at once; `wake` sends the others at the spacing asked for."""
        transfer = self._transfers.get(device)
        if transfer is None or transfer.image_id != request[:3]:
            return [Send(device, ota.encode(ota.ImageBlockRefused(ZclStatus.ABORT), frame.transaction))]
        offset, most = request.file_offset, min(request.maximum_data_size, self.settings.block_size)
        if offset >= transfer.size or not most or not request.page_size:
            return self._answer(device, frame, ZclStatus.MALFORMED_COMMAND)
        effects: list[Effect] = []
        if transfer.started is None:
            transfer.started = now
            effects.append(TransferStarted(device, transfer.header.file_version, offset))
        transfer.last_request = now
        if now < transfer.held_until:
            return [*effects, self._hold(device, frame.transaction, transfer, now)]
        end = min(offset + request.page_size, transfer.size)
        page = Page(frame.transaction, offset, end, most, request.response_spacing * MILLISECOND, now)
        return [*effects, self._next_of_page(device, transfer, page, now)]

    def _next_of_page(self, device: Eui64, transfer: Transfer, page: Page, now: int) -> Effect:
        offset = page.offset
        data = self.block(transfer.image, offset, min(page.most, page.end - offset))
        transfer.blocks += 1
        transfer.repeated += offset < transfer.served
        behind = offset + len(data)
        transfer.served = max(transfer.served, behind)
        transfer.page = page._replace(offset=behind, due=now + page.spacing) if behind < page.end else None
        answer = ota.ImageBlockResponse(*transfer.image_id, offset, data)
        return Send(device, ota.encode(answer, page.transaction))

    # --- end ---------------------------------------------------------------------------------------------------

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
        """All wildcards and "wait", or the image with an upgrade time: that of the first answer, now if it passed."""
        if not transfer.activate_now:
            anything = (ota.WILDCARD_16, ota.WILDCARD_16, ota.WILDCARD_32)
            return ota.UpgradeEndResponse(*anything, ota.WILDCARD_32, ota.UPGRADE_WAIT)
        ended = now if transfer.ended is None else transfer.ended
        seconds, due = now // SECOND - ZIGBEE_EPOCH, (ended + transfer.upgrade_delay) // SECOND - ZIGBEE_EPOCH
        return ota.UpgradeEndResponse(*transfer.image_id, seconds, max(seconds, due))

    def _end(self, device: Eui64, transfer: Transfer, status: int, now: int) -> list[Effect]:
        """Close a transfer once; a repeated Upgrade End Request is answered, and changes nothing."""
        if status != ZclStatus.SUCCESS:
            del self._transfers[device]
        if transfer.ended is not None:
            return []
        transfer.ended, transfer.status, transfer.page = now, status, None
        return [TransferEnded(device, transfer.header.file_version, status)]
