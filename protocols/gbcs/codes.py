"""Code tables of GBCS. A number a table does not know is kept as it is."""

from enum import IntEnum
from typing import Annotated, TypeAlias, TypeVar

Code = TypeVar("Code", bound=IntEnum)

VERSION = "version"
Version: TypeAlias = Annotated[int, VERSION]  # 32 bits of a firmware version; 8 hexadecimal digits in JSON


def named(kind: type[Code], number: int) -> Code | int:
    """Return the code the standard names, else the bare number."""
    try:
        return kind(number)
    except ValueError:
        return number


class AlertCode(IntEnum):
    """Alert codes of the use cases built here; `alert_names.py` has words for all that are known."""

    GPF_DEVICE_LOG_CHANGED = 0x8071
    CREDIT_LOW = 0x810D
    CREDIT_ADDED_LOCALLY = 0x810E
    EMERGENCY_CREDIT_AVAILABLE = 0x8119
    CLOCK_ADJUSTED = 0x8145  # logged only
    INTEGRITY_WARNING = 0x81A0
    MESSAGE_CONFIRMED = 0x81A6
    EMERGENCY_CREDIT_USED_UP = 0x81AA
    EMERGENCY_CREDIT_ACTIVATED = 0x81AB
    CLOCK_NOT_ADJUSTED = 0x8F0C  # it was off by more than 10 s
    CHF_DEVICE_LOG_CHANGED = 0x8F12
    FIRMWARE_VERIFICATION_FAILED = 0x8F1C
    COMMAND_CHECK_FAILED = 0x8F1E  # logged here only
    BATTERY_LOW = 0x8F1F
    MESSAGE_DISCARDED = 0x8F2C
    SOURCE_LACKS_AUTHORITY = 0x8F30
    SUPPLY_RESTORED = 0x8F35  # it was off for less than 3 minutes
    SUPPLY_RESTORED_AFTER_OUTAGE = 0x8F36  # it was off for 3 minutes or longer
    PHASE_1_RESTORED = 0x8F37
    PHASE_1_RESTORED_AFTER_OUTAGE = 0x8F38
    PHASE_2_RESTORED = 0x8F39
    PHASE_2_RESTORED_AFTER_OUTAGE = 0x8F3A
    PHASE_3_RESTORED = 0x8F3B
    PHASE_3_RESTORED_AFTER_OUTAGE = 0x8F3C
    AUTHENTICATION_FAILED = 0x8F3D
    UNAUTHORISED_COMMUNICATION = 0x8F3E
    FIRMWARE_CHANGED = 0x8F43  # logged only
    DEVICE_JOINED = 0x8F49  # logged only
    DEVICE_UNJOINED = 0x8F4B  # logged only
    SUPPLY_INTERRUPTED = 0x8F57  # logged only
    PHASE_1_INTERRUPTED = 0x8F58  # logged only
    PHASE_2_INTERRUPTED = 0x8F59  # logged only
    PHASE_3_INTERRUPTED = 0x8F5A  # logged only
    FUTURE_DATED_COMMAND_DONE = 0x8F66
    FUTURE_DATED_COMMAND_FAILED = 0x8F67
    DEVICE_COMMISSIONED = 0x8F69
    CREDENTIALS_UPDATED = 0x8F70  # logged only
    FIRMWARE_VERIFIED = 0x8F72
    MESSAGE_NOT_DELIVERED = 0x8F84
    COMMAND_NOT_SUPPORTED = 0x8F85
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


class ZclStatus(IntEnum):
    """Status octet of a ZCL read attributes response, as far as GBCS responses were seen to use it."""

    SUCCESS = 0x00
    UNSUPPORTED_ATTRIBUTE = 0x86
    HARDWARE_FAILURE = 0xC0


class DeviceType(IntEnum):
    """Kinds of devices in DER payloads; the hub's device log numbers them otherwise (`ccs01.LogDeviceType`)."""

    GSME = 0
    ESME = 1
    CHF = 2
    GPF = 3
    HCALCS = 4
    PPMID = 5
    TYPE_2 = 6  # IHD, CAD


class JoinCode(IntEnum):
    """What came of a join."""

    SUCCESS = 0
    INVALID_MESSAGE_CODE = 1  # for the join method and role
    INVALID_METHOD_AND_ROLE = 2
    INCOMPATIBLE_ENTRY = 3
    LOG_FULL = 4
    WRITE_FAILURE = 5
    NO_RESOURCES = 6
    UNKNOWN_ISSUER = 7
    UNSUPPORTED_SUITE = 8
    BAD_MESSAGE = 9
    BAD_KEY_CONFIRM = 10
    INVALID_OR_MISSING_CERTIFICATE = 11
    NO_PARTNER_LINK_KEY = 12
    NO_CBKE_RESPONSE = 13


class CredentialStatus(IntEnum):
    """What came of reading or replacing one trust anchor."""

    SUCCESS = 0
    BAD_CERTIFICATE = 5
    NO_TRUST_ANCHOR = 10
    INSUFFICIENT_MEMORY = 17
    TRUST_ANCHOR_NOT_FOUND = 25
    RESOURCES_BUSY = 30
    OTHER = 127
