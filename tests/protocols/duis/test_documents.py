"""One document of each kind, written by hand, against our codec; and forms others write."""

import pytest

from protocols.addresses import Eui64
from protocols.duis.alerts import DCC_ALERTS
from protocols.duis.bodies import REQUEST_BODIES
from protocols.duis.identifiers import RequestId
from protocols.duis.requests import parse_request
from protocols.duis.responses import CONTENTS, DccAlertMessage, DeviceAlertMessage, ResponseMessage, parse_response
from tests.support.duis_documents import (
    REQUEST_DOCUMENTS,
    REQUESTS,
    RESPONSE_DOCUMENTS,
    RESPONSES,
    SUPPLIER,
    request_of,
    response_of,
)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_these_octets(name: str) -> None:
    assert request_of(name).encode() == REQUEST_DOCUMENTS[name]
    assert parse_request(REQUEST_DOCUMENTS[name]) == request_of(name)


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_is_these_octets(name: str) -> None:
    assert response_of(name).encode() == RESPONSE_DOCUMENTS[name]
    assert parse_response(RESPONSE_DOCUMENTS[name]) == response_of(name)


def test_there_is_a_document_of_every_kind() -> None:
    bodies = [case.body for case in RESPONSES.values()]
    contents = [body.content for body in bodies if isinstance(body, ResponseMessage)]
    alerts = [body.alert for body in bodies if isinstance(body, DccAlertMessage)]
    assert {type(case.body) for case in REQUESTS.values()} == set(REQUEST_BODIES)
    assert {type(content) for content in contents} == {*CONTENTS, type(None)}
    assert {type(alert) for alert in alerts} == set(DCC_ALERTS)
    assert any(isinstance(body, DeviceAlertMessage) for body in bodies)


PUBLISHED_FORM = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<a:Response xmlns:a="http://www.dccinterface.co.uk/ServiceUserGateway" xmlns:ns3="http://www.w3.org/2000/09/xmldsig#"
 xmlns:ra="http://www.dccinterface.co.uk/ResponseAndAlert" schemaVersion="5.1"><a:Header>
<a:RequestID>90-b3-d5-1f-30-01-00-00:88-73-84-57-00-2f-96-1e:1660751141087</a:RequestID>
<a:ResponseCode>I99</a:ResponseCode><a:ResponseDateTime>2022-08-17T17:45:42.790+02:00</a:ResponseDateTime></a:Header>
<a:Body><a:ResponseMessage><a:ServiceReference>11.2</a:ServiceReference>
<a:ServiceReferenceVariant>11.2</a:ServiceReferenceVariant></a:ResponseMessage></a:Body>
<ns3:Signature><ns3:SignedInfo/><!-- comment --></ns3:Signature></a:Response>"""


def test_another_prefix_another_zone_small_hex_and_a_signature_are_read() -> None:
    response = parse_response(PUBLISHED_FORM.encode())
    assert response.request_id == RequestId(SUPPLIER, Eui64(0x88738457002F961E), 1660751141087)
    assert response.response_date_time == 1_660_751_142_790_000_000
    assert response.schema_version == "5.1"
    assert response.signature is not None
    assert "no CanonicalizationMethod in it" in response.signature.fault
    assert b"Signature" not in response.encode()


def test_header_items_few_send_are_read() -> None:
    octets = REQUEST_DOCUMENTS["8.2 by device"].replace(
        b"    <sr:CommandVariant>",
        b"    <sr:FirstInSequence>1</sr:FirstInSequence>\n    <sr:PrecedingServiceRequestID>"
        b"90-B3-D5-1F-30-01-00-00:90-B3-D5-1F-30-00-00-02:999</sr:PrecedingServiceRequestID>\n    <sr:CommandVariant>",
    )
    request = parse_request(octets)
    assert request.first_in_sequence is True
    assert request.preceding_request_id == request.request_id._replace(counter=999)
    assert request.encode() == octets.replace(b"Sequence>1<", b"Sequence>true<")


def test_a_response_without_body_answers_a_request_that_could_not_be_read() -> None:
    response = parse_response(
        RESPONSE_DOCUMENTS["acknowledgement"].split(b"  <sr:Body>")[0].replace(b"I99", b"E40") + b"</sr:Response>\n"
    )
    assert response.body is None
    assert parse_response(response.encode()) == response
