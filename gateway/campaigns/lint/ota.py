"""Rules of OTA: blocks, periods, ends, bad images."""

from collections.abc import Iterable
from typing import NamedTuple

from gateway.campaigns.evidence.capture import CaptureEvidence, OtaEvent
from gateway.campaigns.evidence.transfers import Transfer
from gateway.campaigns.lint.findings import LintSettings, Report
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import MILLISECOND, MINUTE, SECOND
from protocols.ota.image import ProductImage, split
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclStatus

_TOLERANCE = MILLISECOND  # of a period: the air delays the request before, and not this one
_PRODUCT_MAGIC = b"HLFW"
_TRAILER_OCTETS = 66  # flag, length and signature of a meter's image


class _Asked(NamedTuple):
    frame: int
    time: int  # ns
    offset: int
    most: int  # octets of a block
    end: int  # offset behind the page, or the block


class BlockRules:
    """The requests and responses of one device, one by one."""

    def __init__(self, report: Report, settings: LintSettings, device: Eui64) -> None:
        self._report, self._settings, self._device = report, settings, device
        self._image: tuple[int, int, int] | None = None
        self._asked: dict[int, _Asked] = {}  # by transaction
        self._last: _Asked | None = None
        self._repeats = 0
        self._reached: int | None = None  # offset up to which all was served
        self._period = 0  # ns
        self._not_before = 0  # ns

    def take(self, event: OtaEvent) -> None:
        match event.command:
            case ota.ImageBlockRequest(maker, kind, version, offset, most):
                self._request(
                    event, (maker, kind, version), _Asked(event.frame, event.time, offset, most, offset + most)
                )
            case ota.ImagePageRequest(maker, kind, version, offset, most, size):
                self._request(
                    event, (maker, kind, version), _Asked(event.frame, event.time, offset, most, offset + size)
                )
            case ota.ImageBlockResponse():
                self._response(event, event.command)
            case ota.QueryNextImageResponse(status) if status == ZclStatus.SUCCESS:
                self._last, self._period, self._not_before = None, 0, 0  # they hold for one download
            case ota.ImageBlockWait(current, request, period):
                seconds = request - current
                self._not_before = event.time + seconds * SECOND if seconds > 0 else 0
                self._period = (period or 0) * self._settings.period_unit
            case _:
                pass

    def _check(self, rule: str, good: bool, frames: tuple[int, ...], what: str) -> None:
        self._report.check(rule, good, frames, f"{self._device}: {what}")

    def _request(self, event: OtaEvent, image: tuple[int, int, int], asked: _Asked) -> None:
        if image != self._image:
            self._image, self._reached, self._last, self._period, self._not_before = image, None, None, 0, 0
        before, self._last = self._last, asked
        self._asked[event.transaction] = asked
        if self._reached is None:
            self._reached = asked.offset
        what = f"asks for offset {asked.offset}, has {self._reached} octets"
        self._check("block-order", asked.offset <= self._reached, (asked.frame,), what)
        self._count_repeats(before, asked)
        if self._not_before:
            early = self._not_before - asked.time
            self._check("wait-for-data", early <= SECOND, (asked.frame,), f"asks {early / 1e9:.1f} s too early")
            self._not_before = 0
        elif self._period and before is not None:
            gap = asked.time - before.time
            what = f"asks after {gap / 1e6:.1f} ms, the minimum block period is {self._period / 1e6:.0f} ms"
            self._check("block-period", gap >= self._period - _TOLERANCE, (before.frame, asked.frame), what)

    def _count_repeats(self, before: _Asked | None, asked: _Asked) -> None:
        if before is None or before.offset != asked.offset:
            self._repeats = 0
            return
        self._repeats += 1
        what = f"asks {self._repeats} times more for offset {asked.offset}"
        self._check("block-retries", self._repeats <= self._settings.repeats, (asked.frame,), what)

    def _response(self, event: OtaEvent, block: ota.ImageBlockResponse) -> None:
        asked = self._asked.get(event.transaction)
        if asked is None:
            return  # the capture began after the request
        frames, size = (asked.frame, event.frame), len(block.data)
        paged = asked.end > asked.offset + asked.most
        good = asked.offset <= block.file_offset < asked.end if paged else block.file_offset == asked.offset
        what = f"offset {block.file_offset} in answer to {asked.offset}"
        self._check("block-offset", good, frames, what)
        most = asked.most if self._settings.block_size is None else min(asked.most, self._settings.block_size)
        self._check("block-size", 0 < size <= most, frames, f"{size} octets, {most} at most")
        if self._reached is not None and block.file_offset <= self._reached:
            self._reached = max(self._reached, block.file_offset + size)
        elif self._reached is not None and paged:
            self._reached = max(self._reached, block.file_offset + size)  # a gap of a page is asked for later


def check_blocks(events: Iterable[OtaEvent], report: Report, settings: LintSettings) -> None:
    """Put every request and response to the rules."""
    devices: dict[Eui64, BlockRules] = {}
    for event in events:
        if event.device is not None:
            rules = devices.get(event.device)
            if rules is None:
                rules = devices[event.device] = BlockRules(report, settings, event.device)
            rules.take(event)


def check_ends(seen: CaptureEvidence, report: Report) -> None:
    """Judge each transfer whose beginning is in the capture by how it ended."""
    for transfer in seen.transfers:
        name = f"{transfer.device} version {transfer.file_version:08X}"
        frames = (transfer.first_frame, transfer.last_frame)
        report.checked["block-content"] += len(transfer.blocks)
        for frame in transfer.conflicting:
            report.check("block-content", False, (frame,), f"{name}: other octets than before")
        if transfer.size is None or 0 not in transfer.blocks:
            continue
        if transfer.status == ZclStatus.SUCCESS:
            have = len(transfer.image)
            what = f"{name}: SUCCESS with {have} of {transfer.size} octets"
            report.check("upgrade-end", transfer.complete, frames, what)
        elif transfer.complete:
            late = transfer.status is None and seen.last - transfer.ended > MINUTE
            report.check("upgrade-end", not late, frames, f"{name}: whole, and no Upgrade End")
        if transfer.complete and transfer.status is not None:
            wrong = _what_is_wrong(transfer)
            good = wrong is None or transfer.status != ZclStatus.SUCCESS
            report.check("invalid-image", good, frames, f"{name}: {wrong}, and Upgrade End SUCCESS")
        if transfer.status == ZclStatus.INVALID_IMAGE:
            _check_never_runs(transfer, seen, report)


def _what_is_wrong(transfer: Transfer) -> str | None:
    """Return what is wrong with an image that is whole, as far as it can be told without its maker's keys."""
    image = transfer.image
    try:
        header, body = split(image)
    except DecodeError as error:
        return error.what
    named = (header.manufacturer, header.image_type, header.file_version)
    if named != (transfer.manufacturer_code, transfer.image_type, transfer.file_version):
        return "the header names another image"
    if not body.startswith(_PRODUCT_MAGIC):
        return None
    try:
        ProductImage.decode(body)
    except DecodeError as error:
        try:
            ProductImage.decode(body[:-_TRAILER_OCTETS])
        except DecodeError:
            return error.what
    return None


def _check_never_runs(refused: Transfer, seen: CaptureEvidence, report: Report) -> None:
    """After INVALID_IMAGE the device must not tell that version as its own, unless it got a good one meanwhile."""
    for event in seen.ota:
        query = event.command
        if event.device != refused.device or event.time <= refused.ended:
            continue
        if isinstance(query, ota.UpgradeEndRequest) and (query.status, query.file_version) == (0, refused.file_version):
            return
        if isinstance(query, ota.QueryNextImageRequest):
            runs = query.file_version == refused.file_version
            what = f"{refused.device} runs {refused.file_version:08X}, which it refused in frame {refused.last_frame}"
            report.check("invalid-image", not runs, (event.frame,), what)
