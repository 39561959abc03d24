"""What befalls a home in its life, at shares of its length."""

from dataclasses import dataclass
from typing import Any

from emulator.home.description import HomeDescription
from protocols.errors import InputError
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND

SHORTEST = DAY

SHORT_CUT = 2 * MINUTE + 59 * SECOND  # just not long enough for AD1 (MP102B-G10)
LONG_CUT = 3 * MINUTE  # just long enough
LONGEST_CUT = 2 * HOUR

PHASE_CUTS = (  # after the first of them: phases that go, and for how long
    (0, SHORT_CUT, (2,)),
    (8 * MINUTE, 5 * MINUTE, (1,)),
    (20 * MINUTE, LONG_CUT, (2, 3)),
    (25 * MINUTE, SHORT_CUT, (1,)),
    (30 * MINUTE, SHORT_CUT, (3,)),
    (38 * MINUTE, 6 * MINUTE, (1,)),
    (40 * MINUTE, LONG_CUT, (1, 2, 3)),  # phase 1 was gone before and comes later
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Moments in ns since 1970 UTC, in order."""

    begin: int
    end: int

    def at(self, share: float) -> int:
        """Return the whole second at this share of the life, 0 to 1."""
        moment = self.begin + round((self.end - self.begin) * share)
        return moment - moment % SECOND

    @property
    def first_round(self) -> int:
        return self.at(0.08)

    @property
    def cuts(self) -> tuple[tuple[int, int], ...]:
        """When the mains go, and for how long."""
        return ((self.at(0.30), SHORT_CUT), (self.at(0.40), LONG_CUT), (self.at(0.90), LONGEST_CUT))

    @property
    def phase_cuts(self) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
        """When phases of a polyphase supply go, for how long, and which."""
        first = self.at(0.36)
        return tuple((first + after, length, phases) for after, length, phases in PHASE_CUTS)

    @property
    def boost(self) -> tuple[int, int]:
        """When somebody presses the boost button of a meter that has one, and for how many minutes."""
        return self.at(0.45), 30

    @property
    def absence(self) -> int:
        """When a display is unjoined, to be joined again half an hour later."""
        return self.at(0.26)

    @property
    def second_round(self) -> int:
        return self.at(0.50)

    @property
    def swap(self) -> int:
        return self.at(0.62)

    @property
    def readings(self) -> tuple[int, int]:
        """When versions are read: with the first hub, and at the end."""
        return self.at(0.60), self.at(0.95)

    def as_json(self, home: HomeDescription) -> dict[str, Any]:
        """Return what `summary.json` keeps: times in ns, the gas meter's wake period in s."""
        sleepy = [device.polls_every for device in home.devices if device.kind == "gsme"]
        return {
            "begin": self.begin,
            "end": self.end,
            "rounds": [self.first_round, self.second_round],
            "cuts": [list(cut) for cut in self.cuts],
            "phase_cuts": [[*cut[:2], list(cut[2])] for cut in self.phase_cuts] if home.phases > 1 else [],
            "hub_phase": next((device.hub_phase for device in home.devices if device.powers_hub), None),
            "alcs": {
                f"{home.name}/{device.name}": [[each.load, [list(on) for on in each.on_times]] for each in device.alcs]
                for device in home.devices if device.alcs
            },
            "boosts": [list(self.boost)] if has_boost(home) else [],
            "swap": None if home.replacement is None else self.swap,
            "tunnelling": {
                f"{home.name}/{device.name}": device.tunnelling for device in home.devices if device.is_bridge
            },
            "wake_period": max(sleepy, default=None),
            "supply": _supply(self, home),
        }  # fmt: skip


def has_boost(home: HomeDescription) -> bool:
    """Whether the ESME that powers the hub has a boost function."""
    return any(device.powers_hub and "E" in device.variant for device in home.devices)


def _supply(plan: Plan, home: HomeDescription) -> dict[str, Any]:
    """Return what is used and told by description: amounts in hundred-thousandths of a pound, times in ns."""
    use = home.consumption
    paid = use.prepayment
    tariffs = {"esme": use.electricity_tariff, "second": use.heating_tariff, "gsme": use.gas_tariff}
    return {
        "tariffs": {
            kind: {"prices": list(tariff.prices), "standing_charge": tariff.standing_charge,
                   "switches": [list(switch) for switch in tariff.switches]}
            for kind, tariff in tariffs.items()
        },
        "opening_credit": None if paid is None else paid.opening_credit,
        "messages": [[plan.begin + text.after * SECOND, text.text, text.confirm] for text in use.messages],
        "loads": {
            f"{home.name}/{device.name}": {"watts": device.load, "on": [list(on) for on in device.on_times]}
            for device in home.devices if device.kind == "hcalcs"
        },
    }  # fmt: skip


def planned(begin: int, duration: int) -> Plan:
    """Return the plan of a life of `duration` ns; InputError for one too short to hold everything."""
    if duration < SHORTEST:
        raise InputError(f"a life takes at least {SHORTEST // HOUR} hours")
    return Plan(begin, begin + duration)
