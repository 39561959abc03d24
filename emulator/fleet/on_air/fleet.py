"""Many idle homes on one clock, and what came of them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from emulator.air.medium import Capture, Medium
from emulator.clock import VirtualClock
from emulator.entropy import FleetEntropy
from emulator.fleet.on_air.home import IdleHome
from emulator.fleet.on_air.membership import Membership
from protocols.interfaces import HOUR, MINUTE
from protocols.stack.settings import StackSettings

SETTINGS = StackSettings(link_status_most=HOUR, established_keys_only=True)  # as the homes of `emulator.home`
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


class Fleet:
    """So many homes of so many devices each, joined."""

    def __init__(
        self, homes: int, devices: int = 5, *, seed: int = 1, period: int = MINUTE, capture: Capture | None = None
    ) -> None:
        """period: ns between two reports of a device."""
        self.clock, entropy = VirtualClock(), FleetEntropy(seed)
        medium = Medium(self.clock, entropy, capture)
        self.devices = homes * devices
        with _uncollected():
            self.homes = self._build(homes, devices, medium, entropy, period)
            self.clock.run_for(_SETTLING)

    def _build(
        self, homes: int, devices: int, medium: Medium, entropy: FleetEntropy, period: int
    ) -> tuple[IdleHome, ...]:
        return tuple(
            IdleHome(
                Membership.of(number, devices, entropy.random(f"keys of home {number}").randbytes),
                medium,
                self.clock,
                entropy,
                SETTINGS,
                period=period,
                first=_SETTLING,
            )
            for number in range(homes)
        )

    def run(self, duration: int) -> None:
        """Let `duration` ns pass."""
        self.clock.run_for(duration)

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
