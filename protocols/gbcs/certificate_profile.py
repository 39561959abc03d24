"""The octets of SMKI certificates: names, extensions, and the part that is signed.

Source: the 416 published test certificates, field by field.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocols.addresses import Eui64
from protocols.gbcs import der
from protocols.gbcs.times import LAST_SECOND, utc_time
from protocols.interfaces import DAY

HARDWARE_MODULE_NAME = "1.3.6.1.5.5.7.8.4"
FOR_EVER = LAST_SECOND
TEN_YEARS = 3652 * DAY
AUTHORITY_VALIDITY = 9131 * DAY  # 25 years

_HARDWARE_TYPE = der.object_identifier("1.2.826.0.1.8641679.1.2.2.1")
_POLICY = der.object_identifier("1.2.826.0.1.8641679.1.2.1.4")
_COMMON_NAME = der.object_identifier("2.5.4.3")
_ORGANIZATIONAL_UNIT = der.object_identifier("2.5.4.11")
_UNIQUE_IDENTIFIER = der.object_identifier("2.5.4.45")
_KEY_ALGORITHM = der.sequence(der.object_identifier("1.2.840.10045.2.1"), der.object_identifier("1.2.840.10045.3.1.7"))
_SIGNATURE_ALGORITHM = der.sequence(der.object_identifier("1.2.840.10045.4.3.2"))
_CRITICAL = bytes.fromhex("0101FF")
_VERSION_3 = bytes.fromhex("A003020102")
_USAGES = {"ds": der.bit_string(b"\x80", 7), "ka": der.bit_string(b"\x08", 3), "ca": der.bit_string(b"\x06", 1)}
_FIRST_GENERALIZED = 2_524_608_000 * 1_000_000_000  # 2050-01-01 UTC, where UTCTime ends


def _attribute(kind: bytes, value: bytes) -> bytes:
    return der.tlv(der.SET, der.sequence(kind, value))


EMPTY_NAME = der.sequence()
DEVICE_ISSUER = der.sequence(_attribute(_COMMON_NAME, der.tlv(der.PRINTABLE_STRING, b"E1")))


def authority_name(unit: str, name: str) -> bytes:
    """Return the name of a root or issuing authority."""
    return der.sequence(
        _attribute(_ORGANIZATIONAL_UNIT, der.tlv(der.PRINTABLE_STRING, unit.encode())),
        _attribute(_COMMON_NAME, der.tlv(der.PRINTABLE_STRING, name.encode())),
    )


def organisation_name(eui: Eui64, role: int) -> bytes:
    """Return the subject of an organisation: its role as two hexadecimal characters, then its identifier."""
    return der.sequence(
        _attribute(_ORGANIZATIONAL_UNIT, der.tlv(der.UTF8_STRING, f"{role:02X}".encode())),
        _attribute(_UNIQUE_IDENTIFIER, der.bit_string(eui.big)),
    )


def key_id(key: EllipticCurvePublicKey) -> bytes:
    """Return the 8-octet key identifier: 0100 and the low 60 bits of SHA-1 of the uncompressed point."""
    tail = hashlib.sha1(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint), usedforsecurity=False).digest()
    return bytes((0x40 | tail[-8] & 0x0F,)) + tail[-7:]


def entity_extensions(
    key: EllipticCurvePublicKey, usage: str, issuer: EllipticCurvePublicKey, eui: Eui64, *, device: bool
) -> bytes:
    """Return the extensions of a device's or an organisation's certificate; `usage` is `ds` or `ka`."""
    parts = [_extension("2.5.29.15", _USAGES[usage], critical=True), _subject_key_id(key)]
    if device:
        module = der.sequence(_HARDWARE_TYPE, der.octet_string(eui.big))
        other_name = der.object_identifier(HARDWARE_MODULE_NAME) + der.tlv(0xA0, module)
        parts.append(_extension("2.5.29.17", der.sequence(der.tlv(0xA0, other_name)), critical=True))
    return b"".join((*parts, _policies(), _authority_key_id(key_id(issuer))))


def authority_extensions(key: EllipticCurvePublicKey, issuer_id: bytes | None) -> bytes:
    """Return the extensions of an authority; the root has no issuer of its own to name."""
    constraints = der.sequence(bytes.fromhex("0101FF"), *(() if issuer_id is None else (der.integer(0),)))
    return b"".join(
        (
            _extension("2.5.29.15", _USAGES["ca"], critical=True),
            _extension("2.5.29.19", constraints, critical=True),
            _policies(),
            _subject_key_id(key),
            b"" if issuer_id is None else _authority_key_id(issuer_id),
        )
    )


def body(
    serial: bytes, issuer: bytes, start: int, end: int, subject: bytes, key: EllipticCurvePublicKey, extensions: bytes
) -> bytes:
    """Return the part of a certificate that is signed. Times are ns since 1970 UTC."""
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return der.sequence(
        _VERSION_3,
        der.tlv(der.INTEGER, serial),
        _SIGNATURE_ALGORITHM,
        issuer,
        der.sequence(_time(start), _time(end)),
        subject,
        der.sequence(_KEY_ALGORITHM, der.bit_string(point)),
        der.tlv(0xA3, der.sequence(extensions)),
    )


def signed(certificate_body: bytes, signature: bytes) -> bytes:
    """Return the certificate; `signature` is 64 octets, r then s."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    value = der.sequence(der.integer(r), der.integer(s))
    return der.sequence(certificate_body, _SIGNATURE_ALGORITHM, der.bit_string(value))


def _time(instant: int) -> bytes:
    if instant < _FIRST_GENERALIZED:
        return der.tlv(der.UTC_TIME, utc_time(instant))
    return der.generalized_time(instant)


def _extension(kind: str, value: bytes, *, critical: bool = False) -> bytes:
    return der.sequence(der.object_identifier(kind), _CRITICAL if critical else b"", der.octet_string(value))


def _subject_key_id(key: EllipticCurvePublicKey) -> bytes:
    return _extension("2.5.29.14", der.octet_string(key_id(key)))


def _authority_key_id(identifier: bytes) -> bytes:
    return _extension("2.5.29.35", der.sequence(der.tlv(0x80, identifier)))


def _policies() -> bytes:
    return _extension("2.5.29.32", der.sequence(der.sequence(_POLICY)), critical=True)
