"""`hanlab cpl` and `hanlab inventory` against a store on disk."""

import json
import re
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.dsp.csv_files import read_devices, read_products
from tests.support.dsp_bench import BRIDGE, Bench, estate


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Return the file of a store with the estate of the bench."""
    path = tmp_path / "store.db"
    bench = Bench(url=f"sqlite:///{path}")
    bench.store.close()
    return str(path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["hanlab", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_what_is_exported_is_read_again(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cpl, smi = tmp_path / "cpl.csv", tmp_path / "smi.csv"
    assert run(monkeypatch, "cpl", "export", store, "--out", str(cpl)) == 0
    assert run(monkeypatch, "inventory", "export", store, "--out", str(smi)) == 0
    assert read_devices(smi.read_text()) == estate()
    listed = read_products(cpl.read_text())
    assert run(monkeypatch, "cpl", "check", str(cpl), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"entries": len(listed), "current": len(listed), "types": ["ESME", "GSME", "HCALCS", "PPMID"]}
    assert run(monkeypatch, "inventory", "check", str(smi)) == 0
    assert capsys.readouterr().out == "11 devices of 7 types\n"


def test_without_a_file_it_goes_to_the_terminal(
    store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "cpl", "export", store) == 0
    assert len(read_products(capsys.readouterr().out)) >= 8


@pytest.mark.requirement("MP170-P3", "MP170-D7")
def test_a_bridge_is_shown_by_the_name_of_its_kind(
    store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "inventory", "show", store) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["device", "type", "variant"]
    (bridge,) = [line for line in lines if line.startswith(BRIDGE.hyphenated)]
    assert re.split(r"\s{2,}", bridge)[1:4] == ["PPMID", "AltHAN Bridge 1", "Whitelisted"]
    assert run(monkeypatch, "inventory", "show", store, "--json") == 0
    rows = {row["device"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[str(BRIDGE)]["variant"] == "AltHAN Bridge 1"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("cpl", "check", "FILE"), "FILE line 2, column manufacturer: '1A' is not 2 octets in hexadecimal"),
        (("inventory", "check", "FILE"), "FILE line 1: unknown column 'device_type'"),
        (("cpl", "check", "nowhere.csv"), "nowhere.csv: cannot be read: No such file or directory"),
        (("inventory", "show", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "device_type,manufacturer,model,hardware_version,firmware_version,smets_version,gbcs_version,status,hash\n"
        "Prepayment Interface Device,1A,B101,0100,0B100000,5.0,4.1,Current,AB\n"
    )
    given = [argument.replace("FILE", str(path)) for argument in arguments]
    assert run(monkeypatch, *given) == 2
    out = capsys.readouterr()
    assert out.err.count("\n") == 1
    assert told.replace("FILE", str(path)) in out.err
