"""Security of APS frames: CCM* level 5 under a link key or a key derived from it, end to end.

The EUI-64 of the originator stands in the auxiliary header (extended nonce) or is left out and looked up by the
receiver. Source: Zigbee 05-3474 4.4.1 and 4.5.1.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from protocols.addresses import Eui64
from protocols.crypto.ccm import LEVEL, MIC_SIZE, ccm_star
from protocols.crypto.mmo import key_load_key, key_transport_key
from protocols.errors import DecodeError, IntegrityError, TruncatedError

SHORT_AUXILIARY_SIZE = 5  # octets
EXTENDED_AUXILIARY_SIZE = 13  # octets
SHORT_OVERHEAD = SHORT_AUXILIARY_SIZE + MIC_SIZE  # octets
EXTENDED_OVERHEAD = EXTENDED_AUXILIARY_SIZE + MIC_SIZE  # octets

_LEVEL_BITS = 0x07
_EXTENDED_NONCE = 0x20
_SHORT = struct.Struct("<BI")
_EXTENDED = struct.Struct("<BIQ")
_NONCE = struct.Struct("<QIB")
_OCTET: Final = [bytes((value,)) for value in range(256)]


class KeyId(IntEnum):
    LINK = 0  # data and most commands
    NETWORK = 1
    KEY_TRANSPORT = 2  # Transport-Key with a network key
    KEY_LOAD = 3  # Transport-Key with a link key


class ApsAuxiliary(NamedTuple):
    """Auxiliary header of an APS frame."""

    key_id: int  # KeyId
    counter: int  # 32 bits
    source: Eui64 | None  # None without extended nonce
    end: int  # offset of the ciphertext


def read_auxiliary(octets: bytes, offset: int) -> ApsAuxiliary:
    """Return the auxiliary header at `offset`, the end of the APS header; the MIC is not looked at."""
    if offset + SHORT_OVERHEAD > len(octets):
        raise TruncatedError("APS auxiliary header and MIC expected", offset=len(octets), data=octets)
    control = octets[offset]
    key_id = control >> 3 & 3
    if key_id == KeyId.NETWORK:
        raise DecodeError("APS security under the network key is not used", offset=offset, data=octets)
    if not control & _EXTENDED_NONCE:
        return ApsAuxiliary(key_id, _SHORT.unpack_from(octets, offset)[1], None, offset + SHORT_AUXILIARY_SIZE)
    if offset + EXTENDED_OVERHEAD > len(octets):
        raise TruncatedError("APS auxiliary header and MIC expected", offset=len(octets), data=octets)
    _, counter, source = _EXTENDED.unpack_from(octets, offset)
    return ApsAuxiliary(key_id, counter, Eui64(source), offset + EXTENDED_AUXILIARY_SIZE)


class ApsSecurity:
    """One link key and the keys derived from it. `cipher` is the bare one of the link key."""

    __slots__ = ("_derived", "_link_key", "cipher")

    def __init__(self, link_key: bytes) -> None:
        self._link_key = link_key
        self.cipher = ccm_star(link_key)
        self._derived: dict[int, AESCCM] | None = None  # by key id, made when needed

    def protect(
        self,
        header: bytes,
        source: Eui64,
        counter: int,
        payload: bytes,
        *,
        key_id: int = KeyId.LINK,
        extended_nonce: bool = False,
    ) -> bytes:
        """Return the whole APS frame.

        header: encoded APS header with the security bit set. source: own EUI-64, sent if `extended_nonce`. counter:
        32 bits, never used before with this link key.
        """
        control = key_id << 3
        if extended_nonce:
            control |= _EXTENDED_NONCE
            computed, sent = _EXTENDED.pack(control | LEVEL, counter, source), _EXTENDED.pack(control, counter, source)
        else:
            computed, sent = _SHORT.pack(control | LEVEL, counter), _SHORT.pack(control, counter)
        cipher = self._derive(key_id) if key_id else self.cipher
        return header + sent + cipher.encrypt(_NONCE.pack(source, counter, control | LEVEL), payload, header + computed)

    def unprotect(
        self, frame: bytes, header_length: int, source: Eui64 | None = None, start: int = 0
    ) -> tuple[bytes, Eui64, int]:
        """Return payload, EUI-64 of the originator, and frame counter of an APS frame.

        header_length: offset in `frame` after the APS header. source: who the originator is by the receiver's tables,
        used if the frame does not say. start: offset in `frame` of the APS header.
        Raises IntegrityError for a wrong MIC, DecodeError if the originator is not known.
        """
        size = len(frame) - header_length
        if size >= SHORT_OVERHEAD and not frame[header_length]:  # data frames: link key, short form
            key_id, counter = 0, _SHORT.unpack_from(frame, header_length)[1]
            end = header_length + SHORT_AUXILIARY_SIZE
        else:
            key_id, counter, named, end = read_auxiliary(frame, header_length)
            if named is not None:
                source = named
        if source is None:
            raise DecodeError("the originator of the APS frame is not known", offset=header_length, data=frame)
        computed = frame[header_length] & ~_LEVEL_BITS | LEVEL
        additional = frame[start:header_length] + _OCTET[computed] + frame[header_length + 1 : end]
        cipher = self._derive(key_id) if key_id else self.cipher
        try:
            plain = cipher.decrypt(_NONCE.pack(source, counter, computed), frame[end:], additional)
        except InvalidTag:
            raise IntegrityError("the MIC of the APS frame does not verify", offset=end, data=frame) from None
        return plain, source, counter

    def _derive(self, key_id: int) -> AESCCM:
        derived = self._derived
        if derived is None:
            derived = self._derived = {}
        cipher = derived.get(key_id)
        if cipher is None:
            key = key_transport_key(self._link_key) if key_id == KeyId.KEY_TRANSPORT else key_load_key(self._link_key)
            cipher = derived[key_id] = ccm_star(key)
        return cipher
