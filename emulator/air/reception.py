"""Whether a frame survives at a receiver what else is there: noise, bursts, other frames, jammers.

Only what is not plain comes here: a frame that overlaps another, a weak or disturbed link, a band with a jammer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from emulator.air.signal import NOISE_FLOOR, dbm, error_rate, level_of, milliwatts

if TYPE_CHECKING:
    from emulator.air.band import Band
    from emulator.air.link import Link
    from emulator.air.transmission import Transmission

_NOISE = milliwatts(NOISE_FLOOR)


class _Disturber(NamedTuple):
    begin: int  # ns
    end: int
    power: float  # mW


def survives(frame: Transmission, link: Link, band: Band) -> bool:
    """Return whether the frame, sent over `link`, passes the FCS of the receiver; draws from the link's chance once."""
    disturbers = _frames(frame, link, band.settings.capture)
    if disturbers is None or (link.bursts is not None and link.bursts.cover(frame.start, frame.end)):
        return False
    if band.jammers:
        disturbers += _jammers(frame, link, band)
    size = len(frame.octets)
    if disturbers:
        wrong = _disturbed(frame, link.rssi, disturbers)
    else:
        wrong = 0.0 if link.errors is None else link.errors[size]
    lost = wrong + (1.0 - wrong) * link.loss
    return not lost or link.draw() >= lost


def _frames(frame: Transmission, link: Link, capture: float | None) -> list[_Disturber] | None:
    """Return the other frames that the receiver hears at the same time; None if they spoil this one for sure."""
    receiver, levels, found = link.receiver, list[int](), list[_Disturber]()
    for other in frame.overlaps:
        if other.radio is receiver:  # it was sending itself
            return None
        heard = other.radio.links.get(receiver)
        if heard is not None:
            levels.append(heard.rssi)
            found.append(_Disturber(other.start, other.end, milliwatts(heard.rssi)))
    if levels and (capture is None or link.rssi - level_of(levels) < capture):
        return None
    return found


def _jammers(frame: Transmission, link: Link, band: Band) -> list[_Disturber]:
    found = []
    for jammer in band.jammers:
        level = jammer.levels.get(link.receiver)
        if level is not None and frame.channel in jammer.channels:
            power = milliwatts(level)
            found += [_Disturber(begin, end, power) for begin, end in jammer.spans(frame.start, frame.end)]
    return found


def _disturbed(frame: Transmission, rssi: int, disturbers: list[_Disturber]) -> float:
    """Return the error rate of a frame, the disturbance summed up for each stretch of it."""
    edges = {frame.start, frame.end}
    for each in disturbers:
        edges |= {max(each.begin, frame.start), min(each.end, frame.end)}
    good, times = 1.0, sorted(edges)
    an_octet = (frame.end - frame.start) / len(frame.octets)
    for begin, end in pairwise(times):
        power = _NOISE + sum(each.power for each in disturbers if each.begin < end and each.end > begin)
        good *= 1.0 - error_rate((end - begin) / an_octet, round(rssi - dbm(power), 1))
    return 1.0 - good
