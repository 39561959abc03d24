"""`hanlab gbcs access`: the rows by which devices judge."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.gbcs import app
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases.table import USE_CASES, DeviceKind

GOLDEN = Path(__file__).parent / "golden"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["access", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_rows_of_a_bridge_are_as_kept() -> None:
    assert run("--device", "ppmid") == (0, (GOLDEN / "access-ppmid.txt").read_text(encoding="utf-8"), "")


def test_json_tells_every_row_and_the_devices_judge_by_it() -> None:
    rows = [json.loads(line) for line in run("--json")[1].splitlines()]
    assert len(rows) == sum(len(row.access) for row in USE_CASES.values())
    for row in rows:
        use_case, role = USE_CASES[int(row["message_code"], 16)], RemotePartyRole[row["originator"].upper()]
        for kind in row["devices"]:
            assert use_case.access_of(role, DeviceKind[kind], on_behalf=row["on_behalf"]) is not None


def test_one_use_case_is_found_by_name_and_by_code() -> None:
    lines = run("CS06")[1].splitlines()
    assert [line[:10] for line in lines] == ["0012  CS06"] * 2
    assert lines[0].split()[2:] == ["supplier", "ESME", "signature", "and", "MAC", "counter"]
    assert run("0012") == run("cs06")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("CS99",), "hanlab: use case 'CS99': unknown\n"),
        (
            ("--device", "boiler"),
            "hanlab: device kind 'boiler': none of ESME, GSME, CHF, GPF, PPMID, HCALCS, SAPC\n",
        ),
    ],
)
def test_what_is_not_there_is_told_in_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    assert run(*arguments) == (2, "", complaint)
