"""The DSP's side of XML signatures: when a request is refused for its own, and that all it says is signed."""

from collections.abc import Callable

import pytest

from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.identifiers import RequestId
from protocols.duis.requests import CommandVariant, Request
from protocols.duis.responses import ResponseMessage
from protocols.duis.signature import XmlSigner
from protocols.gbcs.smki import KeyPair, RemotePartyRole
from tests.support.dsp_bench import BRIDGE, ESME, HUB, STRANGER, Bench, Outcome
from tests.support.parties import BROKER, OTHER_SUPPLIER, SUPPLIER
from tests.support.xmldsig import with_placeholder

V1 = 0x0B100100


def request(counter: int = 5, user: Eui64 = SUPPLIER, variant: CommandVariant = CommandVariant.DCC_ONLY) -> bytes:
    """Return an 8.2, unsigned."""
    body = bodies.ReadInventory(device_id=HUB)
    return Request(request_id=RequestId(user, BROKER, counter), command_variant=variant, body=body).encode()


def refused(bench: Bench, octets: bytes, code: str = "E41", user: Eui64 = SUPPLIER) -> Outcome:
    """Send octets that must be refused, and write nothing; return what came of it."""
    before = bench.store.dump()
    outcome = bench.submit(octets, user)
    assert outcome.code == code
    assert (outcome.to_csp, outcome.to_users) == ([], [])
    assert bench.store.dump() == before
    return outcome


def told(outcome: Outcome) -> tuple[object, object]:
    """Return verdict and reason as the timeline has them."""
    (note,) = outcome.notes
    return note.fields["signature"], note.fields["reason"]


def test_a_signed_request_is_taken() -> None:
    outcome = Bench().submit(Bench().signed(request()))
    assert outcome.code == "I0"
    assert told(outcome) == ("valid", None)


def test_a_refusal_names_request_and_service_and_is_signed() -> None:
    outcome = refused(Bench(), request())
    assert outcome.reply is not None
    assert outcome.reply.request_id == RequestId(SUPPLIER, BROKER, 5)
    assert outcome.reply.body == ResponseMessage("8.2")
    assert outcome.reply.signature is not None
    assert told(outcome) == ("absent", "no signature")


def altered(bench: Bench) -> bytes:
    return bench.signed(request()).replace(b"90-A2", b"90-A0")


def by_the_key_of_another(bench: Bench) -> bytes:
    return bench.signed(request(), OTHER_SUPPLIER)


def by_the_signing_key_for_gbcs(bench: Bench) -> bytes:
    own = bench.parties.supplier
    return XmlSigner(own.ds_key, own.ds_certificate, bench.parties.entropy).sign(request())


def by_the_dsp(bench: Bench) -> bytes:
    return bench.signed(request(), BROKER)


def under_the_serial_of_the_user(bench: Bench) -> bytes:
    pair = KeyPair(bench.xml[OTHER_SUPPLIER].key, bench.xml[SUPPLIER].certificate)
    return XmlSigner(*pair, bench.parties.entropy).sign(request())


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (altered, "the document is not the one that was signed"),
        (by_the_key_of_another, "the key is that of"),
        (by_the_signing_key_for_gbcs, "the key is that of"),
        (by_the_dsp, "the key is that of"),
        (under_the_serial_of_the_user, "the signature does not verify"),
    ],
)
@pytest.mark.parametrize("accept_unsigned", [False, True])
def test_a_bad_signature_is_refused_in_labs_too(
    made: Callable[[Bench], bytes], reason: str, *, accept_unsigned: bool
) -> None:
    bench = Bench(settings=DspSettings(accept_unsigned=accept_unsigned))
    verdict, why = told(refused(bench, made(bench)))
    assert verdict == "invalid"
    assert reason in str(why)


def test_the_certificate_is_that_of_the_line_not_of_the_request() -> None:
    """A user's good request on the line of another has a bad signature there."""
    bench = Bench()
    refused(bench, bench.signed(request()), user=OTHER_SUPPLIER)


def test_without_certificate_in_the_repository_nothing_is_believed() -> None:
    bench = Bench()
    nobody = Eui64(0x90B3D51F300A0000)
    pair = bench.parties.pki.xml_signing(nobody, RemotePartyRole.XML_SIGNING_USER)
    octets = XmlSigner(*pair, bench.parties.entropy).sign(request(user=nobody))
    assert told(refused(bench, octets, user=nobody)) == ("invalid", "no XML signing certificate of the sender")


def test_the_signature_comes_after_the_schema_and_before_everything_else() -> None:
    bench = Bench()
    refused(bench, altered(bench).replace(b"ReadInventory>", b"ReadNothing>"), "E40")
    refused(bench, request(user=STRANGER), "E41", user=STRANGER)
    refused(bench, bench.signed(request(user=STRANGER), STRANGER), "E1", user=STRANGER)
    wrong = request(variant=CommandVariant.TRANSFORM)
    refused(bench, wrong, "E41")
    refused(bench, bench.signed(wrong), "E12")


@pytest.mark.parametrize(("octets", "verdict"), [(request(), "absent"), (with_placeholder(request()), "placeholder")])
def test_labs_may_take_unsigned_requests_and_those_of_templates(octets: bytes, verdict: str) -> None:
    assert told(refused(Bench(), octets))[0] == verdict
    outcome = Bench(settings=DspSettings(accept_unsigned=True)).submit(octets)
    assert outcome.code == "I0"
    assert told(outcome) == (verdict, None)


def test_everything_a_user_gets_is_signed() -> None:
    """Answers of the DSP itself, of devices, their alerts, DCC alerts, and the answer to what is no request.

    The bench verifies each when it reads it; here it is seen that each kind comes past.
    """
    bench = Bench()
    outcomes = [
        bench.submit(b"<no xml"),
        bench.request(bodies.ReadInventory(device_id=ESME)),
        bench.transform(),
        bench.send_signed(bench.transform()),
        bench.outage(),
        bench.activation_report(BRIDGE, V1),
        bench.receipt(ESME, bytes(32)),
    ]
    replies = [outcome.reply for outcome in outcomes if outcome.reply is not None]
    passed_on = [response for outcome in outcomes for _, response in outcome.to_users]
    assert len(replies) == 4
    assert {type(response.body).__name__ for response in passed_on} >= {"DccAlertMessage", "DeviceAlertMessage"}
    assert all(response.signature is not None for response in (*replies, *passed_on))
