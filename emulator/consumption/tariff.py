"""What a unit costs and when: two tiers by the time of the day, and a standing charge."""

from dataclasses import dataclass
from typing import NamedTuple

from protocols.errors import UsageError

HALF_HOURS = 48
TIERS = 2


class Switch(NamedTuple):
    """From a half-hour of the day on a tier is in force."""

    half_hour: int  # 0 to 47, of the UTC day
    tier: int  # 1 or 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Prices in hundred-thousandths of a pound (a thousandth of a penny)."""

    label: str = "standard"
    prices: tuple[int, int] = (28_000, 28_000)  # a unit: kWh or m3; of tier 1 and 2
    tier_labels: tuple[str, str] = ("day", "night")
    standing_charge: int = 60_000  # a day
    switches: tuple[Switch, ...] = (Switch(0, 1),)  # in order; the last holds over midnight

    def __post_init__(self) -> None:
        times = [switch.half_hour for switch in self.switches]
        if not times or times != sorted(set(times)):
            raise UsageError("the switches of a tariff are given in order of time, at least one")
        if any(not (0 <= half < HALF_HOURS and 1 <= tier <= TIERS) for half, tier in self.switches):
            raise UsageError("a tariff switches at half-hour 0 to 47 to tier 1 or 2")

    def tier(self, half_hour: int) -> int:
        """Return the tier in force in a half-hour of the day."""
        tier = self.switches[-1].tier
        for switch in self.switches:
            if switch.half_hour > half_hour:
                break
            tier = switch.tier
        return tier

    def next_switch(self, half_hour: int) -> int:
        """Return how many half-hours after the beginning of `half_hour` the tier changes next; 48 if it never does."""
        now = self.tier(half_hour)
        for ahead in range(1, HALF_HOURS):
            if self.tier((half_hour + ahead) % HALF_HOURS) != now:
                return ahead
        return HALF_HOURS

    def cost(self, tiers: tuple[int, int], days: int) -> int:
        """Return the cost of what each tier took (thousandths of a unit, as Wh or litres) and of `days` begun days."""
        used = sum(amount * price for amount, price in zip(tiers, self.prices, strict=True))
        return used // 1000 + self.standing_charge * days


FLAT = Tariff()
ECONOMY = Tariff(
    label="economy 7", prices=(31_000, 15_000), standing_charge=55_000, switches=(Switch(1, 2), Switch(15, 1))
)
"""Cheap from half past midnight to half past seven."""
