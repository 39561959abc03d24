"""Scalars of a Koblitz curve written in powers of its Frobenius map tau, which costs three squarings.

An element x + y tau of the ring Z[tau] is the pair (x, y), with tau^2 = mu tau - 2 and mu = 1 for a = 1, -1 for a = 0.
Source: Solinas, "Efficient arithmetic on Koblitz curves" (2000), sections 4 and 5.
"""

from typing import NamedTuple

from protocols.errors import UsageError

Element = tuple[int, int]


def norm(element: Element, mu: int) -> int:
    x, y = element
    return x * x + mu * x * y + 2 * y * y


def multiply(left: Element, right: Element, mu: int) -> Element:
    (a, b), (c, d) = left, right
    return a * c - 2 * b * d, a * d + b * c + mu * b * d


def power(exponent: int, mu: int) -> Element:
    """Return tau^exponent."""
    result = (1, 0)
    for _ in range(exponent):
        result = (-2 * result[1], result[0] + mu * result[1])
    return result


def _round_off(x: int, y: int, unit: int, mu: int) -> Element:
    """Return the element nearest to (x + y tau) / unit (Solinas routine 60)."""
    whole = ((2 * x + unit) // (2 * unit), (2 * y + unit) // (2 * unit))
    eta, theta = x - whole[0] * unit, y - whole[1] * unit  # fractions, in 1/unit
    total, h0, h1 = 2 * eta + mu * theta, 0, 0
    if total >= unit:
        if eta - 3 * mu * theta < -unit:
            h1 = mu
        else:
            h0 = 1
    elif eta + 4 * mu * theta >= 2 * unit:
        h1 = mu
    if total < -unit:
        if eta - 3 * mu * theta >= unit:
            h1 = -mu
        else:
            h0 = -1
    elif eta + 4 * mu * theta < -2 * unit:
        h1 = -mu
    return whole[0] + h0, whole[1] + h1


def remainder(element: Element, modulus: Element, mu: int) -> Element:
    """Return an element congruent to `element`, of small norm beside `modulus`."""
    conjugate = (modulus[0] + mu * modulus[1], -modulus[1])
    x, y = multiply(element, conjugate, mu)
    whole = multiply(_round_off(x, y, norm(modulus, mu), mu), modulus, mu)
    return element[0] - whole[0], element[1] - whole[1]


class Step(NamedTuple):
    """alpha[target] = base + sign * tau^exponent * alpha[source], where base is 1 or -1."""

    target: int
    base: int
    sign: int
    exponent: int
    source: int


class Window(NamedTuple):
    """What a non-adjacent form of one width needs."""

    width: int  # bits, at least 2
    mu: int
    tau: int  # what tau is modulo 2^width
    digits: tuple[Element, ...]  # alpha_1, alpha_3, alpha_5 ...: alpha_u = u modulo tau^width
    steps: tuple[Step, ...]  # one for each digit but alpha_1, each from digits that came before


def _odd_part(element: Element, mu: int) -> tuple[Element, int]:
    """Return `element` (not zero) without its factors tau, and their number."""
    (x, y), exponent = element, 0
    while not x & 1:
        x, y, exponent = y + mu * (x >> 1), -(x >> 1), exponent + 1
    return (x, y), exponent


def _step(alpha: Element, index: int, known: dict[Element, int], mu: int) -> Step:
    for base in (1, -1):
        (x, y), exponent = _odd_part((alpha[0] - base, alpha[1]), mu)
        for sign in (1, -1):
            source = known.get((sign * x, sign * y))
            if source is not None:
                return Step(index, base, sign, exponent, source)
    raise UsageError(f"digit {alpha} is not one addition away from smaller ones")


def window(width: int, mu: int) -> Window:
    """Return the window of `width` bits (2 to 10)."""
    before, last = 0, 1  # Lucas sequence: U_0, U_1
    for _ in range(width - 1):
        before, last = last, mu * last - 2 * before
    tau = 2 * before * pow(last, -1, 1 << width) % (1 << width)
    modulus = power(width, mu)
    digits = tuple(remainder((u, 0), modulus, mu) for u in range(1, 1 << width - 1, 2))
    known, steps = {digits[0]: 0}, []
    for index in sorted(range(1, len(digits)), key=lambda index: norm(digits[index], mu)):
        steps.append(_step(digits[index], index, known, mu))
        known[digits[index]] = index
    return Window(width, mu, tau, digits, tuple(steps))


def expand(element: Element, form: Window) -> list[int]:
    """Return the width-w non-adjacent form, lowest power of tau first.

    Each digit is 0, or odd: u or -u stands for alpha_u or -alpha_u.
    """
    width, mu, tau, alphas, _ = form
    mask, half = (1 << width) - 1, 1 << width - 1
    x, y = element
    digits: list[int] = []
    while x or y:
        digit = 0
        if x & 1:
            digit = (x + y * tau) & mask
            if digit < half:
                alpha = alphas[digit >> 1]
                x, y = x - alpha[0], y - alpha[1]
            else:
                digit -= 1 << width
                alpha = alphas[-digit >> 1]
                x, y = x + alpha[0], y + alpha[1]
        digits.append(digit)
        x, y = y + mu * (x >> 1), -(x >> 1)
    return digits
