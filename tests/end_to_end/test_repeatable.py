"""The same seed gives the same octets wherever and by whomever it is run; no key and no tracked list leaves a run."""

import base64
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from emulator.entropy import SeededEntropy
from emulator.home import shipped_homes
from gateway.assembly import run as runs
from gateway.assembly import sabotage
from gateway.assembly.key_establishment import NodeCertificates
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, WAN_PROVIDER, Parties
from gateway.assembly.world import START, PlantedFaults
from gateway.dsp.machine import Dsp
from gateway.dsp.tracked import TrackedSummary
from protocols.crypto.suites import Suite
from tests.end_to_end.same_run import differences
from tests.support.demo_run import DemoRun, kept, run_demo
from tests.support.once import once

SEED = 7
_BUSY = "while True: pass"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    def make(place: Path) -> None:
        run_demo(place, "--seed", str(SEED), env={"PYTHONHASHSEED": "0", "TZ": "UTC"})

    return kept(once(tmp_path_factory, f"demo-{SEED}", make))


# --- repeatable -------------------------------------------------------------------------------------------------


def test_place_user_hash_seed_and_load_change_nothing(plain: DemoRun, tmp_path: Path) -> None:
    """Another folder, user, time zone, hash seed and locale; low priority while another program wants the processor."""
    home = tmp_path / "a home with blanks"
    home.mkdir()
    elsewhere = {
        "PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "USER": "somebody", "LOGNAME": "somebody", "HOME": str(home),
        "LC_ALL": "C", "TMPDIR": str(home),
    }  # fmt: skip
    with _load(1):
        other = run_demo(tmp_path, "--seed", str(SEED), cwd=home, prefix=("nice", "-n", "5"), env=elsewhere)
    assert (plain.exit_code, other.exit_code) == (0, 0)
    assert differences(plain.folder, other.folder) == []
    names = {file.relative_to(plain.folder).parts[0] for file in plain.folder.rglob("*") if file.is_file()}
    assert {"capture.pcapng", "keys.txt", "timeline.jsonl", "mailboxes", "requests", "summary.json"} <= names


def test_another_seed_gives_another_run(plain: DemoRun, honest: DemoRun) -> None:
    """So that sameness says something: keys, air and messages differ, what the story shows does not."""
    assert honest.summary["seed"] != plain.summary["seed"] == SEED
    found = differences(plain.folder, honest.folder)
    assert {"capture.pcapng", "keys.txt", "timeline.jsonl", "summary.json"} <= set(found)
    assert any(name.startswith("mailboxes/") for name in found)
    results = [[(device["name"], device["result"], device["to_version"]) for device in run.summary["devices"]]
               for run in (plain, honest)]  # fmt: skip
    assert results[0] == results[1]


def test_one_octet_of_difference_is_seen(plain: DemoRun, tmp_path: Path) -> None:
    """The comparison itself can fail, in each kind of file."""
    for name in ("capture.pcapng", "timeline.jsonl", "summary.json"):
        copy = tmp_path / name
        for folder in ("one", "two"):
            (copy / folder).mkdir(parents=True)
            for kept_name in (name, "summary.json"):
                (copy / folder / kept_name).write_bytes((plain.folder / kept_name).read_bytes())
        octets = (plain.folder / name).read_bytes()
        at = octets.rindex(b"1", 0, len(octets) - 8)
        (copy / "two" / name).write_bytes(octets[:at] + b"2" + octets[at + 1 :])
        assert differences(copy / "one", copy / "two") == [name]
    (copy / "two/keys.txt").touch()
    assert "keys.txt: only in one run" in differences(copy / "one", copy / "two")


def _load(processes: int) -> ExitStack:
    """Keep the processors busy until the block ends."""
    stack = ExitStack()
    for _ in range(processes):
        process = subprocess.Popen([sys.executable, "-c", _BUSY])
        stack.callback(process.wait)
        stack.callback(process.kill)
    return stack


# --- no secret leaves a run ---------------------------------------------------------------------------------------


def _texts(secret: bytes) -> Iterator[bytes]:
    """Yield a secret as it could stand in a text: hexadecimal with and without separators, base64, both ways round."""
    for octets in (secret, secret[::-1]):
        for text in (octets.hex(), octets.hex(":"), octets.hex("-"), octets.hex(" ")):
            yield text.encode()
            yield text.upper().encode()
        for encoded in (base64.b64encode(octets), base64.urlsafe_b64encode(octets)):
            yield encoded.rstrip(b"=")[:-1]  # the last character also depends on what follows


def _found(secrets: Sequence[bytes], files: dict[str, bytes]) -> list[str]:
    """Return the names of files that hold a secret, as octets or, but for the capture, as text."""
    octets = [form for secret in secrets for form in (secret, secret[::-1])]
    texts = [form for secret in secrets for form in _texts(secret)]
    return [
        name
        for name, content in files.items()
        if any(form in content for form in (octets if name == "capture.pcapng" else [*octets, *texts]))
    ]


def _files(run: DemoRun, *except_for: str) -> dict[str, bytes]:
    """Return everything a run left behind or said, by name."""
    files = {str(file.relative_to(run.folder)): file for file in run.folder.rglob("*") if file.is_file()}
    texts = {
        name: file.read_bytes() for name, file in files.items() if not any(Path(name).match(e) for e in except_for)
    }
    return texts | {"stdout": run.stdout.encode(), "stderr": run.stderr.encode()}


def _scalar(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_numbers().private_value.to_bytes(32, "big")


def test_keys_of_the_air_stand_in_the_key_file_only(plain: DemoRun) -> None:
    """Network and link keys: not in timeline, summary, messages, store or output, and not in clear on the air."""
    rows = (plain.folder / "keys.txt").read_text(encoding="utf-8").splitlines()
    keys = [bytes.fromhex(row.split(",")[0].strip('"').replace(":", "")) for row in rows]
    partners = sum('"partner key ' in row for row in rows)
    assert partners >= 5  # displays and switches with their meters
    assert len(keys) == 2 + 2 * 14 + partners  # of networks, and of each device before and after key establishment
    assert _found(keys, _files(plain, "keys.txt")) == []
    assert _found(keys, _files(plain)) == ["keys.txt"]


def test_private_keys_leave_a_run_for_test_organisations_only(plain: DemoRun) -> None:
    """No private key of a device anywhere; those of the organisations in their key store files, and nowhere else."""
    homes = shipped_homes()
    parties = Parties(SeededEntropy(SEED), START, homes)
    devices = [device.eui for home in homes for device in home.devices if device.kind not in ("ihd", "cad")]
    hubs = [eui for home in homes for eui in (home.hub.chf, home.hub.gpf)]
    own = [parties.credentials(eui) for eui in (*devices, *hubs)]
    of_devices = [_scalar(key) for credentials in own for key in (credentials.ds_key, credentials.ka_key)]
    assert len(of_devices) == 2 * 15
    assert _found(of_devices, _files(plain)) == []
    users = (ACB, SUPPLIER, NETWORK_OPERATOR)
    theirs = [parties.credentials(eui) for eui in (*users, WAN_PROVIDER)]
    of_organisations = [_scalar(key) for credentials in theirs for key in (credentials.ds_key, credentials.ka_key)]
    of_organisations += [_scalar(parties.xml(eui).key) for eui in users]
    assert _found(of_organisations, _files(plain, "keystore/*.key")) == []
    der = {name: _der(text) for name, text in _files(plain).items() if Path(name).match("keystore/*.key")}
    assert len(_found(of_organisations, der)) == len(der) == 11


def test_private_keys_of_key_establishment_stay_inside(plain: DemoRun) -> None:
    certificates = NodeCertificates(SeededEntropy(SEED), START)
    euis = [eui for home in shipped_homes() for eui in (home.hub.gpf, *(device.eui for device in home.devices))]
    held = [certificates.of(eui)[Suite.SUITE_2] for eui in euis]
    assert all(each.consistent for each in held)
    keys = [each.private_key.to_bytes(36, "big") for each in held]
    assert len(set(keys)) == len(euis)
    assert _found(keys, _files(plain)) == []


def _der(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"-")))


CANARIES = [0x00DB_12FF_0000_0000 + 0x9E37_79B1 * n % (1 << 32) for n in range(1, 61)]


class _KnowsMore(Dsp):
    """A DSP whose tracked list has far more lines than the homes have meters."""

    loaded: TrackedSummary

    def load_tracked(self, lines: Iterable[str]) -> TrackedSummary:
        type(self).loaded = super().load_tracked([*lines, *(f"{eui:016x}" for eui in CANARIES)])
        return type(self).loaded


@pytest.mark.requirement("MP102B-G14")
def test_the_tracked_list_does_not_leave_the_dsp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """MP102B-G14: of 61 tracked meters, the 60 that no home has appear in no file, no output, no log."""
    monkeypatch.setitem(sabotage.SABOTAGES, "canaries", lambda: PlantedFaults(dsp=_KnowsMore))
    caplog.set_level(0)
    summary = runs.demo(tmp_path / "run", seed=SEED, planted="canaries", console=None)
    assert _KnowsMore.loaded.identifiers == len(CANARIES) + 1
    assert summary["suppression"]["suppressed"] >= 3
    said = capfd.readouterr()
    run = DemoRun(tmp_path / "run", 0, said.out + caplog.text, said.err)
    files = _files(run)
    assert _found([eui.to_bytes(8, "big") for eui in CANARIES], files) == []
    tracked = next(device["eui"] for device in summary["devices"] if device["tracked"])
    assert _found([bytes.fromhex(tracked)], files) != []
