"""What goes into an `OtaClient` (identity, settings, partial image) and what comes out of it (effects, statistics)."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from protocols.interfaces import HOUR, MILLISECOND, MINUTE, SECOND
from protocols.zcl.frame import ZclStatus


class ActivationPolicy(IntEnum):
    """Attribute 0x000B: who starts the activation."""

    SERVER = 0
    OUT_OF_BAND = 1


class TimeoutPolicy(IntEnum):
    """Attribute 0x000C: whether to activate when the server stays silent."""

    APPLY = 0
    NEVER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OtaClientSettings:
    """Times in ns.

    Defaults are those of a public client but for the start delay and the query period (5 minutes each there, but a hub
    announces images) and the block size (63 octets there, but APS security takes room) [I].
    """

    start_delay: int = 30 * SECOND  # drawn from 0 to this
    discovery_retry: int = 10 * MINUTE
    query_period: int = 24 * HOUR
    query_retry: int = 5 * MINUTE
    response_timeout: int = 3 * SECOND
    back_off: int = 2 * SECOND
    error_limit: int = 10  # in a row
    block_size: int = 48  # octets; fits one frame with APS security and extended nonce
    block_period_unit: int = MILLISECOND  # SECOND for cluster revision 2
    wait_fallback: int = 5 * MINUTE  # for a WAIT_FOR_DATA that points back in time
    wait_limit: int = HOUR
    end_retry: int = 10 * MINUTE
    end_limit: int = 10  # misses
    ask_again: int = HOUR  # after "wait"
    shortest_countdown: int = 3 * SECOND
    activation_policy: ActivationPolicy = ActivationPolicy.SERVER
    timeout_policy: TimeoutPolicy = TimeoutPolicy.APPLY
    storage_limit: int = 1_048_576  # octets of one image the device can hold
    unaffordable: ZclStatus | None = None  # answer to an offer that `affords` puts off; None: silence
    checkpoint: int = 32_768  # octets between two `Checkpoint` effects
    page_size: int = 0  # octets of an Image Page Request, 16 bits; 0 asks for single blocks
    response_spacing: int = 100 * MILLISECOND  # between the blocks of a page
    tell_block_period: bool = False  # whether block requests carry the minimum block period


class OtaIdentity(NamedTuple):
    """What a device asks images for."""

    manufacturer: int  # 16 bits
    image_type: int  # 16 bits
    hardware_version: int | None  # 16 bits


class PartialImage(NamedTuple):
    """The front of an image, kept over a reboot."""

    version: int
    size: int  # octets of the whole file
    data: bytes


class ClientState(Enum):
    IDLE = "idle"
    STARTING = "starting"
    DISCOVERING = "discovering"
    QUERYING = "querying"
    DOWNLOADING = "downloading"
    VERIFYING = "verifying"
    ENDING = "ending"  # Upgrade End Request sent
    WAITING = "waiting"  # told to wait, asks again
    COUNTDOWN = "countdown"
    ACTIVATING = "activating"


# --- effects -------------------------------------------------------------------------------------------------------


class Discover(NamedTuple):
    """Find the server by Match Descriptor; answer with `server_found` or `no_server`."""


class Send(NamedTuple):
    frame: bytes  # ZCL, to the server


class DownloadStarted(NamedTuple):
    version: int
    size: int  # octets
    offset: int  # above 0 when resumed


class Checkpoint(NamedTuple):
    """Keep `data`, which belongs at `offset`, against a reboot."""

    version: int
    size: int
    offset: int
    data: bytes


class ImageComplete(NamedTuple):
    """All octets are here: check them and answer with `image_checked`."""

    version: int
    image: bytes


class DownloadFailed(NamedTuple):
    version: int
    reason: str
    resumable: bool = False  # what came stays, for the next time the server offers this image


class Activate(NamedTuple):
    """Activate the image that was checked, now."""

    version: int


Effect = Discover | Send | DownloadStarted | Checkpoint | ImageComplete | DownloadFailed | Activate


@dataclass(slots=True)
class DownloadStatistics:
    """Of the last download, resumed or not."""

    version: int = 0
    size: int = 0  # octets
    blocks: int = 0
    retries: int = 0
    octets: int = 0  # data received
    pages: int = 0  # Image Page Requests sent
    started: int = 0  # ns
    ended: int = 0  # ns, 0 while it runs


class Sequence:
    """ZCL transaction numbers of one client, 1 to 255 and 0, in a circle."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last = (self._last + 1) & 0xFF
        return self._last
