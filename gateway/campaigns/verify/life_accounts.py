"""A life's accounts: what was used costs what the tariff says, and the balance is what was paid in less that."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from gateway.campaigns.evidence.readings import MeterReading
from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.life_meters import MeterDay, meter_days
from gateway.campaigns.verify.life_plan import CLOCK, HALF_HOUR, PER_DAY, Supply, Tariff, devices, supply_of
from protocols.addresses import Eui64
from protocols.interfaces import DAY, SECOND
from protocols.zcl.clusters import prepayment
from protocols.zcl.clusters.prepayment import Attribute as Prepayment
from protocols.zcl.clusters.prepayment import ConsumerTopUpResponse, TopUpResult

ANSWERED = 5 * SECOND  # between what a meter holds and what is seen of it on the air
POUND = 100_000
_METERS = {"esme": ("import_wh", "day_import_wh"), "gsme": ("gas_l", "day_gas_l")}


def _pounds(amount: int) -> str:
    return f"{'-' * (amount < 0)}£{abs(amount) / POUND:,.2f}"


# --- costs ---------------------------------------------------------------------------------------------------------


def check_costs(evidence: Evidence) -> Iterator[Check]:
    """LIFE-7: at midnight a meter's cost is its half-hours at their prices, and a standing charge a day.

    What the second element of a twin element meter takes is added at its own prices.
    """
    supply = supply_of(evidence)
    if supply is None:
        return
    facts, faults = list[str](), list[str]()
    for kind, (register, total) in _METERS.items():
        for actor, days in meter_days(evidence, kind, register, total).items():
            second = _second(evidence, supply, actor)
            further = second.costs() if kind == "esme" and second is not None else [0] * len(days)
            cost, wrong = _priced(supply.tariffs[kind], days, further)
            faults += [f"{actor} {line}" for line in wrong]
            facts.append(f"{actor}: {count(len(days), 'day')}, {_pounds(cost)}")
    yield conclude("LIFE-7", "costs follow the tariff", facts=facts, faults=faults, missing="no meter told of its day")


def _priced(tariff: Tariff, days: Sequence[MeterDay], further: Sequence[int]) -> tuple[int, list[str]]:
    """Return what all days cost by the tariff, and where a row says otherwise. further: what to add by each day."""
    used, cost, wrong = [0, 0], 0, list[str]()
    for number, (day, more) in enumerate(zip(days, further, strict=True), 1):
        for half, amount in enumerate(day.profile):
            used[tariff.tiers[half] - 1] += amount
        cost = tariff.cost(used, number) + more
        fields, date = day.event.fields, utc(day.begin)[:10]
        for tier, amount in enumerate(used, 1):
            if fields.get(f"tier_{tier}_wh", amount) != amount:
                wrong.append(f"on {date}: {fields[f'tier_{tier}_wh']} Wh of tier {tier}, its half-hours have {amount}")
        if fields.get("cost") != cost:
            wrong.append(f"on {date}: cost {fields.get('cost')}, the tariff makes it {cost}")
    return cost, wrong


# --- credit --------------------------------------------------------------------------------------------------------


def check_balance(evidence: Evidence) -> Iterator[Check]:
    """LIFE-8: each balance read on the air is the credit paid in, less what was used by then at the tariff."""
    supply = supply_of(evidence)
    if supply is None or supply.opening_credit is None:
        return
    facts, faults = list[str](), list[str]()
    meters = devices(evidence, "esme")
    for actor, days in meter_days(evidence, "esme", *_METERS["esme"]).items():
        account, second = _Account(supply.tariffs["esme"], days), _second(evidence, supply, actor)
        accounts = (account,) if second is None else (account, second)
        paid = _paid(evidence, meters[actor], supply.opening_credit)
        last: int | None = None
        read = 0
        for reading in _balances(evidence, meters[actor], account.end):
            last, read = int(str(reading.values[Prepayment.CREDIT_REMAINING])), read + 1
            dearest = sum(each.cost(reading.time + CLOCK, rounded_up=True) for each in accounts)
            cheapest = sum(each.cost(reading.time - CLOCK, rounded_up=False) for each in accounts)
            least = _paid_by(paid, reading.time - ANSWERED) - dearest
            most = _paid_by(paid, reading.time + ANSWERED) - cheapest
            if not least <= last <= most:
                told = f"{_pounds(last)}, where {_pounds(least)} to {_pounds(most)} is left"
                faults.append(f"{actor} at {utc(reading.time)} (frame {reading.frame}): {told}")
        if last is not None:
            facts.append(
                f"{actor}: {count(read, 'reading')}, {count(len(paid) - 1, 'top-up')}, {_pounds(last)} at the end"
            )
    yield conclude("LIFE-8", "the balance adds up", facts=facts, faults=faults, missing="no balance was read")


class _Account:
    """What was used up to a time costs so much; known to the half-hour."""

    def __init__(self, tariff: Tariff, days: Sequence[MeterDay]) -> None:
        self._tariff, self.begin, self.end = tariff, days[0].begin, days[-1].begin + DAY
        each = [
            (amount, 0) if tier == 1 else (0, amount)
            for day in days
            for amount, tier in zip(day.profile, tariff.tiers, strict=True)
        ]
        self._used = list(accumulate(each, lambda sums, more: (sums[0] + more[0], sums[1] + more[1]), initial=(0, 0)))

    def cost(self, when: int, *, rounded_up: bool) -> int:
        """Return the cost at `when` (ns UTC), of the half-hours that are over or of the one that runs too."""
        place = (when - self.begin) // HALF_HOUR + rounded_up
        used = self._used[min(max(place, 0), len(self._used) - 1)]
        return self._tariff.cost(used, max(0, when - self.begin) // DAY)

    def costs(self) -> list[int]:
        """Return the cost at the end of each day."""
        ends = range(PER_DAY, len(self._used), PER_DAY)
        return [self._tariff.cost(self._used[end], number) for number, end in enumerate(ends, 1)]


def _second(evidence: Evidence, supply: Supply, actor: str) -> _Account | None:
    """Return the account of the second element of a twin element meter, None for another meter."""
    days = meter_days(evidence, "esme", "second_wh", "day_second_wh", "second_profile").get(actor)
    return None if days is None else _Account(supply.tariffs["second"]._replace(standing_charge=0), days)


def _balances(evidence: Evidence, meter: Eui64, end: int) -> Iterator[MeterReading]:
    for reading in evidence.air.readings:
        told = Prepayment.CREDIT_REMAINING in reading.values and reading.cluster == prepayment.CLUSTER
        if told and reading.meter == meter and reading.time < end - CLOCK:
            yield reading


def _paid(evidence: Evidence, meter: Eui64, opening: int) -> list[tuple[int, int]]:
    """Return all credit by time, ns UTC, as the meter confirmed each top-up; the opening credit at 0."""
    found = [(0, opening)]
    for sent, answer in evidence.air.commands(ConsumerTopUpResponse, meter):
        if answer.result == TopUpResult.ACCEPTED:
            found.append((sent.time, found[-1][1] + answer.amount))
    return found


def _paid_by(paid: Sequence[tuple[int, int]], when: int) -> int:
    return paid[max(0, bisect_right(paid, when, key=lambda entry: entry[0]) - 1)][1]
