"""Arithmetic of GF(2^m) against the definition, bit by bit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.crypto.binary_field import BinaryField
from protocols.crypto.curves import SECT163K1, SECT283K1
from protocols.errors import UsageError

FIELDS = [pytest.param(curve.field, id=f"GF(2^{curve.field.degree})") for curve in (SECT163K1, SECT283K1)]
fields = pytest.mark.parametrize("field", FIELDS)
numbers = st.binary(min_size=36, max_size=36).map(int.from_bytes) | st.integers(0, 3)
checked = settings(max_examples=60, deadline=None, database=None)


def product(field: BinaryField, x: int, y: int) -> int:
    """Multiply by shifting, reducing whenever the degree is reached."""
    total = 0
    for digit in f"{y:b}":
        total <<= 1
        if total >> field.degree:
            total ^= field.polynomial
        total ^= x if digit == "1" else 0
    return total


def element(field: BinaryField, number: int) -> int:
    return number & (1 << field.degree) - 1


@fields
@checked
@given(numbers, numbers)
def test_product_and_square_are_those_of_the_definition(field: BinaryField, a: int, b: int) -> None:
    x, y = element(field, a), element(field, b)
    assert field.multiply(x, y) == product(field, x, y)
    assert field.square(x) == product(field, x, x)


@fields
@checked
@given(st.binary(min_size=71, max_size=71).map(int.from_bytes))
def test_reduction_leaves_the_remainder(field: BinaryField, number: int) -> None:
    value = number & (1 << 2 * field.degree - 1) - 1
    expected = value
    while expected >> field.degree:
        expected ^= field.polynomial << expected.bit_length() - field.polynomial.bit_length()
    assert field.reduce(value) == expected


@fields
@checked
@given(numbers, numbers)
def test_a_quotient_times_its_divisor_is_the_dividend(field: BinaryField, a: int, b: int) -> None:
    x, y = element(field, a), element(field, b) or 1
    assert field.multiply(field.divide(x, y), y) == x
    assert field.multiply(field.invert(y), y) == 1


@fields
@checked
@given(numbers)
def test_a_quadratic_is_solved_if_and_only_if_it_has_a_solution(field: BinaryField, a: int) -> None:
    """The degree is odd, so the constant 1 has trace 1: c has a solution or c + 1 has, never both."""
    z = element(field, a)
    constant = field.square(z) ^ z
    assert field.solve_quadratic(constant) in (z, z ^ 1)
    assert field.solve_quadratic(constant ^ 1) is None


@fields
def test_zero_has_no_inverse(field: BinaryField) -> None:
    with pytest.raises(UsageError, match="no inverse"):
        field.invert(0)
    assert field.multiply(0, 5) == field.square(0) == 0


@pytest.mark.parametrize("form", [(164, 7, 6, 3), (163, 90, 6, 3), (163, 7, 7, 3), (163, 7, 6, 0)])
def test_field_of_another_form_is_a_usage_error(form: tuple[int, int, int, int]) -> None:
    with pytest.raises(UsageError, match="no field of this form"):
        BinaryField(*form)
