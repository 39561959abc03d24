"""What goes into an `OtaServer` (settings), what it keeps of an offer, and what comes out of it (effects)."""

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.interfaces import DAY
from protocols.ota.image import OtaHeader

IMAGE_ID = struct.Struct("<HHI")  # manufacturer, image type, file version


@dataclass(frozen=True, slots=True, kw_only=True)
class OtaServerSettings:
    """block_size caps what a client asks for: 48 octets fit one frame with APS security and extended nonce."""

    block_size: int = 48  # octets
    transfer_timeout: int = DAY  # ns without a request until a transfer counts as failed
    notify_jitter: int = 100  # 1 to 100
    pages: bool = False  # whether Image Page Requests are served
    specific_files: bool = False  # whether Query Specific File is served
    minimum_block_period: int = 0  # 16 bits, in the client's unit; told to clients whose requests carry theirs


class Send(NamedTuple):
    device: Eui64
    frame: bytes  # ZCL


@dataclass(frozen=True, slots=True)
class TransferStarted:  # no tuple, as the two below: one at offset 0 would be equal to an end with SUCCESS
    """First block request of an offer."""

    device: Eui64
    version: int
    offset: int


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """The device said how it went, or fell silent (TIMEOUT). Any status but SUCCESS withdraws the offer."""

    device: Eui64
    version: int
    status: int


@dataclass(frozen=True, slots=True)
class HardwareMismatch:
    """The device's hardware version lies outside the image's range; said once an offer."""

    device: Eui64
    version: int
    hardware_version: int


Effect = Send | TransferStarted | TransferEnded | HardwareMismatch


class Page(NamedTuple):
    """What is left of an Image Page Request: blocks from `offset` to `end`, the next at `due`."""

    transaction: int
    offset: int
    end: int
    most: int  # octets a block
    spacing: int  # ns
    due: int  # ns


@dataclass(slots=True)
class Transfer:
    """One offer of one image to one device, and how far it got."""

    image: bytes  # the whole file
    header: OtaHeader
    activate_now: bool  # upgrade time "now" (and `upgrade_delay`) in place of "wait"
    upgrade_delay: int = 0  # ns from the Upgrade End Request to the upgrade time
    started: int | None = None  # ns
    ended: int | None = None  # ns
    last_request: int = 0  # ns
    status: int | None = None  # of the Upgrade End Request
    blocks: int = 0  # answered
    repeated: int = 0  # requests for an offset already answered
    served: int = 0  # octets from the front
    held_until: int = 0  # ns
    mismatch_told: bool = False
    page: Page | None = None
    size: int = field(init=False)
    image_id: tuple[int, int, int] = field(init=False)  # manufacturer, image type, file version
    wire_id: bytes = field(init=False)  # the same as on the air

    def __post_init__(self) -> None:
        header, self.size = self.header, len(self.image)
        self.image_id = header.manufacturer, header.image_type, header.file_version
        self.wire_id = IMAGE_ID.pack(*self.image_id)

    @property
    def running(self) -> bool:
        return self.started is not None and self.ended is None
