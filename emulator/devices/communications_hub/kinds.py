"""Finds out what a device is by what it shows on the HAN: a restored log does not tell the types.

A device with a metering endpoint is an ESME if it serves tunnels and a GSME if not; a load control device is an HCALCS;
any other that serves tunnels is a PPMID; what is left is of type 2 and counts as IHD.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.han import PROFILE, Han, Token
from protocols.addresses import Eui64
from protocols.gbcs.use_cases.ccs01 import LogDeviceType
from protocols.interfaces import ActiveEndpoints, DescribeEndpoint, Discovered, SimpleDescriptor
from protocols.zcl.clusters import tunneling

_METERING_DEVICE, _LOAD_CONTROL_DEVICE = 0x0501, 0x0504


def kind_of(descriptors: Iterable[SimpleDescriptor]) -> LogDeviceType:
    """Return the type of CCS01 that a device with these endpoints has."""
    shown = [descriptor for descriptor in descriptors if descriptor.profile == PROFILE]
    devices = {descriptor.device for descriptor in shown}
    tunnels = any(tunneling.CLUSTER in descriptor.input_clusters for descriptor in shown)
    if _METERING_DEVICE in devices:
        return LogDeviceType.ESME if tunnels else LogDeviceType.GSME
    if _LOAD_CONTROL_DEVICE in devices:
        return LogDeviceType.HCALCS
    return LogDeviceType.PPMID if tunnels else LogDeviceType.IHD


@dataclass(slots=True)
class _Search:
    token: Token
    waiting: list[int] = field(default_factory=list)  # endpoints not asked yet
    seen: list[SimpleDescriptor] = field(default_factory=list)


class KindFinder:
    """found(device, type) hears of each device that was asked for, once; it is asked again until it answers."""

    def __init__(self, han: Han, alarms: Alarms, retry: int, found: Callable[[Eui64, LogDeviceType], None]) -> None:
        """retry: ns."""
        self._han, self._alarms, self._retry, self._found = han, alarms, retry, found
        self._searches: dict[Eui64, _Search] = {}

    def find(self, device: Eui64) -> None:
        """Ask for the device's endpoints, from the beginning."""
        self._searches[device] = _Search(self._han.discover(device, ActiveEndpoints()))

    def forget(self, device: Eui64) -> None:
        self._searches.pop(device, None)

    def discovered(self, token: Token, event: Discovered) -> None:
        search = self._searches.get(event.who)
        if search is None or search.token != token:
            return
        if not event.answered:
            self._alarms.after(self._retry, self._again, event.who, token)
            return
        if event.descriptor is not None:
            search.seen.append(event.descriptor)
        else:
            search.waiting += event.endpoints
        if search.waiting:
            search.token = self._han.discover(event.who, DescribeEndpoint(search.waiting.pop(0)))
        else:
            del self._searches[event.who]
            self._found(event.who, kind_of(search.seen))

    def _again(self, device: Eui64, token: Token) -> None:
        search = self._searches.get(device)
        if search is not None and search.token == token:
            self.find(device)
