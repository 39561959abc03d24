"""Values of STREAM_RAW: frames to send and frames heard, both with their FCS.

Source: OpenThread's radio_spinel.cpp and spinel.h (SPINEL_PROP_STREAM_RAW).
"""

import struct
from typing import NamedTuple

from protocols.octets import Reader

_HOW = struct.Struct("<BB????IIB")  # from the back-offs on


class FrameToSend(NamedTuple):
    """Host to RCP: a MAC frame and how to send it. A host may leave out fields from the end."""

    frame: bytes  # with FCS
    channel: int  # 8 bits
    backoffs: int = 4  # CSMA back-offs at most
    retries: int = 3  # after a missing acknowledgement
    csma: bool = True
    header_updated: bool = False
    is_retransmission: bool = False
    security_done: bool = False
    delay: int = 0  # us after `delay_base`, 0 for at once
    delay_base: int = 0  # us of the radio's clock
    channel_after: int | None = None

    @classmethod
    def decode(cls, octets: bytes) -> "FrameToSend":
        """Read the value after the property's number; DecodeError if it stops before the channel."""
        reader = Reader(octets)
        frame, channel = reader.octets(reader.uint(2)), reader.uint8()
        given = reader.rest()[: _HOW.size]  # later versions append fields
        how = given + _HOW.pack(4, 3, True, False, False, False, 0, 0, channel)[len(given) :]
        return cls(frame, channel, *_HOW.unpack(how))

    def encode(self) -> bytes:
        after = self.channel if self.channel_after is None else self.channel_after
        head = len(self.frame).to_bytes(2, "little") + self.frame + bytes((self.channel,))
        return head + _HOW.pack(*self[2:10], after)


class FrameHeard(NamedTuple):
    """RCP to host: a MAC frame and how it was heard."""

    frame: bytes  # with FCS
    rssi: int  # dBm
    noise_floor: int  # dBm
    flags: int  # 16 bits
    channel: int  # 8 bits
    lqi: int  # 8 bits
    timestamp: int  # us, of the end of the frame
    receive_error: int = 0  # 8 bits

    @classmethod
    def decode(cls, octets: bytes) -> "FrameHeard":
        """Read the value after the property's number; blocks that are longer than known are skipped to their end."""
        reader = Reader(octets)
        frame = reader.octets(reader.uint(2))
        rssi, noise = struct.unpack("<bb", reader.octets(2))
        flags = reader.uint(2)
        phy = Reader(reader.octets(reader.uint(2)))
        channel, lqi, timestamp = phy.uint8(), phy.uint8(), phy.uint(8)
        vendor = Reader(reader.octets(reader.uint(2)))
        error = vendor.uint8() if vendor.remaining else 0
        return cls(frame, rssi, noise, flags, channel, lqi, timestamp, error)

    def encode(self) -> bytes:
        phy = bytes((self.channel, self.lqi)) + self.timestamp.to_bytes(8, "little")
        head = struct.pack("<bbHH", self.rssi, self.noise_floor, self.flags, len(phy))
        vendor = b"\x01\x00" + bytes((self.receive_error,))
        return len(self.frame).to_bytes(2, "little") + self.frame + head + phy + vendor + b"\0\0"
