"""Security of NWK frames: CCM* level 5 under a network key, hop by hop.

NWK security always carries the EUI-64 of the hop's sender. Source: Zigbee 05-3474 4.3.1 and 4.5.1.
"""

import struct
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag

from protocols.addresses import Eui64
from protocols.crypto.ccm import LEVEL, MIC_SIZE, ccm_star
from protocols.errors import DecodeError, IntegrityError, TruncatedError

AUXILIARY_SIZE = 14  # octets
OVERHEAD = AUXILIARY_SIZE + MIC_SIZE  # octets
INVALID_COUNTER = 0xFFFF_FFFF
KEY_SEQUENCE_AT = 13  # octets from the start of the auxiliary header
AUXILIARY_CONTROL = 0x28  # network key, extended nonce, level as sent: 0

_CONTROL_COMPUTED = AUXILIARY_CONTROL | LEVEL
_LEVEL_BITS = 0x07
_AUXILIARY = struct.Struct("<BIQB")
_AFTER_CONTROL = struct.Struct("<IQB")
_NONCE = struct.Struct("<QIB")
_OCTET: Final = [bytes((value,)) for value in range(256)]
_SENT, _COMPUTED = _OCTET[AUXILIARY_CONTROL], _OCTET[_CONTROL_COMPUTED]


class NwkAuxiliary(NamedTuple):
    """Auxiliary header of a NWK frame."""

    control: int  # as on the air
    counter: int  # 32 bits
    source: Eui64  # of the hop
    key_sequence: int  # 8 bits


def read_auxiliary(octets: bytes, offset: int) -> NwkAuxiliary:
    """Return the auxiliary header at `offset`, the end of the NWK header; the MIC is not looked at."""
    if offset + OVERHEAD > len(octets):
        raise TruncatedError("NWK auxiliary header and MIC expected", offset=len(octets), data=octets)
    control, counter, source, key_sequence = _AUXILIARY.unpack_from(octets, offset)
    if control & ~_LEVEL_BITS & 0x3F != AUXILIARY_CONTROL:
        raise DecodeError(
            f"NWK security control {control:02x} is not network key and EUI-64", offset=offset, data=octets
        )
    return NwkAuxiliary(control, counter, Eui64(source), key_sequence)


class NwkSecurity:
    """One network key with its sequence number, and its bare cipher."""

    __slots__ = ("cipher", "key_sequence")

    def __init__(self, key: bytes, key_sequence: int) -> None:
        self.cipher = ccm_star(key)
        self.key_sequence = key_sequence  # 8 bits

    def protect(self, header: bytes, source: Eui64, counter: int, payload: bytes) -> bytes:
        """Return the whole NWK frame.

        header: encoded NWK header with the security bit set. source: own EUI-64. counter: 32 bits, never used before
        with this key.
        """
        rest = _AFTER_CONTROL.pack(counter, source, self.key_sequence)
        nonce = _NONCE.pack(source, counter, _CONTROL_COMPUTED)
        return header + _SENT + rest + self.cipher.encrypt(nonce, payload, header + _COMPUTED + rest)

    def unprotect(self, frame: bytes, header_length: int) -> tuple[bytes, Eui64, int]:
        """Return payload, EUI-64 of the hop, and frame counter of a NWK frame.

        Raises IntegrityError for a wrong MIC or another key's sequence number, DecodeError for other forms of
        security. Replay is the caller's to check, after this.
        """
        start = header_length + AUXILIARY_SIZE
        if start + MIC_SIZE > len(frame) or frame[header_length] != AUXILIARY_CONTROL:
            control = read_auxiliary(frame, header_length).control
            computed = control & ~_LEVEL_BITS | LEVEL
        else:
            computed = _CONTROL_COMPUTED
        _, counter, source, sequence = _AUXILIARY.unpack_from(frame, header_length)
        if sequence != self.key_sequence:
            raise IntegrityError(f"network key {sequence} is not known", offset=header_length, data=frame)
        additional = frame[:header_length] + _OCTET[computed] + frame[header_length + 1 : start]
        try:
            plain = self.cipher.decrypt(_NONCE.pack(source, counter, computed), frame[start:], additional)
        except InvalidTag:
            raise IntegrityError("the MIC of the NWK frame does not verify", offset=start, data=frame) from None
        return plain, Eui64(source), counter
