"""Levels and errors of the 2.4 GHz O-QPSK PHY: what noise does to a frame."""

from collections.abc import Iterable
from functools import lru_cache
from math import comb, exp, expm1, log1p, log10

from emulator.air.timing import MAX_PHY_PACKET

NOISE_FLOOR = -100  # dBm: thermal noise of 2 MHz, -111, and a noise figure of 11 dB
NEGLIGIBLE = 1e-9  # error rate of a frame that is taken for none

_STRONGEST = -40  # dBm, at which the LQI is 255
_BITS = 8


def milliwatts(level: float) -> float:
    """Return the power of a level in dBm."""
    return float(10.0 ** (level / 10))


def dbm(power: float) -> float:
    """Return the level of a power in mW, above 0."""
    return 10 * log10(power)


def level_of(levels: Iterable[float]) -> float:
    """Return the level of several signals together, in dBm; at least one."""
    return dbm(sum(milliwatts(level) for level in levels))


def link_quality(rssi: int) -> int:
    """Return the LQI, 0 to 255, linear between the noise floor and -40 dBm."""
    return max(0, min(255, (rssi - NOISE_FLOOR) * 255 // (_STRONGEST - NOISE_FLOOR)))


@lru_cache(maxsize=4096)
def bit_error_rate(ratio: float) -> float:
    """Return the share of wrong bits at a signal to noise ratio in dB. Source: IEEE 802.15.4-2006 annex E.4.1.8."""
    linear = milliwatts(ratio)
    terms = ((-1) ** k * comb(16, k) * exp(20 * linear * (1 / k - 1)) for k in range(2, 17))
    return float(min(0.5, max(0.0, 8 / 15 / 16 * sum(terms))))


def error_rate(octets: float, ratio: float) -> float:
    """Return the chance that one of `octets` octets comes wrong at a signal to noise ratio in dB."""
    wrong = bit_error_rate(ratio)
    return -expm1(_BITS * octets * log1p(-wrong))


@lru_cache(maxsize=256)
def error_rates(rssi: int) -> tuple[float, ...] | None:
    """Return the error rate of frames of 0 to 127 octets (FCS included) at `rssi` dBm; None if it is negligible."""
    ratio = rssi - NOISE_FLOOR
    if error_rate(MAX_PHY_PACKET, ratio) < NEGLIGIBLE:
        return None
    return tuple(error_rate(octets, ratio) for octets in range(MAX_PHY_PACKET + 1))
