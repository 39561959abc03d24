"""`hanlab gbcs build` with plaintext: sealed for its reader, and read by `decode --strict` with the reader's key."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emulator.entropy import SeededEntropy
from gateway.cli.gbcs import app
from protocols.addresses import Eui64
from protocols.gbcs.keystore import write
from protocols.gbcs.smki import RemotePartyRole, TestPki
from protocols.gbcs.use_cases import ecs17b, gcs13a

PKI = TestPki(SeededEntropy(5), 0)
METER = PKI.device(Eui64(0x00DB1234567890A0))
SUPPLIER = PKI.organisation(Eui64(0x90B3D51F30010000), RemotePartyRole.SUPPLIER)
BROKER = PKI.organisation(Eui64(0x90B3D51F30000002), RemotePartyRole.ACCESS_CONTROL_BROKER)
STRANGER = PKI.organisation(Eui64(0x90B3D51F30050000), RemotePartyRole.OTHER)
ELECTRICITY, GAS = ecs17b.Registers(1_234_567, 0).encode().hex(), gcs13a.Registers(1000, 1, 1, 77).encode().hex()


def run(*arguments: str | Path, stdin: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def described(field: str, plaintext: object, target: Eui64 = SUPPLIER.eui, **more: object) -> str:
    envelope: dict[str, Any] = {"cra": "response", "originator": str(METER.eui), "target": str(target), "counter": 1000}
    return json.dumps(envelope | more | {"payload": {field: {"plaintext": plaintext}}})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    write(tmp_path / "meter", (METER,), private=True)
    write(tmp_path / "meter", (SUPPLIER, BROKER, STRANGER), private=False)
    return tmp_path / "meter"


@pytest.mark.parametrize(
    ("use_case", "field", "plaintext", "shown"),
    [
        ("ECS17b", "protected", ELECTRICITY, "double-long-unsigned  1234567"),
        ("GCS13a", "sealed", GAS, "data type 25 77"),
    ],
)
def test_the_reader_opens_what_was_built(
    use_case: str, field: str, plaintext: str, shown: str, keys: Path, tmp_path: Path
) -> None:
    code, octets, err = run("build", use_case, "--keystore", keys, stdin=described(field, plaintext))
    assert (code, err) == (0, "")
    write(tmp_path / "supplier", (SUPPLIER,), private=True)
    write(tmp_path / "supplier", (METER,), private=False)
    code, out, err = run("decode", "--strict", "--keystore", tmp_path / "supplier", octets.strip())
    assert (code, err) == (0, "")
    assert shown in out


def test_a_party_unknown_to_the_meter_opens_what_is_bound_to_the_meters_own_counter(keys: Path, tmp_path: Path) -> None:
    more = {
        "supplementary_party": str(STRANGER.eui), "supplementary_counter": 9, "supplementary_originator_counter": 4711,
    }  # fmt: skip
    text = described("protected", ELECTRICITY, BROKER.eui, **more)
    code, octets, _ = run("build", "ECS17b", "--keystore", keys, stdin=text)
    assert code == 0
    write(tmp_path / "stranger", (STRANGER,), private=True)
    write(tmp_path / "stranger", (METER,), private=False)
    shown = json.loads(run("decode", "--json", "--keystore", tmp_path / "stranger", octets.strip())[1])
    assert shown["encrypted"] == "valid"
    assert shown["fields"]["protected"]["counter"] == 4711


@pytest.mark.parametrize(
    ("text", "with_keys", "complaint"),
    [
        (described("protected", "0g"), True, "message.payload.protected.plaintext: not hexadecimal"),
        (described("protected", 5), True, "message.payload.protected.plaintext: a text is missing"),
        (described("protected", "00"), False, "message.payload.protected: the key store has no key agreement key of"),
        (described("protected", "00", Eui64(5)), True, "message.payload.protected: the key store has no key agreement"),
    ],
)
def test_what_cannot_be_sealed_is_told_in_one_line(text: str, with_keys: bool, complaint: str, keys: Path) -> None:
    options = ("--keystore", keys) if with_keys else ()
    code, out, err = run("build", "ECS17b", *options, stdin=text)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert complaint in err
