"""Responses and alerts: `sr:Response`."""

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from protocols.addresses import Eui64
from protocols.duis.alerts import DCC_ALERTS, DccAlert
from protocols.duis.binding import (
    ALERT_CODE,
    BASE64,
    DATE_TIME,
    EUI_LIST,
    INTEGER,
    REQUEST_ID,
    STRING,
    choice,
    group,
    leaf,
    service,
    text,
)
from protocols.duis.document import Document, encode_document, parse_document
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DspInventory
from protocols.duis.schema import CURRENT_VERSION
from protocols.duis.signature import XmlSignature


@dataclass(frozen=True, slots=True)
class GbcsPayload:
    """The answer of a device, as it came."""

    ELEMENT: ClassVar[str] = "GBCSPayload"

    octets: bytes = field(metadata=text(BASE64))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreCommand:
    """The answer to a critical request of command variant 4, for the user to check and sign."""

    ELEMENT: ClassVar[str] = "PreCommand"

    gbcs_version: str = field(metadata=leaf("GBCSVersion", STRING))
    gbcs_payload: bytes = field(metadata=leaf("GBCSPayload", BASE64))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCommand:
    ELEMENT: ClassVar[str] = "LocalCommand"

    gbcs_payload: bytes = field(metadata=leaf("GBCSPayload", BASE64))


@dataclass(frozen=True, slots=True, kw_only=True)
class DspUpdateFirmwareWarning:
    """W110101: the devices left out, by reason; an empty list has no element."""

    ELEMENT: ClassVar[str] = "DSPUpdateFirmwareWarning"

    invalid_device_ids: tuple[Eui64, ...] = field(default=(), metadata=leaf("InvalidDeviceIDList", EUI_LIST))
    not_commissioned_device_ids: tuple[Eui64, ...] = field(
        default=(), metadata=leaf("NotCommissionedDeviceIDList", EUI_LIST)
    )
    not_applicable_firmware_device_ids: tuple[Eui64, ...] = field(
        default=(), metadata=leaf("NotApplicableFirmwareDeviceIDList", EUI_LIST)
    )
    other_request_in_progress: tuple[Eui64, ...] = field(
        default=(), metadata=leaf("OtherRequestInProgressList", EUI_LIST)
    )
    invalid_gbcs_version: tuple[Eui64, ...] = field(default=(), metadata=leaf("InvalidGBCSVersionList", EUI_LIST))


@dataclass(frozen=True, slots=True, kw_only=True)
class DspUpdatePpmidFirmwareWarning:
    """W110401: as `DspUpdateFirmwareWarning`."""

    ELEMENT: ClassVar[str] = "DSPUpdatePPMIDFirmwareWarning"

    invalid_device_ids: tuple[Eui64, ...] = field(default=(), metadata=leaf("InvalidDeviceIDList", EUI_LIST))
    not_commissioned_device_ids: tuple[Eui64, ...] = field(
        default=(), metadata=leaf("NotCommissionedDeviceIDList", EUI_LIST)
    )
    not_applicable_firmware_device_ids: tuple[Eui64, ...] = field(
        default=(), metadata=leaf("NotApplicableFirmwareDeviceIDList", EUI_LIST)
    )
    other_request_in_progress: tuple[Eui64, ...] = field(
        default=(), metadata=leaf("OtherRequestInProgressList", EUI_LIST)
    )
    invalid_gbcs_version: tuple[Eui64, ...] = field(default=(), metadata=leaf("InvalidGBCSVersionList", EUI_LIST))


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureDatedDeviceAlertMessage:
    """8F66 (done) or 8F67 (not done) of a command with a date."""

    ELEMENT: ClassVar[str] = "FutureDatedDeviceAlertMessage"

    alert_code: int = field(metadata=leaf("FutureDatedAlertCode", ALERT_CODE))
    gbcs_payload: bytes = field(metadata=leaf("GBCSPayload", BASE64))
    instruction_number: int = field(default=1, metadata=leaf("InstructionNumber", INTEGER))  # 16 bits
    total_command_instructions: int = field(default=1, metadata=leaf("TotalCommandInstructions", INTEGER))


Content: TypeAlias = (
    DspInventory
    | DspUpdateFirmwareWarning
    | DspUpdatePpmidFirmwareWarning
    | FutureDatedDeviceAlertMessage
    | GbcsPayload
    | LocalCommand
    | PreCommand
)
CONTENTS: tuple[type[Content], ...] = (
    DspInventory,
    DspUpdateFirmwareWarning,
    DspUpdatePpmidFirmwareWarning,
    FutureDatedDeviceAlertMessage,
    GbcsPayload,
    LocalCommand,
    PreCommand,
)


@dataclass(frozen=True, slots=True)
class ResponseMessage:
    """What a request led to; `content` None is an acknowledgement or a refusal, told by the response code."""

    ELEMENT: ClassVar[str] = "ResponseMessage"

    service: str = field(metadata=service())  # the ServiceReferenceVariant, e.g. "11.3"
    content: Content | None = field(default=None, metadata=choice(*CONTENTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAlertMessage:
    """An alert of a device, unasked."""

    ELEMENT: ClassVar[str] = "DeviceAlertMessage"

    alert_code: int = field(metadata=leaf("AlertCode", ALERT_CODE))  # 16 bits
    throttled_alert_sequence_id: int | None = field(default=None, metadata=leaf("ThrottledAlertSequenceId", INTEGER))
    throttled_alert_count: int | None = field(default=None, metadata=leaf("ThrottledAlertCount", INTEGER))
    gbcs_payload: bytes = field(metadata=leaf("GBCSPayload", BASE64))


@dataclass(frozen=True, slots=True, kw_only=True)
class DccAlertMessage:
    """An alert of the DCC: AD1 or N1 to N999."""

    ELEMENT: ClassVar[str] = "DCCAlertMessage"

    dcc_alert_code: str = field(metadata=leaf("DCCAlertCode", STRING))
    throttled_alert_sequence_id: int | None = field(default=None, metadata=leaf("ThrottledAlertSequenceId", INTEGER))
    throttled_alert_count: int | None = field(default=None, metadata=leaf("ThrottledAlertCount", INTEGER))
    alert: DccAlert = field(metadata=choice(*DCC_ALERTS, within="DCCAlert"))


ResponseBody: TypeAlias = ResponseMessage | DeviceAlertMessage | DccAlertMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    request_id: RequestId | None = field(default=None, metadata=leaf("RequestID", REQUEST_ID))
    response_id: RequestId | None = field(default=None, metadata=leaf("ResponseID", REQUEST_ID))
    response_code: str = field(metadata=leaf("ResponseCode", STRING))
    response_date_time: int = field(metadata=leaf("ResponseDateTime", DATE_TIME))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    message: ResponseBody | None = field(
        default=None, metadata=choice(ResponseMessage, DeviceAlertMessage, DccAlertMessage)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    header: _Header = field(metadata=group("Header", _Header))
    body: _Body | None = field(default=None, metadata=group("Body", _Body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response or alert to a user.

    An acknowledgement, a refusal and the answer of the DSP itself carry request_id only, the answer of a device both
    identifiers, an alert response_id only. response_date_time is ns UTC. body is None only where the request could
    not be read, so that no service reference can be repeated.
    """

    request_id: RequestId | None = None
    response_id: RequestId | None = None
    response_code: str  # of `codes.RESPONSE_CODES`
    response_date_time: int
    body: ResponseBody | None
    schema_version: str = CURRENT_VERSION
    signature: XmlSignature | None = field(default=None, compare=False)  # as it was read; `encode` makes none

    def encode(self, *, checked: bool = True) -> bytes:
        """Return the document, UTF-8. checked: raises UsageError where the schema would refuse it."""
        header = _Header(
            request_id=self.request_id,
            response_id=self.response_id,
            response_code=self.response_code,
            response_date_time=self.response_date_time,
        )
        body = None if self.body is None else _Body(message=self.body)
        return encode_document("Response", _Document(header=header, body=body), self.schema_version, checked=checked)


def parse_response(octets: bytes) -> Response:
    """Read and check a response. Raises DuisError."""
    parsed: Document[_Document] = parse_document(octets, "Response", _Document)
    header, body = parsed.value.header, parsed.value.body
    return Response(
        request_id=header.request_id,
        response_id=header.response_id,
        response_code=header.response_code,
        response_date_time=header.response_date_time,
        body=None if body is None else body.message,
        schema_version=parsed.schema_version,
        signature=parsed.signature,
    )
