"""Our curves beside those of OpenSSL's libcrypto."""

import itertools

import pytest

from emulator.entropy import SeededEntropy
from protocols.crypto.curves import SECT163K1, SECT283K1, Curve, Point
from protocols.errors import DecodeError
from tests.support.libcrypto import LibcryptoCurve

curves = pytest.mark.parametrize("curve", [SECT163K1, SECT283K1], ids=repr)


def octets_of(curve: Curve, point: Point | None) -> bytes:
    return b"\0" if point is None else curve.compress(point)


@curves
def test_libcrypto_finds_the_same_points(curve: Curve) -> None:
    """Random x, so that half of the points lie out of the subgroup of prime order or more."""
    theirs, random = LibcryptoCurve(curve.name), SeededEntropy(1).random("points")
    found: list[tuple[Point, bytes]] = []
    for index in range(100):
        octets = bytes((2 + index % 2,)) + random.randrange(1, 1 << curve.field.degree).to_bytes(curve.octets, "big")
        try:
            found.append((curve.decompress(octets), octets))
        except DecodeError:
            assert not theirs.decodes(octets)
        else:
            assert theirs.decodes(octets)
    assert 25 < len(found) < 75
    for (left, left_octets), (right, right_octets) in itertools.pairwise(found):
        scalar = random.randrange(0, 1 << random.randrange(1, 290))
        assert octets_of(curve, curve.multiply(scalar, left)) == theirs.multiply(scalar, left_octets)
        assert octets_of(curve, curve.add(left, right)) == theirs.add(left_octets, right_octets)


@curves
def test_libcrypto_finds_the_same_multiples_of_the_generator(curve: Curve) -> None:
    theirs, random = LibcryptoCurve(curve.name), SeededEntropy(1).random("scalars")
    generator = curve.compress(curve.generator)
    for scalar in [
        0,
        1,
        2,
        curve.order - 1,
        curve.order,
        curve.order + 1,
        *(curve.private_key(random) for _ in range(20)),
    ]:
        assert octets_of(curve, curve.multiply_generator(scalar)) == theirs.multiply(scalar, generator)
