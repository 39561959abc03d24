"""Rules of OTA: each on a short script of commands that keeps it, and on one that breaks it."""

import io
from itertools import count
from typing import Self

import pytest

from gateway.campaigns.lint import Finding, LintSettings, lint
from protocols.interfaces import MILLISECOND, MINUTE, SECOND
from protocols.ota.image import Kind, build_image
from protocols.pcapng import read_frames, read_keys
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclStatus
from tests.support.hand_built import DEVICE, HUB, KEYS, HandBuilt

OLD, NEW = 0x04000000, 0x04000100
ID = (0x1A04, 0x0084, NEW)
IMAGE = build_image(Kind.PPMID, version=NEW, size=384, manufacturer=0x1A04, model=0x50010201).encode()


class Script(HandBuilt):
    """OTA commands of hub and device, whose APS counters and transactions go on."""

    def __init__(self) -> None:
        super().__init__()
        self.announce()
        self._counter, self._transaction = count(1), count(1)

    def later(self, duration: int) -> Self:
        """Let time pass."""
        self.times = count(next(self.times) + duration, 10 * MILLISECOND)
        return self

    def say(self, command: ota.OtaCommand, transaction: int) -> int:
        """Send a command; return its first frame."""
        octets = ota.encode(command, transaction & 0xFF)
        source, destination = (HUB, DEVICE) if octets[0] & 8 else (DEVICE, HUB)
        return self.zcl(source, destination, ota.CLUSTER, octets, next(self._counter) & 0xFF)[0]

    def query(self, version: int = OLD, size: int = len(IMAGE)) -> Self:
        transaction = next(self._transaction)
        self.say(ota.QueryNextImageRequest(*ID[:2], version, 0x0201), transaction)
        self.say(ota.QueryNextImageResponse(0, *ID, size), transaction)
        return self

    def ask(self, offset: int, most: int = 48) -> int:
        self.asked = next(self._transaction)
        return self.say(ota.ImageBlockRequest(*ID, offset, most), self.asked)

    def answer(self, offset: int, data: bytes) -> int:
        return self.say(ota.ImageBlockResponse(*ID, offset, data), self.asked)

    def wait(self, seconds: int, period: int | None = None) -> int:
        return self.say(ota.ImageBlockWait(100, 100 + seconds, period), self.asked)

    def block(self, offset: int, image: bytes = IMAGE) -> int:
        """Ask for a block and serve it; return the frame of the request."""
        number = self.ask(offset)
        self.answer(offset, image[offset : offset + 48])
        return number

    def fetch(self, image: bytes = IMAGE) -> Self:
        for offset in range(0, len(image), 48):
            self.block(offset, image)
        return self

    def end(self, status: int = 0) -> int:
        return self.say(ota.UpgradeEndRequest(status, *ID), next(self._transaction))

    def found(self, rule: str, settings: LintSettings | None = None) -> list[Finding]:
        """Return what breaks `rule`, which must have been put to the test."""
        frames = read_frames(io.BytesIO(self.capture))
        report = lint(frames, read_keys(KEYS), settings if settings is not None else LintSettings())
        assert report.checked[rule] > 0
        return report.of(rule)

    def frames_of(self, rule: str, settings: LintSettings | None = None) -> list[int]:
        """Return the last frame of each finding."""
        return [finding.frames[-1] for finding in self.found(rule, settings)]


def whole() -> Script:
    script = Script().query().fetch()
    script.end()
    return script


@pytest.mark.parametrize(
    "rule", ["block-size", "block-offset", "block-order", "block-content", "upgrade-end", "invalid-image"]
)
def test_a_good_transfer_keeps_the_rule(rule: str) -> None:
    assert whole().found(rule) == []


def test_block_size() -> None:
    script = Script().query()
    script.ask(0, 32)
    number = script.answer(0, IMAGE[:48])
    assert script.frames_of("block-size") == [number]


def test_block_size_of_an_empty_block() -> None:
    script = Script().query()
    script.ask(0)
    number = script.answer(0, b"")
    assert script.frames_of("block-size") == [number]


def test_block_size_against_a_limit() -> None:
    script = whole()
    assert script.found("block-size", LintSettings(block_size=48)) == []
    assert len(script.found("block-size", LintSettings(block_size=40))) == len(IMAGE) // 48


def test_block_offset() -> None:
    script = Script().query()
    script.block(0)
    script.ask(48)
    number = script.answer(96, IMAGE[96:144])
    assert script.frames_of("block-offset") == [number]


def test_block_order() -> None:
    script = Script().query()
    script.block(0)
    number = script.block(96)
    assert script.frames_of("block-order") == [number]


def test_asking_again_and_going_back_keep_the_order() -> None:
    script = Script().query()
    for offset in (0, 48, 96, 48, 96, 96, 144):
        script.block(offset)
    assert script.found("block-order") == []


def test_the_blocks_of_a_page_keep_offset_and_order() -> None:
    script = Script().query()
    script.asked = 77
    script.say(ota.ImagePageRequest(*ID, 0, 48, 144, 10), 77)
    for offset in (0, 96):
        script.answer(offset, IMAGE[offset : offset + 48])
    script.block(48)
    script.block(144)
    assert script.found("block-offset") == script.found("block-order") == []
    script.asked = 77
    number = script.answer(192, IMAGE[192:240])
    assert script.frames_of("block-offset") == [number]


def test_block_content() -> None:
    script = Script().query()
    script.block(0)
    script.ask(0)
    number = script.answer(0, bytes(48))
    assert script.frames_of("block-content") == [number]


def test_block_retries() -> None:
    script = Script().query()
    for _ in range(11):
        script.ask(0)
    assert script.found("block-retries") == []
    number = script.ask(0)
    assert script.frames_of("block-retries") == [number]
    assert script.found("block-retries", LintSettings(repeats=11)) == []


@pytest.mark.parametrize(("unit", "period", "pause"), [(MILLISECOND, 300, 300 * MILLISECOND), (SECOND, 2, 2 * SECOND)])
def test_block_period(unit: int, period: int, pause: int) -> None:
    settings = LintSettings(period_unit=unit)
    script = Script().query()
    script.ask(0)
    script.wait(0, period)
    script.later(pause).block(0)
    script.later(pause).block(48)
    assert script.found("block-period", settings) == []
    number = script.later(pause // 2).block(96)
    assert script.frames_of("block-period", settings) == [number]
    script.query()  # another download of the same image, as after an abort or a restart
    script.block(0)
    script.block(48)
    assert script.frames_of("block-period", settings) == [number]


def test_wait_for_data() -> None:
    script = Script().query()
    script.ask(0)
    script.wait(60)
    script.later(60 * SECOND).ask(0)
    script.wait(60)
    assert script.found("wait-for-data") == []
    number = script.later(30 * SECOND).ask(0)
    assert script.frames_of("wait-for-data") == [number]


def test_upgrade_end_missing() -> None:
    script = Script().query().fetch()
    script.later(2 * MINUTE).query()
    assert len(script.found("upgrade-end")) == 1


def test_upgrade_end_success_before_the_image_was_whole() -> None:
    script = Script().query()
    script.block(0)
    script.end()
    assert "SUCCESS with 48 of" in script.found("upgrade-end")[0].what


def altered() -> bytes:
    return IMAGE[:200] + bytes([IMAGE[200] ^ 1]) + IMAGE[201:]


def test_a_bad_image_that_is_refused_and_never_runs_keeps_the_rule() -> None:
    script = Script().query().fetch(altered())
    script.end(ZclStatus.INVALID_IMAGE)
    script.query(OLD)
    assert script.found("invalid-image") == []


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (altered(), "digest does not match"),
        (b"\x00" + IMAGE[1:], "identifier"),
        (IMAGE[:14] + b"\x01\x02\x03\x04" + IMAGE[18:], "another image"),
        (IMAGE[:52] + b"\x90\x01\x00\x00" + IMAGE[56:], "400 octets expected"),
    ],
    ids=["digest", "no header", "other version", "other size"],
)
def test_a_bad_image_taken_for_good_is_found(bad: bytes, why: str) -> None:
    script = Script().query().fetch(bad)
    script.end()
    (finding,) = script.found("invalid-image")
    assert why in finding.what


def test_a_refused_image_that_runs_is_found() -> None:
    script = Script().query().fetch(altered())
    script.end(ZclStatus.INVALID_IMAGE)
    script.query(NEW)
    (finding,) = script.found("invalid-image")
    assert f"runs {NEW:08X}" in finding.what


def test_a_refused_version_may_run_after_a_good_download() -> None:
    script = Script().query().fetch(altered())
    script.end(ZclStatus.INVALID_IMAGE)
    script.query().fetch()
    script.end()
    script.query(NEW)
    assert script.found("invalid-image") == []
