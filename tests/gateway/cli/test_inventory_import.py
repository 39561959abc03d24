"""`hanlab inventory import`: devices as CSV into a DSP that is not served, all or none."""

from pathlib import Path

import pytest

from gateway.store import Store
from tests.support.demo_run import EXIT_BAD_INPUT, hanlab

NEW = ("00db1234560000f1", "00db1234560000f2")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("estate") / "lab"
    assert hanlab("dsp", "init", folder).returncode == 0
    return folder


def exported(lab: Path) -> list[str]:
    done = hanlab("inventory", "export", lab)
    assert done.returncode == 0
    return done.stdout.splitlines()


def other(line: str, eui: str, hub: str | None = None) -> str:
    """Return a line under another identifier, and another hub."""
    cells = line.split(",")
    cells[0] = eui
    cells[7] = cells[7] if hub is None else hub
    return ",".join(cells)


def test_new_devices_are_taken_with_their_history(lab: Path, tmp_path: Path) -> None:
    header, *lines = exported(lab)
    assert header.split(",")[7] == "hub"
    esme = next(line for line in lines if ",ESME," in line)
    wanted = [other(esme, NEW[0]), other(esme, NEW[1])]
    (tmp_path / "new.csv").write_text("\n".join([header, *wanted]) + "\n", encoding="utf-8")
    done = hanlab("inventory", "import", tmp_path / "new.csv", lab)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 devices of 1 types\n", "")
    assert sorted(exported(lab)[1:]) == sorted([*lines, *wanted])
    store = Store(f"sqlite:///{lab / 'store.db'}")
    history = [row for row in store.load()["inventory_history"] if row["device"] in NEW]
    store.close()
    assert {(row["device"], row["cause"]) for row in history} == {(eui, "import") for eui in NEW}


@pytest.mark.parametrize(
    ("eui", "hub", "complaint"),
    [
        (None, None, "is in the inventory"),
        ("00db1234560000f9", "00db1234560000ee", "its hub 00-DB-12-34-56-00-00-EE is nowhere"),
        ("00db", None, "line 3"),
    ],
    ids=["known", "no hub", "no identifier"],
)
def test_one_bad_device_and_none_is_taken(
    lab: Path, tmp_path: Path, eui: str | None, hub: str | None, complaint: str
) -> None:
    header, *lines = before = exported(lab)
    esme = next(line for line in lines if ",ESME," in line)
    bad = esme if eui is None else other(esme, eui, hub)
    (tmp_path / "bad.csv").write_text(
        "\n".join([header, other(esme, "00db1234560000f8"), bad]) + "\n", encoding="utf-8"
    )
    done = hanlab("inventory", "import", tmp_path / "bad.csv", lab)
    assert (done.returncode, done.stdout) == (EXIT_BAD_INPUT, "")
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert exported(lab) == before
