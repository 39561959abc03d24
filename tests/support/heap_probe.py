"""The least a simulation of idle homes can do: frames on one heap, sealed and opened, and nothing about them.

No layers, no collisions, no retries, no storage. Each device reports once a period; a report is one MAC data frame of
43 octets of payload under NWK security, after a CSMA back-off, and is acknowledged. A measure of the machine.
"""

import struct
from binascii import crc_hqx
from heapq import heapify, heappop, heappush
from random import Random
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

SYMBOL = 16_000  # ns
_MAC, _NWK, _AUXILIARY = struct.Struct("<HBHHH"), struct.Struct("<HHHBB"), struct.Struct("<BIQB")
_NONCE, _VALUE = struct.Struct("<QIB"), struct.Struct("<Q")
_FILLING = bytes(43 - _VALUE.size)


class Told(NamedTuple):
    """What came of it."""

    reports: int  # opened by their hubs, and what was in them as it should be
    sent: int


class _Device:
    __slots__ = ("cipher", "counter", "eui", "heard", "key", "sequence", "short")

    def __init__(self, number: int, cipher: AESCCM) -> None:
        self.eui, self.short, self.cipher = 0x00DB_1F00_0000_0000 + number, 0x1000 + number % 0x8000, cipher
        self.counter = self.heard = self.sequence = 0


def run(homes: int, devices: int, minutes: int) -> Told:
    """Let homes idle for some minutes, each device reporting once in each."""
    random, heap = Random(1), []
    for home in range(homes):
        cipher = AESCCM(random.randbytes(16), tag_length=4)
        heap += [
            (random.randrange(60 * 10**9), home * devices + index, 0, _Device(home * devices + index, cipher), b"")
            for index in range(devices)
        ]
    heapify(heap)
    end, draw, reports, sent, order = minutes * 60 * 10**9, random.random, 0, 0, homes * devices
    while heap and heap[0][0] < end:
        now, _, step, device, frame = heappop(heap)
        order += 1
        if step == 0:  # the report is due: build it, back off
            sent += 1
            frame = _seal(device)
            heappush(heap, (now + int(draw() * 8) * 20 * SYMBOL + 8 * SYMBOL, order, 1, device, frame))
            heappush(heap, (now + 60 * 10**9, order + 1_000_000_000, 0, device, b""))
        elif step == 1:  # on the air
            heappush(heap, (now + 12 * SYMBOL + (6 + len(frame)) * 2 * SYMBOL, order, 2, device, frame))
        elif step == 2:  # received: open it, acknowledge
            reports += _open(device, frame)
            heappush(heap, (now + 34 * SYMBOL, order, 3, device, b""))
    return Told(reports, sent)


def _seal(device: _Device) -> bytes:
    device.counter = counter = device.counter + 1
    device.sequence = sequence = (device.sequence + 1) & 0xFF
    nwk = _NWK.pack(0x0248, 0, device.short, 30, sequence)
    nonce = _NONCE.pack(device.eui, counter, 0x2D)
    plain = _VALUE.pack(counter) + _FILLING
    sealed = device.cipher.encrypt(nonce, plain, nwk + _AUXILIARY.pack(0x2D, counter, device.eui, 0))
    frame = _MAC.pack(0x8861, sequence, 0x1A62, 0, device.short) + nwk
    frame += _AUXILIARY.pack(0x28, counter, device.eui, 0) + sealed
    return frame + crc_hqx(frame, 0).to_bytes(2, "little")


def _open(device: _Device, frame: bytes) -> bool:
    _, _, _, _, short = _MAC.unpack_from(frame)
    _, counter, eui, _ = _AUXILIARY.unpack_from(frame, 17)
    plain = device.cipher.decrypt(_NONCE.pack(eui, counter, 0x2D), frame[31:-2], frame[9:17] + b"\x2d" + frame[18:31])
    good: bool = counter == device.heard + 1 == _VALUE.unpack_from(plain)[0] and short == device.short
    device.heard = counter
    return good
