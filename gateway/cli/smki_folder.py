"""A folder of SMKI credentials: a key store of entities, and beside it the authorities that issue.

Entities: `<eui>-<ds|ka|pp-ka|xml>.pem` and `.key`, as `--keystore` takes them. Authorities that are ours: `root`,
`issuing` and `device-issuing`, each `.pem` and `.key`; foreign ones: `authority-<key id>.pem`. `smki.json` says the
format's version, the start of validity and, for keys that repeat, the seed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from emulator.entropy import SeededEntropy
from gateway.assembly.system_entropy import SystemEntropy
from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.gbcs import keystore
from protocols.gbcs.certificate_path import check_path
from protocols.gbcs.smki import (
    CERTIFICATE_SIGNING,
    DIGITAL_SIGNING,
    KEY_AGREEMENT,
    XML_SIGNING,
    Authorities,
    Certificate,
    Credentials,
    KeyPair,
    RemotePartyRole,
    TestPki,
)
from protocols.interfaces import Entropy

FORMAT = 1
NEWER = "made by a newer hanlab"

_DESCRIPTION = "smki.json"
_XML_ROLES = (RemotePartyRole.XML_SIGNING_USER, RemotePartyRole.XML_SIGNING_DSP)
_AUTHORITIES = ("root", "issuing", "device-issuing")
_LARGEST_FILE = 1 << 16  # octets


def create(folder: Path, seed: int | None, start: int) -> TestPki:
    """Make an SMKI in a folder that is new or empty; InputError for any other."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: neither new nor an empty folder")
    pki = TestPki(_entropy(seed), start)
    folder.mkdir(parents=True, exist_ok=True)
    for name, pair in zip(_AUTHORITIES, pki.authorities, strict=True):
        (folder / f"{name}.pem").write_bytes(pair.certificate.pem)
        keystore.write_private_key(folder / f"{name}.key", pair.key)
    described = {"format": FORMAT, "seed": seed, "start": start}
    (folder / _DESCRIPTION).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    return pki


def open_pki(folder: Path) -> TestPki:
    """Return the SMKI that `create` made; InputError if there is none or it is damaged or newer."""
    file = folder / _DESCRIPTION
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{folder}: no SMKI that can issue (no readable {_DESCRIPTION})") from None
    version, seed, start = (described.get(name) if isinstance(described, dict) else None for name in
                            ("format", "seed", "start"))  # fmt: skip
    if isinstance(version, int) and version > FORMAT:
        raise InputError(f"{file}: format {version}, {NEWER}")
    if version != FORMAT or not isinstance(start, int) or not isinstance(seed, int | None):
        raise InputError(f"{file}: damaged")
    pairs = [KeyPair(_read_key(folder / f"{name}.key"), _read_certificate(folder / f"{name}.pem"))
             for name in _AUTHORITIES]  # fmt: skip
    return TestPki(_entropy(seed), start, Authorities(*pairs))


def _entropy(seed: int | None) -> Entropy:
    return SystemEntropy() if seed is None else SeededEntropy(seed)


def organisation_pairs(pki: TestPki, eui: Eui64, role: RemotePartyRole, generation: int) -> dict[str, KeyPair]:
    """Return what an organisation gets in a role, by usage."""
    if role in _XML_ROLES:
        return {XML_SIGNING: pki.xml_signing(eui, role, generation)}
    pairs = pairs_of(pki.organisation(eui, role, generation))
    if role is RemotePartyRole.SUPPLIER:
        pairs[keystore.PREPAYMENT] = pki.prepayment(eui, generation)
    return pairs


def pairs_of(credentials: Credentials) -> dict[str, KeyPair]:
    """Return the pairs of an entity by usage."""
    signing = KeyPair(credentials.ds_key, credentials.ds_certificate)
    return {DIGITAL_SIGNING: signing, KEY_AGREEMENT: KeyPair(credentials.ka_key, credentials.ka_certificate)}


def add(folder: Path, eui: Eui64, pairs: Mapping[str, KeyPair], *, replace: bool) -> list[Path]:
    """Write the pairs of an entity; InputError if it has such already and they are not to be replaced."""
    files = [folder / f"{eui}-{usage}.{kind}" for usage in pairs for kind in ("pem", "key")]
    held = next((file for file in files if file.exists()), None)
    if held is not None and not replace:
        raise InputError(f"{held} is there already; --replace makes new credentials")
    for usage, pair in pairs.items():
        keystore.write_pair(folder, usage, pair, private=True)
    return files


# --- import ------------------------------------------------------------------------------------------------------


class Imported(NamedTuple):
    """Something read from a foreign file and the name it gets."""

    source: Path
    name: str
    content: Certificate | EllipticCurvePrivateKey


def import_files(sources: list[Path], into: Path, *, replace: bool) -> list[Imported]:
    """Write certificates and keys from files and folders into a folder, each under the name it ought to have.

    Nothing is written if something cannot be read (InputError), or is there already with another content and is not to
    be replaced. In a folder, files that are neither certificates nor keys are left alone.
    """
    files = [file for source in sources for file in _files_of(source)]
    certificates = [found for found in map(_import_certificate, files) if found is not None]
    known = [*certificates, *_held_certificates(into)]
    imported = [*certificates, *(_import_key(file, known) for file in files if file.suffix == ".key")]
    for item in imported:
        _check_free(into / item.name, item.content, replace=replace)
    into.mkdir(parents=True, exist_ok=True)
    for item in imported:
        if isinstance(item.content, Certificate):
            (into / item.name).write_bytes(item.content.pem)
        else:
            keystore.write_private_key(into / item.name, item.content)
    return imported


def _files_of(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    return sorted(file for file in source.iterdir() if file.suffix in (".pem", ".crt", ".cer", ".der", ".key"))


def _import_certificate(file: Path) -> Imported | None:
    """Return the certificate of a file under its own name, None for a file of a key."""
    if file.suffix == ".key":
        return None
    certificate = _read_certificate(file)
    try:
        if certificate.usage == CERTIFICATE_SIGNING:
            return Imported(file, f"authority-{certificate.key_id.hex()}.pem", certificate)
        prepayment = certificate.usage == "ka" and file.stem.endswith(keystore.PREPAYMENT)
        usage = keystore.PREPAYMENT if prepayment else certificate.usage
        if certificate.role in _XML_ROLES and usage == DIGITAL_SIGNING:
            usage = XML_SIGNING
        return Imported(file, f"{certificate.eui}-{usage}.pem", certificate)
    except DecodeError as error:
        raise InputError(f"{file}: {error.what}") from None


def _held_certificates(folder: Path) -> list[Imported]:
    files = sorted(folder.glob("*-*.pem")) if folder.is_dir() else []
    return [Imported(file, file.name, _read_certificate(file)) for file in files]


def _import_key(file: Path, known: list[Imported]) -> Imported:
    """Return the key of a file under the name of the certificate it belongs to."""
    key = _read_key(file)
    numbers = key.public_key().public_numbers()
    for item in known:
        if isinstance(item.content, Certificate) and item.content.public_key.public_numbers() == numbers:
            return Imported(file, item.name.removesuffix(".pem") + ".key", key)
    raise InputError(f"{file}: a key that belongs to none of the certificates")


def _check_free(file: Path, content: Certificate | EllipticCurvePrivateKey, *, replace: bool) -> None:
    if replace or not file.exists():
        return
    if isinstance(content, Certificate):
        same = _read_certificate(file) == content
    else:
        same = _read_key(file).private_numbers() == content.private_numbers()
    if not same:
        raise InputError(f"{file} is there already with another content; --replace overwrites it")


def _read_certificate(file: Path) -> Certificate:
    try:
        return keystore.read_certificate(_read(file))
    except DecodeError as error:
        raise InputError(f"{file}: {error.what}") from None


def _read_key(file: Path) -> EllipticCurvePrivateKey:
    try:
        return keystore.read_private_key(_read(file))
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    except ValueError:
        raise InputError(f"{file}: not a private key") from None


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            octets = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or 'cannot be read'}") from None
    if len(octets) > _LARGEST_FILE:
        raise InputError(f"{file}: more than {_LARGEST_FILE} octets")
    return octets


# --- show --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """What a folder holds of one entity for one usage, or one authority."""

    name: str  # of the file, without its suffix
    role: RemotePartyRole | None  # None for a device and for a device issuing authority
    usage: str
    key_id: bytes  # 8 octets
    valid_from: int  # ns since 1970 UTC
    valid_until: int
    private_key: bool
    path: str  # `valid`, or why there is none


def rows(folder: Path, at: int) -> list[Row]:
    """Return all certificates of a folder in order of their names; `at` is when paths must be valid, ns UTC."""
    if not folder.is_dir():
        raise InputError(f"no such folder: {folder}")
    held = [(file, _read_certificate(file)) for file in sorted(folder.glob("*.pem"))]
    authorities = [c for _, c in held if _usage(c) == CERTIFICATE_SIGNING]
    return [_row(file, certificate, authorities, at) for file, certificate in held]


def _row(file: Path, certificate: Certificate, authorities: list[Certificate], at: int) -> Row:
    try:
        return Row(
            file.stem,
            certificate.role,
            certificate.usage,
            certificate.key_id,
            certificate.valid_from,
            certificate.valid_until,
            file.with_suffix(".key").exists(),
            _path(certificate, authorities, at),
        )
    except DecodeError as error:
        raise InputError(f"{file}: {error.what}") from None


def _usage(certificate: Certificate) -> str:
    try:
        return certificate.usage
    except DecodeError:
        return ""


def _path(certificate: Certificate, authorities: list[Certificate], at: int) -> str:
    """Return `valid` if a path leads to a root of the folder, else the reason there is none."""
    roots = [authority for authority in authorities if authority.issuer == authority.subject]
    if not roots:
        return "no root here"
    reasons = list[str]()
    for root in roots:
        try:
            check_path(certificate, authorities, root, at)
        except DecodeError as error:
            reasons.append(error.what)
        else:
            return "valid"
    return reasons[0]
