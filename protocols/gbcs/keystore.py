"""A folder of certificates and private keys: `<eui>-<usage>.pem` and `<eui>-<usage>.key`.

Usages are `ds` (digital signing), `ka` (key agreement), `pp-ka` (the supplier's key agreement for prepayment) and
`xml` (signing of DUIS documents by users and by the DSP).
Certificates are PEM or DER, private keys PKCS#8 in PEM or DER, not encrypted.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.gbcs.security import shared_secret
from protocols.gbcs.smki import (
    DIGITAL_SIGNING,
    KEY_AGREEMENT,
    XML_SIGNING,
    Certificate,
    Credentials,
    KeyPair,
    RemotePartyRole,
)

PREPAYMENT = "pp-ka"

_NAME = re.compile(r"([0-9a-f]{16})-(ds|ka|pp-ka|xml)\.(pem|key)")
_XML_ROLES = (RemotePartyRole.XML_SIGNING_USER, RemotePartyRole.XML_SIGNING_DSP)
_PEM = b"-----BEGIN"
_ARMOUR = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_PRIVATE_MODE = 0o600


class MisnamedError(InputError):
    """A certificate that names another entity or another usage than its file."""


class Keystore:
    """Certificates and private keys by entity and usage."""

    def __init__(self) -> None:
        self._certificates: dict[tuple[Eui64, str], Certificate] = {}
        self._keys: dict[tuple[Eui64, str], EllipticCurvePrivateKey] = {}
        self._secrets: dict[tuple[Eui64, Eui64], bytes] = {}

    @classmethod
    def load(cls, folder: str | Path, *, misnamed: list[str] | None = None) -> Self:
        """Read every file of the folder whose name fits, in order of their names; others are left alone.

        misnamed: if given, a certificate that names another entity or another usage than its file is left out, and
        said to be so in this list.
        Raises InputError if there is no such folder, for a file that cannot be read, and for a misnamed certificate
        unless there is a list for them.
        """
        path = Path(folder)
        if not path.is_dir():
            raise InputError(f"no such key store folder: {path}")
        keystore = cls()
        for file in sorted(path.iterdir()):
            name = _NAME.fullmatch(file.name)
            if name is not None:
                try:
                    keystore._read(file, Eui64.parse(name[1]), name[2], private=name[3] == "key")
                except MisnamedError as error:
                    if misnamed is None:
                        raise
                    misnamed.append(str(error))
        return keystore

    def _read(self, file: Path, eui: Eui64, usage: str, *, private: bool) -> None:
        try:
            octets = file.read_bytes()
            if private:
                self._keys[eui, usage] = read_private_key(octets)
            else:
                self._certificates[eui, usage] = _named_certificate(octets, eui, usage)
        except MisnamedError as error:
            raise MisnamedError(f"{file}: {error}") from None
        except (DecodeError, InputError, ValueError, OSError) as error:
            raise InputError(f"{file}: {str(error).splitlines()[0]}") from None

    def add(self, credentials: Credentials, *, private: bool) -> None:
        """Take an entity's certificates and, if `private`, its keys."""
        eui = credentials.eui
        self._secrets.clear()
        self._certificates[eui, DIGITAL_SIGNING] = credentials.ds_certificate
        self._certificates[eui, KEY_AGREEMENT] = credentials.ka_certificate
        if private:
            self._keys[eui, DIGITAL_SIGNING] = credentials.ds_key
            self._keys[eui, KEY_AGREEMENT] = credentials.ka_key

    def add_certificate(self, usage: str, certificate: Certificate) -> None:
        """Take one certificate of an entity for a usage."""
        self._secrets.clear()
        self._certificates[certificate.eui, usage] = certificate

    def certificate(self, eui: Eui64, usage: str) -> Certificate | None:
        """Return the certificate of an entity for a usage, None if it is not here."""
        return self._certificates.get((eui, usage))

    def private_key(self, eui: Eui64, usage: str) -> EllipticCurvePrivateKey | None:
        """Return the private key of an entity for a usage, None if it is not here."""
        return self._keys.get((eui, usage))

    def entities(self) -> list[tuple[Eui64, str]]:
        """Return entity and usage of every certificate and key, in order."""
        return sorted({*self._certificates, *self._keys})

    def shared_secret(self, one: Eui64, other: Eui64) -> bytes | None:
        """Return the Z of two entities' key agreement keys, computed once each.

        None unless the private key of either and the certificate of the other are here.
        """
        held = self._secrets.get((one, other))
        if held is not None:
            return held
        for own, theirs in ((one, other), (other, one)):
            key, certificate = self.private_key(own, KEY_AGREEMENT), self.certificate(theirs, KEY_AGREEMENT)
            if key is not None and certificate is not None:
                return self._secrets.setdefault((one, other), shared_secret(key, certificate.public_key))
        return None

    def of_role(self, role: RemotePartyRole, usage: str) -> list[Certificate]:
        """Return the certificates of all organisations of a role, in order of their identifiers."""
        return [c for (_, use), c in sorted(self._certificates.items()) if use == usage and c.role is role]


def write(folder: str | Path, credentials: Iterable[Credentials], private: bool) -> None:
    """Write certificates, and keys if `private`, into the folder; key files are readable by their owner only."""
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    for entity in credentials:
        for usage, certificate, key in (
            (DIGITAL_SIGNING, entity.ds_certificate, entity.ds_key),
            (KEY_AGREEMENT, entity.ka_certificate, entity.ka_key),
        ):
            (path / f"{entity.eui}-{usage}.pem").write_bytes(certificate.pem)
            if private:
                write_private_key(path / f"{entity.eui}-{usage}.key", key)


def write_pair(folder: str | Path, usage: str, pair: KeyPair, private: bool) -> None:
    """Write one certificate, and its key if `private`, into the folder, as `write` does."""
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    stem = f"{pair.certificate.eui}-{usage}"
    (path / f"{stem}.pem").write_bytes(pair.certificate.pem)
    if private:
        write_private_key(path / f"{stem}.key", pair.key)


def read_certificate(octets: bytes) -> Certificate:
    """Read a certificate in PEM or DER; DecodeError if it is neither. Of several in one file the first counts."""
    if not octets.lstrip().startswith(_PEM):
        return Certificate(octets)
    armoured = _ARMOUR.search(octets)
    if armoured is None:
        raise DecodeError("not a certificate (no CERTIFICATE in the PEM text)")
    try:
        return Certificate(base64.b64decode(b"".join(armoured[1].split()), validate=True))
    except binascii.Error as error:
        raise DecodeError(f"not a certificate ({error})") from None


def _named_certificate(octets: bytes, eui: Eui64, usage: str) -> Certificate:
    certificate = read_certificate(octets)
    expected = {PREPAYMENT: KEY_AGREEMENT, XML_SIGNING: DIGITAL_SIGNING}.get(usage, usage)
    if usage == XML_SIGNING and certificate.role not in _XML_ROLES:
        raise MisnamedError("the certificate inside is not for XML signing")
    if certificate.eui != eui or certificate.usage != expected:
        raise MisnamedError(f"the certificate inside is {certificate.eui}-{certificate.usage}")
    return certificate


def read_private_key(octets: bytes) -> EllipticCurvePrivateKey:
    """Read a private key, PKCS#8 in PEM or DER; InputError for another kind, ValueError for nonsense."""
    load = load_pem_private_key if octets.lstrip().startswith(_PEM) else load_der_private_key
    try:
        key = load(octets, None)
    except TypeError:
        raise InputError("an encrypted private key") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise InputError("not a P-256 private key")
    return key


def write_private_key(file: Path, key: EllipticCurvePrivateKey) -> None:
    """Write a key as PKCS#8 in PEM, readable by its owner only."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(pem)
    file.chmod(_PRIVATE_MODE)
