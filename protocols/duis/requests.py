"""Service requests: `sr:Request`. The bodies stand in `bodies.py`."""

from dataclasses import dataclass, field
from enum import IntEnum

from protocols.duis import bodies
from protocols.duis.binding import BOOLEAN, INTEGER, REQUEST_ID, choice, group, leaf, service
from protocols.duis.bodies import REQUEST_BODIES, RequestBody
from protocols.duis.document import Document, encode_document, parse_document
from protocols.duis.errors import DuisError
from protocols.duis.identifiers import RequestId
from protocols.duis.schema import CURRENT_VERSION
from protocols.duis.signature import XmlSignature
from protocols.errors import UsageError

SERVICE_OF: dict[type[RequestBody], str] = {
    bodies.ReadInstantaneousImportRegisters: "4.1.1",
    bodies.ReadNetworkData: "4.10",
    bodies.ReadEventOrSecurityLog: "6.13",
    bodies.ReadAlcsData: "7.7",
    bodies.CommissionDevice: "8.1.1",
    bodies.ReadInventory: "8.2",
    bodies.DecommissionDevice: "8.3",
    bodies.UpdateInventory: "8.4",
    bodies.ServiceOptOut: "8.5",
    bodies.JoinServiceCritical: "8.7.1",
    bodies.JoinServiceNonCritical: "8.7.2",
    bodies.UnjoinServiceCritical: "8.8.1",
    bodies.UnjoinServiceNonCritical: "8.8.2",
    bodies.UpdateHanDeviceLog: "8.11",
    bodies.RestoreHanDeviceLog: "8.12.1",
    bodies.ReturnLocalCommandResponse: "8.13",
    bodies.ChfInstallSuccessSmWan: "8.14.1",
    bodies.ChfInstallSuccessNoSmWan: "8.14.2",
    bodies.ChfFaultReturn: "8.14.3",
    bodies.ChfNoFaultReturn: "8.14.4",
    bodies.UpdateFirmware: "11.1",
    bodies.ReadFirmwareVersion: "11.2",
    bodies.ActivateFirmware: "11.3",
    bodies.UpdatePpmidFirmware: "11.4",
    bodies.DevicePrenotification: "12.2",
}
"""ServiceReferenceVariant of each body; a SignedPreCommand may belong to any critical service."""

CRITICAL_SERVICES = ("8.1.1", "8.7.1", "8.8.1", "11.3")
"""Those of this project that a SignedPreCommand may name."""


_OTHER_SERVICES = (
    "1.1.1 1.1.2 1.2.1 1.2.2 1.5 1.6 1.7 2.1 2.2 2.3 2.5 3.1 3.2 3.3 3.4 3.5 4.1.2 4.1.3 4.1.4 4.2 4.3 4.4.2 "
    "4.4.3 4.4.4 4.4.5 4.6.1 4.6.2 4.8.1 4.8.2 4.8.3 4.11.1 4.11.2 4.12.1 4.12.2 4.13 4.14 4.15 4.16 4.17 "
    "4.18 5.1 5.2 5.3 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.7 6.2.8 6.2.9 6.2.10 6.4.1 6.4.2 6.5 6.6 6.7 6.8 6.11 "
    "6.12 6.14.1 6.14.2 6.14.3 6.15.1 6.15.2 6.17 6.18.1 6.18.2 6.20.1 6.20.2 6.21 6.22 6.23 6.24.1 6.24.2 "
    "6.25 6.26 6.27 6.28 6.29 6.30 6.31 6.32 7.1 7.2 7.3 7.4 7.5 7.6 7.8 7.9 7.10 7.11 7.12 7.13 7.14 7.15 "
    "7.16 8.6 8.9 8.12.2 9.1 12.1 14.1 "
)
OTHER_SERVICES = frozenset(_OTHER_SERVICES.split())
"""The services of DUIS this project does not speak. A request for one is refused as such, not as malformed."""


class CommandVariant(IntEnum):
    """What becomes of a request. Source: DUIS XML schema V5.4."""

    TO_DEVICE = 1
    LOCAL = 2
    TO_DEVICE_AND_LOCAL = 3
    TRANSFORM = 4
    SIGNED_TO_DEVICE = 5
    SIGNED_LOCAL = 6
    SIGNED_TO_DEVICE_AND_LOCAL = 7
    DCC_ONLY = 8
    DCC_INTERNAL = 9  # never from a user


_DSP_SERVICES = ("8.2", "8.3", "8.4", "8.13", "8.14.1", "8.14.2", "8.14.3", "8.14.4", "11.1", "11.4", "12.2")
_NON_CRITICAL = ("4.1.1", "4.10", "6.13", "7.7", "8.7.2", "8.8.2", "8.11", "8.12.1", "11.2")
ALLOWED_COMMAND_VARIANTS: dict[str, tuple[CommandVariant, ...]] = {
    **dict.fromkeys(_DSP_SERVICES, (CommandVariant.DCC_ONLY,)),
    **dict.fromkeys(_NON_CRITICAL, tuple(CommandVariant(n) for n in (1, 2, 3))),
    **dict.fromkeys(("8.7.1", "8.8.1", "11.3"), tuple(CommandVariant(n) for n in (4, 5, 6, 7))),
    "8.1.1": (CommandVariant.TRANSFORM, CommandVariant.SIGNED_TO_DEVICE),
    "8.5": (CommandVariant.TO_DEVICE,),
}
"""By ServiceReferenceVariant. A request outside is schema-valid; the DSP answers E12."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    request_id: RequestId = field(metadata=leaf("RequestID", REQUEST_ID))
    first_in_sequence: bool | None = field(default=None, metadata=leaf("FirstInSequence", BOOLEAN))
    preceding_request_id: RequestId | None = field(default=None, metadata=leaf("PrecedingServiceRequestID", REQUEST_ID))
    command_variant: int = field(metadata=leaf("CommandVariant", INTEGER))
    service: str = field(metadata=service())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    body: RequestBody = field(metadata=choice(*REQUEST_BODIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    header: _Header = field(metadata=group("Header", _Header))
    body: _Body = field(metadata=group("Body", _Body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A service request.

    service: the ServiceReferenceVariant; left empty it follows from the body (a SignedPreCommand must name its own).
    """

    request_id: RequestId
    command_variant: CommandVariant
    body: RequestBody
    service: str = ""
    first_in_sequence: bool | None = None
    preceding_request_id: RequestId | None = None
    schema_version: str = CURRENT_VERSION
    signature: XmlSignature | None = field(default=None, compare=False)  # as it was read; `encode` makes none

    def __post_init__(self) -> None:
        expected = SERVICE_OF.get(type(self.body), "")
        if not self.service:
            object.__setattr__(self, "service", expected)
        wrong = self.service != expected if expected else self.service not in CRITICAL_SERVICES
        if wrong:
            raise UsageError(f"{type(self.body).ELEMENT} does not belong to service {self.service or 'none'}")

    def encode(self) -> bytes:
        """Return the document, UTF-8. Raises UsageError where the schema would refuse it."""
        header = _Header(
            request_id=self.request_id,
            first_in_sequence=self.first_in_sequence,
            preceding_request_id=self.preceding_request_id,
            command_variant=self.command_variant,
            service=self.service,
        )
        return encode_document("Request", _Document(header=header, body=_Body(body=self.body)), self.schema_version)


def parse_request(octets: bytes) -> Request:
    """Read and check a request. Raises DuisError, with the RequestID where it could be read.

    Its `service` is set where the request is for a service of DUIS, this project's or one of OTHER_SERVICES.
    """
    try:
        parsed: Document[_Document] = parse_document(octets, "Request", _Document)
    except DuisError as error:
        if error.service not in OTHER_SERVICES and error.service not in ALLOWED_COMMAND_VARIANTS:
            error.service = None
        raise
    header = parsed.value.header
    try:
        return Request(
            request_id=header.request_id,
            command_variant=CommandVariant(header.command_variant),
            body=parsed.value.body.body,
            service=header.service,
            first_in_sequence=header.first_in_sequence,
            preceding_request_id=header.preceding_request_id,
            schema_version=parsed.schema_version,
            signature=parsed.signature,
        )
    except UsageError as error:
        raise DuisError(str(error), element="ServiceReferenceVariant", request_id=header.request_id) from error
