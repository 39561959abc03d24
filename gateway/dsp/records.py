"""The rows the DSP keeps: state by key, and records that are only added. Columns stand in the order of the store.

Times are ns since 1970 UTC. A column holds what the inventory or a message said, never what anybody assumes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from gateway.dsp.rows import Row, Unsigned, Version
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceStatus, DeviceType


class UpdateState(StrEnum):
    """Where the update of one device stands."""

    REQUESTED = "Requested"  # handed to the CSP
    DELIVERED = "Delivered"  # N60: the hub has the image
    TRANSFERRED = "Transferred"  # 8F8A: the device has it
    DISTRIBUTED = "Distributed"  # 8F72: the device verified it (11.1)
    SCHEDULED = "Scheduled"  # the device accepted a dated activation
    ACTIVATED = "Activated"
    FAILED = "Failed"
    ACTIVATION_FAILED = "ActivationFailed"
    EXPIRED = "Expired"
    OVERDUE = "Overdue"  # dated activation, no alert came
    BLOCKED = "Blocked"  # in the history only: refused because another update of the device is open


class ActivationState(StrEnum):
    """Where one activation request (11.3) stands."""

    TRANSFORMED = "transformed"
    SENT = "sent"
    SCHEDULED = "scheduled"  # the device accepted the date
    CONFIRMED = "confirmed"  # the device accepted the cancellation
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    DONE = "done"
    FAILED = "failed"
    OVERDUE = "overdue"


class WindowState(StrEnum):
    """State of one suppression window. Its times alone decide; the state says whether it counts at all."""

    ARMED = "armed"
    CANCEL_PENDING = "cancel-pending"  # cancellation sent, not confirmed by the device: counts
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    REMOVED = "removed"  # hub withdrawn or device decommissioned
    EXPIRED = "expired"


class Decision(StrEnum):
    DELIVERED = "delivered"
    SUPPRESSED = "suppressed"
    REFUSED = "refused"
    UNMAPPED = "unmapped"


class Signature(StrEnum):
    """What became of the signature of an alert."""

    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    NONE = "none"  # the kind of alert has no signature: DCC alerts, alerts with a MAC only


@dataclass(frozen=True, slots=True)
class Device(Row):
    """One device of the SMI."""

    TABLE: ClassVar[str] = "inventory"
    KEY: ClassVar[tuple[str, ...]] = ("device",)

    device: Eui64
    type: DeviceType
    status: DeviceStatus | None  # None for IHD and CAD
    manufacturer: str  # XXXX
    model: str  # XXXXXXXX: model, hardware version, hardware revision
    firmware_version: Version | None = None
    variant: str | None = None  # ESMEVariant or PPMIDVariant
    hub: Eui64 | None = None  # CHF in whose device log it is
    owner: Eui64 | None = None  # user that pre-notified it
    mpxn: str | None = None  # ImportMPxN; of a hub: of its electricity import meter, if known
    secondary_mpan: str | None = None
    export_mpan: str | None = None
    smets_version: str | None = None
    associated_gpf: Eui64 | None = None  # of a CHF
    han_variant: str | None = None  # of a CHF
    csp_region: str | None = None
    added: int | None = None
    commissioned: int | None = None
    suspended_from: DeviceStatus | None = None  # status to return to
    recovered_from: DeviceStatus | None = None  # status before Recovery, by which a Recovered device is judged
    joined: int | None = None  # when its hub last told of a new link key

    @property
    def smets1(self) -> bool:
        """Whether the device is of the first generation, to which the suppression of AD1 does not apply."""
        return self.smets_version is not None and self.smets_version.startswith("1")


@dataclass(frozen=True, slots=True)
class InventoryChange(Row):
    TABLE: ClassVar[str] = "inventory_history"

    time: int
    device: Eui64
    field: str
    old: str | None
    new: str | None
    cause: str  # service or alert, and the RequestID or counter that brought it


@dataclass(frozen=True, slots=True)
class Product(Row):
    """One entry of the Central Products List (CPL)."""

    TABLE: ClassVar[str] = "products"
    KEY: ClassVar[tuple[str, ...]] = ("type", "manufacturer", "model", "firmware_version")

    type: DeviceType
    manufacturer: str
    model: str
    firmware_version: Version
    smets_version: str
    gbcs_version: str
    hash: bytes  # SHA-256 of the manufacturer image, 32 octets
    status: str = "Current"  # or Removed
    equipment: str | None = None  # what the list calls an ESME: single element, twin element or polyphase


@dataclass(frozen=True, slots=True)
class User(Row):
    TABLE: ClassVar[str] = "users"
    KEY: ClassVar[tuple[str, ...]] = ("user",)

    user: Eui64
    roles: str  # of IS ES GS RSA ED GT OU, blanks between
    active: bool = True


@dataclass(frozen=True, slots=True)
class Premises(Row):
    """Registration data of one metering point."""

    TABLE: ClassVar[str] = "premises"
    KEY: ClassVar[tuple[str, ...]] = ("mpxn",)

    mpxn: str
    supplier: Eui64 | None
    network_operator: Eui64 | None
    uprn: str | None = None
    postcode: str | None = None
    address: str | None = None  # AddressIdentifier


@dataclass(frozen=True, slots=True)
class Update(Row):
    """A firmware image on its way to one device (11.1, 11.4)."""

    TABLE: ClassVar[str] = "firmware_updates"
    KEY: ClassVar[tuple[str, ...]] = ("request_id", "device")

    request_id: str
    service: str
    device: Eui64
    version: Version
    state: UpdateState
    user: Eui64
    hub: Eui64
    hash: bytes  # of the manufacturer image
    requested: int
    changed: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateChange(Row):
    TABLE: ClassVar[str] = "firmware_update_history"

    time: int
    request_id: str
    device: Eui64
    version: Version
    state: UpdateState
    reason: str | None


@dataclass(frozen=True, slots=True)
class Activation(Row):
    """One 11.3 request, from its Transform on."""

    TABLE: ClassVar[str] = "activations"
    KEY: ClassVar[tuple[str, ...]] = ("request_id",)

    request_id: str
    user: Eui64
    device: Eui64
    hash: bytes
    kind: str  # immediate, dated, cancel
    execution: int | None  # of a dated one
    state: ActivationState
    transformed: int
    accepted: int | None = None  # when the Signed Pre-Command was
    sequence: int | None = None  # order of acceptance


@dataclass(frozen=True, slots=True)
class Command(Row):
    """A command whose response is awaited, or that is held until its date."""

    TABLE: ClassVar[str] = "commands"
    KEY: ClassVar[tuple[str, ...]] = ("originator", "device", "counter")

    originator: Eui64  # of the GBCS message: the user, or the ACB on its behalf
    device: Eui64
    counter: Unsigned
    request_id: str
    user: Eui64
    service: str
    hub: Eui64
    message_code: int
    due: int  # when to send it while `held`, else when to give up
    held: bytes | None = None  # the GBCS command, until it is sent
    subject: Eui64 | None = None  # the other device of 8.7, 8.8 and 8.11; the old CHF of 8.12.1
    mpxn: str | None = None  # 8.11: ImportMPxN of the request
    secondary_mpan: str | None = None  # 8.11
    export_mpan: str | None = None  # 8.11
    local: bool = False  # handed to the user; its answer comes by 8.13
    dated: bool = False  # the DSP held it until its date


@dataclass(frozen=True, slots=True)
class Transform(Row):
    """A pre-command of a critical service other than 11.3, until the user sends it signed."""

    TABLE: ClassVar[str] = "transforms"
    KEY: ClassVar[tuple[str, ...]] = ("request_id",)

    request_id: str
    user: Eui64
    service: str
    device: Eui64
    subject: Eui64 | None  # the other device of 8.7.1 and 8.8.1
    pre_command: bytes
    transformed: int


@dataclass(frozen=True, slots=True)
class Schedule(Row):
    """A schedule the DSP runs for a user: a read of one device, again and again."""

    TABLE: ClassVar[str] = "schedules"
    KEY: ClassVar[tuple[str, ...]] = ("schedule_id",)

    schedule_id: int
    owner: Eui64
    device: Eui64
    service: str
    created: int


@dataclass(frozen=True, slots=True)
class Quarantined(Row):
    """A request held because it would have gone beyond an anomaly threshold."""

    TABLE: ClassVar[str] = "quarantine"
    KEY: ClassVar[tuple[str, ...]] = ("reference",)

    reference: int
    request_id: str
    user: Eui64
    service: str
    octets: bytes  # the request as it came
    time: int
    state: str  # held, released, rejected


@dataclass(frozen=True, slots=True)
class DeviceLog(Row):
    """The device log of a hub as its latest CS14 told it."""

    TABLE: ClassVar[str] = "device_logs"
    KEY: ClassVar[tuple[str, ...]] = ("hub",)

    hub: Eui64
    counter: Unsigned  # of that CS14
    time: int
    extended_pan_id: Eui64
    keys: str  # "device:hash" in hexadecimal, blanks between; no hash until there is a link key


@dataclass(frozen=True, slots=True)
class RequestCounter(Row):
    """Highest counter accepted from a user for one target."""

    TABLE: ClassVar[str] = "request_counters"
    KEY: ClassVar[tuple[str, ...]] = ("originator", "target")

    originator: Eui64
    target: Eui64
    counter: Unsigned


@dataclass(frozen=True, slots=True)
class Counter(Row):
    """Last number given out for a purpose."""

    TABLE: ClassVar[str] = "counters"
    KEY: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Window(Row):
    """AD1 of the ESME's hub are suppressed from `start` to before `end`."""

    TABLE: ClassVar[str] = "suppression_windows"
    KEY: ClassVar[tuple[str, ...]] = ("request_id",)

    esme: Eui64
    hub: Eui64 | None  # when armed; the association at the time of an alert decides
    start: int
    end: int
    kind: str  # immediate, dated
    request_id: str
    state: WindowState
    accepted: int
    sequence: int  # order of acceptance


@dataclass(frozen=True, slots=True)
class WindowEvent(Row):
    TABLE: ClassVar[str] = "suppression_events"

    time: int
    esme: Eui64
    request_id: str
    event: str  # armed, armed-local, replaced, cancelled, cancel-pending, removed, expired, closed, reloaded
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class OutageAudit(Row):
    """The decision on one AD1."""

    TABLE: ClassVar[str] = "power_outage_audit"

    received: int
    hub: Eui64
    mpxn: str | None
    started: Unsigned
    decision: Decision
    esme: Eui64 | None
    window_start: int | None
    window_end: int | None
    recipient: Eui64 | None  # intended, also where suppressed
    request_id: str | None  # that armed the window
    kind: str | None
    window_seconds: int  # in force
    list_version: str
    policy: str  # time and scope rules in force
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Alert(Row):
    TABLE: ClassVar[str] = "alerts"

    time: int
    code: str  # of GBCS in four upper hex digits, or AD1
    originator: Eui64
    decision: Decision
    recipient: Eui64 | None
    signature: Signature
    counter: Unsigned | None


@dataclass(frozen=True, slots=True)
class Request(Row):
    """A request that was answered with anything but an E code."""

    TABLE: ClassVar[str] = "requests"

    time: int
    user: Eui64
    request_id: str
    service: str
    variant: int  # command variant
    code: str


@dataclass(frozen=True, slots=True)
class Refusal(Row):
    """A message from below that was not believed, other than an alert of known originator."""

    TABLE: ClassVar[str] = "refused_messages"

    time: int
    hub: Eui64 | None
    device: Eui64 | None
    message_code: int | None
    reason: str


STATE: tuple[type[Row], ...] = (
    Device, Product, User, Premises, Update, Activation, Command, Transform, Schedule, Quarantined, DeviceLog,
    RequestCounter, Counter, Window,
)  # fmt: skip
RECORDS: tuple[type[Row], ...] = (
    InventoryChange, UpdateChange, WindowEvent, OutageAudit, Alert, Request, Refusal,
)  # fmt: skip
