"""Arithmetic of GF(2^m) in polynomial basis on plain integers: bit i of a number is the coefficient of x^i.

Addition is `^`. Not in constant time: for test keys only. Source: SEC 1 2.1.2, FIPS 186-4 D.1.3.
"""

from collections.abc import Callable

from protocols.errors import UsageError


def _reducer(m: int, a: int, b: int, c: int) -> Callable[[int], int]:
    """Return the remainder modulo x^m + x^a + x^b + x^c + 1 of a polynomial below degree 2m."""
    mask = (1 << m) - 1

    def reduce(value: int) -> int:
        high = value >> m
        value = value & mask ^ high ^ high << a ^ high << b ^ high << c
        high = value >> m
        if high:
            value = value & mask ^ high ^ high << a ^ high << b ^ high << c
        return value

    return reduce


def _multiplier(size: int, reduce: Callable[[int], int]) -> Callable[[int, int], int]:
    """Return the product of two elements of `size` octets: windows of four bits, an octet a step."""

    def multiply(x: int, y: int) -> int:
        x2, x4, x8 = x << 1, x << 2, x << 3
        x3, x5, x6 = x ^ x2, x ^ x4, x2 ^ x4
        x7 = x3 ^ x4
        low = (0, x, x2, x3, x4, x5, x6, x7, x8, x8 ^ x, x8 ^ x2, x8 ^ x3, x8 ^ x4, x8 ^ x5, x8 ^ x6, x8 ^ x7)
        high = [multiple << 4 for multiple in low]
        product = 0
        for octet in y.to_bytes(size, "big"):
            product = product << 8 ^ high[octet >> 4] ^ low[octet & 15]
        return reduce(product)

    return multiply


def _squarer(reduce: Callable[[int], int]) -> Callable[[int], int]:
    """Return the square: binary digits read as base 4 have a zero between them, which is what squaring does."""

    def square(x: int) -> int:
        return reduce(int(f"{x:b}", 4))

    return square


class BinaryField:
    """GF(2^m) modulo x^m + x^a + x^b + x^c + 1 with m > 2a > 2b > 2c > 0, m odd.

    `multiply(x, y)`, `square(x)` and `reduce(polynomial below degree 2m)` are plain functions, as they are called
    thousands of times in one key establishment.
    """

    __slots__ = ("degree", "multiply", "octets", "polynomial", "reduce", "square")

    def __init__(self, degree: int, a: int, b: int, c: int) -> None:
        if not degree > 2 * a > 2 * b > 2 * c > 0 or degree % 2 == 0:
            raise UsageError(f"no field of this form: {degree}, {a}, {b}, {c}")
        self.degree = degree
        self.octets = (degree + 7) // 8  # of an element
        self.polynomial = 1 << degree | 1 << a | 1 << b | 1 << c | 1
        self.reduce = _reducer(degree, a, b, c)
        self.multiply = _multiplier(self.octets, self.reduce)
        self.square = _squarer(self.reduce)

    def invert(self, x: int) -> int:
        """Return 1/x by Euclid's algorithm; UsageError for zero."""
        if not x:
            raise UsageError("zero has no inverse")
        u, v, g, h = x, self.polynomial, 1, 0
        while u != 1:
            shift = u.bit_length() - v.bit_length()
            if shift < 0:
                u, v, g, h, shift = v, u, h, g, -shift
            u ^= v << shift
            g ^= h << shift
        return g

    def divide(self, x: int, y: int) -> int:
        """Return x/y; UsageError if y is zero."""
        return self.multiply(x, self.invert(y))

    def solve_quadratic(self, constant: int) -> int | None:
        """Return a z with z^2 + z = `constant`, None if there is none; the other solution is z + 1.

        By the half-trace, which exists as m is odd. Source: SEC 1 2.3.4, IEEE 1363 A.4.7.
        """
        square = self.square
        z = constant
        for _ in range(self.degree // 2):
            z = square(square(z)) ^ constant
        return z if square(z) ^ z == constant else None
