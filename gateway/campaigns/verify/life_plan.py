"""What a life was to be, as its summary keeps it: tariffs, texts, loads, and when something in the home was off."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.campaigns.verify.evidence import Evidence
from protocols.addresses import Eui64
from protocols.interfaces import DAY, MINUTE, SECOND

CLOCK = 15 * SECOND  # a meter's clock off the true one; the hub's sets it from 2 s on
HALF_HOUR = 30 * MINUTE
PER_DAY = DAY // HALF_HOUR


class Tariff(NamedTuple):
    """Hundred-thousandths of a pound."""

    prices: tuple[int, int]  # a kWh or m3, of tier 1 and 2
    standing_charge: int  # a day
    tiers: tuple[int, ...]  # in force in each half-hour of the day, 1 or 2

    def cost(self, used: Sequence[int], days: int) -> int:
        """Return what Wh or litres of each tier cost, and so many days."""
        return (used[0] * self.prices[0] + used[1] * self.prices[1]) // 1000 + days * self.standing_charge

    def changes(self) -> tuple[int, ...]:
        """Return the half-hours of the day at whose beginning the tier changes."""
        return tuple(half for half in range(PER_DAY) if self.tiers[half] != self.tiers[half - 1])


class Text(NamedTuple):
    when: int  # ns UTC
    text: str
    confirm: bool


class Load(NamedTuple):
    watts: int
    on: tuple[tuple[int, int], ...]  # each day: minute, minutes


class Supply(NamedTuple):
    tariffs: Mapping[str, Tariff]  # by kind of meter: esme, gsme; second: of the second element of a twin
    opening_credit: int | None  # None: not prepaid
    texts: tuple[Text, ...]
    loads: Mapping[str, Load]  # by actor of the HCALCS


def plan_of(evidence: Evidence) -> Mapping[str, Any]:
    plan = evidence.files.summary.get("plan")
    return plan if isinstance(plan, dict) else {}


def supply_of(evidence: Evidence) -> Supply | None:
    """Return the plan's part about supply; None for a folder that has none."""
    told = plan_of(evidence).get("supply")
    if not isinstance(told, dict):
        return None
    return Supply(
        {kind: _tariff(tariff) for kind, tariff in told["tariffs"].items()},
        told["opening_credit"],
        tuple(Text(*text) for text in told["messages"]),
        {name: Load(load["watts"], tuple((on[0], on[1]) for on in load["on"])) for name, load in told["loads"].items()},
    )


def _tariff(told: Mapping[str, Any]) -> Tariff:
    """Lay the switches out over the day; the last one holds over midnight."""
    tier, tiers = told["switches"][-1][1], list[int]()
    switches = dict(told["switches"])
    for half in range(PER_DAY):
        tier = switches.get(half, tier)
        tiers.append(tier)
    first, second = told["prices"]
    return Tariff((first, second), told["standing_charge"], tuple(tiers))


def devices(evidence: Evidence, *kinds: str) -> dict[str, Eui64]:
    """Return the devices of these kinds by actor."""
    told = evidence.files.summary.get("devices", [])
    return {device["name"]: Eui64.parse(device["eui"]) for device in told if device["kind"] in kinds}


def off_times(evidence: Evidence) -> list[tuple[str, int, int]]:
    """Return who was without power, from when and until when; what is still off stays so."""
    found, off = list[tuple[str, int, int]](), dict[str, int]()
    for event in evidence.files.timeline:
        if event.name == "power-off":
            off.setdefault(event.actor, event.time)
        elif event.name == "power-on" and event.actor in off:
            found.append((event.actor, off.pop(event.actor), event.time))
    end = max((event.time for event in evidence.files.timeline), default=0)
    return found + [(actor, since, end) for actor, since in off.items()]


class Quiet:
    """Tells when nothing hindered devices: nobody of them was off, and no hub being replaced."""

    def __init__(self, evidence: Evidence, *, mending: int, swap: int) -> None:
        """mending: how long after an outage it may still tell, ns; swap: how long a replacement of the hub may."""
        self._off, self._mending = off_times(evidence), mending
        replaced = plan_of(evidence).get("swap")
        self._swap = None if replaced is None else (replaced, replaced + swap)

    def at(self, begin: int, end: int, *actors: str) -> bool:
        """Return whether these actors were undisturbed from begin to end, ns UTC."""
        if self._swap is not None and self._swap[0] < end and begin < self._swap[1]:
            return False
        return not any(
            since < end and begin < until + self._mending for actor, since, until in self._off if actor in actors
        )
