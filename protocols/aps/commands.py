"""APS command payloads (the command id first). Source: Zigbee 05-3474 4.4.10."""

from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.octets import Reader


class CommandId(IntEnum):
    TRANSPORT_KEY = 0x05
    UPDATE_DEVICE = 0x06
    REMOVE_DEVICE = 0x07
    REQUEST_KEY = 0x08
    SWITCH_KEY = 0x09
    TUNNEL = 0x0E
    VERIFY_KEY = 0x0F
    CONFIRM_KEY = 0x10


class KeyType(IntEnum):
    """Key types of Transport-Key, Verify-Key and Confirm-Key."""

    NETWORK = 0x01
    APPLICATION_LINK = 0x03
    TRUST_CENTRE_LINK = 0x04


class RequestedKeyType(IntEnum):
    """Key types of Request-Key: its number for an application link key differs."""

    APPLICATION_LINK = 0x02
    TRUST_CENTRE_LINK = 0x04


class UpdateStatus(IntEnum):
    SECURED_REJOIN = 0x00
    UNSECURED_JOIN = 0x01
    LEFT = 0x02
    TRUST_CENTRE_REJOIN = 0x03


class ConfirmStatus(IntEnum):
    SUCCESS = 0x00
    ILLEGAL_REQUEST = 0xA3
    NOT_SUPPORTED = 0xAA
    SECURITY_FAILURE = 0xAD


class TransportNetworkKey(NamedTuple):
    """Transport-Key, type 0x01, under the key-transport key."""

    key: bytes  # 16 octets
    key_sequence: int  # 8 bits
    destination: Eui64  # all zero when broadcast
    source: Eui64

    def encode(self) -> bytes:
        head = bytes((CommandId.TRANSPORT_KEY, KeyType.NETWORK)) + self.key
        return head + bytes((self.key_sequence,)) + self.destination.wire + self.source.wire


class TransportTrustCentreLinkKey(NamedTuple):
    """Transport-Key, type 0x04, under the key-load key."""

    key: bytes  # 16 octets
    destination: Eui64
    source: Eui64

    def encode(self) -> bytes:
        head = bytes((CommandId.TRANSPORT_KEY, KeyType.TRUST_CENTRE_LINK)) + self.key
        return head + self.destination.wire + self.source.wire


class TransportApplicationLinkKey(NamedTuple):
    """Transport-Key, type 0x03, under the key-load key."""

    key: bytes  # 16 octets
    partner: Eui64
    initiator: bool  # the receiver asked for the key

    def encode(self) -> bytes:
        head = bytes((CommandId.TRANSPORT_KEY, KeyType.APPLICATION_LINK)) + self.key
        return head + self.partner.wire + bytes((self.initiator,))


class UpdateDevice(NamedTuple):
    """A router tells the Trust Centre of a child; octets that revision 23 appends are ignored."""

    device: Eui64
    short: ShortAddress
    status: int  # UpdateStatus

    def encode(self) -> bytes:
        return b"\x06" + self.device.wire + self.short.to_bytes(2, "little") + bytes((self.status,))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        decoded = cls(Eui64.from_wire(reader.octets(8)), ShortAddress(reader.uint(2)), reader.uint8())
        reader.rest()
        return decoded


class RemoveDevice(NamedTuple):
    target: Eui64

    def encode(self) -> bytes:
        return b"\x07" + self.target.wire

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(Eui64.from_wire(reader.octets(8)))


class RequestKey(NamedTuple):
    key_type: int  # RequestedKeyType
    partner: Eui64 | None = None  # with APPLICATION_LINK

    def encode(self) -> bytes:
        return bytes((CommandId.REQUEST_KEY, self.key_type)) + (b"" if self.partner is None else self.partner.wire)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        key_type = reader.uint8()
        asks_partner = key_type == RequestedKeyType.APPLICATION_LINK
        return cls(key_type, Eui64.from_wire(reader.octets(8)) if asks_partner else None)


class SwitchKey(NamedTuple):
    key_sequence: int  # 8 bits

    def encode(self) -> bytes:
        return bytes((CommandId.SWITCH_KEY, self.key_sequence))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8())


class Tunnel(NamedTuple):
    """The Trust Centre hands a parent a command for a child without network key."""

    destination: Eui64
    frame: bytes  # a whole secured APS command frame, sent on as it is

    def encode(self) -> bytes:
        return b"\x0e" + self.destination.wire + self.frame

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(Eui64.from_wire(reader.octets(8)), reader.rest())


class VerifyKey(NamedTuple):
    key_type: int  # KeyType
    source: Eui64
    key_hash: bytes  # 16 octets, protocols.crypto.mmo.verify_key_hash

    def encode(self) -> bytes:
        return bytes((CommandId.VERIFY_KEY, self.key_type)) + self.source.wire + self.key_hash

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), Eui64.from_wire(reader.octets(8)), reader.octets(16))


class ConfirmKey(NamedTuple):
    status: int  # ConfirmStatus
    key_type: int  # KeyType
    destination: Eui64

    def encode(self) -> bytes:
        return bytes((CommandId.CONFIRM_KEY, self.status, self.key_type)) + self.destination.wire

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), reader.uint8(), Eui64.from_wire(reader.octets(8)))


TransportKey = TransportNetworkKey | TransportTrustCentreLinkKey | TransportApplicationLinkKey
ApsCommand = TransportKey | UpdateDevice | RemoveDevice | RequestKey | SwitchKey | Tunnel | VerifyKey | ConfirmKey


def _transport_key(reader: Reader) -> TransportKey:
    key_type, key = reader.uint8(), reader.octets(16)
    if key_type == KeyType.NETWORK:
        sequence = reader.uint8()
        return TransportNetworkKey(key, sequence, Eui64.from_wire(reader.octets(8)), Eui64.from_wire(reader.octets(8)))
    if key_type == KeyType.TRUST_CENTRE_LINK:
        destination = Eui64.from_wire(reader.octets(8))
        return TransportTrustCentreLinkKey(key, destination, Eui64.from_wire(reader.octets(8)))
    if key_type == KeyType.APPLICATION_LINK:
        partner = Eui64.from_wire(reader.octets(8))
        return TransportApplicationLinkKey(key, partner, bool(reader.uint8()))
    raise DecodeError(f"Transport-Key of type {key_type:#04x}", offset=1)


_DECODERS: Final[dict[int, Callable[[Reader], ApsCommand]]] = {
    CommandId.TRANSPORT_KEY: _transport_key,
    CommandId.UPDATE_DEVICE: UpdateDevice.read,
    CommandId.REMOVE_DEVICE: RemoveDevice.read,
    CommandId.REQUEST_KEY: RequestKey.read,
    CommandId.SWITCH_KEY: SwitchKey.read,
    CommandId.TUNNEL: Tunnel.read,
    CommandId.VERIFY_KEY: VerifyKey.read,
    CommandId.CONFIRM_KEY: ConfirmKey.read,
}


def decode_command(payload: bytes) -> ApsCommand:
    """Read the (decrypted) payload of an APS command frame; DecodeError for unknown ids and octets left over."""
    reader = Reader(payload)
    command = reader.uint8()
    decoder = _DECODERS.get(command)
    if decoder is None:
        raise DecodeError(f"APS command {command:#04x} is not known", data=payload)
    decoded = decoder(reader)
    reader.finish("octets after the APS command")
    return decoded
