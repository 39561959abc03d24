"""ECS17b and GCS13a: registers sealed for who asked and opened by nobody else; for parties unknown to the meter too."""

from dataclasses import replace

import pytest

from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.register_commands import serve_electricity, serve_gas
from protocols.addresses import Eui64
from protocols.errors import IntegrityError
from protocols.gbcs import document, encryption, security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.listing import listing
from protocols.gbcs.smki import Credentials, RemotePartyRole
from protocols.gbcs.use_cases import ecs17b, gcs13a
from tests.support.offline import DEVICE, Offline
from tests.support.parties import Parties

PARTIES = Parties()
METER = PARTIES.pki.device(DEVICE)
STRANGER = PARTIES.pki.organisation(Eui64(0x90B3D51F30050000), RemotePartyRole.OTHER)


class Metered(Offline):
    """A meter with fixed registers."""

    def _build(self) -> None:
        super()._build()
        serve = serve_electricity if self.kind is DeviceKind.ESME else serve_gas
        serve(self.application, lambda: 1_234_567)


def request(kind: DeviceKind, sender: Credentials, counter: int = 5) -> Message:
    """Return the unprotected command."""
    code, payload = gcs13a.MESSAGE_CODE, gcs13a.Command().encode()
    if kind is DeviceKind.ESME:
        code, payload = ecs17b.MESSAGE_CODE, ecs17b.Command(counter, sender.eui, DEVICE).encode()
    return Message(Cra.COMMAND, counter, sender.eui, DEVICE, message_code=code, payload=payload, signature=b"")


def ask(meter: Metered, command: Message) -> Message | None:
    z = security.shared_secret(PARTIES.broker.ka_key, METER.ka_certificate.public_key)
    return meter.obey(security.add_mac(command, z).encode())


def opened(response: Message | None, reader: Credentials) -> ecs17b.Registers | gcs13a.Registers:
    assert response is not None
    z = security.shared_secret(reader.ka_key, METER.ka_certificate.public_key)
    if response.message_code == ecs17b.MESSAGE_CODE:
        protected = ecs17b.Response.decode(response.payload).protected
        assert protected is not None
        assert protected.recipient == reader.eui
        return ecs17b.Registers.decode(encryption.unseal(protected.sealed, response, z))
    sealed = gcs13a.Response.decode(response.payload).sealed
    return gcs13a.Registers.decode(encryption.unseal(sealed, response, z))


WANTED = {
    DeviceKind.ESME: ecs17b.Registers(1_234_567, 0),
    DeviceKind.GSME: gcs13a.Registers(divisor=1000, multiplier=1, unit=1, total=1_234_567),
}
KINDS = list(WANTED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", [PARTIES.supplier, PARTIES.operator], ids=["supplier", "operator"])
def test_who_asks_opens_the_answer_and_nobody_else_does(kind: DeviceKind, reader: Credentials) -> None:
    response = ask(Metered(PARTIES, kind), request(kind, reader))
    assert opened(response, reader) == WANTED[kind]
    for other in (PARTIES.broker, PARTIES.other_supplier):
        with pytest.raises((IntegrityError, AssertionError)):
            opened(response, other)
    assert response is not None
    security.check_mac(response, security.shared_secret(reader.ka_key, METER.ka_certificate.public_key))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_party_is_answered_under_the_certificate_it_sent(kind: DeviceKind) -> None:
    meter = Metered(PARTIES, kind)
    command = replace(
        request(kind, PARTIES.broker), supplementary_party=STRANGER.eui, supplementary_counter=9,
        certificate=STRANGER.ka_certificate.der,
    )  # fmt: skip
    first, second = ask(meter, command), ask(meter, replace(command, counter=5))
    assert opened(first, STRANGER) == WANTED[kind]
    assert first is not None
    assert second is not None
    assert (first.supplementary_party, first.supplementary_counter, first.certificate) == (STRANGER.eui, 9, b"")
    counters = [each.supplementary_originator_counter for each in (first, second)]
    assert counters == [1, 2]  # never the same key for two answers
    assert len(first.other_information()) == 26


@pytest.mark.parametrize("kind", KINDS)
def test_the_broker_may_ask_for_a_party_the_meter_knows(kind: DeviceKind) -> None:
    command = replace(request(kind, PARTIES.broker), supplementary_party=PARTIES.supplier.eui, supplementary_counter=9)
    assert opened(ask(Metered(PARTIES, kind), command), PARTIES.supplier) == WANTED[kind]


@pytest.mark.parametrize(
    ("party", "certificate", "reason"),
    [
        (STRANGER, b"", "no key of the party that the data is for"),
        (STRANGER, STRANGER.ds_certificate.der, "a certificate that is not for key agreement with 90b3d51f30050000"),
        (STRANGER, PARTIES.other_supplier.ka_certificate.der, "a certificate that is not for key agreement"),
        (STRANGER, b"\x30\x82\x01\x00" + bytes(256), "a certificate that is not for key agreement"),
    ],
    ids=["none", "for signing", "of somebody else", "nonsense"],
)
def test_without_a_key_for_the_reader_nothing_is_told(party: Credentials, certificate: bytes, reason: str) -> None:
    meter = Metered(PARTIES, DeviceKind.ESME)
    before = meter.contents()
    command = replace(
        request(DeviceKind.ESME, PARTIES.broker), supplementary_party=party.eui, supplementary_counter=9,
        certificate=certificate,
    )  # fmt: skip
    assert ask(meter, command) is None
    assert meter.refusals[0].startswith(reason)
    assert meter.contents() == before


def test_a_transaction_that_is_not_the_messages_is_refused() -> None:
    meter = Metered(PARTIES, DeviceKind.ESME)
    other = replace(request(DeviceKind.ESME, PARTIES.supplier), payload=ecs17b.Command(6, DEVICE, DEVICE).encode())
    assert ask(meter, other) is None
    assert "the transaction of the payload is not that of the message" in meter.refusals[0]


@pytest.mark.parametrize("kind", KINDS)
def test_decode_shows_the_registers_to_who_has_the_key(kind: DeviceKind) -> None:
    response = ask(Metered(PARTIES, kind), request(kind, PARTIES.supplier))
    assert response is not None
    keys = Keystore()
    keys.add(METER, private=False)
    keys.add(PARTIES.supplier, private=True)
    described = document.describe(response, "here", keys)
    assert (described["encrypted"], described["mac"], described["notes"]) == ("valid", "valid", [])
    lines = "\n".join(listing(response, described))
    assert ("double-long-unsigned  1234567" if kind is DeviceKind.ESME else "data type 25 1234567") in lines


def test_a_twin_element_meter_answers_with_both_elements() -> None:
    class Twin(Metered):
        def _build(self) -> None:
            super()._build()
            serve_electricity(self.application, lambda: 1_234_567, lambda: (1 << 32) + 89)

    answer = ask(Twin(PARTIES, DeviceKind.ESME), request(DeviceKind.ESME, PARTIES.supplier))
    assert opened(answer, PARTIES.supplier) == ecs17b.Registers(1_234_567, 0, 89)
