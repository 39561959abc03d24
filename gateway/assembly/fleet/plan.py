"""What a fleet is made of and what happens to it. Sizes are parameters: those of real fleets are not settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.dsp.settings import BEFORE_MP105, DspSettings
from protocols.addresses import Eui64
from protocols.errors import InputError
from protocols.ota.image import Kind

BRIDGE_KINDS = (Kind.BRIDGE1, Kind.BRIDGE2, Kind.BRIDGE3, Kind.BRIDGE4)
BATTERY = (Kind.BRIDGE4,)  # the product that runs on a battery
TYPE_1_LIMIT = 6  # PPMID, bridges and HCALCS a hub takes
_BASE = 0x00DB_2000_0000_0000


class Repair(StrEnum):
    """How the supplier gets records right whose 11.3 it got no response to."""

    READ = "read"  # 11.2 (MP105)
    RETRY = "retry"  # 11.3 again (MP105, alternate approach)
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class FleetPlan:
    """Shares are 0 to 1. bridges: how many of each product, one home after the other.

    mp105: whether the DSP has the feature. removed: whether the old firmware leaves the products list once activations
    are over, which suspends every device whose record still has it. downloads: rounds of 11.4 for every bridge, one
    half-year apart. mains_cuts: real losses of the mains, at drawn homes and times.
    """

    homes: int
    gas_share: float = 0.0
    tracked_share: float = 1.0
    lost_responses: float = 0.0
    repair: Repair = Repair.READ
    mp105: bool = True
    suppression: bool = True
    removed: bool = True
    dated_share: float = 0.0
    mains_cuts: int = 0
    bridges: Mapping[Kind, int] = field(default_factory=dict)
    downloads: int = 1

    def __post_init__(self) -> None:
        for name in ("gas_share", "tracked_share", "lost_responses", "dated_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name.replace('_', ' ')}: {getattr(self, name)} is not from 0 to 1")
        if self.homes < 1:
            raise InputError("a fleet has at least one home")
        if self.downloads not in (0, 1, 2):
            raise InputError(f"downloads: {self.downloads}, but a bridge gets two images a year at most")
        if sum(self.bridges.values()) > TYPE_1_LIMIT * self.homes:
            raise InputError(f"{sum(self.bridges.values())} bridges: a hub takes {TYPE_1_LIMIT}")

    @property
    def dsp_settings(self) -> DspSettings:
        if self.mp105:
            return DspSettings(suppression=self.suppression)
        return DspSettings(suppression=self.suppression, use_activation_retry=False, eligible=BEFORE_MP105)


@dataclass(frozen=True, slots=True)
class HomePlan:
    """Identifiers of one home: home number in the middle, kind of device at the end."""

    number: int  # from 1
    gas: bool
    tracked: bool
    bridges: tuple[Kind, ...]

    @property
    def name(self) -> str:
        return f"home-{self.number}"

    def eui(self, last: int) -> Eui64:
        return Eui64(_BASE + (self.number << 8) + last)

    @property
    def chf(self) -> Eui64:
        return self.eui(0xA2)

    @property
    def gpf(self) -> Eui64:
        return self.eui(0xA3)

    @property
    def esme(self) -> Eui64:
        return self.eui(0xA0)

    @property
    def gsme(self) -> Eui64:
        return self.eui(0xA1)

    def bridge(self, place: int) -> Eui64:
        return self.eui(0xB1 + place)

    @property
    def mpan(self) -> str:
        return f"12{self.number:011d}"

    @property
    def mprn(self) -> str:
        return f"74{self.number:08d}"

    @property
    def entities(self) -> list[Eui64]:
        """Everybody with certificates of its own."""
        meters = [self.esme, *([self.gsme] if self.gas else [])]
        return [self.chf, self.gpf, *meters, *(self.bridge(place) for place in range(len(self.bridges)))]


def homes_of(plan: FleetPlan) -> list[HomePlan]:
    """Return the homes of a plan; shares fall on the first ones, bridges on one home after the other."""
    wanted = [kind for kind in BRIDGE_KINDS for _ in range(plan.bridges.get(kind, 0))]
    gas, tracked = round(plan.homes * plan.gas_share), round(plan.homes * plan.tracked_share)
    return [
        HomePlan(number, number <= gas, number <= tracked, tuple(wanted[number - 1 :: plan.homes]))
        for number in range(1, plan.homes + 1)
    ]
