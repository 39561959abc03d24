"""`hanlab gbcs build` and `use-cases`, blocks and misnamed certificates, from arguments to exit code."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.gbcs import app
from protocols.addresses import Eui64
from protocols.gbcs import blocks
from protocols.gbcs.envelope import Cra, Message
from tests.support.vectors import rtds_octets, vectors_dir

SUPPLIER, ESME, CHF, ACB = "90b3d51f30010000", "00db1234567890a0", "00db1234567890a2", "90b3d51f30000002"
HASH = "AA758690730934FF0685AA758690730934FF0685657788990011223344556677"
CS06: dict[str, Any] = {
    "originator": SUPPLIER, "target": ESME, "counter": 1001,
    "payload": {"image_hash": HASH, "execution_time": "2030-01-15T09:00:00Z"},
}  # fmt: skip
HUB: dict[str, Any] = {
    "originator": ACB, "target": CHF, "counter": 1302, "supplementary_party": SUPPLIER, "supplementary_counter": 1000,
}  # fmt: skip
CCS01: dict[str, Any] = HUB | {
    "supplementary_counter": 1002,
    "payload": {
        "device": ESME, "install_code": b"0123456789ABCDEF".hex(), "device_type": "ESME", "join_timeout": 90,
    },
}  # fmt: skip


def run(*arguments: str | Path, stdin: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def keystore() -> Path:
    return vectors_dir() / "rtds" / "keystore"


@pytest.mark.judge("rtds")
@pytest.mark.parametrize(
    ("name", "described", "reference"),
    [
        ("CCS01", CCS01, "/CCS01_8.11_SUCCESS_COMMAND"),
        ("CCS02", HUB | {"supplementary_counter": 1002, "payload": {"device": ESME}}, "/CCS02_8.11_SUCCESS_COMMAND"),
        ("CCS05", HUB | {"counter": 1300}, "/CCS05CCS04_8.9_SUCCESS_COMMAND"),
        ("CCS06", HUB | {"counter": 1300, "payload": {}}, "/CCS06_8.9_SUCCESS_COMMAND"),
        ("ECS52", {"originator": SUPPLIER, "target": ESME, "counter": 1000}, "/ECS52_11.2_SUCCESS_COMMAND"),
        ("GCS38", {"originator": SUPPLIER, "target": "00db1234567890a1", "counter": 1000}, "/GCS38_11.2_SUCCESS_COMMA"),
        ("0129", HUB | {"target": "00db1234567890a4", "counter": 1300}, "/CS08_11.2_SUCCESS_COMMAND"),
        (
            "CS02a",
            {"originator": ACB, "target": ESME, "counter": 1302, "payload": {
                "authorising_cell": {"role": "ACCESS_CONTROL_BROKER", "key_usage": "KEY_AGREEMENT"},
                "roles": ["SUPPLIER", "NETWORK_OPERATOR"],
            }},
            "/CS02aMAC_6.24.1_SUCCESS_COMMAND",
        ),
    ],
)  # fmt: skip
def test_a_command_with_a_mac_is_the_reference_message(name: str, described: dict[str, Any], reference: str) -> None:
    built = run("build", name, "--json", "-", "--keystore", keystore(), stdin=json.dumps(described))
    assert built == (0, rtds_octets(reference).hex().upper() + "\n", "")


@pytest.mark.judge("rtds")
def test_a_critical_command_is_signed_with_fresh_randomness_and_verifies(tmp_path: Path) -> None:
    file = tmp_path / "cs06.json"
    file.write_text(json.dumps(CS06))
    reference = Message.decode(rtds_octets("/CS06_11.3_FUTURE_DATED_SUCCESS_COMMAND"))
    built = [run("build", "CS06", "--json", file, "--keystore", keystore())[1].strip() for _ in range(2)]
    messages = [Message.decode(bytes.fromhex(octets)) for octets in built]
    assert [message.signed_octets() for message in messages] == [reference.signed_octets()] * 2
    assert messages[0].signature != messages[1].signature
    assert run("decode", *built, "--strict", "--keystore", keystore())[0] == 0


@pytest.mark.judge("rtds")
def test_without_keys_the_result_is_the_pre_command() -> None:
    built = run("build", "CS06", stdin=json.dumps(CS06))
    assert built == (0, rtds_octets("/CS06_11.3_FUTURE_DATED_SUCCESS_PRECOMMAND").hex().upper() + "\n", "")


def test_the_golden_pre_command_of_every_language() -> None:
    golden = {
        "CS04B": ({"originator": SUPPLIER, "target": ESME, "counter": 2, "payload": {"device": CHF}},
                  "DF090100000000000000020890B3D51F300100000800DB1234567890A0000200100A040800DB1234567890A2"),
        "ECS52": ({"originator": SUPPLIER, "target": ESME, "counter": 2},
                  "DF090100000000000000020890B3D51F300100000800DB1234567890A00002005913"
                  "D92000000200010100010000000201FF020100"),
        "GCS38": ({"originator": SUPPLIER, "target": ESME, "counter": 2},
                  "DF090100000000000000020890B3D51F300100000800DB1234567890A0000200840D01090101070200050000000602"),
    }  # fmt: skip
    for name, (described, octets) in golden.items():
        assert run("build", name, stdin=json.dumps(described)) == (0, octets + "\n", "")


def test_a_template_is_json_to_start_from() -> None:
    code, text, _ = run("build", "CCS01", "--template")
    template = json.loads(text)
    assert code == 0
    assert (template["originator"], template["supplementary_party"]) == (ACB, SUPPLIER)
    assert set(template["payload"]) == {"device", "install_code", "device_type", "join_timeout", "open_joining"}
    assert run("build", "CCS01", stdin=text)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "text", "complaint"),
    [
        (("CS06",), "{", "hanlab: not JSON"),
        (("CS06",), "{} {}", "hanlab: 2 JSON values instead of one"),
        (("CS06",), "", "hanlab: 0 JSON values instead of one"),
        (("CS06",), "[]", "hanlab: message: not a JSON object"),
        (("CS06",), "{}", "hanlab: message.counter: an integer is missing"),
        (("NOTHING",), "{}", "hanlab: use case 'NOTHING': unknown"),
        (("ECS66", "--template"), "", "hanlab: use case 'ECS66': known by name only"),
        (("CS06", "--json", "/nowhere/at/all"), "", "hanlab: /nowhere/at/all: No such file"),
        (("CS06", "--keystore", "/nowhere/at/all"), "{}", "hanlab: no such key store folder"),
    ],
)
def test_what_cannot_be_built_is_told_in_one_line(arguments: tuple[str, ...], text: str, complaint: str) -> None:
    code, out, err = run("build", *arguments, stdin=text)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(complaint)


def test_the_use_cases_are_listed() -> None:
    lines = run("use-cases")[1].splitlines()
    assert "0012* DER      CS06 activate firmware" in lines
    assert "0060  DLMS     ECS66 read ESME daily consumption log" in lines
    rows = [json.loads(line) for line in run("use-cases", "--json")[1].splitlines()]
    assert len(rows) == len(lines)
    assert rows[0] == {
        "message_code": "0001", "name": "CCS01", "title": "CCS01 add device to CHF device log",
        "directions": ["command", "response"], "languages": ["DLMS"], "built": True,
    }  # fmt: skip


# --- decode: blocks, misnamed certificates, fields --------------------------------------------------------------


@pytest.mark.judge("rtds")
def test_blocks_are_shown_and_joined(tmp_path: Path) -> None:
    whole = rtds_octets("/CS02bAnyExceptAbnormalRootByRecovery_NA_SUCCESS_COMMAND")
    files = [tmp_path / f"{number}.hex" for number in range(4)]
    for file, part in zip(files, blocks.split(whole), strict=True):
        file.write_text(part.hex())
    code, text, _ = run("decode", "--json", "--strict", "--keystore", keystore(), *files)
    shown = [json.loads(line) for line in text.splitlines()]
    assert code == 0
    assert [item["category"] for item in shown[:4]] == [f"block {n} of a longer command" for n in (1, 2, 3, 4)]
    assert (shown[4]["source"], shown[4]["signature"]) == (f"{files[3]} and the blocks before", "valid")
    encoded = run("encode", stdin=text)[1].split()
    assert [bytes.fromhex(line) for line in encoded] == [*blocks.split(whole), whole]
    lines = run("decode", files[3])[1].splitlines()
    assert lines[0].startswith(
        f"{files[3]}: block 4 of a longer command, CS02b any except abnormal root by recovery (0108)"
    )
    assert "number 4, acknowledged 0, window 1, last" in lines[6]


def test_a_damaged_block_is_told() -> None:
    code, _, err = run("decode", "DD0901")
    assert (code, err.startswith("argument 1: ")) == (2, True)


@pytest.mark.judge("rtds")
def test_a_certificate_under_anothers_name_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    shutil.copytree(keystore(), folder)
    folder.chmod(0o755)
    shutil.copy(keystore() / f"{SUPPLIER}-ka.pem", folder / "90b3d51f30000007-ka.pem")
    octets = rtds_octets("/CS08_11.2_SUCCESS_COMMAND").hex()
    code, _, err = run("decode", octets, "--strict", "--keystore", folder)
    assert code == 0
    assert err == (f"hanlab: left out: {folder}/90b3d51f30000007-ka.pem: the certificate inside is {SUPPLIER}-ka\n")


@pytest.mark.judge("rtds")
def test_json_tells_alert_and_fields() -> None:
    (line,) = run("decode", rtds_octets("/ECS80_NA_8F36_ALERT").hex(), "--json")[1].splitlines()
    shown = json.loads(line)
    assert (shown["alert_code"], shown["alert"]) == ("8F36", "supply restored, 3 minutes or more")
    assert shown["title"] == "ECS80 supply restored"
    assert shown["fields"]["interruption"] == "2014-12-31T23:50:00Z"
    assert shown["encrypted"] == "absent"


def test_a_message_of_a_use_case_without_a_class_is_shown_by_its_tree() -> None:
    payload = bytes.fromhex("D9 20000005 00 01 04 0007 0100630100FF 02 01 0202 120008 0600000001 01 00")
    command = Message(Cra.COMMAND, 5, message_code=0x0037, originator=Eui64.parse(SUPPLIER),
                      target=Eui64.parse(ESME), payload=payload)  # fmt: skip
    (line,) = run("decode", command.encode().hex(), "--json")[1].splitlines()
    shown = json.loads(line)
    assert (shown["use_case"], shown["fields"], shown["payload"]["form"]) == ("ECS22b", None, "DLMS access-request")
    assert shown["payload"]["requests"][0]["choice"] == "get-with-selection"
    assert run("encode", stdin=line)[1].strip() == command.encode().hex().upper()
