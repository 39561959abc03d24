"""The dissector on captures whose content is known frame by frame."""

import io
from pathlib import Path

import pytest

from gateway.campaigns.evidence.capture import CaptureEvidence, dissect, read_capture
from gateway.campaigns.evidence.dissector import FCS, MALFORMED, UNDECRYPTED, UNPROTECTED
from protocols.aps import commands as aps_commands
from protocols.aps.frame import data_header
from protocols.aps.security import ApsSecurity, KeyId
from protocols.errors import InputError
from protocols.interfaces import MILLISECOND
from protocols.nwk import commands as nwk_commands
from protocols.nwk.frame import NwkHeader
from protocols.nwk.security import NwkSecurity
from protocols.pcapng import CaptureKey, key_row, read_frames, read_keys
from protocols.zcl.clusters import ota, tunneling
from tests.support.hand_built import DEVICE, HUB, KEYS, ROUTER, SHORT, START, HandBuilt

IDENTITY = (0x121D, 0x0084, 0x01020304)
IMAGE = bytes(index % 253 for index in range(1000))


def _joined() -> HandBuilt:
    air = HandBuilt()
    air.associate()
    router_key = ApsSecurity(bytes(range(0xA0, 0xB0)))
    air.aps_command(ROUTER, HUB, aps_commands.UpdateDevice(DEVICE, SHORT[DEVICE], 1), router_key)
    air.transport_network_key()
    air.announce()
    return air


def _seen(air: HandBuilt, keys: str = KEYS) -> CaptureEvidence:
    return dissect(read_frames(io.BytesIO(air.capture)), read_keys(keys))


def _ota(air: HandBuilt, command: ota.OtaCommand, counter: int, *, down: bool) -> list[int]:
    ends = (HUB, DEVICE) if down else (DEVICE, HUB)
    return air.zcl(*ends, ota.CLUSTER, ota.encode(command, counter & 0xFF), counter & 0xFF)


def _download(
    air: HandBuilt, *, status: int = 0, skipped: int = -1, image: bytes = IMAGE, counter: int = 0
) -> list[int]:
    """Write a transfer in blocks of 48, without the answer to block `skipped`; return the frames of the blocks."""
    _ota(air, ota.QueryNextImageRequest(*IDENTITY), counter, down=False)
    _ota(air, ota.QueryNextImageResponse(0, *IDENTITY, len(image)), counter, down=True)
    blocks = []
    for index, at in enumerate(range(0, len(image), 48)):
        _ota(air, ota.ImageBlockRequest(*IDENTITY, at, 48), counter + index + 1, down=False)
        if index != skipped:
            blocks += _ota(
                air, ota.ImageBlockResponse(*IDENTITY, at, image[at : at + 48]), counter + index + 1, down=True
            )
    _ota(air, ota.UpgradeEndRequest(status, *IDENTITY), counter + 99, down=False)
    _ota(air, ota.UpgradeEndResponse(0xFFFF, 0xFFFF, 0xFFFFFFFF, 0, ota.UPGRADE_WAIT), counter + 99, down=True)
    return blocks


def test_join_is_understood() -> None:
    seen = _seen(_joined())
    assert seen.defects == []
    assert [(a.device, a.parent, a.short) for a in seen.associations] == [(DEVICE, ROUTER, SHORT[DEVICE])]
    assert [(a.device, a.short) for a in seen.announcements] == [(DEVICE, SHORT[DEVICE])]
    assert seen.kinds == {
        "aps Tunnel": 1,
        "aps TransportNetworkKey": 2,
        "aps UpdateDevice": 1,
        "aps data, relayed or repeated": 1,
        "mac acknowledgement": 3,
        "mac association request": 1,
        "mac association response": 1,
        "mac data request": 1,
        "zdp DeviceAnnounce": 1,
    }
    assert seen.frames == 11
    assert (seen.first, seen.last) == (START, START + 10 * (seen.frames - 1) * MILLISECOND)
    assert seen.networks == {"home-1 2.4 GHz": 11}


def test_image_is_rebuilt_and_relays_count_once() -> None:
    air = _joined()
    blocks = _download(air)
    seen = _seen(air)
    assert seen.defects == []
    (transfer,) = seen.transfers
    assert transfer.image == IMAGE
    assert transfer.complete
    assert (transfer.device, transfer.size, transfer.status) == (DEVICE, 1000, 0)
    assert (transfer.manufacturer_code, transfer.image_type, transfer.file_version) == IDENTITY
    assert (transfer.requests, len(transfer.blocks), transfer.conflicting) == (21, 21, [])
    assert transfer.end_response == ota.UpgradeEndResponse(0xFFFF, 0xFFFF, 0xFFFFFFFF, 0, ota.UPGRADE_WAIT)
    served = [event for event in seen.ota if isinstance(event.command, ota.ImageBlockResponse)]
    assert [event.frame for event in served] == blocks[::2]
    assert all(event.device == DEVICE and event.secured for event in seen.ota)
    assert served[0].time == START + (served[0].frame - 1) * 10 * MILLISECOND


def test_block_that_was_not_served_leaves_the_image_short() -> None:
    air = _joined()
    _download(air, skipped=3)
    (transfer,) = _seen(air).transfers
    assert not transfer.complete
    assert transfer.image == IMAGE[: 3 * 48]


def test_second_download_of_a_version_is_another_transfer() -> None:
    air = _joined()
    altered = IMAGE[:500] + b"?" + IMAGE[501:]
    _download(air, image=altered, status=0x96)
    _download(air, counter=120)
    first, second = _seen(air).transfers
    assert (first.status, second.status) == (0x96, 0)
    assert (first.image, second.image) == (altered, IMAGE)
    assert first.last_frame < second.first_frame


def test_changed_block_waits_and_refusals_are_told() -> None:
    air = _joined()
    _ota(air, ota.ImageBlockRequest(*IDENTITY, 0, 48), 1, down=False)
    _ota(air, ota.ImageBlockResponse(*IDENTITY, 0, b"a"), 1, down=True)
    numbers = _ota(air, ota.ImageBlockResponse(*IDENTITY, 0, b"b"), 2, down=True)
    _ota(air, ota.ImageBlockWait(0, 60), 3, down=True)
    _ota(air, ota.ImageBlockRefused(0x95), 4, down=True)
    _ota(air, ota.ImageBlockRequest(*IDENTITY, 0, 48), 5, down=False)
    first, second = _seen(air).transfers
    assert (first.conflicting, first.waits, first.refused, first.image) == (numbers[:1], 1, 0x95, b"b")
    assert (second.requests, second.status) == (1, None)


def test_tunnel_messages_are_put_together_once() -> None:
    air = _joined()
    command, answer = bytes(range(200)), bytes(range(50))
    down = tunneling.encode(tunneling.TransferData(7, command), 1, from_server=False)
    up = tunneling.encode(tunneling.TransferData(7, answer), 2, from_server=True)
    air.zcl(HUB, DEVICE, tunneling.CLUSTER, tunneling.encode(tunneling.RequestTunnel(), 0, from_server=False), 8)
    fragments = air.fragments(HUB, DEVICE, tunneling.CLUSTER, down, 9)
    single = air.zcl(DEVICE, HUB, tunneling.CLUSTER, up, 10, extended=True)
    air.zcl(DEVICE, HUB, tunneling.CLUSTER, up, 10, extended=True)  # an APS retry, under another frame counter
    seen = _seen(air)
    assert seen.defects == []
    assert seen.unfinished == 0
    assert [(m.device, m.upward, m.tunnel, m.data) for m in seen.messages] == [
        (DEVICE, False, 7, command),
        (DEVICE, True, 7, answer),
    ]
    assert seen.messages[0].fragments == tuple(fragments[::2])
    assert [message.frame for message in seen.messages] == [fragments[-2], single[0]]
    assert [(event.device, event.command) for event in seen.tunnels] == [(DEVICE, tunneling.RequestTunnel())]


def test_lost_fragment_leaves_a_message_unfinished() -> None:
    air = _joined()
    air.fragments(HUB, DEVICE, tunneling.CLUSTER, bytes(200), 9)
    frames = list(read_frames(io.BytesIO(air.capture)))
    seen = dissect(frames[:-6], read_keys(KEYS))
    assert (seen.unfinished, seen.messages) == (1, [])


def test_labels_are_hints_only() -> None:
    """Any key may be tried: the table may name nobody, or the wrong ones."""
    air = _joined()
    _download(air)
    keys = [CaptureKey(key.key, "") for key in reversed(read_keys(KEYS))]
    seen = dissect(read_frames(io.BytesIO(air.capture)), keys)
    assert seen.defects == []
    assert seen.transfers[0].complete


def test_network_key_is_learned_from_its_transport() -> None:
    air = _joined()
    link_keys = "".join(row for row in KEYS.splitlines(keepends=True) if "link" in row)
    before_transport = [defect.frame for defect in _seen(air, link_keys).defects]
    assert before_transport == [7, 8]  # Update-Device and the tunnel; the key itself then opens the rest


def test_originator_not_announced_is_found_among_those_known() -> None:
    air = HandBuilt()
    header = data_header(1, ota.CLUSTER, 0x0109, 1, 9, security=True, ack_request=False)
    sealed = air.link.protect(header, DEVICE, 5, ota.encode(ota.QueryNextImageRequest(*IDENTITY), 1))
    air.send(DEVICE, HUB, sealed, first_hop=False)
    seen = _seen(air)
    assert [defect.kind for defect in seen.defects] == [UNDECRYPTED]
    air.send(DEVICE, HUB, sealed)
    assert [event.device for event in _seen(air).ota] == [DEVICE]


DEFECTS = {
    "a wrong FCS": FCS,
    "an unknown network key": UNDECRYPTED,
    "an unknown link key": UNDECRYPTED,
    "a cut NWK frame": MALFORMED,
    "an OTA command of no kind": MALFORMED,
    "application data without NWK security": UNPROTECTED,
    "a NWK command without security": UNPROTECTED,
    "an APS command without security": UNPROTECTED,
}


def _spoil(air: HandBuilt, what: str) -> int:
    """Write one bad frame and return its number."""
    header = NwkHeader(0, SHORT[HUB], SHORT[ROUTER], 1, 3)
    clear = header._replace(security=False)
    if what == "a wrong FCS":
        return air.put(b"\x02\x00\x01", good_fcs=False)
    if what == "an unknown network key":
        air.network = NwkSecurity(bytes(16), 0)
        return air.hop(ROUTER, SHORT[HUB], header, bytes(20))
    if what == "an unknown link key":
        return air.zcl(ROUTER, HUB, ota.CLUSTER, b"\x01\x01\x01", 5, key=ApsSecurity(bytes(16)))[0]
    if what == "a cut NWK frame":
        return air.hop(ROUTER, SHORT[HUB], clear, b"")
    if what == "an OTA command of no kind":
        return air.zcl(ROUTER, HUB, ota.CLUSTER, b"\x01\x01\x77", 5, key=ApsSecurity(bytes(range(0xA0, 0xB0))))[0]
    if what == "application data without NWK security":
        aps = data_header(1, ota.CLUSTER, 0x0109, 1, 9, security=False, ack_request=False)
        return air.hop(ROUTER, SHORT[HUB], clear, aps + b"\x18\x01\x0b\x01\x00")
    if what == "a NWK command without security":
        return air.hop(ROUTER, SHORT[HUB], clear._replace(frame_type=1), nwk_commands.Leave().encode())
    command = air.sealed_command(ROUTER, aps_commands.RemoveDevice(DEVICE), None, KeyId.LINK)
    return air.hop(ROUTER, SHORT[HUB], clear, command)


@pytest.mark.parametrize("what", DEFECTS)
def test_bad_frame_is_reported_with_its_number(what: str) -> None:
    air = _joined()
    number = _spoil(air, what)
    seen = _seen(air)
    assert [(defect.frame, defect.kind) for defect in seen.defects] == [(number, DEFECTS[what])]
    assert seen.frames == air.frames


def test_every_single_altered_octet_is_a_defect_or_harmless() -> None:
    """Noise of any place is reported, never an exception; with a good FCS the MIC finds it."""
    air = _joined()
    _download(air, image=IMAGE[:100])
    frames = list(read_frames(io.BytesIO(air.capture)))
    for frame in frames:
        for at in range(0, len(frame.octets), 7):
            octets = frame.octets[:at] + bytes((frame.octets[at] ^ 0x08,)) + frame.octets[at + 1 :]
            seen = dissect([frame._replace(octets=octets)], read_keys(KEYS))
            assert [defect.kind for defect in seen.defects] == [FCS]


def test_two_homes_with_the_same_pan_and_short_addresses_stay_apart() -> None:
    other_key = bytes(16)
    first, second = HandBuilt("home-1 2.4 GHz"), HandBuilt("home-2 2.4 GHz", other_key)
    for air in (first, second):
        air.associate()
        air.announce()
        _download(air, image=IMAGE[:100])
    frames = [frame for air in (first, second) for frame in read_frames(io.BytesIO(air.capture))]
    seen = dissect(frames, read_keys(KEYS + key_row(other_key, "nwk home-2")))
    assert seen.defects == []
    assert seen.networks == {"home-1 2.4 GHz": first.frames, "home-2 2.4 GHz": second.frames}
    assert len(seen.ota) == 2 * 10


def test_backhaul_under_the_same_network_key_is_the_same_network() -> None:
    """The device is known from the HAN when its frames are relayed on the backhaul."""
    air = HandBuilt()
    air.associate()
    air.announce(relays=False)
    backhaul = air.writer.interface("home-1 backhaul")
    air.interface = backhaul
    header = data_header(1, ota.CLUSTER, 0x0109, 1, 9, security=True, ack_request=False)
    answer = ota.encode(ota.QueryNextImageResponse(0x98), 1)
    sealed = air.link.protect(header, HUB, 5, answer)
    air.hop(ROUTER, SHORT[DEVICE], NwkHeader(0, SHORT[DEVICE], SHORT[HUB], 29, 8, source_ieee=HUB), sealed)
    seen = _seen(air)
    assert seen.defects == []
    assert [(event.device, event.network) for event in seen.ota] == [(DEVICE, "home-1 backhaul")]


def test_files_are_read_and_bad_ones_named_in_one_line(tmp_path: Path) -> None:
    capture, keys = tmp_path / "capture.pcapng", tmp_path / "keys.txt"
    air = _joined()
    capture.write_bytes(air.capture)
    keys.write_text(KEYS)
    assert read_capture(capture, keys).frames == air.frames
    capture.write_bytes(air.capture[:-5])
    with pytest.raises(InputError, match=r"capture\.pcapng: the file stops inside a block") as caught:
        read_capture(capture, keys)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="absent"):
        read_capture(tmp_path / "absent", keys)
    keys.write_text("nonsense")
    with pytest.raises(InputError, match="line 1 of the key table"):
        read_capture(capture, keys)
