"""Response codes: every code the schema enumerates, in one table.

Source: DUIS XML schema V5.4 (the enumeration), the public list of DCC response codes and SEC modification MP170 (the
meanings). `inferred` marks a meaning that is our reading; an empty meaning is not public.
"""

from typing import NamedTuple


class ResponseCode(NamedTuple):
    code: str
    meaning: str
    inferred: bool = False

    @property
    def is_success(self) -> bool:
        return self.code.startswith("I")

    @property
    def is_warning(self) -> bool:
        return self.code.startswith("W")

    @property
    def is_error(self) -> bool:
        return self.code.startswith("E")


SUCCESS = "I0"
ACCEPTED = "I99"

_GENERAL = (
    ResponseCode("I0", "success"),
    ResponseCode("I99", "accepted for sending to the device; or done, with no data to return"),
    ResponseCode("E1", "user and role are not a valid party"),
    ResponseCode("E2", "role may not use this service"),
    ResponseCode("E3", "the user's status does not permit the service"),
    ResponseCode("E4", "role not authorised for that device at that time"),
    ResponseCode("E5", "the device's inventory status does not allow the service"),
    ResponseCode("E11", "service not applicable to the device type"),
    ResponseCode("E12", "command variant not applicable to the request"),
    ResponseCode("E13", "request type sent to the wrong service"),
    ResponseCode("E17", "not available as local command for that role or status"),
    ResponseCode("E19", "device not known to the DCC"),
    ResponseCode("E20", "communication with the device cannot be established"),
    ResponseCode("E21", "no response from the device"),
    ResponseCode("E30", "time-out of a future dated command"),
    ResponseCode("E31", "time-out of a scheduled command", inferred=True),
    *(ResponseCode(f"E{number}", "") for number in range(40, 72)),
    ResponseCode("E100", "request quarantined", inferred=True),
    *(ResponseCode(f"E{number}", "") for number in (1000, 1001, 1003, 1004, 1006, 1007, 1008, 1010, 1011)),
)
_INVENTORY = (
    ResponseCode("E080201", "search does not pin down one premises"),
    ResponseCode("E080202", "premises has no device"),
    ResponseCode("E080405", "status not applicable to that device type", inferred=True),
    ResponseCode("E080406", "transition of status not allowed", inferred=True),
    ResponseCode("E080407", "device not in the inventory, or not Pending"),
    ResponseCode("E080408", "nothing to update in the request"),
    ResponseCode("E080409", "resulting type, manufacturer, model and firmware are not on the products list"),
    ResponseCode("E080410", "user may not update that detail"),
    ResponseCode("E080411", "status not applicable to a Communications Hub", inferred=True),
    ResponseCode("E080412", "transition of status of a Communications Hub not allowed", inferred=True),
    ResponseCode("E080413", "kind of MPxN unsuitable for the device"),
    ResponseCode("E080414", "MPxN may not change in this status"),
    ResponseCode("E080415", "user is not the registered supplier of the new MPxN"),
    ResponseCode("E120201", "device already in the inventory and not Decommissioned or Withdrawn"),
    ResponseCode("E120203", "type, manufacturer, model and firmware are not as on the products list"),
    ResponseCode("E120204", "an applicable item is missing or one that does not apply is present"),
    ResponseCode("E120207", "a GPF cannot be pre-notified"),
)
_JOINING = (
    ResponseCode("E080702", "other device type invalid, or a PPMID whose variant is not plain PPMID"),
    ResponseCode("E080721", "other device type invalid, or the PPMID's variant is not plain PPMID"),
    ResponseCode("E080722", "role may not join that device type"),
    ResponseCode("E080723", "user not entitled for that GSME and GPF"),
    ResponseCode("E080801", "other device type invalid", inferred=True),
    ResponseCode("E080821", "other device type invalid", inferred=True),
    ResponseCode("E080822", "role not authorised for that device type", inferred=True),
    *(ResponseCode(f"E0811{number:02}", "") for number in (1, 2, *range(4, 12))),
    *(ResponseCode(f"E0814{number:02}", "") for number in (1, 2, 5, 6)),
    ResponseCode("W081401", ""),
)
_FIRMWARE = (
    ResponseCode("E110101", "image fails structural checks: OTA header or size", inferred=True),
    ResponseCode("E110102", "version or hash of the image has no current products list entry", inferred=True),
    ResponseCode("E110103", "no device of the list is acceptable", inferred=True),
    ResponseCode("E110105", "list of devices too long or malformed", inferred=True),
    ResponseCode("E110106", "signature of the image missing or invalid", inferred=True),
    ResponseCode("W110101", "accepted, some devices were left out", inferred=True),
    ResponseCode("E110401", "image fails structural checks: OTA header or size", inferred=True),
    ResponseCode("E110402", "version or hash of the image has no current products list entry", inferred=True),
    ResponseCode("E110403", "no device of the list is acceptable", inferred=True),
    ResponseCode("E110405", "list of devices too long or malformed", inferred=True),
    ResponseCode("W110401", "accepted, some devices were left out", inferred=True),
)

RESPONSE_CODES: dict[str, ResponseCode] = {row.code: row for row in (*_GENERAL, *_INVENTORY, *_JOINING, *_FIRMWARE)}
"""Every code a response may carry; one outside is invalid against the schema."""

EMULATOR_CODES: dict[str, str] = {
    "schema-invalid": "E40",
    "signature-invalid": "E41",
    "counter-not-rising": "E42",
    "execution-date-too-far": "E43",
    "pre-command-mismatch": "E44",
    "service-not-offered": "E45",
    "local-response-mismatch": "E46",
    "no-device-log": "E47",
}
"""This emulator's own choice out of E40 to E71, whose meanings are not public. Settings may replace them."""
