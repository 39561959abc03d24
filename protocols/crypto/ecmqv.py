"""Elliptic curve MQV with cofactor, and the keys and confirmations made of its secret.

U is the initiator, V the responder. Not in constant time: for test keys only.
Source: SEC 1 3.4 and 6.2; ZSE 07-5356 annex C.4.2.
"""

from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.crypto.curves import Curve, Point
from protocols.crypto.mmo import aes_mmo, hmac_mmo
from protocols.errors import DecodeError, UsageError
from protocols.interfaces import LinkKey, Random

_MAC_KEY, _KEY_DATA = (number.to_bytes(4, "big") for number in (1, 2))
_FROM_INITIATOR, _FROM_RESPONDER = b"\x02", b"\x03"


class EphemeralKey(NamedTuple):
    private: int
    public: Point
    octets: bytes  # of `public`, compressed

    def __repr__(self) -> str:
        return f"EphemeralKey({self.octets.hex()})"


def ephemeral_key(curve: Curve, private: int) -> EphemeralKey:
    """Return the pair of `private`; UsageError for a multiple of the order."""
    public = curve.multiply_generator(private)
    if public is None:
        raise UsageError("a private key of the order of the curve")
    return EphemeralKey(private, public, curve.compress(public))


def draw_ephemeral_key(curve: Curve, random: Random) -> EphemeralKey:
    return ephemeral_key(curve, curve.private_key(random))


def partner_point(curve: Curve, octets: bytes) -> Point:
    """Return the partner's ephemeral point.

    Raises DecodeError if it is none, or if the cofactor takes it to infinity. Most points of a curve lie outside the
    subgroup of prime order; those are taken, as the shared point is cleared of the cofactor.
    """
    point = curve.decompress(octets)
    if curve.clear_cofactor(point) is None:
        raise DecodeError("a point of small order", data=octets)
    return point


def associate_value(curve: Curve, point: Point) -> int:
    """Return avf: the low half of x, with the bit above set. The half is one of the order, not of the field."""
    width = (curve.order.bit_length() + 1) // 2
    return point[0] & (1 << width) - 1 | 1 << width


def implicit_signature(curve: Curve, static: int, ephemeral: EphemeralKey) -> int:
    """Return s of one side, from both its private keys."""
    return (ephemeral.private + associate_value(curve, ephemeral.public) * static) % curve.order


def shared_secret(curve: Curve, signature: int, partner_static: Point, partner_ephemeral: Point) -> bytes:
    """Return Z, with its leading zero octets; DecodeError if the shared point is infinity."""
    product = curve.multiply(associate_value(curve, partner_ephemeral), partner_static)
    combined = curve.clear_cofactor(curve.add(partner_ephemeral, product))
    shared = curve.multiply(signature, combined)
    if shared is None:
        raise DecodeError("the shared point is infinity")
    return shared[0].to_bytes(curve.octets, "big")


class Party(NamedTuple):
    """What the confirmations say of one side."""

    identity: Eui64
    ephemeral: bytes  # compressed point


class Agreement(NamedTuple):
    """What both sides have at the end."""

    key: LinkKey
    mac_u: bytes  # the initiator's confirmation, 16 octets
    mac_v: bytes  # the responder's

    def __repr__(self) -> str:
        return "Agreement()"


def mac_key(secret: bytes) -> bytes:
    return aes_mmo(secret + _MAC_KEY)


def key_data(secret: bytes) -> LinkKey:
    return LinkKey(aes_mmo(secret + _KEY_DATA))


def agree(secret: bytes, initiator: Party, responder: Party) -> Agreement:
    """Return key and confirmations of the shared secret Z. Identities are hashed big-endian, as in certificates."""
    u, v = initiator, responder
    key = mac_key(secret)
    mac_u = hmac_mmo(key, _FROM_INITIATOR + u.identity.big + v.identity.big + u.ephemeral + v.ephemeral)
    mac_v = hmac_mmo(key, _FROM_RESPONDER + v.identity.big + u.identity.big + v.ephemeral + u.ephemeral)
    return Agreement(key_data(secret), mac_u, mac_v)
