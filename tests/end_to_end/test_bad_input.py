"""Bad input is told in one line or answered with its DUIS code, and what is stored stays as it was."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.assembly.lab import Lab
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER
from gateway.assembly.story import arrival
from gateway.assembly.world import World
from protocols.addresses import Eui64
from protocols.duis.bodies import DevicePrenotification, ReadInventory, RequestBody
from protocols.duis.requests import CommandVariant, Request
from protocols.duis.responses import parse_response
from protocols.duis.signature import XmlSigner
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs09
from protocols.ota.image import FirmwareImage, Kind
from protocols.wan.smwan import GbcsFromHub
from tests.support.demo_run import EXIT_BAD_INPUT, EXIT_FAILED, hanlab

FULL_SIZE = 768_000  # octets: the 750 KB of SM7-R10
NEWCOMER = Eui64(0x00DB1234567811B9)

# --- service requests to the started DSP ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Both homes with everybody joined; time stands still."""
    with Lab(tmp_path_factory.mktemp("lab") / "run") as lab:
        lab.run(lab.everybody_joins)
        yield lab


def _bridge(world: World) -> Eui64:
    return world.home("home-1").device("bridge-1").eui


def _submit(world: World, octets: bytes) -> str:
    """Hand octets to the DSP as the supplier; return the code of its answer, which is a whole DUIS response."""
    return parse_response(world.dsp_host.submit(SUPPLIER, octets)).response_code


def _request(world: World, body: RequestBody) -> bytes:
    return Request(request_id=world.supplier.next_id(ACB), command_variant=CommandVariant.DCC_ONLY, body=body).encode()


def _signed(world: World, octets: bytes, signer: Eui64 = SUPPLIER) -> bytes:
    return XmlSigner(*world.parties.xml(signer), world.entropy).sign(octets)


def _firmware(image: bytes, version: int | None = None) -> Callable[[World], str]:
    """Return what sends an image to bridge 1 of home 1 by SR 11.4."""

    def send(world: World) -> str:
        wanted = world.images.release(Kind.BRIDGE1, 1).header.file_version if version is None else version
        return world.supplier.update_ppmid_firmware([_bridge(world)], image, wanted).code

    return send


def _altered(change: Callable[[bytes], bytes]) -> Callable[[World], str]:
    return lambda world: _firmware(change(_good(world).encode()))(world)


def _good(world: World) -> FirmwareImage:
    return world.images.release(Kind.BRIDGE1, 1)


def _flip(image: bytes) -> bytes:
    return image[:-40] + bytes((image[-40] ^ 1,)) + image[-39:]


def _declared_longer(image: bytes) -> bytes:
    """Return an image of one octet more than the limit, whose OTA header says so too."""
    header_size = int.from_bytes(image[6:8], "little")
    longer = bytearray(image + bytes(FULL_SIZE + 1 - len(image)))
    longer[52:56] = len(longer).to_bytes(4, "little")
    longer[header_size + 2 : header_size + 6] = (len(longer) - header_size - 6).to_bytes(4, "little")
    return bytes(longer)


def _notified(world: World, old: bytes, new: bytes) -> str:
    """Pre-notify a bridge like bridge 1, with something in the document replaced."""
    like = world.home("home-1").device("bridge-1")
    notification: DevicePrenotification = replace(arrival.notification(like), device_id=NEWCOMER)
    octets = _request(world, notification)
    assert octets.count(old) == 1
    return _submit(world, _signed(world, octets.replace(old, new)))


def _xml(change: Callable[[bytes], bytes]) -> Callable[[World], str]:
    """Return what sends the latest request again, an 8.2 that was taken, with something changed."""
    return lambda world: _submit(world, change(world.supplier.sent[-1].octets))


def _next(world: World) -> bytes:
    """Return an 8.2 that would be taken if it were signed."""
    return _request(world, ReadInventory(device_id=_bridge(world)))


_ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
REQUESTS: dict[str, tuple[str, Callable[[World], str]]] = {
    "an image cut short (SM7-R1)": ("E110401", _altered(lambda image: image[:-1])),
    "an image cut in its header": ("E110401", _altered(lambda image: image[:30])),
    "no image": ("E110401", _altered(lambda image: b"")),
    "an image with octets left over": ("E110401", _altered(lambda image: image + b"\0")),
    "an image of 768,001 octets (SM7-R10)": ("E110401", _altered(_declared_longer)),
    "an image that is none": ("E110401", _firmware(b"neither image nor header" * 50)),
    "an image of another hash (MP170-R12)": ("E110402", _altered(_flip)),
    "another version than the image has": ("E110401", lambda w: _firmware(_good(w).encode(), 0x0B100200)(w)),
    "an image for another product": (
        "E110403", lambda w: _firmware(w.images.release(Kind.BRIDGE2, 1).encode(), 0x0B200100)(w)
    ),
    "an unknown variant (MP170-R11)": ("E40", lambda w: _notified(w, b"AltHAN Bridge 1", b"AltHAN Bridge 9")),
    "a variant of an unlisted product": (
        "E120203", lambda w: _notified(w, b"FirmwareVersion>0B100000<", b"FirmwareVersion>0B1FFFFF<")
    ),
    "a tag that is not closed": ("E40", _xml(lambda octets: octets.replace(b"</sr:Body>", b""))),
    "half a document": ("E40", _xml(lambda octets: octets[: len(octets) // 2])),
    "no document": ("E40", _xml(lambda octets: b"")),
    "an element of no schema": ("E40", _xml(lambda octets: octets.replace(b"<sr:Body>", b"<sr:Body><sr:Loose/>"))),
    "a document type with entities": ("E40", _xml(lambda octets: octets.replace(b"?>", b"?>" + _ENTITIES, 1))),
    "a request sent twice": ("E42", _xml(lambda octets: octets)),
    "a request altered after it was signed": ("E41", _xml(lambda octets: octets.replace(b"ID>90-B3", b"ID>91-B3"))),
    "a request without signature": ("E41", lambda w: _submit(w, _next(w))),
    "a request signed by another user": ("E41", lambda w: _submit(w, _signed(w, _next(w), NETWORK_OPERATOR))),
}  # fmt: skip


@pytest.mark.parametrize("case", REQUESTS)
def test_a_bad_request_is_answered_with_its_code_and_writes_nothing(case: str, lab: Lab) -> None:
    """The answer is a DUIS response, the timeline says why in one line, nothing goes to the CSP or to a mailbox."""
    world = lab.world
    code, send = REQUESTS[case]
    assert world.supplier.read_inventory(world.home("home-1").chf).code == "I0"
    received = len(world.supplier.mailbox.deliveries)
    told: list[tuple[str, dict[str, object]]] = []
    passed_on: list[bytes] = []
    world.timeline.listeners.append(_Listener(told))
    forward, world.dsp_host.to_csp = world.dsp_host.to_csp, passed_on.append
    before = world.store.dump()
    assert send(world) == code
    world.dsp_host.to_csp = forward
    world.timeline.listeners.pop()
    assert world.store.dump() == before
    assert passed_on == []
    reasons = [fields["reason"] for event, fields in told if event == "request" and fields["code"] == code]
    assert len(reasons) == 1
    assert reasons[0]
    assert "\n" not in str(reasons[0])
    assert len(world.supplier.mailbox.deliveries) - received <= 1  # the synchronous answer


def test_the_same_requests_unharmed_are_taken(lab: Lab) -> None:
    """So that each refusal above is for what was altered."""
    with_newcomer = _notified(lab.world, b"AltHAN Bridge 1", b"AltHAN Bridge 1")
    assert with_newcomer == "I99"
    assert lab.world.supplier.read_inventory(NEWCOMER).code == "I0"
    before = lab.world.store.dump()
    assert _altered(lambda image: image)(lab.world) == "I99"
    assert lab.world.store.dump() != before


class _Listener:
    """Keeps what the timeline gets."""

    def __init__(self, told: list[tuple[str, dict[str, object]]]) -> None:
        self._told = told

    def noted(self, now: int, actor: str, event: str, fields: object) -> None:
        assert isinstance(fields, dict)
        self._told.append((event, fields))


# --- messages of devices ------------------------------------------------------------------------------------------


def _report(world: World, counter: int) -> Message:
    """Return an 8F8B of bridge 1, which says that it activated a version, signed."""
    version = _good(world).header.file_version
    bare = Message(
        cra=Cra.ALERT, counter=counter, originator=_bridge(world), target=ACB, date_time=b"",
        message_code=cs09.MESSAGE_CODE, supplementary_party=None, supplementary_counter=None,
        supplementary_originator_counter=None, certificate=b"",
        payload=cs09.Alert(world.clock.now(), version).encode(), signature=b"", mac=None,
    )  # fmt: skip
    return security.sign(bare, world.parties.credentials(_bridge(world)).ds_key, world.entropy)


SIGNATURES = {"no field": b"", "empty": b"\0", "not a signature": b"\x40" + b"\x01" * 64}


@pytest.mark.requirement("MP170-C16", "SM7-R3")
@pytest.mark.parametrize("signature", SIGNATURES)
def test_an_unsigned_alert_is_recorded_as_refused_and_changes_nothing_else(signature: str, lab: Lab) -> None:
    """MP170-C16, SM7-R3: inventory, updates and mailboxes stay; the one new row names code, origin and decision."""
    world = lab.world
    bridge, hub = _bridge(world), world.home("home-1").chf
    octets = b"\xdf" + _report(world, 77_000).signed_octets() + SIGNATURES[signature]
    before, received = world.store.dump().splitlines(), len(world.supplier.mailbox.deliveries)
    world.dsp_host.from_csp(GbcsFromHub(hub, bridge, octets).encode())
    after = world.store.dump().splitlines()
    new = [line for line in after if line not in before]
    assert [line for line in before if line not in after] == []
    assert len(new) == 1
    kind = "invalid" if signature == "not a signature" else "absent"
    for part in ("alerts {", '"8F8B"', f'"{bridge}"', '"decision": "refused"', f'"signature": "{kind}"'):
        assert part in new[0]
    assert len(world.supplier.mailbox.deliveries) == received


def test_the_same_alert_signed_is_believed(lab: Lab) -> None:
    world = lab.world
    bridge, hub = _bridge(world), world.home("home-1").chf
    version = f"{_good(world).header.file_version:08X}"
    world.dsp_host.from_csp(GbcsFromHub(hub, bridge, _report(world, 78_000).encode()).encode())
    rows = [line for line in world.store.dump().splitlines() if line.startswith(f'inventory {{"device": "{bridge}"')]
    assert len(rows) == 1
    assert f'"firmware_version": "{version}"' in rows[0]


# --- the command line --------------------------------------------------------------------------------------------


def _refused(told: str, *arguments: str | Path) -> None:
    """Run hanlab and expect exit 2 and one line on stderr that contains `told`, and nothing on stdout."""
    done = hanlab(*arguments)
    assert (done.returncode, done.stdout) == (EXIT_BAD_INPUT, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert told in done.stderr


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("this is no hexadecimal", "argument 1: "),
        ("DF0901000", "argument 1: "),
        ("DF09", "argument 1: "),
        ("00" * 60, "argument 1: "),
    ],
    ids=["not hexadecimal", "odd number of digits", "cut short", "no message"],
)
def test_gbcs_decode_names_the_argument(message: str, told: str) -> None:
    _refused(told, "gbcs", "decode", message)


def test_gbcs_decode_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "message.hex"
    file.write_text("DF 09 01 zz\n", encoding="utf-8")
    _refused(str(file), "gbcs", "decode", file)
    file.write_bytes(b"\xff\xfe\x00")
    _refused(str(file), "gbcs", "decode", file)


def test_gbcs_decode_without_its_key_store(tmp_path: Path) -> None:
    _refused(str(tmp_path / "nowhere"), "gbcs", "decode", "--keystore", tmp_path / "nowhere", "00")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bridge's image made by the command line."""
    file = tmp_path_factory.mktemp("image") / "b1.ota"
    done = hanlab(
        "image", "build", "--kind", "bridge1", "--version", "01000001", "--size", "20480", "--manufacturer", "121D",
        "--model", "00B10101", "--out", file,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert hanlab("image", "verify", file, "--kind", "bridge1").returncode == 0
    return file


@pytest.mark.requirement("SM7-R10")
def test_images_that_are_none_are_named(image: Path, tmp_path: Path) -> None:
    """SM7-R10 for the size; an image that can be read but is not good exits 1 and says which check failed."""
    octets, file = image.read_bytes(), tmp_path / "bad.ota"
    file.write_bytes(octets[:-1])
    _refused(str(file), "image", "verify", file, "--kind", "bridge1")
    file.write_bytes(b"no image")
    _refused(str(file), "image", "inspect", file)
    file.write_bytes(_declared_longer(octets))
    _refused("768001 octets", "image", "verify", file, "--kind", "bridge1")
    _refused("bridge5", "image", "verify", image, "--kind", "bridge5")
    _refused(str(tmp_path / "nowhere"), "image", "inspect", tmp_path / "nowhere")
    file.write_bytes(_flip(octets))
    done = hanlab("image", "verify", file, "--kind", "bridge1")
    assert done.returncode == EXIT_FAILED
    assert len(done.stderr.splitlines()) == 1
    assert str(file) in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--version", "1000001", "--version 1000001: 8 hexadecimal digits"),
        ("--manufacturer", "121G", "--manufacturer 121G: 4 hexadecimal digits"),
        ("--size", "768001", "768"),
        ("--size", "10", "10"),
        ("--kind", "toaster", "--kind toaster"),
    ],
)
def test_image_build_refuses_what_no_device_takes(option: str, value: str, told: str, tmp_path: Path) -> None:
    arguments = {
        "--kind": "bridge1", "--version": "01000001", "--size": "20480", "--manufacturer": "121D",
        "--model": "00B10101", "--out": str(tmp_path / "b1.ota"),
    } | {option: value}  # fmt: skip
    _refused(told, "image", "build", *(part for pair in arguments.items() for part in pair))
    assert not (tmp_path / "b1.ota").exists()


def test_an_unknown_command_is_named() -> None:
    done = hanlab("demonstrate")
    assert done.returncode == EXIT_BAD_INPUT
    assert "demonstrate" in done.stderr
    assert "Traceback" not in done.stderr
