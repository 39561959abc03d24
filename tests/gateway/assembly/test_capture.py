"""The capture of a run: comments at events of the story."""

import io
from pathlib import Path

import pytest

from gateway.assembly.capture import CaptureFile
from gateway.assembly.folder import Timeline
from protocols.pcapng import read_frames

FRAME = bytes.fromhex("020007") + b"\x00\x00"


class _Clock:
    def now(self) -> int:
        return 1_772_442_000_000_000_000


def test_the_frame_after_an_event_of_the_story_has_it_as_comment() -> None:
    octets = io.BytesIO()
    capture, timeline = CaptureFile(octets), Timeline(_Clock(), io.StringIO())
    timeline.listeners.append(capture)
    capture.tap("home-1 2.4 GHz")(1, FRAME)
    timeline.note("story", "step", title="Bridges are updated")
    timeline.note("home-1/hub", "tunnel-open", device="00db1234567811b1")
    timeline.note("story", "failure", what="no N39 in 12 h")
    capture.tap("home-2 2.4 GHz")(2, FRAME)
    capture.tap("home-1 2.4 GHz")(3, FRAME)
    octets.seek(0)
    comments = [frame.comment for frame in read_frames(octets)]
    assert comments == ["", "step: Bridges are updated\nfailure: no N39 in 12 h", ""]


@pytest.mark.parametrize("live", [False, True])
def test_a_live_capture_is_in_the_file_frame_by_frame(tmp_path: Path, *, live: bool) -> None:
    place = tmp_path / "capture.pcapng"
    with place.open("wb") as file:
        capture = CaptureFile(file, live=live)
        sizes = []
        for time in range(3):
            capture.tap("home-1 2.4 GHz")(time, FRAME)
            sizes.append(place.stat().st_size)
    assert (sizes[0] < sizes[1] < sizes[2] == place.stat().st_size) is live
