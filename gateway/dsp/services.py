"""The services this DSP offers, one row each, and the codes this project chose where the published texts are not known.

Source of roles and targets: legal text of MP170 and the public service matrix; 8.5 has no user of its own in the
latter today and is kept for suppliers here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from protocols.duis.codes import EMULATOR_CODES
from protocols.duis.inventory import DeviceType
from protocols.errors import HanlabError

SCHEMA_INVALID = EMULATOR_CODES["schema-invalid"]
SIGNATURE_INVALID = EMULATOR_CODES["signature-invalid"]
COUNTER_NOT_RISING = EMULATOR_CODES["counter-not-rising"]
DATE_TOO_FAR = EMULATOR_CODES["execution-date-too-far"]
PRE_COMMAND_MISMATCH = EMULATOR_CODES["pre-command-mismatch"]
NOT_OFFERED = EMULATOR_CODES["service-not-offered"]
LOCAL_RESPONSE_MISMATCH = EMULATOR_CODES["local-response-mismatch"]
NO_DEVICE_LOG = EMULATOR_CODES["no-device-log"]
QUARANTINED = "E100"

# The texts of E0811xx are not public; the use of each number is this project's.
LOG_DEVICE_UNKNOWN = "E081101"
LOG_DEVICE_STATUS = "E081102"
LOG_DEVICE_TYPE = "E081104"
LOG_ADD_BLOCK = "E081105"
LOG_NOT_ON_HUB = "E081106"
LOG_ROLE = "E081107"
LOG_MPXN = "E081108"

# So are those of E0814xx.
HUB_UNKNOWN = "E081401"
HUB_EXPECTED = "E081402"
HUB_STATUS = "E081405"
HUB_OTHER_DEVICE = "E081406"
HUB_MPXN_UNKNOWN = "W081401"

SUPPLIER_ROLES = ("IS", "GS")
OPERATOR_ROLES = ("ED", "GT")
ALL_ROLES = ("IS", "ES", "GS", "RSA", "ED", "GT", "OU")

_ESME, _GSME, _GPF, _CHF = DeviceType.ESME, DeviceType.GSME, DeviceType.GPF, DeviceType.CHF
_HCALCS, _PPMID = DeviceType.HCALCS, DeviceType.PPMID


class RefusedError(HanlabError):
    """A request ends here. `code` is the response code; the text is for the timeline, not for the user."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Service(NamedTuple):
    """Who may use a service and which types it is addressed to; no types: it is addressed to the DSP."""

    roles: tuple[str, ...]
    targets: tuple[DeviceType, ...] = ()


SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        "4.1.1": Service((*SUPPLIER_ROLES, *OPERATOR_ROLES), (_ESME, _GSME, _GPF)),
        "4.10": Service((*SUPPLIER_ROLES, *OPERATOR_ROLES), (_ESME, _GSME, _GPF)),
        "6.13": Service((*SUPPLIER_ROLES, *OPERATOR_ROLES), (_ESME, _GSME, _GPF, _CHF)),
        "7.7": Service((*SUPPLIER_ROLES, *OPERATOR_ROLES), (_ESME,)),
        "8.1.1": Service(SUPPLIER_ROLES, (_ESME, _GSME)),
        "8.2": Service(ALL_ROLES),
        "8.3": Service(SUPPLIER_ROLES),
        "8.4": Service(ALL_ROLES),
        "8.5": Service(SUPPLIER_ROLES, (_ESME, _GSME)),
        "8.7.1": Service(SUPPLIER_ROLES, (_ESME, _GSME, _HCALCS)),
        "8.7.2": Service((*SUPPLIER_ROLES, "OU"), (_ESME, _GSME, _GPF, _PPMID)),
        "8.8.1": Service(SUPPLIER_ROLES, (_ESME, _GSME, _HCALCS)),
        "8.8.2": Service((*SUPPLIER_ROLES, "OU"), (_ESME, _GSME, _GPF, _PPMID)),
        "8.11": Service((*SUPPLIER_ROLES, "OU"), (_CHF,)),
        "8.12.1": Service(SUPPLIER_ROLES, (_CHF,)),
        "8.13": Service(SUPPLIER_ROLES),
        **dict.fromkeys(("8.14.1", "8.14.2", "8.14.3", "8.14.4"), Service(SUPPLIER_ROLES)),
        "11.1": Service(SUPPLIER_ROLES),
        "11.2": Service(ALL_ROLES, (_ESME, _GSME, _GPF, _CHF, _PPMID, _HCALCS)),
        "11.3": Service(SUPPLIER_ROLES, (_ESME, _GSME, _HCALCS)),
        "11.4": Service(SUPPLIER_ROLES),
        "12.2": Service(ALL_ROLES),
    }
)
