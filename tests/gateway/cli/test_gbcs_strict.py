"""`hanlab gbcs decode --strict --keystore` on every shape of message, made octet by octet, and on each deviation."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emulator.entropy import SeededEntropy
from gateway.cli.gbcs import app
from protocols.addresses import Eui64
from protocols.gbcs import document
from protocols.gbcs.envelope import Message
from protocols.gbcs.keystore import write
from protocols.gbcs.listing import listing
from protocols.gbcs.smki import Credentials, RemotePartyRole, TestPki
from tests.support.raw_messages import ALERT, COMMAND, RESPONSE, Raw, agreed, dlms_protected, gbz_sealed, shortest

PKI = TestPki(SeededEntropy(5), 0)
ESME, GSME, PPMID = (PKI.device(Eui64(0x00DB1234567890A0 + number)) for number in (0, 1, 4))
SUPPLIER = PKI.organisation(Eui64(0x90B3D51F30010000), RemotePartyRole.SUPPLIER)
BROKER = PKI.organisation(Eui64(0x90B3D51F30000002), RemotePartyRole.ACCESS_CONTROL_BROKER)
RECOVERY = PKI.organisation(Eui64(0x90B3D51F30000001), RemotePartyRole.RECOVERY)
STRANGER = PKI.organisation(Eui64(0x90B3D51F30050000), RemotePartyRole.OTHER)
EVERYBODY = (ESME, GSME, PPMID, SUPPLIER, BROKER, RECOVERY, STRANGER)

COUNTER = 0x3E8
TIME = bytes.fromhex("07DF0101FF000000008000FF")
ON_BEHALF = SUPPLIER.eui.big + (7).to_bytes(8, "big")
FOR_STRANGER = STRANGER.eui.big + (7).to_bytes(8, "big")
READ = bytes.fromhex("D9 200003E8 00 01 01 0001 0000000201FF 02 01 00")
NULL = b"\x05\x00"


def critical_command() -> bytes:
    raw = Raw(COMMAND, COUNTER, SUPPLIER, ESME, 0x0050)
    return raw.with_mac(raw.signed(READ), agreed(BROKER, ESME))


def command(code: int = 0x0059, other: bytes = b"", payload: bytes = READ, sender: Credentials = SUPPLIER) -> bytes:
    raw = Raw(COMMAND, COUNTER, sender, ESME, code, other)
    return raw.with_mac(raw.unsigned(payload), agreed(BROKER, ESME))


def response(payload: bytes, sender: Credentials = ESME, target: Credentials = SUPPLIER, code: int = 0x0059) -> bytes:
    raw = Raw(RESPONSE, COUNTER, sender, target, code)
    return raw.with_mac(raw.unsigned(payload), agreed(sender, target))


def signed(payload: bytes, cra: int = RESPONSE, code: int = 0x0012, target: Credentials = SUPPLIER) -> bytes:
    return Raw(cra, COUNTER, ESME, target, code, date_time=TIME if cra == RESPONSE else b"").signed(payload)


def protected_response() -> bytes:
    raw = Raw(RESPONSE, COUNTER, ESME, SUPPLIER, 0x0060)
    value = b"\x02\x02" + dlms_protected(raw, raw.sealed(b"\x01\x02\x11\x05\x11\x06" * 40, SUPPLIER), SUPPLIER)
    return raw.with_mac(raw.unsigned(b"\xda\x20\0\x03\xe8\0\0\x01" + value + b"\x01\x03\0"), agreed(ESME, SUPPLIER))


def response_for_a_stranger() -> bytes:
    raw = Raw(RESPONSE, COUNTER, ESME, BROKER, 0x0034, FOR_STRANGER + (0x1234).to_bytes(8, "big"))
    value = b"\x02\x02" + dlms_protected(raw, raw.sealed(b"\x00", STRANGER, 0x1234), STRANGER, 0x1234)
    return raw.with_mac(raw.unsigned(b"\xda\x20\0\x03\xe8\0\0\x01" + value + b"\x01\x03\0"), agreed(ESME, BROKER))


def gas_response_with_a_sealed_component() -> bytes:
    raw = Raw(RESPONSE, COUNTER, GSME, SUPPLIER, 0x0077)
    plain = bytes.fromhex("00 0702 0006 080001 0602C0")
    parts = plain + gbz_sealed(0x0702, b"\x09\x01\x06", raw.sealed(b"log", SUPPLIER), last=True)
    return raw.with_mac(raw.unsigned(b"\x01\x09\x02" + parts), agreed(GSME, SUPPLIER))


def sensitive_alert() -> bytes:
    raw = Raw(ALERT, COUNTER, ESME, SUPPLIER, 0x0061)
    value = dlms_protected(raw, raw.sealed(b"\x11\x05", SUPPLIER), SUPPLIER)
    return raw.signed(b"\x0f\x20\0\x03\xe8\0\x02\x04\x12\x8f\x0a\x09\x0c" + TIME + value)


def gas_billing_alert() -> bytes:
    raw = Raw(ALERT, COUNTER, GSME, SUPPLIER, 0x008B)
    part = gbz_sealed(0x0702, b"\x09\x00\x06", raw.sealed(b"snapshot", SUPPLIER), last=True)
    return raw.signed(bytes.fromhex("0109 01 8F0A 1C374A80") + part)


def from_ppmid() -> bytes:
    raw = Raw(COMMAND, COUNTER, PPMID, GSME, 0x009B)
    top_up = b"\x04" + b"\x14" + b"12345678901234567890"
    part = b"\x01\x07\x05" + (len(top_up) + 3).to_bytes(2, "big") + b"\x01\x00\x04" + top_up
    return raw.with_mac(raw.unsigned(b"\x01\x09\x01" + part), agreed(PPMID, GSME))


def of_a_root(payload: bytes) -> bytes:
    return Raw(COMMAND, COUNTER, RECOVERY, ESME, 0x0108).signed(payload)


DEEP_DER = bytes.fromhex("30 0B 7F8101 03 020105 1F21 01 FF")  # tags of several octets
COMPACT = bytes.fromhex("DA 200003E8 00 00 01 13 02 02 11 01 0002 12 0A") + bytes.fromhex("05 0001 0002 06 0003 0004")
FUTURE_DATED = bytes.fromhex("8F66 090C 07DF0101FF000000008000FF 0913 0019 00000000000003E8 0014 00000D0000FF 0A")
FUTURE_DATED_GAS = bytes.fromhex("0109 01 8F66 1C374A80 0E 006B 00000000000003E8 0700 01 04")
SELECTIVE = bytes.fromhex("D9 200003E8 00 01 04 0007 0100630100FF 02 01 0204 0202 1200 08") + bytes.fromhex("00")

SHAPES: dict[str, Callable[[], bytes]] = {
    "critical command": critical_command,
    "pre-command": lambda: Raw(COMMAND, COUNTER, SUPPLIER, ESME, 0x0050).pre_command(READ),
    "non-critical command": command,
    "command of the broker for a user": lambda: command(other=ON_BEHALF, sender=BROKER),
    "command for an unknown party that wants encrypted data": lambda: command(
        0x0034, FOR_STRANGER + STRANGER.ka_certificate.der, sender=BROKER
    ),
    "signed command without MAC": lambda: of_a_root(NULL),
    "critical response with its time": lambda: signed(NULL),
    "non-critical response": lambda: response(bytes.fromhex("DA 200003E8 00 00 01 0904 01020304 01 0100")),
    "response with a failure": lambda: response(bytes.fromhex("DA 200003E8 00 00 02 00 00 02 0101 03FA")),
    "response with a status that has no name": lambda: response(bytes.fromhex("DA 200003E8 00 00 01 00 01 01F9")),
    "compact array": lambda: response(COMPACT + bytes.fromhex("01 0100")),
    "gas response of two frames to one command": lambda: response(
        bytes.fromhex("0109 02 00 0702 0006 080001 060200 01 0702 0005 18000B 0B81"), GSME, code=0x0084
    ),
    "manufacturer's own command": lambda: response(bytes.fromhex("0109 01 01 0702 0006 0C3412 0001AA"), GSME),
    "component with a time from which": lambda: command(0x0078, payload=bytes.fromhex(
        "0109 01 11 0702 000A 1C374A80 010008 000001")),
    "DER of unknown shape": lambda: response(DEEP_DER, code=0x0014),
    "a number of a thousand octets": lambda: response(b"\x02\x82\x03\xe8" + b"\x11" * 1000, code=0x000A),
    "a request for a certificate": lambda: response(bytes.fromhex("3003020105"), code=0x000A),
    "a certificate alone": lambda: command(0x000B, payload=ESME.ds_certificate.der),
    "encrypted DLMS response": protected_response,
    "encrypted DLMS response for an unknown party": response_for_a_stranger,
    "encrypted gas response": gas_response_with_a_sealed_component,
    "encrypted alert": sensitive_alert,
    "encrypted gas alert": gas_billing_alert,
    "future-dated alert": lambda: signed(b"\x0f\x20\0\x03\xe8\0\x02\x03\x12" + FUTURE_DATED, ALERT, 0x00CC),
    "future-dated gas alert": lambda: signed(FUTURE_DATED_GAS, ALERT, 0x00CD),
    "alert with a supplementary party and no counter": lambda: Raw(
        ALERT, COUNTER, ESME, BROKER, 0x0123, SUPPLIER.eui.big
    ).signed(b"\x0f\x20\0\x03\xe8\0\x02\x02\x12\x8f\x85\x09\x0c" + TIME),
    "gas alert of code and time": lambda: Raw(ALERT, COUNTER, GSME, SUPPLIER, 0x1000).signed(
        bytes.fromhex("0109 00 8F1D 1C374A80")
    ),
    "between two devices": from_ppmid,
    "long": lambda: response(b"\xda\x20\0\x03\xe8\0\0\x01\x09\x82\x08\x00" + bytes(2048) + b"\x01\x01\0"),
}  # fmt: skip


@dataclass
class Result:
    code: int
    out: str
    err: str


def decode(octets: bytes, *options: str | Path) -> Result:
    result = CliRunner().invoke(app, ["decode", octets.hex(), *map(str, options)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Result(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("all") / "keys"
    write(folder, EVERYBODY, private=True)
    return folder


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_read_verified_and_comes_back(name: str, keys: Path) -> None:
    octets = SHAPES[name]()
    result = decode(octets, "--strict", "--keystore", keys, "--json")
    assert (result.code, result.err) == (0, "")
    shown = json.loads(result.out)
    assert shown["payload"]["form"] != "octets"
    assert {shown[field] for field in ("signature", "mac", "encrypted")} <= {"valid", "absent"}
    assert ("encrypted" in name.partition(" that ")[0]) == (shown["encrypted"] == "valid")
    assert shown["refused"] == []
    again = CliRunner().invoke(app, ["encode"], input=result.out)
    assert again.stdout == octets.hex().upper() + "\n"
    listed = decode(octets, "--keystore", keys)
    assert (listed.code, listed.out.splitlines()[0].endswith(f" {len(octets)} octets")) == (0, True)


@pytest.mark.parametrize("name", SHAPES)
def test_no_octet_of_what_is_protected_may_change(name: str, keys: Path) -> None:
    """A pre-command has no protection; everywhere else a flipped bit is invalid or not readable."""
    octets = SHAPES[name]()
    for place in range(0, len(octets) if name != "pre-command" else 0, max(1, len(octets) // 12)):
        changed = octets[:place] + bytes([octets[place] ^ 0x10]) + octets[place + 1 :]
        assert decode(changed, "--strict", "--keystore", keys).code in (1, 2), place


ABOUT = {
    "future-dated alert": "ECS01a (0019), counter 1000 (3E8)",
    "future-dated gas alert": "GCS01a (006B), counter 1000 (3E8)",
}


@pytest.mark.parametrize("name", SHAPES)
def test_an_alert_about_a_command_names_it(name: str) -> None:
    result = decode(SHAPES[name]())
    told = [line.partition("concerns")[2].strip() for line in result.out.splitlines() if "concerns" in line]
    assert told == ([ABOUT[name]] if name in ABOUT else [])
    assert json.loads(decode(SHAPES[name](), "--json").out)["concerns"] == ABOUT.get(name)


@pytest.mark.parametrize("payload", ["", "0F200003E8", "0F200003E80002031290000913" + "00" * 18])
def test_an_alert_of_another_form_just_does_not_say(payload: str) -> None:
    for code in (0x00CC, 0x00CD, 0x0120):
        result = decode(signed(bytes.fromhex(payload), ALERT, code), "--json")
        assert (result.code, json.loads(result.out)["concerns"]) == (0, None)


def test_without_keys_a_note_tells_what_was_not_checked(keys: Path) -> None:
    result = decode(protected_response(), "--json")
    shown = json.loads(result.out)
    assert (result.code, shown["mac"], shown["encrypted"]) == (0, *["unchecked: no key store given"] * 2)
    strict = decode(protected_response(), "--strict")
    assert (strict.code, strict.err.splitlines()) == (1, [
        "argument 1: MAC unchecked: no key store given",
        "argument 1: encrypted part unchecked: no key store given",
    ])  # fmt: skip


def test_strict_says_exactly_which_keys_are_missing(tmp_path: Path) -> None:
    write(tmp_path, (ESME, BROKER), private=False)
    write(tmp_path, (BROKER,), private=True)
    result = decode(response_for_a_stranger(), "--strict", "--keystore", tmp_path)
    assert result.code == 1
    assert result.err == (
        f"argument 1: encrypted part unchecked: no key agreement key of {ESME.eui} or {STRANGER.eui}"
        " with the other's certificate\n"
    )


_UNKNOWN_LANGUAGE = "a payload that is neither DER nor DLMS nor GBZ at octet 47"
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a payload in no language": (lambda: response(b"\xd8\x01"), _UNKNOWN_LANGUAGE),
    "octets after the payload's end": (lambda: response(NULL + b"\0"), _UNKNOWN_LANGUAGE),
    "a DLMS length that is too long": (
        lambda: response(bytes.fromhex("DA 200003E8 00 00 01 098104 01020304 01 0100")),
        _UNKNOWN_LANGUAGE,
    ),
    "something encrypted without its form": (
        lambda: response(bytes.fromhex("0109 01 03 0702 0006 0000 080006 00"), GSME),
        "an encrypted component without its form at octet 50",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_strict_refuses_is_shown_without_it(name: str, keys: Path) -> None:
    make, complaint = REFUSED[name]
    assert decode(make(), "--keystore", keys).code == 0
    strict = decode(make(), "--strict", "--keystore", keys)
    assert (strict.code, len(strict.err.splitlines())) == (1, 1)
    assert complaint in strict.err


NOTED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a payload that is not its use case's": (
        lambda: signed(bytes.fromhex("3003020105")),
        "a payload other than its use case has",
    ),
    "an unknown message code": (
        lambda: signed(NULL, code=0x0EEE),
        "message code 0EEE of no known use case at octet 43",
    ),
    "another invoke id": (
        lambda: response(bytes.fromhex("DA 200003E9 00 00 01 00 01 0100")),
        "invoke id 200003E9 instead of 200003E8 at octet 48",
    ),
    "an alert without a code": (lambda: signed(NULL, ALERT, 0x0123), "an alert without an alert code"),
    "a long length": (
        lambda: signed(bytes.fromhex("30820003 020100"), RESPONSE, 0x0108),
        "a length longer than necessary at octet 47",
    ),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_strict_tolerates_is_noted(name: str, keys: Path) -> None:
    make, note = NOTED[name]
    result = decode(make(), "--strict", "--keystore", keys)
    assert result.code == 0
    assert any(line.strip().startswith("notes") and note in line for line in result.out.splitlines()), result.out


UNREADABLE = {
    "no message": (b"\x30\x00", 0),
    "cut in the header": (critical_command()[:20], 7),
    "cut in the MAC": (critical_command()[:-1], 7),
    "one octet more": (critical_command() + b"\0", 7),
    "a length that is not the shortest": (b"\xdd" + bytes(6) + b"\x81\x4f" + command()[8:], 7),
    "a header field that is not empty": (b"\xdd\0\0\1\0\0\0" + command()[7:], 1),
    "encrypted as a whole": (command()[:8] + b"\x31" + command()[9:], 8),
    "an invocation counter": (command()[:12] + b"\1" + command()[13:], 8),
    "a CRA flag of 4": (signed(NULL)[:2] + b"\4" + signed(NULL)[3:], 1),
    "a date of 11 octets": (signed(NULL).replace(b"\x0c" + TIME, b"\x0b" + TIME[1:]), 29),
    "other information of 5 octets": (Raw(ALERT, 1, ESME, SUPPLIER, 1, bytes(3)).signed(NULL), 30),
    "a certificate with a wrong length": (command(other=FOR_STRANGER + b"\x30\x82\x01\x00" + bytes(20)), 43),
    "a signature of 63 octets": (signed(NULL)[:-65] + b"\x3f" + bytes(63), 48),
    "a MAC for a signed response": (
        (raw := Raw(RESPONSE, 1, ESME, SUPPLIER, 0x12)).with_mac(raw.signed(NULL), agreed(ESME, SUPPLIER)), 13,
    ),
    "neither signature nor MAC": (Raw(RESPONSE, 1, ESME, SUPPLIER, 0x12).unsigned(NULL), 0),
    "a length of 4 octets": (b"\xdd" + bytes(6) + b"\x84\xff\xff\xff\xff" + bytes(40), 7),
    "a length of no octets": (b"\xdd" + bytes(6) + b"\x80" + bytes(40), 7),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_message_is_told_with_its_octet(name: str) -> None:
    octets, offset = UNREADABLE[name]
    result = decode(octets)
    assert (result.code, result.out, len(result.err.splitlines())) == (2, "", 1)
    assert f" at octet {offset} of " in result.err, result.err


def nested(size: int) -> bytes:
    """Return thirty sequences in each other around many small values."""
    octets = NULL * (size // 2)
    for _ in range(30):
        octets = b"\x30" + shortest(len(octets)) + octets
    return response(octets, code=0x000A)


def wide(size: int) -> bytes:
    """Return one array of very many elements."""
    return response(b"\xda\x20\0\x03\xe8\0\0\x01\x01" + shortest(size) + bytes(size) + b"\x01\x01\0")


def empty_elements(size: int) -> bytes:
    """Return a compact array that promises four thousand million elements of no length for each of its octets."""
    described = bytes.fromhex("13 02 02 01 FFFF 01 FFFF 00 11")
    return response(b"\xda\x20\0\x03\xe8\0\0\x01" + described + shortest(size) + bytes(size) + b"\x01\x01\0")


def calls_of(octets: bytes) -> int:
    """Return how many functions reading and showing a message calls."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    message = Message.decode(octets)
    sys.setprofile(note)
    try:
        listing(message, document.describe(message, "here", None))
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("make", [nested, wide, empty_elements])
def test_the_work_grows_with_the_size_and_no_faster(make: Callable[[int], bytes]) -> None:
    assert calls_of(make(8_000)) < 2.2 * calls_of(make(4_000))
