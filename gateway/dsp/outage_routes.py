"""Who is told of the power outages of a hub. Of an ordinary hub it is worked out once and kept until that changes.

A hub is ordinary if it serves one import meter and no ESME on it has or had a suppression window.
"""

from typing import NamedTuple

from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Decision
from gateway.dsp.suppression import Suppression
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceType


class Point(NamedTuple):
    """One import meter of a hub, and what becomes of an AD1 for it where no window is open."""

    mpxn: str | None
    recipient: Eui64 | None
    told: str | None  # the recipient, as the audit has it
    decision: Decision
    outcome: str  # the decision, as the audit has it


class OutageRoutes:
    def __init__(self, inventory: Inventory, suppression: Suppression) -> None:
        self._inventory, self._suppression = inventory, suppression
        self.ordinary: dict[Eui64, Point] = {}  # of hubs that had an outage
        inventory.registered.append(self.ordinary.clear)
        inventory.moved.append(self._forget)
        suppression.first_armed.append(self._forget_hub_of)

    def points(self, hub: Eui64) -> list[Point]:
        """Return the import meters of a hub; one that has none, or is unknown, has a point all the same."""
        esmes = [device for device in self._inventory.on_hub(hub) if device.type is DeviceType.ESME]
        mpxns = sorted({esme.mpxn for esme in esmes if esme.mpxn is not None})
        if not mpxns:
            device = self._inventory.device(hub)
            return [self._point(None if device is None else device.mpxn, mapped=False)]
        points = [self._point(mpxn, mapped=True) for mpxn in mpxns]
        if len(points) == 1 and not any(self._suppression.knows(esme.device) for esme in esmes):
            self.ordinary[hub] = points[0]
        return points

    def _point(self, mpxn: str | None, *, mapped: bool) -> Point:
        recipient = None if mpxn is None else self._inventory.operator_of(mpxn)
        decision = Decision.DELIVERED if mapped and recipient is not None else Decision.UNMAPPED
        return Point(mpxn, recipient, None if recipient is None else str(recipient), decision, decision.value)

    def _forget(self, hub: Eui64) -> None:
        self.ordinary.pop(hub, None)

    def _forget_hub_of(self, esme: Eui64) -> None:
        device = self._inventory.device(esme)
        if device is not None and device.hub is not None:
            self._forget(device.hub)
