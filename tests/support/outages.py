"""What a restart costs the others: every device of a home reads the hub's clock again and again, and counts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from emulator.home.builder import Home, HomeDevice
from emulator.parts.han_application import HanApplication
from emulator.parts.zcl_client import ZclClient
from gateway.assembly.world import World
from protocols.interfaces import SECOND, Received
from protocols.zcl import foundation
from protocols.zcl.clusters import time
from protocols.zcl.foundation import ReadAttributes
from protocols.zcl.frame import ZclFrame

EVERY = SECOND


@dataclass
class Reads:
    """The reads of one device, times in ns."""

    name: str
    began: int
    answered: list[int] = field(default_factory=list)
    asked: int = 0

    def longest_gap(self, begin: int, end: int) -> int:
        """Return the longest time without an answer between two instants, in ns."""
        within = [when for when in self.answered if begin < when < end]
        edges = [begin, *within, end]
        return max(later - earlier for earlier, later in pairwise(edges))

    def between(self, begin: int, end: int) -> int:
        """Return how many answers came between two instants."""
        return sum(begin <= when <= end for when in self.answered)


class Probes:
    """One probe a device: it reads the attribute Time of the hub once a second while it is on and joined."""

    def __init__(self, world: World, home: Home, devices: Iterable[HomeDevice]) -> None:
        self._world, self._home = world, home
        devices = tuple(devices)
        self.reads = {device.name: Reads(device.name, world.clock.now()) for device in devices}
        for number, device in enumerate(devices):
            world.clock.call_at(world.clock.now() + number * EVERY // 8, self._start, device)

    def _start(self, device: HomeDevice) -> None:
        clock, reads, hub = self._world.clock, self.reads[device.name], self._home.gpf
        application, client = (getattr(device.device, name, None) for name in ("application", "client"))
        assert isinstance(application, HanApplication)
        assert isinstance(client, ZclClient)

        def heard(frame: ZclFrame, event: Received) -> None:
            if event.who == hub:
                reads.answered.append(clock.now())

        def ask() -> None:
            if device.device.node.joined:
                reads.asked += 1
                frame = foundation.encode(ReadAttributes((time.Attribute.TIME,)), reads.asked & 0xFF, from_server=False)
                application.send(hub, time.CLUSTER, 1, frame, acknowledged=False)
            clock.call_at(clock.now() + EVERY, ask)

        client.on(time.CLUSTER, heard)
        ask()
