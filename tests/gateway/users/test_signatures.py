"""A user signs what it sends, and believes nothing the DSP did not sign."""

from collections.abc import Callable

import pytest

from emulator.clock import VirtualClock
from gateway.users.mailbox import answers, dcc_alert
from gateway.users.supplier import Supplier
from protocols.addresses import Eui64
from protocols.duis.alerts import PowerOutageEvent
from protocols.duis.requests import parse_request
from protocols.duis.responses import DccAlertMessage
from protocols.duis.signature import Verdict, judge
from protocols.gbcs.smki import RemotePartyRole
from tests.support.dcc_responder import ACB, ESME, OPERATOR, SUPPLIER, DccResponder
from tests.support.xmldsig import unsigned, with_placeholder

CHF = Eui64(0x00DB1234567890A2)


def test_every_request_is_signed_by_the_user(supplier: Supplier, dcc: DccResponder, clock: VirtualClock) -> None:
    supplier.read_inventory(CHF)
    supplier.activate(ESME, bytes(32))
    assert len(supplier.sent) == 3
    for sent in supplier.sent:
        signature = parse_request(sent.octets).signature
        certificate, role = dcc.xml[SUPPLIER].certificate, RemotePartyRole.XML_SIGNING_USER
        assert judge(signature, certificate, role, clock.now()).verdict is Verdict.VALID


def test_an_answer_signed_by_the_dsp_is_believed(supplier: Supplier) -> None:
    delivery = supplier.read_inventory(CHF).delivery
    assert (delivery.signature, delivery.fault, delivery.code) == (Verdict.VALID, "", "I99")


@pytest.mark.parametrize(
    ("spoil", "verdict", "fault"),
    [
        (unsigned, Verdict.ABSENT, "XML signature: no signature"),
        (lambda octets: with_placeholder(unsigned(octets)), Verdict.PLACEHOLDER, "XML signature: the placeholder"),
        (lambda octets: octets.replace(b"AD1<", b"N25<"), Verdict.INVALID, "XML signature: element DigestValue: "),
    ],
)
def test_an_alert_the_dsp_did_not_sign_is_kept_and_not_believed(
    supplier: Supplier, dcc: DccResponder, spoil: Callable[[bytes], bytes], verdict: Verdict, fault: str
) -> None:
    outage = PowerOutageEvent(comms_hub_device_id=CHF, start_date_time=0, mpxn="1012345678901")
    good = dcc.dcc_message(SUPPLIER, DccAlertMessage(dcc_alert_code="AD1", alert=outage))
    assert dcc_alert("AD1")(supplier.receive(good))
    delivery = supplier.receive(spoil(good))
    assert (delivery.response, delivery.code, delivery.signature) == (None, "", verdict)
    assert delivery.fault.startswith(fault)
    assert delivery.octets == spoil(good)
    assert not dcc_alert(("AD1", "N25"))(delivery)


def test_the_signature_of_another_user_is_not_that_of_the_dsp(supplier: Supplier, dcc: DccResponder) -> None:
    exchange = supplier.read_version(ESME)
    dcc.signer = dcc.signer_of(OPERATOR)
    octets = dcc.deliver(exchange.request_id, "11.2", dcc.ecs52_response(exchange.request_id, 2))
    delivery = supplier.receive(octets)
    assert delivery.fault.startswith("XML signature: the key is that of")
    assert not answers(exchange.request_id)(delivery)
    dcc.signer = dcc.signer_of(ACB)
    octets = dcc.deliver(exchange.request_id, "11.2", dcc.ecs52_response(exchange.request_id, 2))
    assert answers(exchange.request_id)(supplier.receive(octets))


def test_a_pre_command_the_dsp_did_not_sign_is_not_signed_either(supplier: Supplier, dcc: DccResponder) -> None:
    dcc.signer = dcc.signer_of(OPERATOR)
    activation = supplier.activate(ESME, bytes(32))
    assert activation.command is None
    assert not activation.accepted
    assert dcc.signed == []
