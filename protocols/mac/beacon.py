"""Beacons of a beaconless Zigbee PRO network: MAC beacon payload and the Zigbee part within.

Source: IEEE 802.15.4-2006 7.2.2.1, Zigbee 05-3474 3.6.7.
"""

from typing import NamedTuple, Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.octets import Reader

_BEACONLESS = 0x0FFF  # beacon order, superframe order and final CAP slot all 15
_PAN_COORDINATOR = 0x4000
_ASSOCIATION_PERMIT = 0x8000
_STACK_PROFILE_PRO = 2
_PROTOCOL_VERSION = 2
_NO_OFFSET = b"\xff\xff\xff"


class Beacon(NamedTuple):
    """What a scanning joiner learns of a router; all that follows the MAC header of a beacon frame."""

    extended_pan_id: Eui64
    pan_coordinator: bool
    association_permit: bool
    router_capacity: bool
    end_device_capacity: bool
    depth: int  # 4 bits, hops from the coordinator
    update_id: int  # 8 bits
    stack_profile: int = _STACK_PROFILE_PRO  # 4 bits
    protocol_version: int = _PROTOCOL_VERSION  # 4 bits

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload of a beacon frame; pending addresses are skipped, GTS and other protocols refused."""
        reader = Reader(payload)
        superframe = reader.uint(2)
        if reader.uint8() & 0x07:
            raise DecodeError("a beacon with guaranteed time slots", offset=2, data=payload)
        pending = reader.uint8()
        reader.octets(2 * (pending & 0x07) + 8 * (pending >> 4 & 0x07))
        if reader.uint8() != 0:
            raise DecodeError("not the beacon of a Zigbee network", offset=reader.offset - 1, data=payload)
        network = reader.uint(2)
        extended_pan_id = Eui64.from_wire(reader.octets(8))
        reader.octets(len(_NO_OFFSET))
        return cls(
            extended_pan_id,
            bool(superframe & _PAN_COORDINATOR),
            bool(superframe & _ASSOCIATION_PERMIT),
            bool(network >> 10 & 1),
            bool(network >> 15 & 1),
            network >> 11 & 0x0F,
            reader.uint8(),
            network & 0x0F,
            network >> 4 & 0x0F,
        )

    def encode(self) -> bytes:
        superframe = _BEACONLESS
        superframe |= self.pan_coordinator and _PAN_COORDINATOR
        superframe |= self.association_permit and _ASSOCIATION_PERMIT
        network = self.stack_profile | self.protocol_version << 4 | self.depth << 11
        network |= self.router_capacity << 10 | self.end_device_capacity << 15
        head = superframe.to_bytes(2, "little") + bytes(3) + network.to_bytes(2, "little")
        return head + self.extended_pan_id.wire + _NO_OFFSET + bytes((self.update_id,))
