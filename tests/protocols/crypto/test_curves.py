"""Points of the two curves: published values, the textbook, and what must be refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.crypto.curves import SECT163K1, SECT283K1, Curve, Point
from protocols.errors import DecodeError, UsageError
from tests.support import affine
from tests.support.security_vectors import cases, table

curves = pytest.mark.parametrize("curve", [SECT163K1, SECT283K1], ids=repr)
security = pytest.mark.judge("security")
checked = settings(max_examples=25, deadline=None, database=None)
ORDER_TWO: Point = (0, 1)


def some_point(curve: Curve, number: int) -> Point:
    """Return a point of the whole curve, in or out of the subgroup, from any number."""
    x = number & (1 << curve.field.degree) - 1
    while True:
        try:
            return curve.decompress(bytes((2 + (number & 1),)) + x.to_bytes(curve.octets, "big"))
        except DecodeError:
            x = (x + 1) & (1 << curve.field.degree) - 1


points = st.binary(min_size=36, max_size=36).map(int.from_bytes)
scalars = points | st.integers(0, 40)


@security
@curves
def test_parameters_are_the_published_ones(curve: Curve) -> None:
    published = table("curves")[curve.name]
    degree, *middle, _ = published["reduction_exponents"]
    assert (curve.field.degree, curve.a, curve.cofactor) == (published["m"], published["a"], published["h"])
    assert curve.field.polynomial == sum(1 << exponent for exponent in (degree, *middle, 0))
    assert curve.order == int(published["n"], 16)
    assert curve.generator == (int(published["gx"], 16), int(published["gy"], 16))
    assert curve.contains(curve.generator)


@security
@pytest.mark.parametrize("vector", cases("key_establishment"))
@pytest.mark.parametrize("side", ["initiator", "responder"])
def test_published_private_keys_give_the_public_points(vector: dict[str, Any], side: str) -> None:
    curve = {1: SECT163K1, 2: SECT283K1}[vector["suite"]]
    values = vector[side]
    pairs = [("private_key", "public_key"), ("ephemeral_private", "ephemeral_public")]
    pairs += [(name, "ephemeral_public") for name in ("ephemeral_private_as_published",) if name in values]
    for private, public in pairs:
        octets = bytes.fromhex(values[public])
        assert curve.compress(curve.decompress(octets)) == octets
        assert curve.multiply_generator(int(values[private], 16)) == curve.decompress(octets)


@curves
@checked
@given(scalars, points)
def test_multiples_are_those_of_the_textbook(curve: Curve, scalar: int, number: int) -> None:
    """For points out of the subgroup of prime order too."""
    point = some_point(curve, number)
    assert curve.multiply(scalar, point) == affine.multiply(curve, scalar, point)
    assert curve.multiply_generator(scalar) == affine.multiply(curve, scalar, curve.generator)


@curves
@checked
@given(points, points, scalars, scalars)
def test_points_form_a_group(curve: Curve, a: int, b: int, k: int, m: int) -> None:
    left, right = some_point(curve, a), some_point(curve, b)
    total = curve.add(left, right)
    assert total == curve.add(right, left) == affine.add(curve, left, right)
    assert total is None or curve.contains(total)
    assert curve.add(total, curve.negate(right)) == left
    assert curve.add(curve.multiply(k, left), curve.multiply(m, left)) == curve.multiply(k + m, left)


@curves
def test_infinity_and_small_orders(curve: Curve) -> None:
    generator = curve.generator
    assert curve.multiply(curve.order, generator) is None
    assert curve.multiply_generator(curve.order) is None
    assert curve.multiply_generator(0) is None
    assert curve.multiply(5, None) is None
    assert curve.negate(None) is None
    assert curve.add(None, generator) == curve.add(generator, None) == generator
    assert curve.add(generator, curve.negate(generator)) is None
    assert curve.contains(ORDER_TWO)
    for scalar in range(40):
        assert curve.multiply(scalar, ORDER_TWO) == (ORDER_TWO if scalar % 2 else None)
    outside = curve.add(generator, ORDER_TWO)
    assert curve.multiply(curve.order, outside) == ORDER_TWO
    assert curve.clear_cofactor(ORDER_TWO) is None
    assert curve.clear_cofactor(outside) == curve.multiply_generator(curve.cofactor)


@curves
def test_every_multiple_of_a_point_of_order_four(curve: Curve) -> None:
    """Only sect283k1 has such points, (1, 0) and (1, 1); their small multiples meet every special case of addition."""
    point: Point = (1, 0)
    assert curve.contains(point) == (curve is SECT283K1)
    multiples = (None, point, ORDER_TWO, (1, 1))
    for scalar in range(40 if curve is SECT283K1 else 0):
        assert curve.multiply(scalar, point) == multiples[scalar % 4]


@curves
@checked
@given(points)
def test_points_survive_compression(curve: Curve, number: int) -> None:
    point = some_point(curve, number)
    octets = curve.compress(point)
    assert len(octets) == curve.point_octets
    assert curve.decompress(octets) == point
    other = bytes((octets[0] ^ 1,)) + octets[1:]
    assert curve.decompress(other) == curve.negate(point)


@curves
@settings(max_examples=100, deadline=None, database=None)
@given(st.data())
def test_noise_is_a_point_of_the_curve_or_a_decode_error(curve: Curve, data: st.DataObject) -> None:
    size = st.just(curve.point_octets) | st.integers(0, 40)
    octets = data.draw(size.flatmap(lambda n: st.binary(min_size=n, max_size=n)))
    if octets and data.draw(st.booleans()):
        octets = bytes((octets[0] & 1 | 2, octets[1] & 3 if len(octets) > 1 else 0)) + octets[2:]
    octets = octets[: data.draw(size)]
    try:
        point = curve.decompress(octets)
    except DecodeError:
        return
    assert curve.contains(point)
    assert curve.compress(point) == octets


@curves
def test_what_is_no_point_is_refused(curve: Curve) -> None:
    good = curve.compress(curve.generator)
    zero, large = bytes(curve.octets), (1 << curve.field.degree).to_bytes(curve.octets, "big")
    for octets in (b"", good[:-1], good + b"\0", b"\4" + good[1:], b"\0" * len(good)):
        with pytest.raises(DecodeError, match="not a compressed point"):
            curve.decompress(octets)
    for octets in (b"\2" + zero, b"\3" + zero, b"\2" + large):
        with pytest.raises(DecodeError, match="no x of a point"):
            curve.decompress(octets)
    x = next(x for x in range(1, 100) if not any(curve.contains((x, y)) for y in _solutions(curve, x)))
    with pytest.raises(DecodeError, match="has this x"):
        curve.decompress(b"\2" + x.to_bytes(curve.octets, "big"))
    with pytest.raises(UsageError, match="order two"):
        curve.compress(ORDER_TWO)


def _solutions(curve: Curve, x: int) -> list[int]:
    """Return y for both roots of the curve equation divided by x^2."""
    inverse = curve.field.invert(x)
    z = curve.field.solve_quadratic(x ^ curve.a ^ curve.field.square(inverse))
    return [] if z is None else [curve.field.multiply(x, z), curve.field.multiply(x, z ^ 1)]


@curves
def test_a_point_off_the_curve_is_noticed(curve: Curve) -> None:
    x, y = curve.generator
    assert not curve.contains((x, y ^ 1))
    assert not curve.contains((x | 1 << curve.field.degree, y))
