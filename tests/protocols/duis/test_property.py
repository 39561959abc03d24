"""Round trip of every kind of document, and noise that raises DuisError or is read the same twice."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from protocols.addresses import Eui64
from protocols.duis import binding
from protocols.duis.alerts import (
    DCC_ALERTS,
    ActivateImageResultCode,
    CommsHubTransferStatus,
    DccAlert,
    Gone,
    TransferResponseCode,
)
from protocols.duis.binding import Binding, Kind, bindings
from protocols.duis.bodies import REQUEST_BODIES, LogToRead, RequestBody, SignedPreCommand
from protocols.duis.codes import RESPONSE_CODES
from protocols.duis.errors import DuisError
from protocols.duis.identifiers import MAX_COUNTER, RequestId
from protocols.duis.inventory import ESME_VARIANTS, DeviceStatus, DeviceType, PpmidVariant, ProductStatus
from protocols.duis.requests import CommandVariant, Request, parse_request
from protocols.duis.responses import (
    CONTENTS,
    Content,
    DccAlertMessage,
    DeviceAlertMessage,
    Response,
    ResponseMessage,
    parse_response,
)
from protocols.duis.signature import Written
from protocols.duis.times import format_date_time, parse_date_time
from protocols.errors import DecodeError, InputError
from protocols.interfaces import DAY
from tests.support.codec_property import assert_codec
from tests.support.duis_documents import REQUEST_DOCUMENTS, RESPONSE_DOCUMENTS

euis = st.builds(Eui64, st.integers(0, 2**64 - 1))
times = st.integers(parse_date_time("0001-01-01T00:00:00Z"), parse_date_time("9999-12-31T23:59:59Z"))
request_ids = st.builds(RequestId, euis, euis, st.integers(0, MAX_COUNTER))


def texts(smallest: int, largest: int) -> st.SearchStrategy[str]:
    """Texts XML can carry, the carriage return and the markup characters among them."""
    return st.text(
        st.characters(
            exclude_categories=("Cs", "Cc"), include_characters="\t\n\r<>&'\"", exclude_characters="\ufffe\uffff"
        ),
        min_size=smallest,
        max_size=largest,
    )


ESME_VARIANT = st.sampled_from(ESME_VARIANTS)
BY_TYPE: dict[int, st.SearchStrategy[Any]] = {
    id(binding.EUI): euis,
    id(binding.EUI_LIST): st.lists(euis, min_size=1, max_size=3).map(tuple),
    id(binding.DATE_TIME): times,
    id(binding.DATE): st.integers(-10_000, 100_000).map(lambda day: day * DAY),
    id(binding.REQUEST_ID): request_ids,
    id(binding.BASE64): st.binary(max_size=50),
    id(binding.IMAGE): st.binary(max_size=50),
    id(binding.ALERT_CODE): st.integers(0, 0xFFFF),
    id(binding.BOOLEAN): st.booleans(),
}
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "UPRN": st.integers(1, 10**12 - 1),
    "MPxN": texts(1, 13),
    "ImportMPxN": texts(1, 13),
    "SecondaryImportMPAN": texts(13, 13),
    "ExportMPAN": texts(13, 13),
    "PostCode": texts(6, 8),
    "AddressIdentifier": texts(0, 30),
    "DeviceManufacturer": texts(0, 30),
    "DeviceModel": texts(0, 30),
    "SMETSCHTSVersion": texts(1, 20),
    "FirmwareVersion": texts(1, 8),
    "DeviceFirmwareVersion": texts(1, 8),
    "FirmwareVersionSMI": texts(1, 8),
    "FirmwareVersionDevice": texts(1, 8),
    "ESMEVariant": ESME_VARIANT,
    "DeviceType": st.sampled_from(DeviceType),
    "DeviceStatus": st.sampled_from(DeviceStatus),
    "DeviceFirmwareVersionStatus": st.sampled_from(ProductStatus),
    "CPLStatus": st.sampled_from(ProductStatus),
    "PPMIDVariant": st.sampled_from(PpmidVariant),
    "RequestType": st.sampled_from(["Add", "Remove"]),
    "JoinTimePeriod": st.integers(1, 3600),
    "InstallCode": st.binary(min_size=6, max_size=16),
    "FirmwareHash": st.binary(min_size=32, max_size=32),
    "ActivateImageResultCode": st.sampled_from(ActivateImageResultCode),
    "CommsHubTransferStatus": st.sampled_from(CommsHubTransferStatus),
    "TransferResponseCode": st.sampled_from(TransferResponseCode),
    "FutureDatedAlertCode": st.sampled_from([0x8F66, 0x8F67]),
    "InstructionNumber": st.integers(0, 0xFFFF),
    "TotalCommandInstructions": st.integers(0, 0xFFFF),
    "ThrottledAlertSequenceId": st.integers(0, 2**40),
    "ThrottledAlertCount": st.integers(0, 2**40),
    "DSPScheduleID": st.integers(1, 2**40),
    "TolerancePeriod": st.integers(1, 86400),
    "ACBFloorSeqNumber": st.integers(0, MAX_COUNTER),
    "MeterDecommissionOrWithdrawal": st.sampled_from(Gone),
    "LogToRead": st.sampled_from(LogToRead),
    "CHFInstallType": st.sampled_from(["New CHF Install", "Replacement CHF Install", "CHF Install - no SM WAN"]),
    "CHFConnectionMethod": st.sampled_from(["Hot-shoe", "Cradle", "ESME"]),
    "Connectivity": st.sampled_from(["Cellular", "Virtual"]),
    "DCCAlertCode": st.sampled_from(["AD1", "N1", "N65", "N999"]),
    **dict.fromkeys(("CSPRegion", "DeviceGBCSVersion", "HANVariant", "S1SP", "GBCSVersion"), texts(0, 20)),
    **dict.fromkeys(
        (
            "UserRefID", "GISData", "CHFLocation", "AdditionalInformation", "PremiseType", "CHFFaultReturnType",
            "IncidentReference", "CHFFaultReason", "CHFNoFaultReturnType", "QuarantineEventRef",
        ),
        texts(1, 40),
    ),
}  # fmt: skip
BY_ELEMENT = {
    "UpdateDeviceStatusExceptCH": st.sampled_from([DeviceStatus.PENDING, DeviceStatus.INSTALLED_NOT_COMMISSIONED]),
    "UpdateDeviceStatusCH": st.sampled_from([DeviceStatus.COMMISSIONED, DeviceStatus.WITHDRAWN]),
    "GBCSPayload": st.binary(max_size=50),
}
ONE_OF_THESE = ("ReadInventory", "UpdateMPxN")  # their items are a choice


def field_values(bound: type[Any], bind: Binding) -> st.SearchStrategy[Any]:
    if bind.kind is Kind.TEXT:
        return BY_ELEMENT[bound.ELEMENT]
    if bind.kind is Kind.SERVICE:
        return st.sampled_from(["8.2", "8.7.1", "11.3", "12.2"])
    if bind.kind is Kind.LEAF:
        return BY_NAME[bind.name] if bind.name in BY_NAME else BY_TYPE[id(bind.simple)]
    if bind.kind is Kind.LISTED:
        return st.lists(BY_TYPE[id(bind.simple)], min_size=1, max_size=3).map(tuple)
    members = st.one_of([values_of(member) for member in bind.members])
    return st.lists(members, min_size=1, max_size=3).map(tuple) if bind.kind is Kind.MANY else members


def values_of(bound: type[Any]) -> st.SearchStrategy[Any]:
    """Values of a bound dataclass, its optional fields present or absent."""
    fields = {name: field_values(bound, bind) for name, bind in bindings(bound)}
    if getattr(bound, "ELEMENT", "") in ONE_OF_THESE:
        return st.one_of([st.builds(bound, **{name: values}) for name, values in fields.items()])
    defaults = {f.name: f.default for f in dataclasses.fields(bound) if f.default is not dataclasses.MISSING}
    wanted = {name: st.just(defaults[name]) | v if name in defaults else v for name, v in fields.items()}
    return st.builds(bound, **wanted)


requests = st.sampled_from(REQUEST_BODIES).flatmap(
    lambda kind: st.builds(
        Request,
        request_id=request_ids,
        command_variant=st.sampled_from(CommandVariant),
        body=values_of(kind),
        service=st.just("11.3" if kind is SignedPreCommand else ""),
        first_in_sequence=st.none() | st.booleans(),
        preceding_request_id=st.none() | request_ids,
    )
)
responses = st.one_of([values_of(kind) for kind in (ResponseMessage, DeviceAlertMessage, DccAlertMessage)]).flatmap(
    lambda body: st.builds(
        Response,
        request_id=st.none() | request_ids,
        response_id=st.none() | request_ids,
        response_code=st.sampled_from(list(RESPONSE_CODES)),
        response_date_time=times,
        body=st.just(body),
    )
)


def strictly(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Return `parse` with DuisError, and nothing else, as the error the property expects."""

    def decode(octets: bytes) -> Any:  # noqa: ANN401 - a request or a response
        try:
            return parse(octets)
        except DuisError as error:
            raise DecodeError(str(error)) from error

    return decode


def noise(documents: dict[str, bytes]) -> st.SearchStrategy[bytes]:
    """Documents with a piece replaced by noise or by a piece of another document, and noise alone."""

    @st.composite
    def damaged(draw: st.DrawFn) -> bytes:
        octets = draw(st.sampled_from(list(documents.values())))
        start = draw(st.integers(0, len(octets)))
        end = draw(st.integers(start, min(len(octets), start + 60)))
        other = draw(st.sampled_from(list(documents.values())))
        cut = draw(st.integers(0, len(other)))
        piece = draw(st.binary(max_size=12) | st.just(other[cut : cut + 60]) | st.text(max_size=9).map(_utf8))
        return octets[:start] + piece + octets[end:]

    return st.binary(max_size=64) | damaged()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def test_requests_survive_and_noise_is_harmless() -> None:
    assert_codec(
        requests,
        lambda request: request.encode(),
        strictly(parse_request),
        noise=noise(REQUEST_DOCUMENTS),
        examples=150,
    )


def test_responses_survive_and_noise_is_harmless() -> None:
    assert_codec(
        responses,
        lambda response: response.encode(),
        strictly(parse_response),
        noise=noise(RESPONSE_DOCUMENTS),
        examples=150,
    )


@pytest.mark.parametrize("kind", REQUEST_BODIES)
def test_every_request_body_survives(kind: type[RequestBody]) -> None:
    @settings(max_examples=15, deadline=None, database=None)
    @given(values_of(kind))
    def survives(body: RequestBody) -> None:
        service = "11.3" if kind is SignedPreCommand else ""
        request_id = RequestId(Eui64(1), Eui64(2), 3)
        request = Request(request_id=request_id, command_variant=CommandVariant(8), body=body, service=service)
        assert parse_request(request.encode()) == request

    survives()


@pytest.mark.parametrize("kind", [*CONTENTS, *DCC_ALERTS])
def test_every_content_and_alert_survives(kind: type[Content] | type[DccAlert]) -> None:
    @settings(max_examples=15, deadline=None, database=None)
    @given(values_of(kind))
    def survives(value: Any) -> None:  # noqa: ANN401 - a content or an alert
        body = (
            ResponseMessage("8.2", value)
            if isinstance(value, CONTENTS)
            else DccAlertMessage(dcc_alert_code="N1", alert=value)
        )
        response = Response(response_code="I0", response_date_time=0, body=body)
        assert parse_response(response.encode()) == response

    survives()


@settings(deadline=None, database=None)
@given(times)
def test_a_time_survives(time: int) -> None:
    assert parse_date_time(format_date_time(time)) == time


@settings(deadline=None, database=None)
@given(st.text(alphabet="0123456789:-TZ+. ", max_size=40))
def test_a_text_is_a_time_or_an_input_error(text: str) -> None:
    try:
        time = parse_date_time(text)
    except InputError:
        return
    assert parse_date_time(format_date_time(time)) == time


@settings(deadline=None, database=None)
@given(request_ids)
def test_a_request_id_survives_in_any_case(request_id: RequestId) -> None:
    assert RequestId.parse(str(request_id)) == request_id
    assert RequestId.parse(str(request_id).lower()) == request_id
    assert request_id.answered.answered == request_id
    assert request_id.answered.counter == request_id.counter


@settings(max_examples=200)
@given(requests | responses)
def test_what_is_written_is_its_own_canonical_form(document: Request | Response) -> None:
    written = document.encode()
    assert isinstance(written, Written)
    assert written.canonical == etree.tostring(etree.fromstring(written), method="c14n", with_comments=False)
