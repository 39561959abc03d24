"""A second endpoint, of the Home Automation profile, for foreign hosts that know no Smart Energy and no link keys.

A device has it only where its description says so: it lets anybody in the network update the device.
"""

from collections.abc import Callable
from typing import Final

from emulator.parts.han_application import BASIC, IDENTIFY, OTA_UPGRADE, HanApplication
from protocols.addresses import Eui64
from protocols.interfaces import DeliveryStatus, Discovered, Received, SimpleDescriptor, ZdpQuery

PROFILE: Final = 0x0104
ENDPOINT: Final = 2
_RANGE_EXTENDER: Final = 0x0008  # device id


class HomeAutomationEndpoint:
    """`emulator.parts.han_application.Carrier` without APS security. Serves Basic and Identify; a client of OTA."""

    secured = False
    profile = PROFILE

    def __init__(self, application: HanApplication, *, ota: bool) -> None:
        clients = (OTA_UPGRADE,) if ota else ()
        self.endpoint = SimpleDescriptor(ENDPOINT, PROFILE, _RANGE_EXTENDER, 0, (BASIC, IDENTIFY), clients)
        self._application = application
        application.add(self.endpoint)

    def on(self, cluster: int, handler: Callable[[Received], None]) -> None:
        self._application.on(cluster, handler, ENDPOINT)

    def send(
        self,
        to: Eui64,
        cluster: int,
        endpoint: int,
        frame: bytes,
        *,
        acknowledged: bool = True,
        done: Callable[[DeliveryStatus], None] | None = None,
    ) -> None:
        self._application.send_from(
            self.endpoint, to, cluster, endpoint, frame, secured=False, acknowledged=acknowledged, done=done
        )

    def discover(self, who: Eui64, query: ZdpQuery, done: Callable[[Discovered], None]) -> None:
        self._application.discover(who, query, done)
