"""The network a node belongs to, as it is kept over power cuts."""

import struct
from typing import NamedTuple, Self

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError

_NETWORK = struct.Struct("<BHBQ16sBHQQHBBB")
_NETWORK_VERSION = 2


class Network(NamedTuple):
    """The network a node belongs to and its place in it."""

    pan_id: int
    channel: int  # of the HAN radio
    extended_pan_id: Eui64
    key: bytes  # 16 octets
    key_sequence: int
    short: ShortAddress  # own
    trust_centre: Eui64
    parent: Eui64  # own EUI-64 at the coordinator
    parent_short: ShortAddress
    parent_radio: int  # index of the radio towards the parent
    depth: int
    update_id: int = 0  # 8 bits, counts changes of channel

    def encode(self) -> bytes:
        return _NETWORK.pack(_NETWORK_VERSION, *self)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        if octets[0] != _NETWORK_VERSION:
            raise DecodeError(f"network cell of version {octets[0]}, {_NETWORK_VERSION} known", data=octets)
        _, pan, channel, epid, key, sequence, short, centre, parent, hop, radio, depth, update = _NETWORK.unpack(octets)
        return cls(
            pan,
            channel,
            Eui64(epid),
            key,
            sequence,
            ShortAddress(short),
            Eui64(centre),
            Eui64(parent),
            ShortAddress(hop),
            radio,
            depth,
            update,
        )
