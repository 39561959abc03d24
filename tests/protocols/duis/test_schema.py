"""The schema refuses what it should, names line and element, and agrees with the tables of the code."""

import pytest
from lxml import etree

from protocols.duis.alerts import DCC_ALERT_TABLE
from protocols.duis.bodies import DevicePrenotification, UpdateDeviceDetails, UpdateInventory
from protocols.duis.codes import EMULATOR_CODES, RESPONSE_CODES
from protocols.duis.errors import DuisError
from protocols.duis.inventory import (
    ESME_VARIANTS,
    DeviceStatus,
    DeviceType,
    DspInventory,
    InventoryDevice,
    PpmidVariant,
    ProductStatus,
)
from protocols.duis.requests import Request, parse_request
from protocols.duis.responses import Response, ResponseMessage, parse_response
from protocols.duis.schema import PPMID_VARIANT, SCHEMA_VERSIONS, has_ppmid_variant, source
from protocols.errors import UsageError
from tests.support.duis_documents import CHF, PPMID, REQUEST_DOCUMENTS, RESPONSE_DOCUMENTS, request_of

XS = "{http://www.w3.org/2001/XMLSchema}"
DOCUMENTS = {
    **{f"request {name}": octets for name, octets in REQUEST_DOCUMENTS.items()},
    **{f"response {name}": octets for name, octets in RESPONSE_DOCUMENTS.items()},
}


def parse(octets: bytes) -> Request | Response:
    return parse_request(octets) if b"<sr:Request " in octets else parse_response(octets)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_any_element_under_another_name_is_refused_at_its_line(name: str) -> None:
    lines = DOCUMENTS[name].decode().splitlines()
    checked = 0
    for number, line in enumerate(lines[2:-1], start=3):
        opened = line.strip().removeprefix("<sr:").split(">")[0].rstrip("/")
        if line.strip().startswith("</"):
            continue
        leaf = line.count("<") == 2 or line.endswith("/>")
        damaged = list(lines)
        damaged[number - 1] = line.replace(f"sr:{opened}", "sr:Nonsense")
        if not leaf:
            indent = line[: len(line) - len(line.lstrip())]
            end = next(i for i in range(number, len(lines)) if lines[i] == f"{indent}</sr:{opened}>")
            damaged[end] = f"{indent}</sr:Nonsense>"
        with pytest.raises(DuisError) as caught:
            parse("\n".join(damaged).encode())
        assert (caught.value.line, caught.value.element) == (number, "Nonsense")
        checked += 1
    assert checked >= 6


@pytest.mark.parametrize(
    ("document", "element", "text"),
    [
        ("request 11.3", "FirmwareHash", "00"),
        ("request 11.3", "FirmwareHash", "ZZ" * 32),
        ("request 11.3 cancel", "ExecutionDateTime", "3000-13-31T00:00:00Z"),
        ("request 11.3 cancel", "ExecutionDateTime", "tomorrow"),
        ("request 11.3 cancel", "ExecutionDateTime", "12026-03-02T00:00:00Z"),
        ("request 11.3 cancel", "ExecutionDateTime", "0001-01-01T00:00:00+14:00"),
        ("request 11.3 cancel", "ExecutionDateTime", "2026-03-02T00:00:00.0000000001Z"),
        ("request 11.3 signed", "GBCSPayload", "3w!B"),
        ("request 11.1", "FirmwareImage", "aW1hZ2U"),
        ("request 11.1", "FirmwareImage", "aW1hZ2V="),
        ("request 11.1", "FirmwareImage", "äöü"),
        ("request 11.1", "FirmwareVersion", "123456789"),
        ("request 11.1", "DeviceIDList", "00-DB-12-34-56-78-90-A0 00-DB-12-34-56-78-90-A4"),
        ("request 11.1", "DeviceIDList", "00-DB-12-34-56-78-90-A0,"),
        ("request 11.1", "DeviceIDList", ",".join(["00-DB-12-34-56-78-90-A0"] * 50_001)),
        ("request 11.3", "CommandVariant", "10"),
        ("request 11.3", "CommandVariant", "four"),
        ("request 11.3", "RequestID", "90-B3-D5-1F-30-01-00-00:00-DB-12-34-56-78-90-A0:01"),
        ("request 11.3", "RequestID", f"90-B3-D5-1F-30-01-00-00:00-DB-12-34-56-78-90-A0:{2**64}"),
        ("request 8.2 by device", "DeviceID", "00DB1234567890A2"),
        ("request 8.2 by UPRN", "UPRN", "1000000000000"),
        ("request 8.4 status", "UpdateDeviceStatusExceptCH", "Commissioned"),
        ("request 8.4 status of the hub", "UpdateDeviceStatusCH", "Pending"),
        ("request 8.11 add", "JoinTimePeriod", "3601"),
        ("request 8.11 add", "InstallCode", "0011223344"),
        ("request 12.2 bridge", "PPMIDVariant", "AltHAN Bridge 5"),
        ("request 12.2 bridge", "DeviceType", "Bridge"),
        ("response acknowledgement", "ResponseCode", "E99"),
        ("response acknowledgement", "ResponseDateTime", "2026-03-02"),
        ("response 8F66", "FutureDatedAlertCode", "8F72"),
        ("response 8F72", "AlertCode", "8F7"),
        ("response AD1", "DCCAlertCode", "AD2"),
        ("response AD1", "DCCAlertCode", "N32"),
        ("response N60", "CommsHubTransferStatus", "Perhaps"),
    ],
)
def test_a_wrong_value_is_refused_at_its_line_and_element(document: str, element: str, text: str) -> None:
    octets = DOCUMENTS[document].decode()
    start = octets.index(f"<sr:{element}>") + len(element) + 5
    line = octets.count("\n", 0, start) + 1
    damaged = octets[:start] + text + octets[octets.index("</", start) :]
    with pytest.raises(DuisError) as caught:
        parse(damaged.encode())
    assert (caught.value.line, caught.value.element) == (line, element)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_refused_request_is_named_where_its_header_can_be_read() -> None:
    good = REQUEST_DOCUMENTS["12.2 bridge"]
    with pytest.raises(DuisError) as caught:
        parse_request(good.replace(b"AltHAN Bridge 1", b"AltHAN Bridge 9"))
    assert caught.value.request_id == parse_request(good).request_id
    assert "AltHAN Bridge 9" in str(caught.value)


@pytest.mark.parametrize("octets", [b"<a>", b"<a></b>", b"<sr:Request/>", b"<a/>\n\n<b/>", b"", b"\x00", b"<a b=c/>"])
def test_malformed_xml_names_line_and_column(octets: bytes) -> None:
    with pytest.raises(DuisError, match=r"^line \d+, column \d+: ") as caught:
        parse_request(octets)
    assert caught.value.line is not None
    assert caught.value.column is not None


def test_the_line_of_a_fault_far_down_is_right() -> None:
    octets = REQUEST_DOCUMENTS["11.1"].replace(b"aW1hZ2U=", b"\n" * 100_000 + b"aW1hZ2U=")
    with pytest.raises(DuisError) as caught:
        parse_request(octets.replace(b"0002012F", b"0002012F0"))
    assert caught.value.line == 100_012


@pytest.mark.parametrize("version", [b"5.6", b"6", b"five", b"", b"5.50"])
def test_an_unknown_schema_version_is_refused(version: bytes) -> None:
    octets = REQUEST_DOCUMENTS["11.3"].replace(b'"5.5"', b'"' + version + b'"')
    with pytest.raises(DuisError, match="unknown schemaVersion"):
        parse_request(octets)


def test_a_request_is_no_response() -> None:
    with pytest.raises(DuisError, match="root element Response expected"):
        parse_response(REQUEST_DOCUMENTS["11.3"])


def test_the_body_must_belong_to_the_service_named() -> None:
    octets = REQUEST_DOCUMENTS["11.3"].replace(b">11.3<", b">11.1<")
    with pytest.raises(DuisError, match=r"ActivateFirmware does not belong to service 11\.1"):
        parse_request(octets)
    with pytest.raises(DuisError, match=r"variant 11\.1 is not of service 11\.3"):
        parse_request(octets.replace(b"ServiceReference>11.1", b"ServiceReference>11.3"))


# --- MP170: PPMIDVariant only where it belongs ---------------------------------------------------------------------


@pytest.mark.requirement("MP170-L9")
@pytest.mark.parametrize("variant", PpmidVariant)
@pytest.mark.parametrize("version", SCHEMA_VERSIONS)
def test_ppmid_variant_stands_in_12_2_from_its_version_on(version: str, variant: PpmidVariant) -> None:
    """MP170-L9: the five variants, under the schema version of MP170 alone."""
    octets = REQUEST_DOCUMENTS["12.2 bridge"].replace(b"AltHAN Bridge 1", variant.value.encode())
    octets = octets.replace(b'"5.5"', f'"{version}"'.encode())
    if version == "5.5":
        body = parse_request(octets).body
        assert isinstance(body, DevicePrenotification)
        assert body.ppmid_variant is variant
    else:
        with pytest.raises(DuisError) as caught:
            parse_request(octets)
        assert caught.value.element == "PPMIDVariant"


@pytest.mark.parametrize("name", ["12.2 bridge", "8.4 details"])
def test_without_the_element_an_older_request_is_valid(name: str) -> None:
    octets = REQUEST_DOCUMENTS[name].replace(b'"5.5"', b'"5.4"')
    with pytest.raises(DuisError, match="PPMIDVariant"):
        parse_request(octets)
    start = octets.index(b"<sr:PPMIDVariant>")
    end = octets.index(b"</sr:PPMIDVariant>") + len(b"</sr:PPMIDVariant>")
    body = parse_request(octets[:start] + octets[end:]).body
    details = body.change if isinstance(body, UpdateInventory) else body
    assert isinstance(details, UpdateDeviceDetails | DevicePrenotification)
    assert details.ppmid_variant is None


@pytest.mark.requirement("MP170-L6")
def test_an_inventory_for_an_older_user_cannot_carry_the_variant() -> None:
    """MP170-L6: the answer of 8.2 carries PPMIDVariant under the version that knows it."""
    device = InventoryDevice(
        device_id=PPMID,
        device_type=DeviceType.PPMID,
        device_manufacturer="AB01",
        device_model="010A030B",
        ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_2,
    )

    def answer(version: str) -> Response:
        return Response(
            response_code="I0",
            response_date_time=0,
            body=ResponseMessage("8.2", DspInventory(devices=(device,))),
            schema_version=version,
        )

    assert not has_ppmid_variant("5.4")
    with pytest.raises(UsageError, match="PPMIDVariant"):
        answer("5.4").encode()
    assert has_ppmid_variant("5.5")
    assert parse_response(answer("5.5").encode()) == answer("5.5")


def test_the_switch_is_all_that_differs_between_the_versions() -> None:
    without, with_variant = source(()), source((PPMID_VARIANT,))
    assert b'name="PPMIDVariant" type' not in without
    assert with_variant.count(b'name="PPMIDVariant" type') == 3  # 12.2, 8.4, 8.2
    assert b"switch=" not in with_variant


# --- what our own side must not send -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "response",
    [
        Response(response_code="E99", response_date_time=0, body=ResponseMessage("8.2")),
        Response(response_code="I0", response_date_time=0, body=ResponseMessage("eight")),
        Response(response_code="I0", response_date_time=0, body=ResponseMessage("8.2", DspInventory(devices=()))),
        Response(response_code="I0", response_date_time=0, body=None, schema_version="9.9"),
        Response(response_code="I0", response_date_time=0, body=None, schema_version='"'),
        Response(response_code="I0", response_date_time=10**30, body=None),
        Response(response_code="\x01", response_date_time=0, body=None),
    ],
)
def test_encoding_what_the_schema_refuses_is_our_own_mistake(response: Response) -> None:
    with pytest.raises(UsageError):
        response.encode()


def test_an_inventory_names_at_most_17_devices() -> None:
    device = InventoryDevice(
        device_id=CHF, device_type=DeviceType.CHF, device_manufacturer="AB01", device_model="010A030B"
    )
    for count, allowed in ((17, True), (18, False)):
        response = Response(
            response_code="I0",
            response_date_time=0,
            body=ResponseMessage("8.2", DspInventory(devices=(device,) * count)),
        )
        if allowed:
            assert parse_response(response.encode()) == response
        else:
            with pytest.raises(UsageError):
                response.encode()


def test_a_pre_command_names_its_service() -> None:
    body = request_of("11.3 signed").body
    with pytest.raises(UsageError, match="SignedPreCommand does not belong to service none"):
        Request(request_id=request_of("11.3").request_id, command_variant=request_of("11.3").command_variant, body=body)


# --- the tables and the schema agree -------------------------------------------------------------------------------


def enumeration(name: str) -> list[str]:
    root = etree.fromstring(source((PPMID_VARIANT,)))
    (declaration,) = [e for e in root.findall(f"{XS}simpleType") if e.get("name") == name]
    return [str(e.get("value")) for e in declaration.iter(f"{XS}enumeration")]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ResponseCode", list(RESPONSE_CODES)),
        ("DeviceType", list(DeviceType)),
        ("DeviceStatus", list(DeviceStatus)),
        ("ProductStatus", list(ProductStatus)),
        ("PPMIDVariant", list(PpmidVariant)),
        ("ESMEVariant", list(ESME_VARIANTS)),
    ],
)
def test_an_enumeration_of_the_schema_is_the_table_of_the_code(name: str, values: list[str]) -> None:
    assert enumeration(name) == values


def test_alert_codes_are_ad1_and_n1_to_n65_without_n32_and_n999() -> None:
    codes = enumeration("DCCAlertCode")
    assert len(codes) == 66
    assert "N32" not in codes
    assert set(DCC_ALERT_TABLE) <= set(codes)


def test_codes_of_our_own_choice_are_enumerated_and_have_no_public_meaning() -> None:
    assert all(RESPONSE_CODES[code].meaning == "" for code in EMULATOR_CODES.values())
    assert len(set(EMULATOR_CODES.values())) == len(EMULATOR_CODES)


def test_every_code_is_success_warning_or_error() -> None:
    kinds = [(row.is_success, row.is_warning, row.is_error).count(True) for row in RESPONSE_CODES.values()]
    assert kinds == [1] * len(RESPONSE_CODES)
