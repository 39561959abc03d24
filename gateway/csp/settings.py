"""Settings and effects of the CSP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.errors import UsageError
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
    loss_down, loss_up: share of GBCS messages that vanish on their way to the hub, and to the DSP, 0 to 1.
    duplicates: share of GBCS messages and outages that reach the DSP twice.
    lost_11_3_responses: share of the responses to 11.3 (CS06) that vanish; suppliers saw 0.2 (MP105).
    regions: settings of a region, in place of these, for the hubs that `region_of` puts there.
    """

    delay_down: int = 1 * SECOND
    delay_up: int = 1 * SECOND
    image_delay: int = 10 * SECOND
    image_jitter: int = 0
    image_timeout: int = 3 * DAY
    resend_after: int = 60 * SECOND
    hubs: tuple[Eui64, ...] | None = None
    loss_down: float = 0.0
    loss_up: float = 0.0
    duplicates: float = 0.0
    lost_11_3_responses: float = 0.0
    regions: "Mapping[str, CspSettings]" = field(default_factory=dict)
    region_of: Mapping[Eui64, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shares = (self.loss_down, self.loss_up, self.duplicates, self.lost_11_3_responses)
        if not all(0 <= share <= 1 for share in shares):
            raise UsageError("shares of the CSP lie between 0 and 1")

    def of(self, hub: Eui64) -> "CspSettings":
        """Return the settings for a hub."""
        return self.regions.get(self.region_of.get(hub, ""), self)


@dataclass(slots=True)
class Downloads:
    """What became of the images of one request, counted in devices."""

    asked: int = 0
    delivered: int = 0  # taken by the hub
    failed: int = 0


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
