"""Each defect planted in a run is found by `hanlab verify`, which names the requirement it breaks."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.assembly.sabotage import SABOTAGES
from tests.support.demo_run import EXIT_BAD_INPUT, EXIT_FAILED, DemoRun, hanlab, run_demo
from tests.support.requirements import EVIDENCE

BROKEN_BY = {
    "hub-skips-block": "SM7-R1",
    "bridge-skips-image-check": "MP170-R12",
    "bridge-skips-signature": "MP170-C16",
    "alert-signed-by-wrong-key": "SM7-R3",
    "window-one-second-short": "MP102B-R2",
    "window-one-second-long": "MP102B-R3",
    "inventory-updated-without-n39": "MP170-R6",
    "esme-ignores-image-signature": "SM7-R4",
    "restore-alert-on-activation": "MP102B-R1",
    "cancelled-activation-runs": "MP102B-G8",
    "old-hub-serves-small-devices": "SM7-R9",
    "hub-ignores-image-signature": "SM7-R9",
    "hub-version-not-followed": "SM7-R9",
    "join-without-key-establishment": "JOIN-1",
    "display-talks-unjoined": "JOIN-2",
    "install-code-keys-kept": "MP170-C10",
}


def test_every_sabotage_has_its_requirement() -> None:
    assert set(SABOTAGES) == set(BROKEN_BY)


@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        pytest.param(name, broken, marks=pytest.mark.requirement(broken, planted=EVIDENCE))
        for name, broken in BROKEN_BY.items()
    ],
    ids=list(BROKEN_BY),
)
def test_a_planted_defect_is_found_and_named(name: str, requirement: str, tmp_path: Path) -> None:
    run = run_demo(tmp_path, "--sabotage", name)
    assert run.exit_code == EXIT_FAILED, run.stderr
    assert run.summary["sabotage"] == name
    assert requirement in run.failed
    assert f"failed {requirement} " in run.stdout
    judged = hanlab("verify", run.folder)
    assert judged.returncode == EXIT_FAILED
    assert judged.stdout.splitlines()[-1] == f"failed: {', '.join(run.failed)}"


def test_an_honest_run_fails_none(honest: DemoRun) -> None:
    judged = hanlab("verify", honest.folder)
    assert (honest.failed, judged.returncode, judged.stderr) == ([], 0, "")
    assert judged.stdout.splitlines()[-1] == f"all {len(honest.summary['checks'])} checks passed"


def _missing(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def _cut(name: str, octets: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-octets])

    return damage


def _garbage(name: str) -> Callable[[Path], None]:
    return lambda folder: _written(folder / name, b"\x00\x9fneither this nor that\n" * 200)


def _written(path: Path, octets: bytes) -> None:
    path.write_bytes(octets)


DAMAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "no summary": ("summary.json", _missing("summary.json")),
    "no timeline": ("timeline.jsonl", _missing("timeline.jsonl")),
    "no capture": ("capture.pcapng", _missing("capture.pcapng")),
    "no keys": ("keys.txt", _missing("keys.txt")),
    "no mailboxes": ("mailboxes", _missing("mailboxes")),
    "no requests": ("requests", _missing("requests")),
    "no store": ("store.db", _missing("store.db")),
    "a capture cut in a frame": ("capture.pcapng", _cut("capture.pcapng", 30)),
    "a capture of garbage": ("capture.pcapng", _garbage("capture.pcapng")),
    "keys of garbage": ("keys.txt", _garbage("keys.txt")),
    "a summary cut short": ("summary.json", _cut("summary.json", 100)),
    "a timeline cut in a line": ("timeline.jsonl", _cut("timeline.jsonl", 20)),
    "a store of garbage": ("store.db", _garbage("store.db")),
    "a summary of a later format": (
        "summary.json",
        lambda folder: _written(folder / "summary.json", b'{"format": 99}'),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_told_in_one_line(damage: str, honest: DemoRun, tmp_path: Path) -> None:
    """The line names the file; the exit code is that of bad input, not of a failed check."""
    name, harm = DAMAGES[damage]
    shutil.copytree(honest.folder, tmp_path / "run")
    harm(tmp_path / "run")
    judged = hanlab("verify", tmp_path / "run")
    assert (judged.returncode, judged.stdout) == (EXIT_BAD_INPUT, "")
    assert len(judged.stderr.splitlines()) == 1
    assert judged.stderr.startswith(f"hanlab: {tmp_path / 'run' / name}: ")


def test_no_folder_at_all(tmp_path: Path) -> None:
    judged = hanlab("verify", tmp_path / "nowhere")
    assert (judged.returncode, judged.stderr) == (EXIT_BAD_INPUT, f"hanlab: {tmp_path / 'nowhere'}: not a folder\n")
