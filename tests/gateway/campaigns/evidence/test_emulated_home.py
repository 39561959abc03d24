"""The dissector against Wireshark on the capture of an emulated home with bridges, on air that loses frames."""

from pathlib import Path

import pytest

from gateway.campaigns.evidence.capture import read_capture
from tests.support import tshark
from tests.support.han import FAR, home_with_bridges

COMMAND = b"\x11\x07\x02\x01\x00" + bytes(range(200))  # Transfer Data in tunnel 1
ANSWER = b"\x19\x08\x01\x01\x00" + bytes(range(150))


@pytest.mark.judge("tshark")
def test_dissector_and_wireshark_see_the_same(tmp_path: Path) -> None:
    han = home_with_bridges(3, loss=0.05)
    han.join(*FAR)
    hub = han.members["hub"]
    for name in FAR:
        hub.send(han.members[name], COMMAND)
        han.run(15)
        han.members[name].send(hub, ANSWER)
        han.run(15)
    capture, keys = han.capture(tmp_path)
    (tmp_path / "keys.txt").write_text(keys)
    seen = read_capture(capture, tmp_path / "keys.txt")
    assert (seen.defects, tshark.faults(capture, keys), seen.unfinished) == ([], [], 0)
    euis = [han.members[name].eui for name in FAR]
    assert [(message.device, message.upward) for message in seen.messages] == [
        (eui, upward) for eui in euis for upward in (False, True)
    ]
    assert {message.data for message in seen.messages} == {COMMAND[5:], ANSWER[5:]}
    shown = {
        "frames": "frame",
        "protected": "zbee_nwk.security == 1 || zbee_aps.security == 1",
        "mac acknowledgement": "wpan.frame_type == 2",
        "mac data request": "wpan.cmd == 4",
        "aps fragment": "zbee_aps.fragmentation && zbee_aps.type == 0",
        "aps acknowledgement": "zbee_aps.type == 2",
        "aps UpdateDevice": "zbee_aps.cmd.id == 6",
    }
    counts = {what: len(tshark.fields(capture, keys, ["frame.number"], display_filter=f)) for what, f in shown.items()}
    assert counts == {"frames": seen.frames, "protected": seen.protected} | {
        what: seen.kinds[what] for what in shown if what in seen.kinds
    }
    assert counts["aps fragment"] > 6 * 7  # three or four a message, relayed ones more
