"""HDLC-lite framing of Spinel: flags, octet stuffing and a check sequence. Source: RFC 1662; OpenThread's hdlc.cpp.

The check sequence is CRC-16/X-25, low octet first.
"""

from binascii import crc_hqx
from typing import Final

FLAG: Final = 0x7E
MAXIMUM_BODY = 2048  # octets, check sequence excluded
_ESCAPE: Final = 0x7D
_XON, _XOFF, _VENDOR = 0x11, 0x13, 0xF8
_FLIP: Final = 0x20
_FCS_OCTETS = 2
_REVERSED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def check_sequence(body: bytes) -> bytes:
    """Return the CRC-16/X-25 of `body`, 2 octets as sent."""
    register = crc_hqx(body.translate(_REVERSED), 0xFFFF) ^ 0xFFFF
    return bytes((_REVERSED[register >> 8], _REVERSED[register & 0xFF]))


def enclose(body: bytes) -> bytes:
    """Return the frame of `body` between its two flags."""
    stuffed = bytearray((FLAG,))
    for octet in body + check_sequence(body):
        if octet in (FLAG, _ESCAPE, _XON, _XOFF, _VENDOR):
            stuffed += bytes((_ESCAPE, octet ^ _FLIP))
        else:
            stuffed.append(octet)
    stuffed.append(FLAG)
    return bytes(stuffed)


class Deframer:
    """Takes a stream in pieces of any size and gives the bodies of good frames.

    What stands before the first flag is skipped; a frame that is too short, too long, cut by an escape, or with a
    wrong check sequence is dropped and counted in `bad`.
    """

    def __init__(self) -> None:
        self.bad = 0
        self._frame = bytearray()
        self._inside = self._escaped = self._spoilt = False

    def feed(self, octets: bytes) -> list[bytes]:
        """Return the bodies that are complete with `octets`, in order."""
        bodies = []
        for octet in octets:
            if octet == FLAG:
                body = self._end()
                if body is not None:
                    bodies.append(body)
            elif not self._inside:
                continue
            elif octet == _ESCAPE:
                self._escaped = True
            else:
                self._frame.append(octet ^ _FLIP if self._escaped else octet)
                self._escaped = False
                if len(self._frame) > MAXIMUM_BODY + _FCS_OCTETS:
                    self._spoilt = True
                    self._frame.clear()
        return bodies

    def _end(self) -> bytes | None:
        """Return the body before a flag; None if there is none or it is bad."""
        frame, good = bytes(self._frame), self._inside and not (self._escaped or self._spoilt)
        empty = not frame and good
        self._frame.clear()
        was_inside, self._inside, self._escaped, self._spoilt = self._inside, True, False, False
        if empty or not was_inside:
            return None
        body = frame[:-_FCS_OCTETS]
        if not good or len(frame) <= _FCS_OCTETS or check_sequence(body) != frame[-_FCS_OCTETS:]:
            self.bad += 1
            return None
        return body
