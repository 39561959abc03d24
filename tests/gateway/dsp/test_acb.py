"""What the broker does with keys, judged with the reference messages and with the other side's keys."""

import pytest

from gateway.dsp.acb import Acb
from gateway.dsp.broker_credentials import NewCredentials
from gateway.dsp.records import Signature
from protocols.addresses import Eui64
from protocols.duis.identifiers import RequestId
from protocols.errors import IntegrityError
from protocols.gbcs import security
from protocols.gbcs.envelope import Category, Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.smki import Certificate, Credentials
from protocols.gbcs.use_cases import cs02b, cs06
from tests.support.dsp_bench import BRIDGE, ESME
from tests.support.parties import BROKER, SUPPLIER, Parties
from tests.support.vectors import vectors_dir

RTDS_ACB = Eui64(0x90B3D51F30000002)


def broker(parties: Parties) -> Acb:
    repository: dict[tuple[Eui64, str], Certificate] = {}
    for own in (parties.supplier, parties.broker, parties.pki.device(ESME)):
        repository[own.eui, "ds"], repository[own.eui, "ka"] = own.ds_certificate, own.ka_certificate
    return Acb(parties.broker, repository, parties.entropy)


def rtds_broker() -> Acb:
    """Return the broker of the reference test data, with its published keys."""
    store = Keystore.load(vectors_dir() / "rtds" / "keystore")
    entities = [Eui64(0x00DB1234567890A0 + n) for n in range(6)] + [RTDS_ACB, Eui64(0x90B3D51F30010000)]
    found = {(eui, usage): store.certificate(eui, usage) for eui in entities for usage in ("ds", "ka")}
    repository = {key: certificate for key, certificate in found.items() if certificate is not None}
    ds_key, ka_key = store.private_key(RTDS_ACB, "ds"), store.private_key(RTDS_ACB, "ka")
    assert ds_key is not None
    assert ka_key is not None
    own = Credentials(RTDS_ACB, ds_key, repository[RTDS_ACB, "ds"], ka_key, repository[RTDS_ACB, "ka"])
    return Acb(own, repository, Parties().entropy)


def rtds(folder: str, name: str) -> Message:
    text = (vectors_dir() / "rtds" / folder / f"{name}_GBCS.HEX").read_text(encoding="ascii")
    return Message.decode(bytes.fromhex("".join(text.split())))


@pytest.mark.judge("rtds")
def test_the_command_made_of_a_signed_pre_command_is_the_published_one() -> None:
    command = rtds("11.3_CS06", "CS06_11.3_IMMEDIATE_SUCCESS_COMMAND")
    parts = (command.originator, command.target, command.counter, command.payload)
    signed = Message(
        Cra.COMMAND, parts[2], parts[0], parts[1], message_code=0x0012, payload=parts[3], signature=command.signature
    )
    assert rtds_broker().command(signed) == command.encode()
    payload = cs06.Command.decode(command.payload).encode()
    pre_command = rtds("11.3_CS06", "CS06_11.3_IMMEDIATE_SUCCESS_PRECOMMAND")
    request_id = RequestId(*parts[:3])
    assert rtds_broker().pre_command(request_id, 0x0012, payload) == pre_command.encode()


@pytest.mark.judge("rtds")
def test_the_command_on_behalf_of_a_user_is_the_published_one() -> None:
    command = rtds("11.2_CS08", "CS08_11.2_SUCCESS_COMMAND")
    acb = rtds_broker()
    made = acb.on_behalf(command.target, 0x0514, (Eui64(0x90B3D51F30010000), 0x03E8), 0x0129, b"\x05\x00")
    assert acb.command(made) == command.encode()


@pytest.mark.judge("rtds")
@pytest.mark.parametrize(
    ("folder", "name", "judgement"),
    [
        ("11.3_CS06", "CS06_11.3_IMMEDIATE_SUCCESS_RESPONSE", Signature.VALID),
        ("11.3_CS06", "CS06_11.3_8F66_FUTURE_DATED_SUCCESS_ALERT", Signature.VALID),
        ("11.2_CS08", "CS08_11.2_SUCCESS_RESPONSE", Signature.VALID),
        ("11.2_ECS52", "ECS52_11.2_SUCCESS_RESPONSE", Signature.NONE),
    ],
)
def test_published_messages_are_judged(folder: str, name: str, judgement: Signature) -> None:
    assert rtds_broker().judge(rtds(folder, name)) is judgement


def test_a_critical_command_of_the_broker_bears_its_signature() -> None:
    parties = Parties()
    acb = broker(parties)
    message = acb.signed(acb.on_behalf(ESME, 5, (SUPPLIER, 9), 0x00AB, b"\x05\x00"))
    command = Message.decode(acb.command(message))
    assert command.category is Category.CRITICAL_COMMAND
    security.verify_signature(command, parties.broker.ds_certificate.public_key)
    assert command.originator == BROKER


def test_a_device_without_certificate_cannot_be_reached() -> None:
    acb = broker(Parties())
    assert acb.reaches(ESME)
    assert not acb.reaches(BRIDGE)
    with pytest.raises(IntegrityError, match="no ka certificate"):
        acb.command(acb.on_behalf(BRIDGE, 5, (SUPPLIER, 9), 0x0129, b"\x05\x00"))


@pytest.mark.judge("rtds")
def test_the_command_of_an_opt_out_is_the_published_one() -> None:
    command = rtds("8.5_CS02bACBByACB", "CS02bACBByACB_8.5_SUCCESS_COMMAND")
    asked = cs02b.Command.decode(command.payload)
    (replacement,) = asked.replacements
    new = NewCredentials(None, replacement.certificate, asked.path, floor=asked.control.floor or 0)
    assert new.payload(command.counter) == command.payload
