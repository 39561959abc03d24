"""The ports between the layers. Who implements which: `ARCHITECTURE.md`.

Time is an `int` of nanoseconds since 1970-01-01 UTC on every clock, virtual ones included.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, NewType, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from protocols.addresses import Eui64, ShortAddress

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LinkKey = NewType("LinkKey", bytes)  # 16 octets
Handle = NewType("Handle", int)


class Rank(IntEnum):
    """Order of what is due at the same instant."""

    RADIO = 0
    STACK = 1
    COROUTINE = 2


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """One heap of time. Callbacks run in order of (time, rank, order of scheduling)."""

    def now(self) -> int: ...

    def call_at(self, when: int, callback: Callable[..., object], *args: object, rank: int = Rank.STACK) -> Timer:
        """Call `callback(*args)` at `when`; what is due in the past runs next."""
        ...

    def radio_at(self, when: int, callback: Callable[..., object], *args: object) -> None:
        """Call `callback(*args)` at `when`, before all other ranks, and for good: nothing cancels it."""
        ...

    async def sleep_until(self, when: int) -> None: ...


class WallClock(Protocol):
    """What one actor believes the time is."""

    def utc(self) -> int: ...


class AdjustableClock(WallClock, Protocol):
    """A device's own clock, which runs as well as it can and is set by others."""

    def set(self, utc: int) -> None: ...

    def when(self, utc: int) -> int:
        """Return the first instant of `Clock` at which this one says `utc` or more, if nobody sets it."""
        ...


class Random(Protocol):
    """A stream of randomness for one purpose; the part of `random.Random` that is used."""

    def random(self) -> float: ...
    def randrange(self, start: int, stop: int) -> int: ...
    def randbytes(self, n: int) -> bytes: ...


class Entropy(Protocol):
    """Randomness by purpose, and signatures. Seeded with RFC 6979 in virtual runs, the system's otherwise."""

    def random(self, purpose: str) -> Random:
        """Return a stream of its own for `purpose`, e.g. `"csma 00db1234567890a0"`."""
        ...

    def private_key(self, purpose: str) -> EllipticCurvePrivateKey:
        """Return a P-256 key: the same for the same seed and purpose."""
        ...

    def sign(self, key: EllipticCurvePrivateKey, message: bytes) -> bytes:
        """Return the ECDSA P-256 SHA-256 signature, 64 octets r then s."""
        ...


class Storage(Protocol):
    """Named cells of one device with atomic put; what is not put dies in a power cut."""

    def get(self, cell: str) -> bytes | None: ...
    def put(self, cell: str, value: bytes) -> None: ...
    def delete(self, cell: str) -> None: ...
    def cells(self) -> list[str]: ...


class Recorder(Protocol):
    """Takes what an actor says of itself for the timeline of a run. Never keys, never the tracked list."""

    def note(self, actor: str, event: str, **fields: "str | int | bool | None") -> None: ...


# --- radio ---------------------------------------------------------------------------------------------------------


class TransmitStatus(IntEnum):
    OK = 0
    NO_ACK = 1
    CHANNEL_ACCESS_FAILURE = 2


class RadioListener(Protocol):
    def received(self, frame: bytes, rssi: int, lqi: int, timestamp: int) -> None:
        """A frame (without FCS) passed FCS and address filter. rssi in dBm, lqi 0-255, timestamp of its end in ns."""
        ...

    def transmitted(self, handle: Handle, status: TransmitStatus, pending: bool) -> None:
        """A transmission ended; `pending` is the frame-pending bit of the acknowledgement."""
        ...


class RadioLink(Protocol):
    """A radio as an RCP offers it.

    The radio adds and checks the FCS, does CSMA, acknowledges within 192 us, retries and filters addresses; its user
    never sees or sends an acknowledgement frame.
    """

    def attach(self, listener: RadioListener) -> None: ...

    def configure(
        self, *, eui: Eui64, short: ShortAddress, pan_id: int, channel: int, receiver_on: bool, coordinator: bool
    ) -> None:
        """Set the address filter (0xFFFF for no PAN, 0xFFFE for no short address), channel and receiver."""
        ...

    def transmit(self, frame: bytes, *, csma: bool = True, retries: int = 3) -> Handle:
        """Queue a frame without FCS on the configured channel; `transmitted` tells the outcome."""
        ...

    def set_pending(self, addresses: Collection[Eui64 | ShortAddress]) -> None:
        """Set whose data requests are acknowledged with the pending bit (short and extended addresses)."""
        ...

    def energy_scan(self, channel: int) -> int:
        """Return the energy on a channel now, in dBm."""
        ...


# --- HAN -----------------------------------------------------------------------------------------------------------


class ApsData(NamedTuple):
    profile: int  # 16 bits
    cluster: int  # 16 bits
    source_endpoint: int  # 8 bits
    destination_endpoint: int  # 8 bits
    payload: bytes  # a ZCL frame


class SimpleDescriptor(NamedTuple):
    endpoint: int
    profile: int
    device: int  # 16 bits
    version: int  # 4 bits
    input_clusters: tuple[int, ...]  # servers
    output_clusters: tuple[int, ...]  # clients


class HanLimits(NamedTuple):
    plain_octets: int  # largest APS payload in one frame, NWK security only
    secured_octets: int  # largest APS payload in one frame with APS encryption
    fragmentation: bool  # longer ones are fragmented by the port
    can_install_link_key: bool
    sleepy_buffering: bool  # holds frames for sleeping children


class DeliveryStatus(IntEnum):
    OK = 0
    NO_ACK = 1  # of the APS counterpart, or of the next hop
    NO_ROUTE = 2
    NO_KEY = 3
    TOO_LONG = 4


class MatchDescriptor(NamedTuple):
    profile: int
    server_clusters: tuple[int, ...]


class ActiveEndpoints(NamedTuple):
    pass


class DescribeEndpoint(NamedTuple):
    endpoint: int


ZdpQuery = MatchDescriptor | ActiveEndpoints | DescribeEndpoint


@dataclass(frozen=True, slots=True)
class Joined:  # no tuple, as those below: one would be equal to `Left` of the same device
    """A device has the network key and announced itself; at a joiner: itself has, `who` is the trust centre."""

    who: Eui64


@dataclass(frozen=True, slots=True)
class Rejoined:
    """A device known before announced itself again, after a restart or a lost parent."""

    who: Eui64


@dataclass(frozen=True, slots=True)
class Left:
    who: Eui64


class Delivered(NamedTuple):
    handle: Handle
    status: DeliveryStatus


class Received(NamedTuple):
    who: Eui64
    aps: ApsData
    secured: bool  # APS encryption with the link key of `who`
    lqi: int
    broadcast: bool = False  # or to a group: nobody is expected to answer


class Discovered(NamedTuple):
    handle: Handle
    who: Eui64
    endpoints: tuple[int, ...]  # answer to MatchDescriptor and ActiveEndpoints
    descriptor: SimpleDescriptor | None  # answer to DescribeEndpoint
    answered: bool  # False: no answer within the port's time


class RadioLost(NamedTuple):
    pass


class RadioBack(NamedTuple):
    pass


HanEvent = Joined | Rejoined | Left | Delivered | Received | Discovered | RadioLost | RadioBack


class TrustBackup(NamedTuple):
    extended_pan_id: Eui64
    hashed_link_keys: tuple[tuple[Eui64, bytes], ...]  # AES-MMO of each link key, 16 octets


class HanPort(Protocol):
    """What a node's application needs of its HAN. Never awaits a delivery: everything later is an event."""

    limits: HanLimits

    def attach(self, listener: Callable[[HanEvent], None]) -> None: ...
    def register(self, endpoints: Sequence[SimpleDescriptor]) -> None: ...
    def send(self, to: Eui64, aps: ApsData, *, secured: bool, acknowledged: bool) -> Handle: ...
    def allow_join(self, who: Eui64, key: LinkKey, seconds: int) -> None: ...
    def readmit(self, who: Eui64, seconds: int) -> bool: ...
    def install_link_key(self, who: Eui64, key: LinkKey, *, proven: bool = True) -> None: ...
    def key_established(self, who: Eui64) -> bool: ...
    def remove(self, who: Eui64) -> None: ...
    def discover(self, who: Eui64, query: ZdpQuery) -> Handle: ...
    def export_trust(self) -> TrustBackup: ...
    def restore_trust(self, backup: TrustBackup) -> None: ...


# --- WAN -----------------------------------------------------------------------------------------------------------


class WanLink(Protocol):
    """Hub to CSP or back: octets of the envelope of `protocols.wan`; may lose or double them, keeps nothing."""

    def attach(self, receiver: Callable[[bytes], None]) -> None: ...
    def send(self, octets: bytes) -> None: ...
