"""The download of one image: blocks or pages asked for, put together, waited for, asked for again."""

import struct

from protocols.interfaces import MILLISECOND, SECOND
from protocols.ota.client_types import (
    Checkpoint,
    DownloadFailed,
    DownloadStatistics,
    Effect,
    ImageComplete,
    OtaClientSettings,
    OtaIdentity,
    Send,
    Sequence,
)
from protocols.zcl.clusters import ota
from protocols.zcl.foundation import default_response_to
from protocols.zcl.frame import CLIENT_COMMAND, ZclFrame, ZclStatus

_IMAGE_ID = struct.Struct("<HHI")
_BLOCK_REQUEST = struct.Struct("<BBBB8sIB")
_BLOCK_RESPONSE = struct.Struct("<8sIB")
_PERIOD = struct.Struct("<H")
_BLOCK_REQUEST_COMMAND, _PAGE_REQUEST_COMMAND = 0x03, 0x04
_TELLS_PERIOD = 0x02  # field control bit
_DATA_AT = 4 + _BLOCK_RESPONSE.size
_MOST_16 = 0xFFFF


class Download:
    """One image on its way. Call `wake` at `deadline`; nothing more is to be done once `over`.

    With pages the server sends the blocks by itself; one that is lost on the way is asked for alone when the page has
    ended, those behind it are kept.
    """

    def __init__(
        self,
        identity: OtaIdentity,
        settings: OtaClientSettings,
        sequence: Sequence,
        *,
        version: int,
        size: int,
        held: bytes,
        now: int,
    ) -> None:
        """held: the front of the image that is here already."""
        self.version, self.size, self.data = version, size, bytearray(held)
        self.statistics = DownloadStatistics(version, size, started=now)
        self.deadline: int | None = None  # ns
        self.over = self.resumable = False
        self.block_period = 0  # 16 bits, in the device's unit
        self._identity, self._settings, self._sequence = identity, settings, sequence
        self._wanted = (identity.manufacturer, identity.image_type, version)
        self._image_id = _IMAGE_ID.pack(*self._wanted)
        self._kept = len(held)  # octets handed out in checkpoints
        self._errors = 0  # in a row
        self._awaiting = False  # an answer to what was sent last
        self._pages = settings.page_size > 0
        self._page_end = 0  # offset behind the page that is coming, 0 if none is
        self._page_begun = False  # a block of that page has come
        self._ahead: dict[int, bytes] = {}  # blocks of a page behind a gap

    @property
    def complete(self) -> bool:
        return len(self.data) >= self.size

    # --- calls from the client ---------------------------------------------------------------------------------

    def begin(self, now: int) -> list[Effect]:
        return self._completed(now) if self.complete else self._request(now)

    def wake(self, now: int) -> list[Effect]:
        """Ask for what comes next, or again for what did not come."""
        if not self._awaiting:
            return self._request(now)
        self._awaiting = False
        self.statistics.retries += 1
        page_begun = self._page_begun
        self._page_end, self._page_begun = 0, False
        if page_begun:
            return self._request(now)  # the rest of a page whose server or air lost some
        self._errors += 1
        if self._errors >= self._settings.error_limit:
            end = ota.UpgradeEndRequest(ZclStatus.ABORT, *self._wanted)
            return [Send(ota.encode(end, self._sequence.next())), *self._interrupt("no answer from the server")]
        self.deadline = now + self._settings.back_off
        return []

    def block(self, octets: bytes, now: int) -> list[Effect]:
        """Take a Block Response with SUCCESS: the path that is walked 16,000 times an image."""
        if len(octets) < _DATA_AT:
            return _refuse(octets, ZclStatus.MALFORMED_COMMAND)
        image_id, offset, count = _BLOCK_RESPONSE.unpack_from(octets, 4)
        if image_id != self._image_id:
            return _refuse(octets, ZclStatus.INVALID_VALUE)
        data, held = octets[_DATA_AT:], self.data
        at = len(held)
        if offset != at and not at < offset < self._page_end:
            return []  # the late or doubled answer to a request that was repeated
        if len(data) != count or not count or offset + count > self.size:
            return _refuse(octets, ZclStatus.MALFORMED_COMMAND)
        self._errors = 0
        if offset != at:
            return self._keep_ahead(offset, data, now)
        held += data
        statistics = self.statistics
        statistics.blocks += 1
        statistics.octets += count
        if self._ahead:
            self._close_gap()
        if len(held) >= self.size:
            return self._completed(now)
        following = self._following(offset + count, now)
        if len(held) - self._kept >= self._settings.checkpoint:
            following.insert(0, self._checkpoint())
        return following

    def hold(self, wait: ota.ImageBlockWait, now: int) -> list[Effect]:
        """Ask again after the time the server names."""
        seconds = wait.request_time - wait.current_time
        delay = self._settings.wait_fallback if seconds < 0 else min(seconds * SECOND, self._settings.wait_limit)
        if wait.minimum_block_period is not None:
            self.block_period = wait.minimum_block_period
        self._errors, self._awaiting, self._page_end = 0, False, 0
        self.deadline = now + delay + self._period
        return []

    def unsupported(self, command: int, status: int, now: int) -> list[Effect]:
        """Hear that the server refused `command`: pages fall back to blocks, without blocks there is no download."""
        if command == _PAGE_REQUEST_COMMAND and self._page_end:
            self._pages, self._page_end = False, 0
            return self._request(now)
        return self.give_up(f"server refused: {status:02X}") if command == _BLOCK_REQUEST_COMMAND else []

    def give_up(self, reason: str) -> list[Effect]:
        self.over, self.deadline = True, None
        return [DownloadFailed(self.version, reason)]

    def _interrupt(self, reason: str) -> list[Effect]:
        """Stop for now: nothing is wrong with what is here."""
        self.over, self.resumable, self.deadline = True, True, None
        rest = [self._checkpoint()] if len(self.data) > self._kept else []
        return [*rest, DownloadFailed(self.version, reason, resumable=True)]

    # --- asking ------------------------------------------------------------------------------------------------

    @property
    def _period(self) -> int:
        return self.block_period * self._settings.block_period_unit  # ns

    def _request(self, now: int) -> list[Effect]:
        """Ask for the page or block that comes next."""
        settings = self._settings
        if self._pages and not self._ahead:
            return self._request_page(now)
        self.deadline, self._awaiting = now + settings.response_timeout, True
        offset = len(self.data)
        left, most = (min(self._ahead) if self._ahead else self.size) - offset, settings.block_size
        if left < most:
            most = left
        control = _TELLS_PERIOD if settings.tell_block_period else 0
        transaction, image_id = self._sequence.next(), self._image_id
        request = _BLOCK_REQUEST.pack(
            CLIENT_COMMAND, transaction, _BLOCK_REQUEST_COMMAND, control, image_id, offset, most
        )
        return [Send(request + _PERIOD.pack(self.block_period) if control else request)]

    def _request_page(self, now: int) -> list[Effect]:
        settings, offset = self._settings, len(self.data)
        size = min(settings.page_size, self.size - offset, _MOST_16)
        spacing = min(max(settings.response_spacing, self._period) // MILLISECOND, _MOST_16)
        request = ota.ImagePageRequest(*self._wanted, offset, settings.block_size, size, spacing)
        self._page_end, self._page_begun, self._awaiting = offset + size, False, True
        self._expect(now)
        self.statistics.pages += 1
        return [Send(ota.encode(request, self._sequence.next()))]

    def _expect(self, now: int) -> None:
        """Wait for the next block of a page."""
        self.deadline = now + max(self._settings.response_spacing, self._period) + self._settings.response_timeout

    def _following(self, end: int, now: int) -> list[Effect]:
        """Return what to ask for after the block that ends at `end`: nothing while a page is coming."""
        if self._page_end:
            if end < self._page_end:
                self._page_begun = True
                self._expect(now)
                return []
            self._page_end, self._page_begun = 0, False
        if not self.block_period:
            return self._request(now)
        self._awaiting, self.deadline = False, now + self._period
        return []

    # --- putting together --------------------------------------------------------------------------------------

    def _keep_ahead(self, offset: int, data: bytes, now: int) -> list[Effect]:
        """Keep a block of the page that came before its turn."""
        self._ahead.setdefault(offset, data)
        return self._following(offset + len(data), now)

    def _close_gap(self) -> None:
        """Add the blocks that were waiting for the one that came."""
        statistics = self.statistics
        while (data := self._ahead.pop(len(self.data), None)) is not None:
            self.data += data
            statistics.blocks += 1
            statistics.octets += len(data)
        self._ahead = {offset: data for offset, data in self._ahead.items() if offset > len(self.data)}

    def _checkpoint(self) -> Effect:
        offset, self._kept = self._kept, len(self.data)
        return Checkpoint(self.version, self.size, offset, bytes(self.data[offset:]))

    def _completed(self, now: int) -> list[Effect]:
        self.over, self.deadline = True, None
        self.statistics.ended = now
        return [ImageComplete(self.version, bytes(self.data))]


def _refuse(octets: bytes, status: ZclStatus) -> list[Effect]:
    return [Send(default_response_to(ZclFrame.decode(octets), status))]
