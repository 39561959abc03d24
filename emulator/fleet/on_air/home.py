"""A home that idles: a hub and devices with real stacks, and from each device a report a minute.

The nodes are those of every other home (`protocols.stack`), the air too: NWK and APS security, CSMA-CA, MAC
acknowledgements. What stands on them is one reporting server a device and its client at the hub, no GBCS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.fleet.on_air import report
from emulator.fleet.on_air.membership import Member, Membership
from protocols.errors import DecodeError
from protocols.interfaces import MILLISECOND, ApsData, Received, SimpleDescriptor
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole, StackSettings
from protocols.zcl.clusters import metering

if TYPE_CHECKING:
    from emulator.air.medium import Medium
    from protocols.addresses import Eui64
    from protocols.interfaces import Clock, HanEvent

_APART = 100 * MILLISECOND  # between the reports of two devices: a home's were switched on together
_PROFILE, _CLUSTER = 0x0109, metering.CLUSTER
_METER = SimpleDescriptor(1, _PROFILE, 0x0501, 0, (_CLUSTER,), ())
_HUB = SimpleDescriptor(1, _PROFILE, 0x0500, 0, (), (_CLUSTER,))


class Meter:
    """A device that reports its summation, one unit more each time."""

    __slots__ = ("_clock", "_hub", "_period", "node", "summation")

    def __init__(self, node: Node, hub: Eui64, clock: Clock, period: int, first: int) -> None:
        """period: ns between two reports. first: ns, when the first is due."""
        self.node, self._hub, self._clock, self._period = node, hub, clock, period
        self.summation = 0  # told last
        node.register((_METER,))
        clock.call_at(first, self._report)

    def _report(self) -> None:
        self.summation = summation = self.summation + 1
        data = tuple.__new__(ApsData, (_PROFILE, _CLUSTER, 1, 1, report.encode(summation & 0xFF, summation)))
        self.node.send(self._hub, data, secured=True, acknowledged=False)
        self._clock.call_at(self._clock.now() + self._period, self._report)


class Reading:
    """What a hub has of one device."""

    __slots__ = ("reports", "summation", "torn")

    def __init__(self) -> None:
        self.reports = 0
        self.summation = 0  # of the last report
        self.torn = 0  # reports that did not tell one unit more than the one before


class Hub:
    """A node that takes reports under the link keys of its devices."""

    __slots__ = ("node", "readings", "refused")

    def __init__(self, node: Node, devices: tuple[Eui64, ...]) -> None:
        self.node = node
        self.readings = {device: Reading() for device in devices}
        self.refused = 0
        node.register((_HUB,))
        node.attach(self._event)

    def _event(self, event: HanEvent) -> None:
        if type(event) is not Received:
            return
        reading = self.readings.get(event.who)
        if reading is None or not event.secured:
            self.refused += 1
            return
        try:
            summation = report.decode(event.aps.payload)
        except DecodeError:
            self.refused += 1
            return
        reading.reports += 1
        reading.torn += summation != reading.summation + 1
        reading.summation = summation


class IdleHome:
    """One home of a fleet, joined; its nodes stand within reach of each other and of no other home."""

    __slots__ = ("hub", "membership", "meters")

    def __init__(
        self,
        membership: Membership,
        medium: Medium,
        settings: StackSettings,
        *,
        period: int,
        first: int,
    ) -> None:
        """period: ns between two reports of a device. first: ns, from which on; homes are spread over a period."""
        self.membership, clock, entropy = membership, medium.clock, medium.entropy
        network = f"home {membership.hub}"
        names = ["hub", *(str(member.eui) for member in membership.members)]
        radios = [medium.radio(network, name) for name in names]
        for index, radio in enumerate(radios):
            for other in radios[:index]:
                medium.link(radio, other)

        def node(role: NodeRole, index: int, member: Member | None) -> Node:
            eui = membership.hub if member is None else member.eui
            stored = membership.hub_storage() if member is None else membership.device_storage(member)
            return Node(role, eui, radios[index : index + 1], clock, stored, entropy, settings)

        self.hub = Hub(node(NodeRole.COORDINATOR, 0, None), tuple(member.eui for member in membership.members))
        spread = entropy.random(f"reports {membership.hub}")
        phase = spread.randrange(0, period)
        self.meters = tuple(
            Meter(
                node(NodeRole.END_DEVICE, index, member),
                membership.hub,
                clock,
                period,
                first + phase + index * _APART,
            )
            for index, member in enumerate(membership.members, 1)
        )
