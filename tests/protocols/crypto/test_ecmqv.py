"""Key agreement: every value of the published exchanges, and what two honest or dishonest sides get."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.crypto import ecmqv
from protocols.crypto.curves import SECT163K1, SECT283K1, Curve
from protocols.crypto.ecmqv import EphemeralKey, Party
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError, UsageError
from tests.support.security_vectors import cases

Vector = dict[str, Any]
security = pytest.mark.judge("security")
curves = pytest.mark.parametrize("curve", [SECT163K1, SECT283K1], ids=repr)
exchanges = pytest.mark.parametrize("vector", cases("key_establishment"))


class Side(NamedTuple):
    static: int
    public: tuple[int, int]
    ephemeral: EphemeralKey
    party: Party


def side_of(vector: Vector, name: str) -> Side:
    curve, values = Suite(vector["suite"]).curve, vector[name]
    ephemeral = ecmqv.ephemeral_key(curve, int(values["ephemeral_private"], 16))
    party = Party(Eui64.parse(values["id"]), ephemeral.octets)
    return Side(int(values["private_key"], 16), curve.decompress(bytes.fromhex(values["public_key"])), ephemeral, party)


def secret_of(curve: Curve, own: Side, other: Side) -> bytes:
    signature = ecmqv.implicit_signature(curve, own.static, own.ephemeral)
    return ecmqv.shared_secret(curve, signature, other.public, ecmqv.partner_point(curve, other.ephemeral.octets))


@security
@exchanges
def test_associate_values_and_signature_are_the_published_ones(vector: Vector) -> None:
    curve = Suite(vector["suite"]).curve
    u, v, middle = side_of(vector, "initiator"), side_of(vector, "responder"), vector["intermediate"]
    assert u.ephemeral.octets.hex() == vector["initiator"]["ephemeral_public"]
    assert v.ephemeral.octets.hex() == vector["responder"]["ephemeral_public"]
    assert ecmqv.associate_value(curve, u.ephemeral.public) == int(middle["avf_initiator_ephemeral"], 16)
    assert ecmqv.associate_value(curve, v.ephemeral.public) == int(middle["avf_responder_ephemeral"], 16)
    assert ecmqv.implicit_signature(curve, u.static, u.ephemeral) == int(middle["s_initiator"], 16)


@security
@exchanges
def test_both_sides_get_the_published_secret_key_and_confirmations(vector: Vector) -> None:
    curve = Suite(vector["suite"]).curve
    u, v = side_of(vector, "initiator"), side_of(vector, "responder")
    for own, other in ((u, v), (v, u)):
        secret = secret_of(curve, own, other)
        assert secret.hex() == vector["z"]
        assert ecmqv.mac_key(secret).hex() == vector["mac_key"]
        agreement = ecmqv.agree(secret, u.party, v.party)
        assert agreement.key.hex() == vector["key_data"]
        assert (agreement.mac_u.hex(), agreement.mac_v.hex()) == (vector["mac_u"], vector["mac_v"])


keys = st.binary(min_size=36, max_size=36).map(lambda octets: int.from_bytes(octets) | 1)


@curves
@settings(max_examples=15, deadline=None, database=None)
@given(keys, keys, keys, keys)
def test_any_two_sides_agree(curve: Curve, a: int, b: int, c: int, d: int) -> None:
    sides = []
    for static, secret in ((a, b), (c, d)):
        public = curve.multiply_generator(static)
        assert public is not None
        ephemeral = ecmqv.ephemeral_key(curve, secret % curve.order)
        sides.append(Side(static % curve.order, public, ephemeral, Party(Eui64(0), ephemeral.octets)))
    u, v = sides
    assert secret_of(curve, u, v) == secret_of(curve, v, u)
    wrong = u._replace(static=u.static + 1)
    assert secret_of(curve, wrong, v) != secret_of(curve, v, u)


@curves
def test_ephemeral_point_out_of_the_subgroup_is_taken(curve: Curve) -> None:
    """The cofactor removes the part of order two, so both points lead to one secret but for the associate value."""
    outside = curve.add(curve.multiply_generator(5), (0, 1))
    assert outside is not None
    assert ecmqv.partner_point(curve, curve.compress(outside)) == outside
    static, signature = curve.multiply_generator(7), 11
    assert static is not None
    scalar = signature * curve.cofactor * (5 + ecmqv.associate_value(curve, outside) * 7)
    expected = curve.multiply_generator(scalar % curve.order)
    assert expected is not None
    shared = ecmqv.shared_secret(curve, signature, static, outside)
    assert shared == expected[0].to_bytes(curve.octets, "big")


def test_ephemeral_point_of_order_four_is_refused() -> None:
    for point in ((1, 0), (1, 1)):
        with pytest.raises(DecodeError, match="small order"):
            ecmqv.partner_point(SECT283K1, SECT283K1.compress(point))


@curves
def test_secret_at_infinity_is_refused(curve: Curve) -> None:
    """A partner chosen so that E' + avf(E') Q' is infinity, which has no x."""
    ephemeral = curve.multiply_generator(5)
    assert ephemeral is not None
    factor = pow(ecmqv.associate_value(curve, ephemeral), -1, curve.order)
    static = curve.negate(curve.multiply_generator(5 * factor))
    assert static is not None
    with pytest.raises(DecodeError, match="infinity"):
        ecmqv.shared_secret(curve, 3, static, ephemeral)


@curves
def test_secret_keeps_its_leading_zeros(curve: Curve) -> None:
    """One x in eight leaves its first octet zero, as that octet has three bits."""
    point, scalar = curve.generator, 1
    while point[0].bit_length() > 8 * (curve.octets - 1):
        scalar += 1
        found = curve.add(point, curve.generator)
        assert found is not None
        point = found
    half = pow(curve.cofactor, -1, curve.order) * scalar % curve.order
    ephemeral = curve.multiply_generator(half)
    static = curve.multiply_generator(curve.order - 1)
    assert ephemeral is not None
    assert static is not None
    signature = pow((half - ecmqv.associate_value(curve, ephemeral)) % curve.order, -1, curve.order) * half
    shared = ecmqv.shared_secret(curve, signature % curve.order, static, ephemeral)
    assert len(shared) == curve.octets
    assert shared[0] == 0
    assert shared == point[0].to_bytes(curve.octets, "big")


@curves
def test_private_key_of_the_order_is_a_usage_error(curve: Curve) -> None:
    with pytest.raises(UsageError, match="order of the curve"):
        ecmqv.ephemeral_key(curve, 2 * curve.order)


def test_keys_are_not_shown() -> None:
    key = ecmqv.ephemeral_key(SECT163K1, 12345)
    assert "12345" not in repr(key)
    assert repr(ecmqv.agree(bytes(21), Party(Eui64(1), b""), Party(Eui64(2), b""))) == "Agreement()"
