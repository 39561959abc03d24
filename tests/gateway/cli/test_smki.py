"""`hanlab smki` from its arguments to files and exit codes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from gateway.cli.smki import app
from protocols.addresses import Eui64
from protocols.gbcs.keystore import PREPAYMENT, Keystore, read_certificate
from tests.support.vectors import vectors_dir

SUPPLIER, DEVICE = "90b3d51f30010000", "00db1234567890a4"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def refused(*arguments: str | Path) -> str:
    code, out, err = run(*arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    return err


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    code, out, _ = run("show", folder, "--json")
    assert code == 0
    return {row["name"]: row for row in map(json.loads, out.splitlines())}


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    folder = tmp_path / "pki"
    assert run("init", folder, "--seed", "7") == (0, f"{folder}: root, issuing, device-issuing\n", "")
    assert run("device", folder, DEVICE)[0] == 0
    assert run("organisation", folder, "supplier", SUPPLIER)[0] == 0
    return folder


def test_a_pki_is_a_key_store_whose_paths_are_valid(pki: Path) -> None:
    keys = Keystore.load(pki)
    supplier, device = Eui64.parse(SUPPLIER), Eui64.parse(DEVICE)
    assert keys.entities() == [(device, "ds"), (device, "ka"), (supplier, "ds"), (supplier, "ka"), (supplier, "pp-ka")]
    for eui, usage in keys.entities():
        key, certificate = keys.private_key(eui, usage), keys.certificate(eui, usage)
        assert key is not None
        assert certificate is not None
        assert key.public_key() == certificate.public_key
    shown = rows(pki)
    assert {row["path"] for row in shown.values()} == {"valid"}
    assert {name: (row["role"], row["usage"]) for name, row in shown.items()} == {
        f"{DEVICE}-ds": ("device", "ds"), f"{DEVICE}-ka": ("device", "ka"),
        f"{SUPPLIER}-ds": ("supplier", "ds"), f"{SUPPLIER}-ka": ("supplier", "ka"),
        f"{SUPPLIER}-pp-ka": ("supplier", "ka"),
        "root": ("root", "ca"), "issuing": ("issuing-authority", "ca"), "device-issuing": ("device-issuer", "ca"),
    }  # fmt: skip
    assert (shown[f"{DEVICE}-ds"]["valid_from"], shown[f"{DEVICE}-ds"]["valid_until"]) == ("2026-03-02", "9999-12-31")
    lines = run("show", pki)[1].splitlines()
    assert len(lines) == len(shown)
    assert lines[0].startswith(f"{DEVICE}-ds ")


def test_all_keys_are_readable_by_their_owner_only(pki: Path) -> None:
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in pki.glob("*.key")}
    assert len(modes) == 8
    assert set(modes.values()) == {"0o600"}


def test_the_same_seed_gives_the_same_octets_and_no_seed_gives_others(pki: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    for arguments in (
        ("init", again, "--seed", "7"),
        ("organisation", again, "SUPPLIER", SUPPLIER),
        ("device", again, DEVICE),
    ):
        assert run(*arguments)[0] == 0
    assert contents(again) == contents(pki)
    free = [tmp_path / "free", tmp_path / "free too"]
    for folder in free:
        assert run("init", folder, "--start", "2026-03-02")[0] == 0
        assert run("device", folder, DEVICE)[0] == 0
    first, second = map(contents, free)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] == second[name]] == ["smki.json"]
    assert {row["path"] for row in rows(free[0]).values()} == {"valid"}


def test_a_user_gets_a_pair_for_xml_signing_beside_its_others(pki: Path, tmp_path: Path) -> None:
    before = contents(pki)
    assert run("organisation", pki, "xml-signing-user", SUPPLIER)[1] == f"{SUPPLIER}: xml-signing-user, xml\n"
    assert set(contents(pki)) - set(before) == {f"{SUPPLIER}-xml.key", f"{SUPPLIER}-xml.pem"}
    keys = Keystore.load(pki)
    certificate, key = keys.certificate(Eui64.parse(SUPPLIER), "xml"), keys.private_key(Eui64.parse(SUPPLIER), "xml")
    assert certificate is not None
    assert key is not None
    assert key.public_key() == certificate.public_key
    foreign, into = tmp_path / "foreign.crt", tmp_path / "into"
    foreign.write_bytes(certificate.der)
    assert run("import", foreign, "--into", into)[0] == 0
    assert sorted(contents(into)) == [f"{SUPPLIER}-xml.pem"]


def test_credentials_are_replaced_only_when_asked(pki: Path) -> None:
    before = contents(pki)
    assert f"{DEVICE}-ds.pem is there already" in refused("device", pki, DEVICE)
    assert contents(pki) == before
    assert run("device", pki, DEVICE, "--generation", "1", "--replace")[0] == 0
    after = contents(pki)
    assert [name for name in before if before[name] != after[name]] == [
        f"{DEVICE}-{usage}.{kind}" for usage in ("ds", "ka") for kind in ("key", "pem")
    ]
    assert rows(pki)[f"{DEVICE}-ds"]["path"] == "valid"


def test_a_folder_that_is_in_use_is_not_taken(pki: Path, tmp_path: Path) -> None:
    before = contents(pki)
    assert "neither new nor an empty folder" in refused("init", pki)
    assert contents(pki) == before
    file = tmp_path / "file"
    file.write_text("mine")
    assert "neither new nor an empty folder" in refused("init", file)
    (tmp_path / "empty").mkdir()
    assert run("init", tmp_path / "empty")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("device", "00db"), "not an EUI-64"),
        (("organisation", "king", SUPPLIER), "role 'king': none of root, recovery, supplier"),
    ],
)
def test_wrong_identifiers_and_roles_are_told(pki: Path, arguments: tuple[str, ...], complaint: str) -> None:
    assert complaint in refused(arguments[0], pki, *arguments[1:])


def test_a_wrong_start_is_told(tmp_path: Path) -> None:
    assert "--start: not a day" in refused("init", tmp_path / "pki", "--start", "yesterday")
    assert not (tmp_path / "pki").exists()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"format": 2, "seed": 7, "start": 0}', "format 2, made by a newer hanlab"),
        ('{"format": 1, "seed": "x", "start": 0}', "damaged"),
        ("[]", "damaged"),
        ("{", "no SMKI that can issue"),
    ],
)
def test_a_description_of_another_kind_is_refused(pki: Path, text: str, complaint: str) -> None:
    (pki / "smki.json").write_text(text)
    assert complaint in refused("device", pki, "00db1234567890a5")


def test_a_folder_without_authorities_issues_nothing(tmp_path: Path) -> None:
    assert "no SMKI that can issue" in refused("device", tmp_path, DEVICE)
    assert "no such folder" in refused("show", tmp_path / "nowhere")


# --- import ---------------------------------------------------------------------------------------------------------


@pytest.mark.judge("rtds")
def test_a_foreign_key_store_is_imported_as_it_is(tmp_path: Path) -> None:
    source, into = vectors_dir() / "rtds" / "keystore", tmp_path / "mine"
    code, out, _ = run("import", source, "--into", into)
    assert (code, len(out.splitlines())) == (0, len(list(source.iterdir())))
    theirs, ours = Keystore.load(source), Keystore.load(into)
    assert theirs.entities() == ours.entities()
    for eui, usage in theirs.entities():
        assert theirs.certificate(eui, usage) == ours.certificate(eui, usage)
    assert {oct(file.stat().st_mode & 0o777) for file in into.glob("*.key")} == {"0o600"}
    assert {row["path"] for row in rows(into).values()} == {"no root here"}
    assert run("import", source, "--into", into)[0] == 0


def test_single_files_get_the_names_they_ought_to_have(pki: Path, tmp_path: Path) -> None:
    foreign, into = tmp_path / "foreign", tmp_path / "into"
    foreign.mkdir()
    keys = Keystore.load(pki)
    certificate, key = (keys.certificate(Eui64.parse(DEVICE), "ka"), keys.private_key(Eui64.parse(DEVICE), "ka"))
    assert certificate is not None
    assert key is not None
    (foreign / "a.crt").write_bytes(certificate.der)
    (foreign / "b.key").write_bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    shutil.copy(pki / "root.pem", foreign / "c.pem")
    shutil.copy(pki / f"{SUPPLIER}-pp-ka.pem", foreign / "supplier-pp-ka.pem")
    (foreign / "README.txt").write_text("left alone")
    root = read_certificate((pki / "root.pem").read_bytes())
    code, out, _ = run("import", foreign / "a.crt", foreign, "--into", into)
    assert code == 0
    assert sorted(contents(into)) == [
        f"{DEVICE}-ka.key", f"{DEVICE}-ka.pem", f"{SUPPLIER}-{PREPAYMENT}.pem", f"authority-{root.key_id.hex()}.pem",
    ]  # fmt: skip
    assert f"{foreign / 'b.key'}: {DEVICE}-ka.key" in out.splitlines()
    assert rows(into)[f"{DEVICE}-ka"]["path"] == "a certificate that none of the authorities issued"
    assert run("import", pki / "device-issuing.pem", "--into", into)[0] == 0
    assert rows(into)[f"{DEVICE}-ka"]["path"] == "valid"


def test_an_import_that_fails_writes_nothing(pki: Path, tmp_path: Path) -> None:
    into, stray, nonsense = tmp_path / "into", tmp_path / "stray.key", tmp_path / "nonsense.pem"
    shutil.copy(pki / f"{DEVICE}-ds.key", stray)
    nonsense.write_text("nonsense")
    assert "a key that belongs to none of the certificates" in refused("import", stray, "--into", into)
    assert f"{nonsense}: not a certificate" in refused("import", pki / "root.pem", nonsense, "--into", into)
    nonsense.with_suffix(".key").write_text("nonsense")
    assert "nonsense.key: not a private key" in refused("import", nonsense.with_suffix(".key"), "--into", into)
    nonsense.write_bytes(bytes(70_000))
    assert "more than 65536 octets" in refused("import", nonsense, "--into", into)
    assert "No such file" in refused("import", tmp_path / "nowhere.pem", "--into", into)
    assert not into.exists()


def test_an_import_changes_what_is_there_only_when_asked(pki: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for arguments in (("init", other, "--seed", "8"), ("device", other, DEVICE)):
        assert run(*arguments)[0] == 0
    before = contents(pki)
    sources = (other / f"{DEVICE}-ds.pem", other / f"{DEVICE}-ds.key")
    assert "is there already with another content" in refused("import", *sources, "--into", pki)
    assert contents(pki) == before
    assert run("import", *sources, "--into", pki, "--replace")[0] == 0
    assert contents(pki)[f"{DEVICE}-ds.pem"] == contents(other)[f"{DEVICE}-ds.pem"]
