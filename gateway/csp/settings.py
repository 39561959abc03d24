"""Settings and effects of the CSP."""

from dataclasses import dataclass
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.interfaces import DAY, SECOND

# Device types of the inventory, and what CCS01 calls them on the hub's side. A bridge is a PPMID to the CSP.
DEVICE_TYPE_CODES = {"ESME": 0, "GSME": 1, "HCALCS": 13, "IHD": 128, "CAD": 130, "PPMID": 132}


@dataclass(frozen=True, slots=True)
class CspSettings:
    """Delays in ns, all fixed unless `image_jitter` is set.

    delay_down, delay_up: from the arrival of a message until it leaves towards the hub or the DSP.
    image_delay, image_jitter: further wait of an image, and the largest random part added to it.
    image_timeout: without the hub's acknowledgement in that time the delivery has failed.
    hubs: the CHFs this CSP serves; None serves any.
    """

    delay_down: int = 1 * SECOND
    delay_up: int = 1 * SECOND
    image_delay: int = 10 * SECOND
    image_jitter: int = 0
    image_timeout: int = 3 * DAY
    resend_after: int = 60 * SECOND
    hubs: tuple[Eui64, ...] | None = None


class ToHub(NamedTuple):
    """Send octets on the WAN of `hub` at `at`."""

    hub: Eui64
    octets: bytes
    at: int  # ns since 1970 UTC


class ToDsp(NamedTuple):
    octets: bytes
    at: int  # ns since 1970 UTC


class WakeAt(NamedTuple):
    """Call `wake` at `when`; a later WakeAt replaces this one."""

    when: int  # ns since 1970 UTC


Effect = ToHub | ToDsp | WakeAt
