"""The state machine of the inventory, as one table: which trigger takes which types from which status to which.

Source: legal text of MP170 for 8.4, 8.7 and 12.2; what it leaves open (8.11, 8.1.1, suspension, recovery) is this
project's reading. IHD and CAD have no status and appear in no row. Deletion by 8.4 and 8.3 of those two is no change
of status and stands in the services.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from protocols.duis.inventory import DeviceStatus as Status
from protocols.duis.inventory import DeviceType as Type


class Trigger(StrEnum):
    """What changes a status."""

    PRENOTIFIED = "12.2"
    STATUS_UPDATE = "8.4 UpdateDeviceStatusExceptCH"
    HUB_STATUS_UPDATE = "8.4 UpdateDeviceStatusCH"
    WITH_ITS_HUB = "8.4 of the hub, on its GPF"
    LOGGED = "8.11 Add, 8F12"
    UNLOGGED = "8.11 Remove, 8F12"
    JOINED_HAN = "8F12 with a key"
    CLOCK_SET = "8.1.1"
    JOINED_METER = "8.7.1"
    JOINED_GAS_METER = "8.7.2"
    DECOMMISSIONED = "8.3"
    OPTED_OUT = "8.5"
    PRODUCT_NOT_APPROVED = "products list"
    PRODUCT_APPROVED = "products list, version read"
    RECOVERY_BEGUN = "SMKI recovery"
    RECOVERY_DONE = "SMKI recovery complete"


class Transition(NamedTuple):
    trigger: Trigger
    types: frozenset[Type]
    sources: frozenset[Status | None]  # None: not in the inventory
    target: Status


_METERS = frozenset({Type.ESME, Type.GSME})
_SMALL = frozenset({Type.HCALCS, Type.PPMID})
_HUB, _PROXY = frozenset({Type.CHF}), frozenset({Type.GPF})
_EXCEPT_HUB = _METERS | _SMALL
WITH_STATUS = _EXCEPT_HUB | _HUB | _PROXY

_PENDING, _LISTED, _INC = Status.PENDING, Status.WHITELISTED, Status.INSTALLED_NOT_COMMISSIONED
_COMMISSIONED, _SUSPENDED = Status.COMMISSIONED, Status.SUSPENDED
GONE = (Status.DECOMMISSIONED, Status.WITHDRAWN)
SUSPENDABLE = (_COMMISSIONED, _INC, _LISTED)
_PRESENT = frozenset(Status) - frozenset(GONE)


def _rows(
    trigger: Trigger, types: frozenset[Type], sources: Iterable[Status | None], *targets: Status
) -> Iterable[Transition]:
    return (Transition(trigger, types, frozenset(sources), target) for target in targets)


TRANSITIONS: tuple[Transition, ...] = (
    *_rows(Trigger.PRENOTIFIED, WITH_STATUS, (None, *GONE), _PENDING),
    *_rows(Trigger.STATUS_UPDATE, _EXCEPT_HUB, (_PENDING,), _INC),
    *_rows(Trigger.STATUS_UPDATE, _EXCEPT_HUB, (_LISTED,), _PENDING),
    *_rows(Trigger.HUB_STATUS_UPDATE, _HUB, (_PENDING,), _INC, _COMMISSIONED),
    *_rows(Trigger.HUB_STATUS_UPDATE, _HUB, (_INC,), _COMMISSIONED),
    *_rows(Trigger.HUB_STATUS_UPDATE, _HUB, (_COMMISSIONED,), Status.WITHDRAWN),
    *_rows(Trigger.WITH_ITS_HUB, _PROXY, (_PENDING,), _INC),
    *_rows(Trigger.WITH_ITS_HUB, _PROXY, (_COMMISSIONED, _INC), Status.WITHDRAWN),
    *_rows(Trigger.LOGGED, _EXCEPT_HUB, (_PENDING,), _LISTED),
    *_rows(Trigger.UNLOGGED, _EXCEPT_HUB, (_LISTED,), _PENDING),
    *_rows(Trigger.JOINED_HAN, _EXCEPT_HUB, (_LISTED,), _INC),
    *_rows(Trigger.CLOCK_SET, _METERS, (_INC, _LISTED), _COMMISSIONED),
    *_rows(Trigger.JOINED_METER, _SMALL, (_PENDING, _LISTED, _INC), _COMMISSIONED),
    *_rows(Trigger.JOINED_GAS_METER, _PROXY, (_INC,), _COMMISSIONED),
    *_rows(Trigger.DECOMMISSIONED, WITH_STATUS, _PRESENT, Status.DECOMMISSIONED),
    *_rows(Trigger.OPTED_OUT, _METERS, (_COMMISSIONED,), Status.WITHDRAWN),
    *_rows(Trigger.PRODUCT_NOT_APPROVED, WITH_STATUS, SUSPENDABLE, _SUSPENDED),
    *_rows(Trigger.PRODUCT_APPROVED, WITH_STATUS, (_SUSPENDED,), *SUSPENDABLE),
    *_rows(Trigger.RECOVERY_BEGUN, WITH_STATUS, (_COMMISSIONED,), Status.RECOVERY),
    *_rows(Trigger.RECOVERY_DONE, WITH_STATUS, (Status.RECOVERY,), Status.RECOVERED),
)

GPF_FOLLOWS: Mapping[tuple[Status, Status], Mapping[Status, Status]] = MappingProxyType(
    {
        (_PENDING, _INC): {_PENDING: _INC},
        (_PENDING, _COMMISSIONED): {_PENDING: _INC},
        (_INC, _COMMISSIONED): {},
        (_COMMISSIONED, Status.WITHDRAWN): {_COMMISSIONED: Status.WITHDRAWN, _INC: Status.WITHDRAWN},
    }
)
"""What a change of the hub's status by 8.4 does to its GPF, by the GPF's own status."""


def applies(trigger: Trigger, kind: Type) -> bool:
    """Whether the trigger ever changes a status of that type."""
    return any(row.trigger is trigger and kind in row.types for row in TRANSITIONS)


def allowed(trigger: Trigger, kind: Type, source: Status | None, target: Status) -> bool:
    """Whether the table has this change."""
    return (trigger, kind, source, target) in _ALLOWED


_ALLOWED = frozenset(
    (row.trigger, kind, source, row.target) for row in TRANSITIONS for kind in row.types for source in row.sources
)
