"""Rules of frames: each is kept by a transfer over the emulated air, and broken by a defect planted in its capture."""

import io
from collections.abc import Iterable
from functools import cache

from gateway.campaigns.evidence.capture import dissect
from gateway.campaigns.evidence.watching import ApsSighting, Watcher
from gateway.campaigns.lint import RULES, LintSettings, Report, lint
from protocols.aps.frame import FrameType as ApsFrameType
from protocols.aps.frame import data_header
from protocols.interfaces import MILLISECOND
from protocols.mac.frame import fcs
from protocols.nwk.frame import NwkHeader
from protocols.pcapng import CapturedFrame, read_frames, read_keys
from tests.support.hand_built import DEVICE as FAR_DEVICE
from tests.support.hand_built import HUB, KEYS, SE, SHORT, HandBuilt
from tests.support.ota_homes import DEVICE, NEW, Played, captured, image

ACK_OCTETS = 5
APS_HEADER = data_header(1, 0x0019, SE, 1, 1, security=False, ack_request=False)


@cache
def played() -> Played:
    """Return a home whose PPMID has joined, fetched an image, restarted into it and told of it."""
    hub = Played()
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run_until(NEW)
    hub.run(60_000 * MILLISECOND)
    return hub


@cache
def honest() -> tuple[CapturedFrame, ...]:
    return tuple(captured(played().log))


def linted(frames: Iterable[CapturedFrame], settings: LintSettings | None = None) -> Report:
    return lint(frames, played().keys(), settings if settings is not None else LintSettings())


def numbered(frames: list[CapturedFrame]) -> list[CapturedFrame]:
    """Return frames in order of time with new numbers."""
    ordered = sorted(frames, key=lambda frame: frame.time)
    return [frame._replace(number=number) for number, frame in enumerate(ordered, 1)]


def data_frames() -> list[CapturedFrame]:
    """Return the frames of the honest capture that carry data and ask for an acknowledgement."""
    return [frame for frame in honest() if frame.octets[0] & 0x27 == 0x21]


def test_an_honest_transfer_keeps_every_rule() -> None:
    report = linted(honest())
    assert report.findings == []
    for rule in set(RULES) - {"block-retries", "block-period", "wait-for-data"}:
        assert report.checked[rule] > 0, rule


def only(report: Report, rule: str) -> tuple[int, ...]:
    """Return the frames of the only finding, which is of `rule`."""
    assert {finding.rule for finding in report.findings} == {rule}
    return report.findings[0].frames


def test_a_bad_fcs_is_found() -> None:
    frames = list(honest())
    frames[50] = frames[50]._replace(octets=frames[50].octets[:-1] + bytes([frames[50].octets[-1] ^ 1]))
    assert linted(frames).of("fcs")[0].frames == (51,)


def test_a_missing_key_is_found() -> None:
    assert lint(honest(), []).of("undecrypted") != []


def test_a_frame_that_cannot_be_read_is_found() -> None:
    octets = b"\x07\x00\x01\x02\x03\x04"
    stray = honest()[-1]._replace(octets=octets + fcs(octets), number=len(honest()) + 1)
    assert only(linted([*honest(), stray]), "malformed") == (stray.number,)


def test_an_application_frame_without_network_security_is_found() -> None:
    built = HandBuilt()
    built.announce()
    header = NwkHeader(0, SHORT[HUB], SHORT[FAR_DEVICE], 1, 9, security=False)
    number = built.hop(FAR_DEVICE, SHORT[HUB], header, APS_HEADER + b"\x01\x01\x06")
    assert [finding.frames for finding in linted_script(built).of("unprotected")] == [(number,)]


def linted_script(built: HandBuilt) -> Report:
    return lint(read_frames(io.BytesIO(built.capture)), read_keys(KEYS))


def test_a_network_counter_that_falls_is_found() -> None:
    """A frame of somebody who replays what he recorded."""
    old = data_frames()[40]
    later = honest()[-1].time + 100 * MILLISECOND
    replayed = old._replace(time=later, number=len(honest()) + 1)
    report = linted([*honest(), replayed])
    (finding,) = report.of("nwk-counter")
    assert finding.frames[1] == replayed.number
    assert "after" in finding.what


def test_a_link_key_counter_that_falls_is_found() -> None:
    built = HandBuilt()
    built.announce()
    built.zcl(FAR_DEVICE, HUB, 0x0019, b"\x01\x01\x06\x00\x04\x1a\x84\x00\x00\x01\x00\x04", 1)
    assert linted_script(built).of("aps-counter") == []
    header = data_header(1, 0x0019, SE, 1, 2, security=True, ack_request=False)
    sealed = built.link.protect(header, FAR_DEVICE, 5, b"\x01\x02\x06\x00\x04\x1a\x84\x00\x00\x01\x00\x04")
    numbers = built.send(FAR_DEVICE, HUB, sealed)
    assert [finding.frames for finding in linted_script(built).of("aps-counter")] == [(numbers[0],)]


def test_too_many_repetitions_are_found() -> None:
    frame = data_frames()[40]
    repeated = [frame._replace(time=frame.time + MILLISECOND // 10 * n) for n in range(1, 5)]
    report = linted(numbered([*honest(), *repeated]))
    assert len(report.of("mac-retries")) == 1
    assert linted(numbered([*honest(), *repeated]), LintSettings(mac_retries=4)).of("mac-retries") == []


def test_a_receiver_that_does_not_acknowledge_is_found() -> None:
    """Every twentieth acknowledgement of the hub's frames is taken out."""
    frames = honest()
    acknowledgements = [frame.number for frame in frames if len(frame.octets) == ACK_OCTETS]
    mute = set(acknowledgements[len(acknowledgements) // 2 :: 20])
    report = linted(numbered([frame for frame in frames if frame.number not in mute]))
    assert {finding.rule for finding in report.findings} == {"mac-ack"}
    missing = sum(len(finding.frames) for finding in report.findings)
    assert missing >= len(mute) - 3
    lenient = LintSettings(unacknowledged=0.2)
    assert linted(numbered([frame for frame in frames if frame.number not in mute]), lenient).findings == []


class _ApsAcknowledgements(Watcher):
    """Collects the frames with APS acknowledgements."""

    def __init__(self) -> None:
        self.frames: list[int] = []

    def aps(self, sighting: ApsSighting) -> None:
        if sighting.aps.frame_type == ApsFrameType.ACKNOWLEDGEMENT:
            self.frames.append(sighting.captured.number)


def test_a_missing_aps_acknowledgement_is_found() -> None:
    seen = _ApsAcknowledgements()
    dissect(honest(), played().keys(), seen)
    frames = honest()
    gone = {number for number in seen.frames if number < len(frames) // 2}
    gone |= {number + 1 for number in gone}  # their MAC acknowledgements
    report = linted(numbered([frame for frame in frames if frame.number not in gone]))
    assert {finding.rule for finding in report.findings} == {"aps-ack"}


def test_a_rule_without_a_case_is_told_as_not_checked() -> None:
    report = lint([], [])
    assert (report.frames, report.findings, sum(report.checked.values())) == (0, [], 0)
