"""Credentials of entities: certificates, keys, and a test public key infrastructure.

A device's certificate names it in subjectAltName, an organisation's in its subject beside its role. Source: the SMKI
certificate profile as the 416 published test certificates show it.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs import certificate_profile as profile
from protocols.gbcs.der import OBJECT_IDENTIFIER, DerReader
from protocols.gbcs.times import instant_of
from protocols.interfaces import DAY, SECOND, Entropy

DIGITAL_SIGNING = "ds"
KEY_AGREEMENT = "ka"
CERTIFICATE_SIGNING = "ca"


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
    """An X.509 certificate of the SMKI. Fields are read when asked for; two with the same octets are equal."""

    def __init__(self, der: bytes) -> None:
        """Take DER octets; DecodeError if they are no certificate."""
        self.der = der
        try:
            self._x509 = x509.load_der_x509_certificate(der)
        except ValueError as error:
            raise DecodeError(f"not a certificate ({str(error).splitlines()[0]})", data=der) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and other.der == self.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"Certificate({self._x509.subject.rfc4514_string()!r}, {self.key_id.hex()})"

    @cached_property
    def public_key(self) -> EllipticCurvePublicKey:
        """The P-256 key; DecodeError for any other kind."""
        key = self._x509.public_key()
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise DecodeError("a certificate without a P-256 key", data=self.der)
        return key

    @cached_property
    def eui(self) -> Eui64:
        """The entity named; DecodeError for a certificate that names none (authorities)."""
        unique = self._x509.subject.get_attributes_for_oid(NameOID.X500_UNIQUE_IDENTIFIER)
        octets = _octets(unique[0].value)[1:] if unique else self._hardware_serial()
        if len(octets) != 8:
            raise DecodeError("a certificate that names no entity", data=self.der)
        return Eui64.from_big(octets)

    @cached_property
    def role(self) -> RemotePartyRole | None:
        """The organisation's role; None for a device, and for a unit that is no role."""
        units = self._x509.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        try:
            return RemotePartyRole(int(str(units[0].value), 16)) if units else None
        except ValueError:
            return None

    @cached_property
    def usage(self) -> str:
        """What the key is for: `ds` digital signing, `ka` key agreement, `ca` certificate signing."""
        try:
            usage = self._extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            raise DecodeError("a certificate without a key usage", data=self.der) from None
        if usage.digital_signature:
            return DIGITAL_SIGNING
        return KEY_AGREEMENT if usage.key_agreement else CERTIFICATE_SIGNING

    @cached_property
    def key_id(self) -> bytes:
        """The subject key identifier, 8 octets."""
        try:
            return self._extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except x509.ExtensionNotFound:
            raise DecodeError("a certificate without a key identifier", data=self.der) from None

    @cached_property
    def issuer_key_id(self) -> bytes | None:
        """The authority key identifier; None for a certificate that names none (the root)."""
        try:
            return self._extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        except x509.ExtensionNotFound:
            return None

    @cached_property
    def issuer(self) -> bytes:
        """The issuer's name, DER."""
        return self._x509.issuer.public_bytes()

    @cached_property
    def subject(self) -> bytes:
        """The name, DER; empty for a device, whose identifier stands in `eui`."""
        return self._x509.subject.public_bytes()

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
        try:
            return self._extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            return False

    @property
    def pem(self) -> bytes:
        """The PEM form, as key stores keep it."""
        return self._x509.public_bytes(Encoding.PEM)

    def verify_issued_by(self, issuer: "Certificate") -> None:
        """Raise IntegrityError unless `issuer` signed this certificate. Validity dates are not looked at."""
        body, signature = self._x509.tbs_certificate_bytes, self._x509.signature
        try:
            issuer.public_key.verify(signature, body, ECDSA(SHA256()))
        except InvalidSignature:
            raise IntegrityError("a certificate its issuer did not sign", data=self.der) from None

    @property
    def _extensions(self) -> x509.Extensions:
        try:
            return self._x509.extensions
        except (ValueError, x509.DuplicateExtension) as error:
            raise DecodeError(f"a certificate with bad extensions ({error})", data=self.der) from None

    def _hardware_serial(self) -> bytes:
        """Return the serial number of the hardware module name, empty if there is none."""
        try:
            names = self._extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return b""
        for name in names.get_values_for_type(x509.OtherName):
            if name.type_id.dotted_string == profile.HARDWARE_MODULE_NAME:
                reader = DerReader(name.value).sequence()
                reader.content(OBJECT_IDENTIFIER)
                return reader.octet_string(8)
        return b""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one entity holds: both key pairs with their certificates."""

    eui: Eui64
    ds_key: EllipticCurvePrivateKey
    ds_certificate: Certificate
    ka_key: EllipticCurvePrivateKey
    ka_certificate: Certificate


class TestPki:
    """A closed SMKI for emulated entities: the same entropy and start give the same certificates in any order."""

    __test__ = False  # not a test, whatever its name

    def __init__(self, entropy: Entropy, now: int) -> None:
        """Make the authorities; every certificate is valid from 00:00 of the day of `now` (ns since 1970 UTC)."""
        self._entropy = entropy
        self._start = now - now % DAY
        self._issued: dict[tuple[Eui64, RemotePartyRole | None], Credentials] = {}
        root_key, self._issuing_key, self._device_issuing_key = (
            entropy.private_key(f"smki {name}") for name in ("root", "issuing", "device issuing")
        )
        root = profile.authority_name("00", "ZA")
        issuing = profile.authority_name("07", "Z1")
        root_id = profile.key_id(root_key.public_key())
        self.root = self._authority("root", root, root_key, root, root_key, None)
        self.issuing = self._authority("issuing", issuing, self._issuing_key, root, root_key, root_id)
        self.device_issuing = self._authority(
            "device issuing", profile.DEVICE_ISSUER, self._device_issuing_key, root, root_key, root_id
        )

    def organisation(self, eui: Eui64, role: RemotePartyRole) -> Credentials:
        """Return the credentials of a remote party, ten years valid."""
        subject = profile.organisation_name(eui, role)
        issuer = profile.authority_name("07", "Z1")
        return self._credentials(eui, role, subject, issuer, self._issuing_key)

    def device(self, eui: Eui64) -> Credentials:
        """Return the credentials of a device, valid for ever."""
        return self._credentials(eui, None, profile.EMPTY_NAME, profile.DEVICE_ISSUER, self._device_issuing_key)

    def _credentials(
        self, eui: Eui64, role: RemotePartyRole | None, subject: bytes, issuer: bytes, key: EllipticCurvePrivateKey
    ) -> Credentials:
        held = self._issued.get((eui, role))
        if held is not None:
            return held
        keys, certificates = [], []
        for usage in (DIGITAL_SIGNING, KEY_AGREEMENT):
            purpose = f"smki {eui} {'device' if role is None else f'{role:02X}'} {usage}"
            own = self._entropy.private_key(purpose)
            extensions = profile.entity_extensions(own.public_key(), usage, key.public_key(), eui, device=role is None)
            end = profile.FOR_EVER if role is None else self._start + profile.TEN_YEARS - SECOND
            body = profile.body(self._serial(purpose), issuer, self._start, end, subject, own.public_key(), extensions)
            keys.append(own)
            certificates.append(self._certificate(body, key))
        issued = Credentials(eui, keys[0], certificates[0], keys[1], certificates[1])
        self._issued[eui, role] = issued
        return issued

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
