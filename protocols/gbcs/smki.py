"""Credentials of entities: certificates, keys, and a test public key infrastructure.

A device's certificate names it in subjectAltName, an organisation's in its subject beside its role. Source: the SMKI
certificate profile as the 416 published test certificates show it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs import certificate_profile as profile
from protocols.gbcs.der import INTEGER, OBJECT_IDENTIFIER, SEQUENCE, DerReader, context
from protocols.gbcs.times import instant_of
from protocols.interfaces import DAY, SECOND, Entropy

DIGITAL_SIGNING = "ds"
KEY_AGREEMENT = "ka"
CERTIFICATE_SIGNING = "ca"
XML_SIGNING = "xml"  # digital signing of DUIS documents, by organisations in a role for just that

T = TypeVar("T")
Extension = TypeVar("Extension", bound=x509.ExtensionType)

_VERSION = context(0, constructed=True)
_MALFORMED = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)  # fmt: skip


class RemotePartyRole(IntEnum):
    """Role of an organisation, the organisational unit of its certificates."""

    ROOT = 0x00
    RECOVERY = 0x01
    SUPPLIER = 0x02
    NETWORK_OPERATOR = 0x03
    ACCESS_CONTROL_BROKER = 0x04
    TRANSITIONAL_COS = 0x05
    WAN_PROVIDER = 0x06
    ISSUING_AUTHORITY = 0x07
    LOAD_CONTROLLER = 0x08
    OTHER = 0x7F
    XML_SIGNING_USER = 0x87
    XML_SIGNING_DSP = 0x89


class Certificate:
    """An X.509 certificate of the SMKI. Fields are read when asked for; two with the same octets are equal.

    Octets of strangers: whatever is wrong with them, only DecodeError is raised.
    """

    def __init__(self, der: bytes) -> None:
        """Take DER octets; DecodeError if they are no certificate."""
        self.der = der
        self._x509 = self._read("not a certificate", lambda: _loaded(der))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and other.der == self.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"Certificate({hashlib.sha256(self.der).hexdigest()[:16]})"

    @cached_property
    def public_key(self) -> EllipticCurvePublicKey:
        """The P-256 key; DecodeError for any other kind."""
        key = self._read("a certificate without a P-256 key", self._x509.public_key)
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise DecodeError("a certificate without a P-256 key", data=self.der)
        return key

    @cached_property
    def eui(self) -> Eui64:
        """The entity named; DecodeError for a certificate that names none (authorities)."""
        unique = self._subject.get_attributes_for_oid(NameOID.X500_UNIQUE_IDENTIFIER)
        octets = _octets(unique[0].value)[1:] if unique else self._hardware_serial()
        if len(octets) != 8:
            raise DecodeError("a certificate that names no entity", data=self.der)
        return Eui64.from_big(octets)

    @cached_property
    def role(self) -> RemotePartyRole | None:
        """The organisation's role; None for a device, and for a unit that is no role."""
        units = self._subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        try:
            return RemotePartyRole(int(str(units[0].value), 16)) if units else None
        except ValueError:
            return None

    @cached_property
    def usage(self) -> str:
        """What the key is for: `ds` digital signing, `ka` key agreement, `ca` certificate signing."""
        usage = self._extension(x509.KeyUsage)
        if usage is None:
            raise DecodeError("a certificate without a key usage", data=self.der)
        if usage.digital_signature:
            return DIGITAL_SIGNING
        return KEY_AGREEMENT if usage.key_agreement else CERTIFICATE_SIGNING

    @cached_property
    def key_id(self) -> bytes:
        """The subject key identifier, 8 octets."""
        identifier = self._extension(x509.SubjectKeyIdentifier)
        if identifier is None:
            raise DecodeError("a certificate without a key identifier", data=self.der)
        return identifier.digest

    @cached_property
    def issuer_key_id(self) -> bytes | None:
        """The authority key identifier; None for a certificate that names none (the root)."""
        identifier = self._extension(x509.AuthorityKeyIdentifier)
        return None if identifier is None else identifier.key_identifier

    @cached_property
    def issuer(self) -> bytes:
        """The issuer's name, DER."""
        return self._read("a certificate with a bad issuer", lambda: self._x509.issuer.public_bytes())

    @cached_property
    def issuer_name(self) -> str:
        """The issuer's name as text, RFC 4514: `CN=Z1,OU=07`."""
        return self._x509.issuer.rfc4514_string()

    @cached_property
    def serial(self) -> int:
        """The serial number."""
        return self._x509.serial_number

    @cached_property
    def subject(self) -> bytes:
        """The name, DER; empty for a device, whose identifier stands in `eui`."""
        return self._subject.public_bytes()

    @cached_property
    def valid_from(self) -> int:
        """The first instant of validity, ns since 1970 UTC."""
        return instant_of(self._x509.not_valid_before_utc)

    @cached_property
    def valid_until(self) -> int:
        """The last second of validity, ns since 1970 UTC."""
        return instant_of(self._x509.not_valid_after_utc)

    @cached_property
    def is_authority(self) -> bool:
        """Whether basic constraints say so."""
        constraints = self._extension(x509.BasicConstraints)
        return constraints is not None and constraints.ca

    @property
    def pem(self) -> bytes:
        """The PEM form, as key stores keep it."""
        return self._x509.public_bytes(Encoding.PEM)

    def verify_issued_by(self, issuer: "Certificate") -> None:
        """Raise IntegrityError unless `issuer` signed this certificate. Validity dates are not looked at."""
        body, signature = self._x509.tbs_certificate_bytes, self._x509.signature
        if self._x509.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
            raise IntegrityError("a certificate that is not signed with ECDSA and SHA-256", data=self.der)
        try:
            issuer.public_key.verify(signature, body, ECDSA(SHA256()))
        except InvalidSignature:
            raise IntegrityError("a certificate its issuer did not sign", data=self.der) from None

    @cached_property
    def _subject(self) -> x509.Name:
        return self._read("a certificate with a bad subject", lambda: self._x509.subject)

    @cached_property
    def _extensions(self) -> x509.Extensions:
        return self._read("a certificate with bad extensions", lambda: self._x509.extensions)

    def _extension(self, kind: type[Extension]) -> Extension | None:
        """Return the value of an extension, None if the certificate has none of its kind."""
        try:
            return self._extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    def _hardware_serial(self) -> bytes:
        """Return the serial number of the hardware module name, empty if there is none."""
        names = self._extension(x509.SubjectAlternativeName)
        for name in () if names is None else names.get_values_for_type(x509.OtherName):
            if name.type_id.dotted_string == profile.HARDWARE_MODULE_NAME:
                reader = DerReader(name.value).sequence()
                reader.content(OBJECT_IDENTIFIER)
                return reader.octet_string(8)
        return b""

    def _read(self, what: str, read: Callable[[], T]) -> T:
        """Return what `read` gives; DecodeError in place of the many errors a malformed certificate can cause."""
        try:
            return read()
        except _MALFORMED as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DecodeError(f"{what} ({reason})", data=self.der) from None


def _loaded(der: bytes) -> x509.Certificate:
    """Return the library's view; a serial number that is not positive, of which it would warn, is refused before."""
    body = DerReader(DerReader(der).content(SEQUENCE)).sequence()
    if body.next_tag() == _VERSION:
        body.content(_VERSION)
    serial = body.content(INTEGER)
    if not serial.strip(b"\0") or serial[0] & 0x80:
        raise DecodeError("its serial number is not positive", data=der)
    return x509.load_der_x509_certificate(der)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one entity holds: both key pairs with their certificates."""

    eui: Eui64
    ds_key: EllipticCurvePrivateKey
    ds_certificate: Certificate
    ka_key: EllipticCurvePrivateKey
    ka_certificate: Certificate


class KeyPair(NamedTuple):
    """A private key and the certificate of its public key."""

    key: EllipticCurvePrivateKey
    certificate: Certificate


class Authorities(NamedTuple):
    """The authorities of an SMKI: the root issues the two others, those all that remains."""

    root: KeyPair
    issuing: KeyPair
    device_issuing: KeyPair


class TestPki:
    """A closed SMKI for emulated entities: the same entropy and start give the same certificates in any order."""

    __test__ = False  # not a test, whatever its name

    def __init__(self, entropy: Entropy, now: int, authorities: Authorities | None = None) -> None:
        """Make the authorities, or take those given; certificates are valid from 00:00 of the day of `now` (ns UTC)."""
        self._entropy = entropy
        self._start = now - now % DAY
        self._issued: dict[tuple[Eui64, RemotePartyRole | None, int], Credentials] = {}
        self.authorities = self._make_authorities() if authorities is None else authorities

    @property
    def root(self) -> Certificate:
        return self.authorities.root.certificate

    @property
    def issuing(self) -> Certificate:
        """The authority that issues to organisations."""
        return self.authorities.issuing.certificate

    @property
    def device_issuing(self) -> Certificate:
        return self.authorities.device_issuing.certificate

    def organisation(self, eui: Eui64, role: RemotePartyRole, generation: int = 0) -> Credentials:
        """Return the credentials of a remote party, ten years valid; each generation has keys of its own."""
        return self._credentials(eui, role, generation)

    def device(self, eui: Eui64, generation: int = 0) -> Credentials:
        """Return the credentials of a device, valid for ever; each generation has keys of its own."""
        return self._credentials(eui, None, generation)

    def xml_signing(self, eui: Eui64, role: RemotePartyRole, generation: int = 0) -> KeyPair:
        """Return the pair of a user or of the DSP for signing DUIS documents."""
        return self._issue(eui, role, DIGITAL_SIGNING, XML_SIGNING, generation)

    def prepayment(self, eui: Eui64, generation: int = 0) -> KeyPair:
        """Return the pair of a supplier for prepayment top-ups; its certificate looks like one for key agreement."""
        return self._issue(eui, RemotePartyRole.SUPPLIER, KEY_AGREEMENT, "pp-ka", generation)

    def _credentials(self, eui: Eui64, role: RemotePartyRole | None, generation: int) -> Credentials:
        held = self._issued.get((eui, role, generation))
        if held is not None:
            return held
        signing = self._issue(eui, role, DIGITAL_SIGNING, DIGITAL_SIGNING, generation)
        agreement = self._issue(eui, role, KEY_AGREEMENT, KEY_AGREEMENT, generation)
        issued = Credentials(eui, *signing, *agreement)
        self._issued[eui, role, generation] = issued
        return issued

    def _issue(self, eui: Eui64, role: RemotePartyRole | None, usage: str, name: str, generation: int) -> KeyPair:
        """Return a new pair; `name` sets its key apart from others of the same usage."""
        purpose = f"smki {eui} {'device' if role is None else f'{role:02X}'} {name}"
        if generation:
            purpose += f" {generation}"
        own = self._entropy.private_key(purpose)
        issuer = self.authorities.issuing if role is not None else self.authorities.device_issuing
        key = issuer.key.public_key()
        extensions = profile.entity_extensions(own.public_key(), usage, key, eui, device=role is None)
        subject = profile.EMPTY_NAME if role is None else profile.organisation_name(eui, role)
        end = profile.FOR_EVER if role is None else self._start + profile.TEN_YEARS - SECOND
        serial, issuer_name = self._serial(purpose), issuer.certificate.subject
        body = profile.body(serial, issuer_name, self._start, end, subject, own.public_key(), extensions)
        return KeyPair(own, self._certificate(body, issuer.key))

    def _make_authorities(self) -> Authorities:
        root_key, issuing_key, device_issuing_key = (
            self._entropy.private_key(f"smki {name}") for name in ("root", "issuing", "device issuing")
        )
        root = profile.authority_name("00", "ZA")
        issuing = profile.authority_name("07", "Z1")
        root_id = profile.key_id(root_key.public_key())
        return Authorities(
            KeyPair(root_key, self._authority("root", root, root_key, root, root_key, None)),
            KeyPair(issuing_key, self._authority("issuing", issuing, issuing_key, root, root_key, root_id)),
            KeyPair(
                device_issuing_key,
                self._authority("device issuing", profile.DEVICE_ISSUER, device_issuing_key, root, root_key, root_id),
            ),
        )

    def _authority(
        self, purpose: str, subject: bytes, own: EllipticCurvePrivateKey,
        issuer: bytes, key: EllipticCurvePrivateKey, issuer_id: bytes | None,
    ) -> Certificate:  # fmt: skip
        extensions = profile.authority_extensions(own.public_key(), issuer_id)
        end = self._start + profile.AUTHORITY_VALIDITY - SECOND
        serial = self._serial(purpose)
        body = profile.body(serial, issuer, self._start, end, subject, own.public_key(), extensions)
        return self._certificate(body, key)

    def _certificate(self, body: bytes, key: EllipticCurvePrivateKey) -> Certificate:
        return Certificate(profile.signed(body, self._entropy.sign(key, body)))

    def _serial(self, purpose: str) -> bytes:
        """Return 16 octets that are a positive INTEGER in its shortest form."""
        octets = self._entropy.random(f"smki serial {purpose}").randbytes(16)
        return bytes((octets[0] & 0x3F | 0x40,)) + octets[1:]


def _octets(value: str | bytes) -> bytes:
    """Return the octets of a subject attribute, which `cryptography` gives as text or as octets."""
    return value if isinstance(value, bytes) else value.encode()
