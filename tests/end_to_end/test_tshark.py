"""A whole run as Wireshark sees it: nothing wrong on the air, images and GBCS messages rebuilt from its fields."""

import base64
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from gateway.campaigns.evidence.capture import read_capture
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import alert_code_of
from protocols.mac.frame import fcs
from protocols.pcapng import CapturedFrame, PcapngWriter, read_frames
from tests.support import tshark
from tests.support.demo_run import DemoRun, hanlab
from tests.support.once import once

pytestmark = pytest.mark.judge("tshark")

FIELDS = {
    "number": "frame.number",
    "network": "frame.interface_name",
    "protocols": "frame.protocols",
    "fcs_ok": "wpan.fcs_ok",
    "type": "wpan.frame_type",
    "mac_command": "wpan.cmd",
    "secured": "zbee.sec.mic",
    "opened": "zbee.sec.key",
    "source": "zbee_nwk.src",
    "destination": "zbee_nwk.dst",
    "aps_type": "zbee_aps.type",
    "fragment": "zbee_aps.fragmentation",
    "announced_eui": "zbee_zdp.ext_addr",
    "announced": "zbee_zdp.nwk_addr",
    "zdp": "zbee_aps.zdp_cluster",
    "from_ota_server": "zbee_zcl_general.ota.cmd.srv_tx.id",
    "from_ota_client": "zbee_zcl_general.ota.cmd.srv_rx.id",
    "version": "zbee_zcl_general.ota.file.version",
    "offset": "zbee_zcl_general.ota.file.offset",
    "data": "zbee_zcl_general.ota.image.data",
}
KEY_COMMANDS = ("zbee_zcl_se.ke.cmd.srv_rx.id", "zbee_zcl_se.ke.cmd.srv_tx.id")
JOINED_BY = 4600  # frames: all devices of both homes have joined, and the first signed alerts were sent
ANNOUNCE, BLOCK, APS_ACKNOWLEDGEMENT = "0x0013", "0x05", "0x02"
SR = "{http://www.dccinterface.co.uk/ServiceUserGateway}"


class Sent(NamedTuple):
    """An image in a request that the DSP took."""

    device: str
    version: int
    octets: bytes


@pytest.fixture(scope="module")
def frames(honest: DemoRun, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Every frame of the run, its fields by our names."""

    def make(place: Path) -> None:
        rows = tshark.fields(honest.folder / "capture.pcapng", honest.folder / "keys.txt", list(FIELDS.values()))
        (place / "fields").write_text("\n".join("\t".join(row) for row in rows), encoding="utf-8")

    text = (once(tmp_path_factory, "tshark-fields", make) / "fields").read_text(encoding="utf-8")
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in text.split("\n")]


@pytest.fixture(scope="module")
def tunnelled(honest: DemoRun) -> dict[int, bytes]:
    """GBCS messages by the number of the frame that completed them."""
    return tshark.layer_octets(honest.folder / "capture.pcapng", honest.folder / "keys.txt", "gbcs_message")


@pytest.fixture(scope="module")
def beginning(honest: DemoRun) -> list[CapturedFrame]:
    """The frames until all devices have joined."""
    with (honest.folder / "capture.pcapng").open("rb") as file:
        return [frame for frame in read_frames(file) if frame.number <= JOINED_BY]


def _write(frames: list[CapturedFrame], path: Path) -> Path:
    with path.open("wb") as file:
        writer = PcapngWriter(file)
        interfaces = {name: writer.interface(name) for name in dict.fromkeys(frame.network for frame in frames)}
        for frame in frames:
            writer.frame(interfaces[frame.network], frame.time, frame.octets)
    return path


# --- the whole air -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-C10")
def test_no_frame_is_wrong(honest: DemoRun) -> None:
    """MP170-C10: none malformed, none with a bad FCS, none that stayed encrypted."""
    assert tshark.faults(honest.folder / "capture.pcapng", honest.folder / "keys.txt") == []


@pytest.mark.requirement("MP170-C10")
def test_every_secured_frame_was_opened(frames: list[dict[str, str]]) -> None:
    """MP170-C10: a key for every security header, and each frame's FCS is called good.

    An APS acknowledgement has nothing inside that could be decrypted, so Wireshark looks for no key there.
    """
    secured = [frame for frame in frames if frame["secured"]]
    assert len(secured) > 100_000
    missing = [f for f in secured if f["secured"].count(",") != f["opened"].count(",") or not f["opened"]]
    assert {(f["aps_type"], bool(f["opened"])) for f in missing} == {(APS_ACKNOWLEDGEMENT, True)}
    assert {frame["fcs_ok"] for frame in frames} == {"1"}
    plain = {frame["protocols"] for frame in frames if frame["type"] == "0x0001" and not frame["secured"]}
    assert plain == set()


def test_nothing_but_fragments_is_left_as_data(frames: list[dict[str, str]]) -> None:
    """Wireshark has a name for every octet, or puts it together with others."""
    left = [frame for frame in frames if frame["protocols"].endswith("zbee_aps:data")]
    assert left
    assert [frame["number"] for frame in left if not frame["fragment"]] == []


def test_frames_are_counted_alike(honest: DemoRun, frames: list[dict[str, str]]) -> None:
    """Wireshark and the evidence that `hanlab verify` uses see the same frames on the same networks."""
    ours = read_capture(honest.folder / "capture.pcapng", honest.folder / "keys.txt")
    assert len(frames) == ours.frames == honest.summary["frames"]
    assert Counter(frame["network"] for frame in frames) == ours.networks
    assert sum(1 for frame in frames if frame["secured"]) == ours.protected
    commands = Counter(frame["mac_command"] for frame in frames)
    assert commands["0x01"] == ours.kinds["mac association request"] >= 13
    assert commands["0x02"] == ours.kinds["mac association response"]
    assert commands["0x04"] == ours.kinds["mac data request"]
    assert commands["0x07"] == ours.kinds["mac beacon request"]
    assert sum("beacon" in frame["protocols"] for frame in frames) == ours.kinds["mac beacon"]
    assert sum(frame["type"] == "0x0002" for frame in frames) == ours.kinds["mac acknowledgement"]
    assert sum("zbee_zdp" in f["protocols"] for f in frames if f["zdp"] == ANNOUNCE) >= ours.kinds["zdp DeviceAnnounce"]


SMART_ENERGY = {  # cluster: commands of the server, of the client
    "met": ({"0x00", "0x01"}, {"0x00", "0x01", "0x09"}),
    "price": ({"0x00", "0x04"}, {"0x00", "0x02", "0x06"}),
    "msg": ({"0x00"}, {"0x00", "0x01"}),
    "drlc": ({"0x00"}, {"0x00", "0x01"}),
}


def test_meters_displays_and_switches_speak_their_clusters(honest: DemoRun) -> None:
    """Each cluster has producer and consumer; Wireshark reads every command, and answers to reads of registers."""
    files = (honest.folder / "capture.pcapng", honest.folder / "keys.txt")
    ours = read_capture(*files).kinds
    names = [f"zbee_zcl_se.{cluster}.cmd.srv_{way}.id" for cluster in SMART_ENERGY for way in ("tx", "rx")]
    rows = tshark.fields(*files, names, display_filter=" || ".join(names))
    said = [{row[column] for row in rows if row[column]} for column in range(len(names))]
    assert said == [commands for sides in SMART_ENERGY.values() for commands in sides]
    assert ours["zcl 0x0702 global command 0x01 of the server"] > 1_000
    assert ours["zcl 0x0702 global command 0x0a of the server"] > 300
    assert ours["zcl 0x0705 global command 0x01 of the server"] > 100


@pytest.mark.requirement("SM7-R1")
def test_a_block_costs_frames_both_ways_and_their_acknowledgements(
    honest: DemoRun, frames: list[dict[str, str]]
) -> None:
    """SM7-R1: as many requests as blocks at least, behind a bridge each of both at two hops, one of them the backhaul.

    A device that has lost the hub for a while may come back under a bridge in hearing: two hops on one network then.
    """
    answers = Counter(frame["network"] for frame in frames if frame["from_ota_server"] == BLOCK)
    asked = Counter(frame["network"] for frame in frames if frame["from_ota_client"] == "0x03")
    for name in ("home-1", "home-2"):
        devices = [device for device in honest.summary["devices"] if device["name"].startswith(name)]
        blocks = sum(device["blocks"] for device in devices)
        behind = sum(device["blocks"] for device in devices if device["kind"] in ("bridge2", "bridge3", "bridge4"))
        assert behind > 1_000
        for network, least, hops in ((f"{name} 2.4 GHz", blocks, 2), (f"{name} backhaul", behind, 1)):
            assert least <= answers[network] < 1.02 * hops * least  # some are lost on the air and repeated
            assert least <= asked[network] < 1.02 * hops * least


# --- images ----------------------------------------------------------------------------------------------------


def _sent(run: DemoRun) -> list[Sent]:
    """Return every image in a request that was accepted, in order."""
    codes: dict[str | None, str] = {}
    for file in sorted((run.folder / "mailboxes/supplier").iterdir()):
        header = ElementTree.parse(file).getroot()[0]
        codes.setdefault(header.findtext(f"{SR}RequestID"), header.findtext(f"{SR}ResponseCode") or "")
    found = []
    for file in sorted((run.folder / "requests/supplier").iterdir()):
        root = ElementTree.parse(file).getroot()
        image = root.find(f".//{SR}FirmwareImage")
        if image is None or codes[root[0].findtext(f"{SR}RequestID")] != "I99":
            continue
        octets = base64.b64decode(image.text or "", validate=True)
        version = int(root.findtext(f".//{SR}FirmwareVersion") or "", 16)
        listed = (root.findtext(f".//{SR}DeviceIDList") or "").replace("-", "").lower()
        found += [Sent(eui, version, octets) for eui in listed.split()]
    return found


def _rebuilt(frames: list[dict[str, str]]) -> list[Sent]:
    """Return what each device got, put together from the blocks by offset; offset 0 begins anew once others came.

    A frame seen at two hops gives the same block twice. A device is known by its own announcement.
    """
    euis: dict[tuple[str, str], str] = {}
    transfers: list[tuple[str, int, dict[int, bytes]]] = []
    latest: dict[str, int] = {}
    for frame in frames:
        home = frame["network"].split()[0]
        if frame["announced_eui"] and frame["zdp"] == ANNOUNCE:
            euis[home, frame["announced"]] = frame["announced_eui"].replace(":", "")
        if frame["from_ota_server"] != BLOCK:
            continue
        device, version, offset = euis[home, frame["destination"]], int(frame["version"], 16), int(frame["offset"])
        if not offset and (device not in latest or len(transfers[latest[device]][2]) > 1):
            latest[device] = len(transfers)
            transfers.append((device, version, {}))
        _, expected, blocks = transfers[latest[device]]
        data = bytes.fromhex(frame["data"].replace(":", ""))
        assert version == expected
        assert blocks.setdefault(offset, data) == data
    return [Sent(device, version, _joined(blocks)) for device, version, blocks in transfers]


def _joined(blocks: dict[int, bytes]) -> bytes:
    image = bytearray()
    for offset, data in sorted(blocks.items()):
        assert offset == len(image)
        image += data
    return bytes(image)


def _sha(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


@pytest.mark.requirement("SM7-R1", "MP170-R2")
def test_images_rebuilt_from_the_air_are_those_sent(honest: DemoRun, frames: list[dict[str, str]]) -> None:
    """SM7-R1, MP170-R2: for every device and version, what the air carried has the SHA-256 of the file sent."""
    sent, rebuilt = _sent(honest), _rebuilt(frames)
    assert Counter(s[:2] for s in rebuilt) == Counter(s[:2] for s in sent)
    last = {(transfer.device, transfer.version): _sha(transfer.octets) for transfer in rebuilt}
    assert last == {(request.device, request.version): _sha(request.octets) for request in sent}
    for device in honest.summary["devices"]:
        if device["result"] == "updated":
            assert (device["eui"], int(device["to_version"], 16)) in last
    assert max(len(transfer.octets) for transfer in rebuilt) == 768_000


@pytest.mark.requirement("MP170-R12", "SM7-R4")
def test_images_altered_on_their_way_differ_in_one_octet(honest: DemoRun, frames: list[dict[str, str]]) -> None:
    """MP170-R12, SM7-R4: so that equality above can fail; the two are a bridge's and the ESME's first attempt."""
    good = {(request.device, request.version): request.octets for request in _sent(honest)}
    altered = [t for t in _rebuilt(frames) if t.octets != good[t.device, t.version]]
    assert [transfer.device for transfer in altered] == ["00db1234567822b2", "00db1234567811a0"]
    for transfer in altered:
        pairs = zip(transfer.octets, good[transfer.device, transfer.version], strict=True)
        assert sum(1 for one, other in pairs if one != other) == 1


# --- GBCS in the tunnels ---------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-C13", "X-2")
def test_alerts_of_devices_are_in_the_tunnels(honest: DemoRun, tunnelled: dict[int, bytes]) -> None:
    """MP170-C13, X-2: each alert that a user got from a device was carried by its tunnel, and no other alert was."""
    alerts = {octets: Message.decode(octets) for octets in tunnelled.values()}
    found = Counter(
        (f"{alert_code_of(message):04X}", str(message.originator))
        for message in alerts.values()
        if message.cra is Cra.ALERT
    )
    devices = {device["eui"] for device in honest.summary["devices"]}
    told = Counter((alert["code"], alert["origin"]) for alert in honest.summary["alerts"] if alert["origin"] in devices)
    assert found == told
    codes = {code for code, _ in found}
    assert {f"{AlertCode.FIRMWARE_VERIFIED:04X}", "8F8B", "8F66", "8F35", "8F36", "8F1C"} <= codes


@pytest.mark.requirement("SM7-R3", "MP170-C16")
def test_messages_in_the_tunnels_are_valid(honest: DemoRun, tunnelled: dict[int, bytes]) -> None:
    """SM7-R3, MP170-C16: `hanlab gbcs decode` finds each signature and MAC valid with the key store of the run."""
    messages = list(dict.fromkeys(tunnelled.values()))
    done = hanlab(
        "gbcs", "decode", "--json", "--strict", "--keystore", honest.folder / "keystore",
        *(message.hex() for message in messages),
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (len(lines), done.stderr, done.returncode) == (len(messages), "", 0)
    signed = [line for line in lines if line["signature"] == "valid"]
    assert len(signed) >= sum(1 for message in messages if Message.decode(message).cra is Cra.ALERT) > 15
    assert all("valid" in (line["signature"], line["mac"]) for line in lines)
    one = bytearray(messages[0])
    one[-1] ^= 1
    altered = hanlab("gbcs", "decode", "--json", "--keystore", honest.folder / "keystore", one.hex())
    assert altered.returncode == 1


def test_alerts_travel_in_fragments(tunnelled: dict[int, bytes], frames: list[dict[str, str]]) -> None:
    """A signed alert does not fit one frame (zigbee.md 3.4): the frame that completes one is a fragment."""
    completing = {int(frame["number"]) for frame in frames if frame["fragment"]}
    signed = [number for number, octets in tunnelled.items() if Message.decode(octets).signature]
    assert signed
    assert [number for number in signed if number not in completing] == []


# --- the judge can say no ----------------------------------------------------------------------------------------


def test_without_a_key_frames_stay_closed(honest: DemoRun, beginning: list[CapturedFrame], tmp_path: Path) -> None:
    """Each link key of keys.txt opens frames that nothing else opens; a network key is also in its Transport-Key."""
    capture = _write(beginning, tmp_path / "beginning.pcapng")
    rows = (honest.folder / "keys.txt").read_text(encoding="utf-8").splitlines()
    assert tshark.faults(capture, "\n".join(rows)) == []
    link_keys = [row for row in rows if '"link key ' in row]
    network_keys = [row for row in rows if '"network key ' in row]
    assert (len(link_keys), len(network_keys)) == (28, 2)  # of each device its install code's and its established one
    silent = [str(d["eui"]) for d in honest.summary["devices"] if d["kind"] in ("ihd", "gsme", "cad")]
    of_install_codes = {row.split(",")[2]: row for row in reversed(link_keys)}.values()  # the first row of a device
    for row in link_keys:
        if row not in of_install_codes and any(eui in row for eui in silent):
            continue  # a display and a gas meter have said nothing under their established key
        assert tshark.faults(capture, "\n".join(other for other in rows if other != row)), row
    between_two = [row for row in rows if row not in network_keys]
    unopened = [int(fault[0]) for fault in tshark.faults(capture, "\n".join(between_two))]
    assert len(unopened) < 10  # broadcasts of the hubs before anybody was given the network key
    assert len(tshark.faults(capture, "\n".join(network_keys))) > 400
    assert len(tshark.faults(capture, "")) == sum(1 for frame in beginning if frame.octets[0] & 7 == 1)


def test_keys_are_established_before_smart_energy(honest: DemoRun) -> None:
    """Each of three requests and three answers under the network key alone, none refused.

    Fourteen with the hubs, and one of each ESME that is joined to an HCALCS or PPMID by method A.
    """
    fields = ["zbee_nwk.src", "zbee_nwk.dst", "zbee.sec.key_id", *KEY_COMMANDS]
    shown = " || ".join(KEY_COMMANDS)
    rows = tshark.fields(honest.folder / "capture.pcapng", honest.folder / "keys.txt", fields, display_filter=shown)
    said = Counter(ends[2:] for ends in {(row[0], row[1], row[3], row[4]) for row in rows})  # relays count once
    homes, exchanges = 2, 14 + 2  # homes whose short addresses may be the same
    for number in ("0x00", "0x01", "0x02"):
        assert exchanges - homes <= said[number, ""] <= exchanges
        assert exchanges - homes <= said["", number] <= exchanges
    assert set(said) == {pair for number in ("0x00", "0x01", "0x02") for pair in ((number, ""), ("", number))}
    assert {row[2] for row in rows} == {"0x01"}  # the network key, and no other


def test_a_flipped_octet_is_seen(honest: DemoRun, beginning: list[CapturedFrame], tmp_path: Path) -> None:
    """Every octet of a secured frame, once with the FCS as it was and once with a good one."""
    keys = honest.folder / "keys.txt"
    secured_at = next(i for i, frame in enumerate(beginning) if i > 1_000 and _is_secured(frame))
    frame = beginning[secured_at]
    before, body = beginning[:secured_at], frame.octets[:-2]
    first = 9 + 8 + 1  # MAC and NWK headers, security control: what follows is the counter, or protected by it
    flipped = [body[:at] + bytes((body[at] ^ 0x10,)) + body[at + 1 :] for at in range(first, len(body))]
    assert len(flipped) > 30
    for check in (fcs(body), b""):
        copies = [frame._replace(octets=octets + (check or fcs(octets))) for octets in flipped]
        capture = _write([*before, *copies, frame], tmp_path / "flipped.pcapng")
        wrong = [int(fault[0]) for fault in tshark.faults(capture, keys)]
        assert wrong == list(range(len(before) + 1, len(before) + 1 + len(copies)))


def _is_secured(frame: CapturedFrame) -> bool:
    """Tell whether this is a MAC data frame with short addresses around a unicast NWK frame with security."""
    return frame.octets[:2] == b"\x61\x88" and bool(frame.octets[10] & 0x02) and not frame.octets[10] & 0x1C
