"""A second endpoint, of the Home Automation profile, for foreign hosts that know no Smart Energy and no link keys.

A device has it only where its description says so: it lets anybody in the network update the device.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from emulator.parts.attributes import IDENTIFY
from protocols.addresses import Eui64
from protocols.interfaces import DeliveryStatus, Discovered, SimpleDescriptor, ZdpQuery

if TYPE_CHECKING:
    from emulator.parts.han_application import HanApplication
    from protocols.interfaces import Received

PROFILE: Final = 0x0104
ENDPOINT: Final = 2
_RANGE_EXTENDER: Final = 0x0008  # device id
_BASIC: Final = 0x0000
_OTA_UPGRADE: Final = 0x0019


class HomeAutomationEndpoint:
    """`emulator.parts.han_application.Carrier` without APS security. Serves Basic and Identify; a client of OTA."""

    secured = False
    profile = PROFILE

    def __init__(self, application: "HanApplication", *, ota: bool) -> None:
        clients = (_OTA_UPGRADE,) if ota else ()
        self.endpoint = SimpleDescriptor(ENDPOINT, PROFILE, _RANGE_EXTENDER, 0, (_BASIC, IDENTIFY), clients)
        self._application = application
        application.add(self.endpoint)

    def on(self, cluster: int, handler: "Callable[[Received], None]") -> None:
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
