"""The GBCS message envelope: MAC header, grouping header, payload, signature, MAC.

All numbers are big-endian. The MAC header is DLMS general-ciphering with empty fields, the grouping header DLMS
general-signing. Source: GBCS, its layout as the Reference Test Data Set (RTDS) 4.5.0 shows it octet by octet.
"""

import struct
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.gbcs.lengths import encode_length, read_length
from protocols.octets import Reader

GENERAL_CIPHERING = 0xDD
GENERAL_SIGNING = 0xDF
SIGNATURE_OCTETS = 64
MAC_OCTETS = 12

_MAC_HEADER = bytes.fromhex("DD000000000000")
_SECURITY_HEADER = bytes.fromhex("1100000000")  # authenticated, suite 1; invocation counter 0
_BLOCK_TRANSFER = b"\xdd\x09"
_HEADER = struct.Struct(">BBQBQBQ")
_DATE_TIME_OCTETS = 12
_CERTIFICATE_TAG = b"\x30\x82"


class Cra(IntEnum):
    """Command, response or alert: the first octet of the transaction identifier."""

    COMMAND = 1
    RESPONSE = 2
    ALERT = 3


class Category(Enum):
    """What a message is by its shape; the value is the name used in reports."""

    CRITICAL_COMMAND = "SME.C.C command"  # signed by the originator, MAC of the access control broker
    CRITICAL_RESPONSE = "SME.C.C response"
    NON_CRITICAL_COMMAND = "SME.C.NC command"
    NON_CRITICAL_RESPONSE = "SME.C.NC response"
    CRITICAL_ALERT = "SME.A.C alert"
    NON_CRITICAL_ALERT = "SME.A.NC alert"
    SIGNED_COMMAND = "signed command without MAC"  # CS02a, CS02b, CS02f between parties without the broker
    PRE_COMMAND = "pre-command"  # user to gateway, no signature field at all
    UNPROTECTED = "unprotected"  # neither signature nor MAC: on its way to `add_mac`, never on the wire


_CATEGORIES = {
    (Cra.COMMAND, SIGNATURE_OCTETS, True): Category.CRITICAL_COMMAND,
    (Cra.COMMAND, 0, True): Category.NON_CRITICAL_COMMAND,
    (Cra.COMMAND, SIGNATURE_OCTETS, False): Category.SIGNED_COMMAND,
    (Cra.COMMAND, None, False): Category.PRE_COMMAND,
    (Cra.RESPONSE, SIGNATURE_OCTETS, False): Category.CRITICAL_RESPONSE,
    (Cra.RESPONSE, 0, True): Category.NON_CRITICAL_RESPONSE,
    (Cra.ALERT, SIGNATURE_OCTETS, False): Category.CRITICAL_ALERT,
    (Cra.ALERT, 0, True): Category.NON_CRITICAL_ALERT,
}


@dataclass(frozen=True, slots=True)
class Message:
    """One GBCS message. `encode` of a decoded message gives the same octets.

    For a signed alert: `Message(Cra.ALERT, counter, me, broker, message_code=0x012B, payload=...)`, then
    `security.sign`. For a command: `security.sign` (if critical), then `security.add_mac`.
    """

    cra: Cra
    counter: int  # 64 bits, originator counter
    originator: Eui64  # business originator
    target: Eui64  # business target
    date_time: bytes = b""  # empty, or 12 octets of DLMS date-time (responses only)
    message_code: int = 0  # 16 bits
    supplementary_party: Eui64 | None = None
    supplementary_counter: int | None = None  # 64 bits, of the supplementary party
    supplementary_originator_counter: int | None = None  # 64 bits
    certificate: bytes = b""  # DER, key agreement certificate of an unknown remote party
    payload: bytes = b""
    signature: bytes | None = None  # None: no field (pre-command); empty: length octet 00; else 64 octets, r then s
    mac: bytes | None = None  # None: no MAC header and no MAC; else 12 octets
    _grouping: bytes | None = field(default=None, init=False, repr=False, compare=False)  # as received; a copy has none

    @property
    def category(self) -> Category:
        """What the shape says; `Category.UNPROTECTED` if the standard knows no such message."""
        length = None if self.signature is None else len(self.signature)
        return _CATEGORIES.get((self.cra, length, self.mac is not None), Category.UNPROTECTED)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read one whole message.

        Raises DecodeError for a wrong fixed value, a length that is not the shortest or does not fit, a shape the
        standard does not know (for one, neither signature nor MAC), and for anything left over.
        """
        if octets[:1] != bytes((GENERAL_CIPHERING,)):
            return cls._decode_signing(Reader(octets), None)
        mac = _check_mac_header(octets)
        return cls._decode_signing(Reader(octets[:-MAC_OCTETS], _grouping_header_offset(octets)), mac)

    @classmethod
    def _decode_signing(cls, reader: Reader, mac: bytes | None) -> Self:
        start = reader.offset
        if reader.uint8() != GENERAL_SIGNING:
            raise DecodeError("neither a MAC header DD nor a grouping header DF", offset=start, data=reader.data)
        cra, counter, originator, target = _read_identities(reader)
        date_time = _read_date_time(reader)
        code, party, party_counter, originator_counter, certificate = _read_other_information(reader)
        payload = reader.octets(read_length(reader))
        signature = _read_signature(reader)
        message = cls(
            cra, counter, originator, target, date_time, code, party, party_counter, originator_counter, certificate,
            payload, signature, mac,
        )  # fmt: skip
        if message.category is Category.UNPROTECTED:
            raise DecodeError("no message has this shape of signature and MAC", offset=start, data=reader.data)
        object.__setattr__(message, "_grouping", reader.data[start:])  # there is one way only to write what was read
        return message

    def encode(self) -> bytes:
        """Return the octets of the wire. Raises UsageError for a shape the standard does not know."""
        if self.category is Category.UNPROTECTED:
            raise UsageError("a message goes out as a pre-command, signed, or with a MAC")
        grouping = self.grouping_octets()
        if self.mac is None:
            return grouping
        length = encode_length(len(_SECURITY_HEADER) + len(grouping) + MAC_OCTETS)
        return _MAC_HEADER + length + _SECURITY_HEADER + grouping + self.mac

    def grouping_octets(self) -> bytes:
        """Return grouping header, payload, signature length and signature: from DF up to the MAC."""
        if self._grouping is not None:
            return self._grouping
        if self.signature is None:
            return b"\xdf" + self.signed_octets()
        return b"\xdf" + self.signed_octets() + bytes((len(self.signature),)) + self.signature

    def signed_octets(self) -> bytes:
        """Return what a signature covers: from the transaction identifier's length to the end of the payload."""
        if self._grouping is not None:
            tail = 0 if self.signature is None else 1 + len(self.signature)
            return self._grouping[1 : len(self._grouping) - tail]
        if self.date_time and len(self.date_time) != _DATE_TIME_OCTETS:
            raise UsageError(f"a date-time has 12 octets, not {len(self.date_time)}")
        identities = _HEADER.pack(9, self.cra, self.counter, 8, self.originator, 8, self.target)
        date_time = bytes((len(self.date_time),)) + self.date_time
        other = self.other_information()
        return b"".join(
            (identities, date_time, encode_length(len(other)), other, encode_length(len(self.payload)), self.payload)
        )

    def other_information(self) -> bytes:
        """Return message code, supplementary identifiers and certificate, as far as the message has them."""
        other = self.message_code.to_bytes(2, "big")
        if self.supplementary_party is None:
            return other
        other += self.supplementary_party.big
        if self.supplementary_counter is None:
            return other
        other += self.supplementary_counter.to_bytes(8, "big")
        if self.supplementary_originator_counter is not None:
            return other + self.supplementary_originator_counter.to_bytes(8, "big")
        return other + self.certificate


def _check_mac_header(octets: bytes) -> bytes:
    """Check every fixed value of the MAC header and return the MAC at the end."""
    if octets.startswith(_BLOCK_TRANSFER):
        raise DecodeError("a block of a longer message, not a message", offset=1, data=octets)
    if not octets.startswith(_MAC_HEADER):
        raise DecodeError("MAC header with fields that are not empty", offset=1, data=octets)
    reader = Reader(octets, len(_MAC_HEADER))
    length = read_length(reader)
    if length != reader.remaining:
        raise DecodeError(f"MAC header announces {length} octets, {reader.remaining} follow", offset=7, data=octets)
    start = reader.offset
    if reader.octets(len(_SECURITY_HEADER)) != _SECURITY_HEADER:
        raise DecodeError("security header is not 1100000000", offset=start, data=octets)
    reader.octets(MAC_OCTETS)
    return octets[-MAC_OCTETS:]


def _grouping_header_offset(octets: bytes) -> int:
    """Return where the grouping header starts behind a MAC header that was checked."""
    reader = Reader(octets, len(_MAC_HEADER))
    read_length(reader)
    return reader.offset + len(_SECURITY_HEADER)


def _read_identities(reader: Reader) -> tuple[Cra, int, Eui64, Eui64]:
    start = reader.offset
    nine, cra, counter, eight, originator, eight_too, target = _HEADER.unpack(reader.octets(_HEADER.size))
    if (nine, eight, eight_too) != (9, 8, 8) or not Cra.COMMAND <= cra <= Cra.ALERT:
        raise DecodeError("wrong length or CRA flag in the grouping header", offset=start, data=reader.data)
    return Cra(cra), counter, Eui64(originator), Eui64(target)


def _read_date_time(reader: Reader) -> bytes:
    length = reader.uint8()
    if length not in (0, _DATE_TIME_OCTETS):
        raise DecodeError(f"date-time of {length} octets", offset=reader.offset - 1, data=reader.data)
    return reader.octets(length)


def _read_other_information(reader: Reader) -> tuple[int, Eui64 | None, int | None, int | None, bytes]:
    """Return message code, supplementary party, its counter, supplementary originator counter, certificate."""
    start = reader.offset
    other = reader.octets(read_length(reader))
    length = len(other)
    code = int.from_bytes(other[:2], "big")
    if length == 2:
        return code, None, None, None, b""
    party, party_counter = Eui64.from_big(other[2:10]), int.from_bytes(other[10:18], "big")
    match length:
        case 10:
            return code, party, None, None, b""
        case 18:
            return code, party, party_counter, None, b""
        case 26:
            return code, party, party_counter, int.from_bytes(other[18:], "big"), b""
    certificate = other[18:]
    if certificate[:2] != _CERTIFICATE_TAG or len(certificate) != 4 + int.from_bytes(certificate[2:4], "big"):
        raise DecodeError(f"other information of {length} octets", offset=start, data=reader.data)
    return code, party, party_counter, None, certificate


def _read_signature(reader: Reader) -> bytes | None:
    if not reader.remaining:
        return None
    length = reader.uint8()
    if length not in (0, SIGNATURE_OCTETS):
        raise DecodeError(f"signature of {length} octets", offset=reader.offset - 1, data=reader.data)
    signature = reader.octets(length)
    reader.finish("octets after the signature")
    return signature
