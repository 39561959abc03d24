"""`hanlab gbcs` from its arguments to its exit code."""

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emulator.entropy import SeededEntropy
from gateway.cli.gbcs import app
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.keystore import write
from protocols.gbcs.smki import TestPki
from protocols.gbcs.use_cases import cs09
from protocols.interfaces import SECOND
from tests.support.vectors import ROOT, rtds_names, rtds_octets, vectors_dir

BROKER, DEVICE = Eui64(0x90B3D51F30000002), Eui64(0x00DB1234567890A4)
FIELDS = [
    "source", "category", "message_code", "use_case", "originator", "target", "counter", "payload", "signature", "mac",
    "error",
]  # fmt: skip


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: str | Path, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Result(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def alert() -> Message:
    entropy = SeededEntropy(7)
    payload = cs09.Alert(1_772_442_000 * SECOND, 0x1234ABCD).encode()
    plain = Message(Cra.ALERT, 5000, DEVICE, BROKER, message_code=cs09.MESSAGE_CODE, payload=payload)
    return security.sign(plain, TestPki(entropy, 0).device(DEVICE).ds_key, entropy)


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    write(tmp_path / "keys", [TestPki(SeededEntropy(7), 0).device(DEVICE)], private=False)
    return tmp_path / "keys"


def test_an_alert_is_shown_as_json(alert: Message, keystore: Path) -> None:
    result = run("decode", alert.encode().hex(), "--json", "--keystore", keystore)
    (shown,) = result.objects
    assert result.code == 0
    assert list(shown)[: len(FIELDS)] == FIELDS
    assert {name: shown[name] for name in FIELDS if name != "payload"} == {
        "source": "argument 1",
        "category": "SME.A.C alert",
        "message_code": "012B",
        "use_case": "CS09",
        "originator": "00db1234567890a4",
        "target": "90b3d51f30000002",
        "counter": 5000,
        "signature": "valid",
        "mac": "absent",
        "error": None,
    }
    assert shown["payload"]["value"]["items"][0]["value"] == 0x8F8B


def test_an_alert_is_shown_as_a_tree_with_offsets(alert: Message, keystore: Path) -> None:
    lines = run("decode", alert.encode().hex(), "--keystore", keystore).out.splitlines()
    alert_code = "alert 8F8B (PPMID firmware activation outcome)"
    assert lines[0] == f"argument 1: SME.A.C alert, CS09 (012B), {alert_code}, 132 octets"
    assert "   12  originator  00db1234567890a4" in lines
    assert "   36        INTEGER  36747 (8F8B)" in lines
    assert lines[-1].startswith("   67  signature  ")
    assert lines[-1].endswith(" valid")


def test_a_message_may_come_in_base64(alert: Message, tmp_path: Path) -> None:
    text = base64.b64encode(alert.encode()).decode()
    file = tmp_path / "alert.b64"
    file.write_text(f"{text[:40]}\n{text[40:]}\n")
    wanted = run("decode", alert.encode().hex()).out.splitlines()[1:]
    assert run("decode", text).out.splitlines()[1:] == wanted
    assert run("decode", file).out.splitlines()[1:] == wanted


def test_a_changed_message_is_invalid(alert: Message, keystore: Path) -> None:
    octets = bytearray(alert.encode())
    octets[60] ^= 1
    result = run("decode", octets.hex(), "--json", "--keystore", keystore)
    assert (result.code, result.objects[0]["signature"]) == (1, "invalid")


def test_an_unchecked_signature_is_an_error_only_if_asked(alert: Message, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for extra in ((), ("--keystore", tmp_path / "empty")):
        result = run("decode", alert.encode().hex(), "--json", *extra)
        assert result.code == 0
        assert result.objects[0]["signature"].startswith("unchecked: ")
        assert run("decode", alert.encode().hex(), "--strict", *extra).code == 1


def test_many_messages_from_files_and_arguments(alert: Message, keystore: Path, tmp_path: Path) -> None:
    file = tmp_path / "alert.HEX"
    file.write_text(alert.encode().hex("\n", 16).upper() + "\n")
    result = run("decode", file, alert.encode().hex(), "00", "--json", "--keystore", keystore)
    assert result.code == 2
    assert [shown["source"] for shown in result.objects] == [str(file), "argument 2", "argument 3"]
    assert [shown["error"] is None for shown in result.objects] == [True, True, False]
    assert result.objects[2]["payload"] is None


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("zz", "argument 1: neither hexadecimal nor a file: 'zz'"),
        ("DF0", "argument 1: an odd number of hexadecimal digits (3)"),
        ("", "argument 1: empty"),
        ("3005", "argument 1: neither a MAC header DD nor a grouping header DF at octet 0 of 3005"),
        ("DF09", "argument 1: 28 octets expected at octet 1 of df09"),
        ("DD" + "00" * 300, "argument 1: MAC header announces 0 octets, 293 follow at octet 7 of "),
        ("3Q=A", "argument 1: not base64: "),
        ("f" * 9999, "argument 1: an odd number of hexadecimal digits (9999)"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(argument: str, complaint: str) -> None:
    result = run("decode", argument)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(complaint)
    assert len(result.err.splitlines()) == 1
    (shown,) = run("decode", argument, "--json").objects
    assert complaint.removeprefix("argument 1: ") in shown["error"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"DF xx", "not hexadecimal: 'x' at digit 2"),
        (b"\xdf\x09", "not a text at octet 0"),
        (b" \n", "empty"),
        (b"0" * 1_048_578, "more than 1048576 octets"),
    ],
    ids=["not digits", "not text", "empty", "too long"],
)
def test_a_file_that_holds_no_hexadecimal_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "message.HEX"
    file.write_bytes(content)
    result = run("decode", file)
    assert result.code == 2
    assert result.err.startswith(f"{file}: ")
    assert complaint in result.err


def test_a_wrong_keystore_is_told_in_one_line(alert: Message, keystore: Path, tmp_path: Path) -> None:
    (keystore / f"{DEVICE}-ds.pem").write_text("nonsense")
    for folder in (keystore, tmp_path / "nowhere"):
        result = run("decode", alert.encode().hex(), "--keystore", folder)
        assert (result.code, result.out, len(result.err.splitlines())) == (2, "", 1)
        assert str(folder) in result.err


def test_json_is_encoded_from_a_file_and_from_standard_input(alert: Message, tmp_path: Path) -> None:
    decoded = run("decode", alert.encode().hex(), alert.encode().hex(), "--json").out
    file = tmp_path / "messages.jsonl"
    file.write_text(decoded)
    line = alert.encode().hex().upper() + "\n"
    assert run("encode", file) == Result(0, 2 * line, "")
    assert run("encode", stdin=decoded) == Result(0, 2 * line, "")
    pretty = json.dumps(json.loads(decoded.splitlines()[0]), indent=2)
    assert run("encode", "-", stdin=pretty) == Result(0, line, "")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "message 1: not a JSON object"),
        ("{}", "message 1.cra: a text is missing"),
        ("[" * 100_000, "nested too deep"),
        ('{"error": "cut"}', "message 1: it stands for something unreadable (cut)"),
    ],
)
def test_json_that_is_no_message_is_told_in_one_line(text: str, complaint: str) -> None:
    result = run("encode", stdin=text)
    assert (result.code, result.out, len(result.err.splitlines())) == (2, "", 1)
    assert complaint in result.err


def test_json_in_octets_that_are_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "message.json"
    file.write_bytes(b"{\xff")
    assert run("encode", file) == Result(2, "", f"hanlab: {file}: not a text at octet 1\n")


def test_a_missing_json_file_is_named(tmp_path: Path) -> None:
    result = run("encode", tmp_path / "nowhere")
    assert (result.code, result.err) == (2, f"hanlab: {tmp_path / 'nowhere'}: No such file or directory\n")


@pytest.mark.judge("rtds")
def test_all_reference_messages_go_to_json_and_back_between_two_processes() -> None:
    folder = vectors_dir() / "rtds"
    hanlab = [sys.executable, "-c", "from gateway.cli.gbcs import app; app()"]
    files = [str(folder / name) for name in rtds_names()]
    decode = [*hanlab, "decode", "--json", "--strict", "--keystore", str(folder / "keystore"), *files]
    decoded = subprocess.run(decode, capture_output=True, text=True, check=True, cwd=ROOT)
    shown = [json.loads(line) for line in decoded.stdout.splitlines()]
    assert sum(message["signature"] == "valid" for message in shown) == 56
    assert sum(message["mac"] == "valid" for message in shown) == 55
    encoded = subprocess.run(
        [*hanlab, "encode"], input=decoded.stdout, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert encoded.stdout.split() == [rtds_octets(name).hex().upper() for name in rtds_names()]


@pytest.mark.judge("rtds")
@pytest.mark.parametrize("name", rtds_names())
def test_a_listing_shows_every_reference_message(name: str) -> None:
    octets = rtds_octets(name)
    result = run("decode", octets.hex())
    lines = result.out.splitlines()
    assert result.code == 0
    assert lines[0].endswith(f" {len(octets)} octets")
    offsets = [
        int(line[:5]) for line in lines[1:] if not line.startswith("       notes  a length longer than necessary")
    ]
    assert offsets == sorted(offsets)
    assert offsets[-1] < len(octets)
