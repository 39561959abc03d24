"""What people use in a day, drawn from a seed: integer watts for electricity, millilitres an hour for gas.

Each appliance is a row of `APPLIANCES`; the figures are plausible ones, no standard's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from emulator.consumption.flow import DailyFlow, Day, Run, day_of
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND, Entropy, Random

_DAY, _HOUR, _MINUTE = (unit // SECOND for unit in (DAY, HOUR, MINUTE))


class Appliance(NamedTuple):
    """How an appliance is used in a day; times in minutes."""

    name: str
    rate: int  # W, or ml/h
    times: tuple[int, int]  # a day: at least, at most
    window: tuple[int, int]  # of the day, in which it starts
    length: tuple[int, int]  # at least, at most


APPLIANCES: tuple[Appliance, ...] = (
    Appliance("kettle", 2_800, (2, 6), (6 * 60, 22 * 60), (2, 5)),
    Appliance("hob", 1_800, (1, 2), (16 * 60, 19 * 60), (15, 45)),
    Appliance("oven", 2_200, (0, 1), (16 * 60, 19 * 60), (30, 70)),
    Appliance("washing machine", 500, (0, 1), (8 * 60, 18 * 60), (60, 110)),
    Appliance("dishwasher", 900, (0, 1), (19 * 60, 22 * 60), (50, 90)),
    Appliance("television", 110, (1, 2), (17 * 60, 21 * 60), (45, 180)),
    Appliance("lights", 160, (1, 1), (16 * 60, 18 * 60), (180, 340)),
    Appliance("shower", 8_500, (0, 2), (6 * 60, 9 * 60), (5, 12)),
)
PHASES = 3
_FRIDGE = 90  # W, a third of the time
_FRIDGE_CYCLE = 60 * _MINUTE

GAS_APPLIANCES: tuple[Appliance, ...] = (
    Appliance("boiler, morning", 2_100_000, (1, 1), (5 * 60 + 30, 7 * 60), (60, 150)),
    Appliance("boiler, evening", 2_100_000, (1, 2), (15 * 60, 20 * 60), (45, 150)),
    Appliance("hot water", 2_400_000, (1, 4), (6 * 60, 22 * 60), (3, 12)),
    Appliance("hob", 350_000, (0, 2), (11 * 60, 19 * 60), (10, 40)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdSettings:
    """Percentages scale what is used; watts are what is there all the time."""

    standby: int = 120  # W
    electricity: int = 100  # % of the appliances' flow
    gas: int = 100  # %
    solar_peak: int = 0  # W at noon of a clear day; 0: no panels


def electricity(entropy: Entropy, name: str, settings: HouseholdSettings) -> DailyFlow:
    """Return the electricity of the household `name` in W; negative while panels give more than is used."""

    def make(number: int) -> Day:
        random = entropy.random(f"electricity {name} {number}")
        runs = list(_runs(APPLIANCES, random, settings.electricity))
        runs += _fridge(random)
        runs += _solar(random, settings.solar_peak)
        return day_of(settings.standby, runs)

    return DailyFlow(make)


def electricity_phases(entropy: Entropy, name: str, settings: HouseholdSettings) -> tuple[DailyFlow, ...]:
    """Return the same on three phases in W: appliances in turn, fridge and standby first, panels last."""

    def flow(phase: int) -> DailyFlow:
        def make(number: int) -> Day:
            random = entropy.random(f"electricity {name} {number} phase {phase}")
            runs = list(_runs(APPLIANCES[phase - 1 :: PHASES], random, settings.electricity))
            runs += _fridge(random) if phase == 1 else ()
            runs += _solar(random, settings.solar_peak) if phase == PHASES else ()
            return day_of(settings.standby if phase == 1 else 0, runs)

        return DailyFlow(make)

    return tuple(flow(phase) for phase in range(1, PHASES + 1))


def gas(entropy: Entropy, name: str, settings: HouseholdSettings) -> DailyFlow:
    """Return the gas of the household `name` in ml an hour."""

    def make(number: int) -> Day:
        return day_of(0, _runs(GAS_APPLIANCES, entropy.random(f"gas {name} {number}"), settings.gas))

    return DailyFlow(make)


def heating(entropy: Entropy, name: str, rate: int) -> DailyFlow:
    """Return a storage heater's circuit in W: `rate` for some hours of each night, from half past midnight."""

    def make(number: int) -> Day:
        length = entropy.random(f"heating {name} {number}").randrange(3 * _HOUR, 7 * _HOUR)
        return day_of(0, (Run(_HOUR // 2, _HOUR // 2 + length, rate),))

    return DailyFlow(make)


def _runs(appliances: tuple[Appliance, ...], random: Random, percent: int) -> Iterator[Run]:
    for appliance in appliances:
        for _ in range(_between(random, appliance.times)):
            begin = _between(random, appliance.window) * _MINUTE + random.randrange(0, _MINUTE)
            length = _between(random, appliance.length) * _MINUTE + random.randrange(0, _MINUTE)
            yield Run(begin, begin + length, appliance.rate * percent // 100)


def _fridge(random: Random) -> Iterator[Run]:
    for begin in range(random.randrange(0, _FRIDGE_CYCLE), _DAY, _FRIDGE_CYCLE):
        yield Run(begin, begin + _FRIDGE_CYCLE // 3, _FRIDGE)


def _solar(random: Random, peak: int) -> Iterator[Run]:
    """Give what panels produce, half-hour by half-hour: a parabola from 7 to 17 o'clock, under clouds."""
    if not peak:
        return
    dawn, noon = 7 * _HOUR, 12 * _HOUR
    for begin in range(dawn, 2 * noon - dawn, _HOUR // 2):
        off = begin + _HOUR // 4 - noon
        clear = peak * ((noon - dawn) ** 2 - off**2) // (noon - dawn) ** 2
        yield Run(begin, begin + _HOUR // 2, -(clear * random.randrange(25, 101) // 100))


def _between(random: Random, bounds: tuple[int, int]) -> int:
    return random.randrange(bounds[0], bounds[1] + 1)
