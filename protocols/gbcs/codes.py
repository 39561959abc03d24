"""Code tables of GBCS. A number a table does not know is kept as it is."""

from enum import IntEnum
from typing import TypeVar

Code = TypeVar("Code", bound=IntEnum)


def named(kind: type[Code], number: int) -> Code | int:
    """Return the code the standard names, else the bare number."""
    try:
        return kind(number)
    except ValueError:
        return number


class AlertCode(IntEnum):
    """Alert codes of the use cases built here."""

    CHF_DEVICE_LOG_CHANGED = 0x8F12
    FIRMWARE_VERIFICATION_FAILED = 0x8F1C
    SUPPLY_RESTORED = 0x8F35  # it was off for less than 3 minutes
    SUPPLY_RESTORED_AFTER_OUTAGE = 0x8F36  # it was off for 3 minutes or longer
    FUTURE_DATED_COMMAND_DONE = 0x8F66
    FUTURE_DATED_COMMAND_FAILED = 0x8F67
    FIRMWARE_VERIFIED = 0x8F72
    FIRMWARE_TRANSFER_FAILED = 0x8F89
    FIRMWARE_TRANSFERRED = 0x8F8A
    PPMID_FIRMWARE_ACTIVATION = 0x8F8B


class AccessResult(IntEnum):
    """DLMS data access and action results."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    OTHER_REASON = 250
