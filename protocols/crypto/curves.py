"""The Koblitz curves sect163k1 and sect283k1: y^2 + xy = x^3 + ax^2 + 1 over GF(2^m).

Not in constant time: for test keys only.
Source: SEC 2 3.2.1 and 3.4.1; Hankerson, Menezes, Vanstone, "Guide to Elliptic Curve Cryptography", 3.1.2 and 3.4.
"""

from collections.abc import Sequence
from functools import cached_property

from protocols.crypto import tau_adic
from protocols.crypto.binary_field import BinaryField
from protocols.crypto.tau_adic import Element, Window
from protocols.errors import DecodeError, UsageError
from protocols.interfaces import Random

Point = tuple[int, int]  # affine x and y; None stands for the point at infinity
_Projective = tuple[int, int, int]  # Lopez and Dahab: x = X/Z, y = Y/Z^2; Z = 0 at infinity
_FIXED_WIDTH = 8  # bits, of the window for the generator, whose table is made once


class Curve:
    """One curve and its arithmetic. Points given must lie on the curve; `decompress` gives only such."""

    def __init__(
        self, name: str, field: BinaryField, a: int, generator: Point, order: int, cofactor: int, *, width: int
    ) -> None:
        self.name, self.field, self.a = name, field, a  # a is 0 or 1, b is 1
        self.generator, self.order, self.cofactor = generator, order, cofactor
        self.octets = field.octets  # of a coordinate or a private key
        self.point_octets = field.octets + 1  # of a compressed point
        mu = 1 if a else -1
        self._window = tau_adic.window(width, mu)
        real, imaginary = tau_adic.power(field.degree, mu)
        self._identity = (real - 1, imaginary)  # tau^m - 1: takes every point of the curve to infinity

    def __repr__(self) -> str:
        return f"Curve({self.name})"

    # --- affine ------------------------------------------------------------------------------------------------

    def contains(self, point: Point) -> bool:
        x, y = point
        field = self.field
        if x >> field.degree or y >> field.degree:
            return False
        square = field.square(x)
        return field.square(y) ^ field.multiply(x, y) == field.multiply(square, x) ^ self.a * square ^ 1

    def negate(self, point: Point | None) -> Point | None:
        return None if point is None else (point[0], point[0] ^ point[1])

    def add(self, left: Point | None, right: Point | None) -> Point | None:
        if left is None or right is None:
            return right if left is None else left
        (x1, y1), (x2, y2) = left, right
        if x1 == x2:
            return self.double(left) if y1 == y2 else None
        field = self.field
        slope = field.divide(y1 ^ y2, x1 ^ x2)
        x = field.square(slope) ^ slope ^ x1 ^ x2 ^ self.a
        return x, field.multiply(slope, x1 ^ x) ^ x ^ y1

    def double(self, point: Point | None) -> Point | None:
        if point is None or point[0] == 0:  # (0, 1) has order two
            return None
        x1, y1 = point
        field = self.field
        slope = x1 ^ field.divide(y1, x1)
        x = field.square(slope) ^ slope ^ self.a
        return x, field.square(x1) ^ field.multiply(slope ^ 1, x)

    def clear_cofactor(self, point: Point | None) -> Point | None:
        """Return the cofactor times `point`: a point of the subgroup of prime order, maybe infinity."""
        for _ in range(self.cofactor.bit_length() - 1):
            point = self.double(point)
        return point

    # --- multiplication ----------------------------------------------------------------------------------------

    def multiply(self, scalar: int, point: Point | None) -> Point | None:
        """Return `scalar` times `point`, for any scalar and any point of the curve."""
        if point is None:
            return None
        return self._evaluate(self._expand(scalar, self._window), self._table(point, self._window))

    def multiply_generator(self, scalar: int) -> Point | None:
        form, table = self._fixed
        return self._evaluate(self._expand(scalar, form), table)

    def _expand(self, scalar: int, form: Window) -> list[int]:
        element: Element = (scalar, 0)
        if scalar.bit_length() * 2 > self.field.degree:  # shorter ones are no longer unreduced
            element = tau_adic.remainder(element, self._identity, form.mu)
        return tau_adic.expand(element, form)

    @cached_property
    def _fixed(self) -> tuple[Window, Sequence[Point | None]]:
        form = tau_adic.window(_FIXED_WIDTH, self._window.mu)
        return form, self._table(self.generator, form)

    def _table(self, point: Point, form: Window) -> Sequence[Point | None]:
        """Return alpha_1, alpha_3, alpha_5 ... times `point`."""
        square = self.field.square
        table: list[Point | None] = [point] * len(form.digits)
        for target, base, sign, exponent, source in form.steps:
            term = table[source] if sign > 0 else self.negate(table[source])
            for _ in range(exponent if term else 0):
                term = term and (square(term[0]), square(term[1]))
            table[target] = self.add(term, point if base > 0 else self.negate(point))
        return table

    def _evaluate(self, digits: Sequence[int], table: Sequence[Point | None]) -> Point | None:
        """Return the sum of digit times tau^i over the digits, the lowest power first."""
        square = self.field.square
        x, y, z = 1, 0, 0
        for digit in reversed(digits):
            x, y, z = square(x), square(y), square(z)
            if not digit:
                continue
            term = table[abs(digit) >> 1]
            if term is not None:
                x2, y2 = term
                x, y, z = self._add_mixed(x, y, z, x2, y2 if digit > 0 else x2 ^ y2)
        if not z:
            return None
        inverse = self.field.invert(z)
        return self.field.multiply(x, inverse), self.field.multiply(y, square(inverse))

    def _add_mixed(self, x1: int, y1: int, z1: int, x2: int, y2: int) -> _Projective:
        """Return the sum of a projective and an affine point (Guide, algorithm 3.26 for a = 0 or 1)."""
        if not z1:
            return x2, y2, 1
        multiply, square = self.field.multiply, self.field.square
        z1_squared = square(z1)
        a = multiply(y2, z1_squared) ^ y1
        b = multiply(x2, z1) ^ x1
        if not b:
            doubled = None if a else self.double((x2, y2))
            return (1, 0, 0) if doubled is None else (*doubled, 1)
        c = multiply(z1, b)
        d = multiply(square(b), c ^ z1_squared if self.a else c)
        z3, e = square(c), multiply(a, c)
        x3 = square(a) ^ d ^ e
        f, g = x3 ^ multiply(x2, z3), multiply(x2 ^ y2, square(z3))
        return x3, multiply(e ^ z3, f) ^ g, z3

    # --- octets ------------------------------------------------------------------------------------------------

    def compress(self, point: Point) -> bytes:
        """Return `point` as 02 or 03 and x, big-endian; UsageError for the point of order two, which has no form."""
        x, y = point
        if not x:
            raise UsageError("the point of order two is never sent")
        return bytes((2 | self.field.divide(y, x) & 1,)) + x.to_bytes(self.octets, "big")

    def decompress(self, octets: bytes) -> Point:
        """Return the point of a compressed form; DecodeError if there is none, or if its order is two.

        Source: SEC 1 2.3.4.
        """
        if len(octets) != self.point_octets or octets[0] not in (2, 3):
            raise DecodeError(f"not a compressed point of {self.name}", data=octets)
        x = int.from_bytes(octets[1:], "big")
        if not x or x >> self.field.degree:
            raise DecodeError(f"no x of a point of {self.name}", offset=1, data=octets)
        inverse = self.field.invert(x)
        z = self.field.solve_quadratic(x ^ self.a ^ self.field.square(inverse))
        if z is None:
            raise DecodeError(f"no point of {self.name} has this x", offset=1, data=octets)
        return x, self.field.multiply(x, z ^ (z ^ octets[0]) & 1)

    def private_key(self, random: Random) -> int:
        """Draw a private key, 1 to order - 1."""
        return random.randrange(1, self.order)


SECT163K1 = Curve(
    "sect163k1",
    BinaryField(163, 7, 6, 3),
    1,
    (0x02FE13C0537BBC11ACAA07D793DE4E6D5E5C94EEE8, 0x0289070FB05D38FF58321F2E800536D538CCDAA3D9),
    0x4000000000000000000020108A2E0CC0D99F8A5EF,
    2,
    width=4,
)
SECT283K1 = Curve(
    "sect283k1",
    BinaryField(283, 12, 7, 5),
    0,
    (
        0x0503213F78CA44883F1A3B8162F188E553CD265F23C1567A16876913B0C2AC2458492836,
        0x01CCDA380F1C9E318D90F95D07E5426FE87E45C0E8184698E45962364E34116177DD2259,
    ),
    0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE9AE2ED07577265DFF7F94451E061E163C61,
    4,
    width=5,
)
