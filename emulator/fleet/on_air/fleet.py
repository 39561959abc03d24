"""Many idle homes that take turns, and what came of them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from emulator.air.medium import Capture, Medium
from emulator.clock import VirtualClock
from emulator.entropy import FleetEntropy
from emulator.fleet.on_air.home import IdleHome
from emulator.fleet.on_air.membership import MOST_DEVICES, Membership
from emulator.fleet.on_air.merged import Merged
from emulator.fleet.on_air.turns import TURN, Turns
from protocols.errors import UsageError
from protocols.interfaces import HOUR, MINUTE
from protocols.stack.hooks import nobody
from protocols.stack.settings import StackSettings

SETTINGS = StackSettings(link_status_most=HOUR, established_keys_only=True)  # as the homes of `emulator.home`
_KEPT = 250_000  # frames of a capture kept until a turn is over, 50 MB: a report and its acknowledgement are two
_SETTLING = MINUTE  # of the devices' announcements, before the first reports


class Tally(NamedTuple):
    """What the hubs of a fleet have taken, and the nodes refused, since the fleet was made."""

    reports: int  # decrypted and read
    torn: int  # that did not tell one unit more than the one before
    refused: int  # frames with a wrong MIC, key, counter or form
    sent: int  # reports given to the stacks


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles meanwhile: what is built stays, and there is more of it each time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _home(number: int, devices: int, air: Medium, period: int) -> IdleHome:
    random = air.entropy.random(f"keys of home {number}")
    return IdleHome(Membership.of(number, devices, random.randbytes), air, SETTINGS, period=period, first=_SETTLING)


class Fleet:
    """So many homes of so many devices each, joined. No home hears another, so each has a clock of its own."""

    def __init__(
        self,
        homes: int,
        devices: int = 5,
        *,
        seed: int = 1,
        period: int = MINUTE,
        capture: Capture | None = None,
        first: int = 0,
        together: int = 1,
        turn: int | None = None,
    ) -> None:
        """period: ns between two reports of a device. first: number of the first home.

        together: homes on one clock, their events interleaved; turn: ns that a clock runs before the next does, by
        default `TURN`, or less where a capture would keep too many frames. Neither changes anything that happens in a
        home.
        """
        if min(homes, devices, together, period) < 1 or first < 0:
            each = f"{devices} devices each, {together} on a clock, a report in {period} ns"
            raise UsageError(f"{homes} homes from {first} on, {each}: no fleet")
        if devices > MOST_DEVICES:
            raise UsageError(f"{devices} devices in a home, which takes {MOST_DEVICES}: no fleet")
        if turn is None:
            turn = TURN if capture is None else min(TURN, 1 + _KEPT * period // (2 * homes * devices))
        self.devices = homes * devices
        entropy = FleetEntropy(seed)
        merged = None if capture is None else Merged(capture)
        numbers = range(first, first + homes)
        with _uncollected():
            clocks = [VirtualClock() for _ in numbers[::together]]
            airs = [Medium(clock, entropy, merged) for clock in clocks]
            self.homes = tuple(
                _home(number, devices, airs[index // together], period) for index, number in enumerate(numbers)
            )
            edge = nobody if merged is None else merged.pass_on
            self._turns = Turns(clocks, turn, edge)
            self._turns.run_until(_SETTLING)

    @property
    def now(self) -> int:
        """The time of all clocks, in ns."""
        return self._turns.now

    def run(self, duration: int) -> None:
        """Let `duration` ns pass."""
        self._turns.run_until(self._turns.now + duration)

    def tally(self) -> Tally:
        hubs = [home.hub for home in self.homes]
        readings = [reading for hub in hubs for reading in hub.readings.values()]
        meters = [meter for home in self.homes for meter in home.meters]
        counts = [node.statistics for node in (*(hub.node for hub in hubs), *(meter.node for meter in meters))]
        return Tally(
            sum(reading.reports for reading in readings),
            sum(reading.torn for reading in readings),
            sum(hub.refused for hub in hubs) + sum(each.refused + each.replays for each in counts),
            sum(meter.summation for meter in meters),
        )
