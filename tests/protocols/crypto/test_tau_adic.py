"""Non-adjacent forms stand for the number they were made of."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.crypto import tau_adic
from protocols.crypto.curves import SECT163K1, SECT283K1, Curve

numbers = st.binary(min_size=36, max_size=36).map(lambda octets: int.from_bytes(octets, signed=True))
CURVES = [(SECT163K1, 1), (SECT283K1, -1)]


def value(digits: list[int], form: tau_adic.Window) -> tau_adic.Element:
    x, y = 0, 0
    for digit in reversed(digits):
        x, y = -2 * y, x + form.mu * y
        if digit:
            alpha, sign = form.digits[abs(digit) >> 1], 1 if digit > 0 else -1
            x, y = x + sign * alpha[0], y + sign * alpha[1]
    return x, y


@pytest.mark.parametrize(("curve", "mu"), CURVES)
@pytest.mark.parametrize("width", range(2, 11))
@settings(max_examples=25, deadline=None, database=None)
@given(numbers, numbers)
def test_form_has_the_value_and_the_gaps(curve: Curve, mu: int, width: int, x: int, y: int) -> None:
    form = tau_adic.window(width, mu)
    digits = tau_adic.expand((x, y), form)
    assert value(digits, form) == (x, y)
    places = [place for place, digit in enumerate(digits) if digit]
    assert all(later - place >= width for place, later in pairwise(places))


@pytest.mark.parametrize(("curve", "mu"), CURVES)
@settings(max_examples=50, deadline=None, database=None)
@given(numbers)
def test_remainder_is_short_and_congruent(curve: Curve, mu: int, scalar: int) -> None:
    """Modulo tau^m - 1, whose norm is the number of points of the curve."""
    real, imaginary = tau_adic.power(curve.field.degree, mu)
    modulus = (real - 1, imaginary)
    assert tau_adic.norm(modulus, mu) == curve.order * curve.cofactor
    rest = tau_adic.remainder((scalar, 0), modulus, mu)
    assert tau_adic.norm(rest, mu) <= tau_adic.norm(modulus, mu)
    assert tau_adic.remainder((scalar - rest[0], -rest[1]), modulus, mu) == (0, 0)
    assert len(tau_adic.expand(rest, tau_adic.window(5, mu))) <= curve.field.degree + 4


@pytest.mark.parametrize("mu", [1, -1])
@pytest.mark.parametrize("width", range(2, 11))
def test_each_digit_is_one_addition_from_those_before(mu: int, width: int) -> None:
    form = tau_adic.window(width, mu)
    known = {0}
    for target, base, sign, exponent, source in form.steps:
        assert source in known
        x, y = tau_adic.multiply(tau_adic.power(exponent, mu), form.digits[source], mu)
        assert form.digits[target] == (base + sign * x, sign * y)
        known.add(target)
    assert len(known) == len(form.digits) == 1 << width - 2
