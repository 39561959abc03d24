from dataclasses import replace

import pytest

from emulator.parts.gbcs_entity import DeviceKind, GbcsEntity, GbcsRefused, TrustAnchors
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.errors import IntegrityError, UsageError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import cs06, cs08, cs09, ecs52
from tests.support.parties import BROKER, NETWORK_OPERATOR, SUPPLIER, Parties

DEVICE = Eui64(0x00DB1234567890A0)
PARTIES = Parties()


def entity(storage: MemoryStorage | None = None, anchors: TrustAnchors | None = None) -> GbcsEntity:
    held = storage if storage is not None else MemoryStorage()
    return GbcsEntity(PARTIES.pki.device(DEVICE), anchors or PARTIES.anchors(), held, PARTIES.entropy)


def activation(counter: int = 1000) -> bytes:
    payload = cs06.Command(bytes(32), counter).encode()
    return PARTIES.command(PARTIES.supplier, DEVICE, cs06.MESSAGE_CODE, payload, counter=counter, signed=True)


def reading(counter: int = 5) -> bytes:
    payload = cs08.Command().encode()
    return PARTIES.command(
        PARTIES.broker, DEVICE, cs08.MESSAGE_CODE, payload, counter=counter, signed=False, for_user=(SUPPLIER, 9)
    )


def accepted(by: GbcsEntity, octets: bytes, kind: DeviceKind = DeviceKind.ESME) -> Message:
    message, rule = by.accept(octets, kind)
    assert rule.use_case.message_code == message.message_code
    return message


def refusal(octets: bytes, by: GbcsEntity | None = None, kind: DeviceKind = DeviceKind.ESME) -> str:
    with pytest.raises(GbcsRefused) as caught:
        (by or entity()).accept(octets, kind)
    return caught.value.reason


def test_a_signed_command_under_the_brokers_mac_is_accepted() -> None:
    message = accepted(entity(), activation())
    assert (message.originator, message.message_code, message.counter) == (SUPPLIER, cs06.MESSAGE_CODE, 1000)


def test_any_altered_octet_of_a_command_is_refused() -> None:
    octets = activation()
    for position in range(len(octets)):
        altered = bytearray(octets)
        altered[position] ^= 0x01
        assert refusal(bytes(altered))


def test_a_repeated_or_older_activation_is_refused_also_after_a_restart() -> None:
    storage = MemoryStorage()
    accepted(entity(storage), activation(1000))
    assert refusal(activation(1000), entity(storage)) == "counter 1000 not above the last one of SUPPLIER"
    assert refusal(activation(999), entity(storage)) == "counter 999 not above the last one of SUPPLIER"
    assert accepted(entity(storage), activation(1001)).counter == 1001


def test_a_refused_command_does_not_raise_the_counter() -> None:
    storage = MemoryStorage()
    forged = Message.decode(activation(5000))
    refusal(replace(forged, mac=bytes(12)).encode(), entity(storage))
    assert accepted(entity(storage), activation(1)).counter == 1


def test_a_read_may_be_repeated() -> None:
    reader = entity()
    accepted(reader, reading(), DeviceKind.PPMID)
    assert accepted(reader, reading(), DeviceKind.PPMID).supplementary_party == SUPPLIER


def test_a_command_for_another_entity_is_refused() -> None:
    octets = PARTIES.command(PARTIES.broker, Eui64(1), cs08.MESSAGE_CODE, b"\x05\x00", counter=1, signed=False)
    assert refusal(octets) == "for another entity: 0000000000000001"


def test_an_unknown_originator_is_refused() -> None:
    payload = cs06.Command(bytes(32), 1).encode()
    octets = PARTIES.command(PARTIES.other_supplier, DEVICE, cs06.MESSAGE_CODE, payload, counter=1, signed=True)
    assert refusal(octets) == "unknown originator: 90b3d51f30030000"


def test_a_party_of_another_role_may_not_activate() -> None:
    payload = cs06.Command(bytes(32), 1).encode()
    octets = PARTIES.command(PARTIES.operator, DEVICE, cs06.MESSAGE_CODE, payload, counter=1, signed=True)
    assert refusal(octets) == "use case 0012 not allowed to NETWORK_OPERATOR"


def test_an_unsigned_activation_is_refused() -> None:
    payload = cs06.Command(bytes(32), 1).encode()
    octets = PARTIES.command(PARTIES.supplier, DEVICE, cs06.MESSAGE_CODE, payload, counter=1, signed=False)
    assert refusal(octets) == "signature missing"


def test_a_signature_by_another_key_is_refused() -> None:
    message = Message.decode(activation())
    forged = security.sign(replace(message, mac=None), PARTIES.operator.ds_key, PARTIES.entropy)
    z = security.shared_secret(PARTIES.broker.ka_key, PARTIES.pki.device(DEVICE).ka_certificate.public_key)
    assert refusal(security.add_mac(forged, z).encode()) == "signature invalid"


def test_a_command_without_a_mac_is_refused() -> None:
    message = replace(Message.decode(activation()), mac=None)
    assert refusal(message.encode()) == "MAC missing"


def test_a_use_case_that_is_not_known_is_refused() -> None:
    octets = PARTIES.command(PARTIES.broker, DEVICE, 0x0004, b"\x05\x00", counter=1, signed=False)
    assert refusal(octets) == "use case 0004 not supported"


def test_a_response_or_noise_is_no_command() -> None:
    command = accepted(entity(), reading(), DeviceKind.PPMID)
    assert refusal(entity().respond(command, b"\x05\x00", signed=False)) == "not a command"
    assert refusal(b"\x00\x01\x02").startswith("malformed: ")


def test_a_response_mirrors_the_command_and_bears_a_mac_for_its_originator() -> None:
    device = entity()
    command = accepted(device, reading(0x0514), DeviceKind.PPMID)
    response = Message.decode(device.respond(command, cs08.Response(0x04000100).encode(), signed=False))
    assert (response.cra, response.counter) == (Cra.RESPONSE, 0x0514)
    assert (response.originator, response.target) == (DEVICE, BROKER)
    assert (response.supplementary_party, response.supplementary_counter) == (SUPPLIER, 9)
    assert response.signature == b""
    z = security.shared_secret(PARTIES.broker.ka_key, PARTIES.pki.device(DEVICE).ka_certificate.public_key)
    security.check_mac(response, z)
    with pytest.raises(IntegrityError):
        security.check_mac(replace(response, counter=1), z)


def test_a_read_of_the_supplier_is_answered_under_the_suppliers_key() -> None:
    device = entity()
    payload = ecs52.Command(7).encode()
    octets = PARTIES.command(PARTIES.supplier, DEVICE, ecs52.MESSAGE_CODE, payload, counter=7, signed=False)
    response = Message.decode(device.respond(accepted(device, octets), b"\x05\x00", signed=False))
    key = PARTIES.pki.device(DEVICE).ka_certificate.public_key
    security.check_mac(response, security.shared_secret(PARTIES.supplier.ka_key, key))


def test_a_signed_response_carries_the_date_and_no_mac() -> None:
    device = entity()
    command = accepted(device, activation())
    date_time = bytes.fromhex("07EA0302FF090000008000FF")
    response = Message.decode(device.respond(command, b"\x05\x00", date_time=date_time, signed=True))
    assert (response.date_time, response.mac) == (date_time, None)
    security.verify_signature(response, PARTIES.pki.device(DEVICE).ds_certificate.public_key)


@pytest.mark.requirement("SM7-R3")
def test_alerts_are_signed_and_counted_over_a_restart() -> None:
    storage = MemoryStorage()
    payload = cs09.Alert(0, 0x04000100).encode()
    alerts = [Message.decode(entity(storage).alert(cs09.MESSAGE_CODE, BROKER, payload)) for _ in range(3)]
    assert [alert.counter for alert in alerts] == [1, 2, 3]
    for alert in alerts:
        security.verify_signature(alert, PARTIES.pki.device(DEVICE).ds_certificate.public_key)


def test_a_counter_taken_before_is_used() -> None:
    device = entity()
    counter = device.next_counter()
    assert Message.decode(device.alert(0x0067, NETWORK_OPERATOR, b"\x05\x00", counter=counter)).counter == counter
    assert device.next_counter() == counter + 1


def test_an_alert_with_a_mac_needs_a_key_of_its_target() -> None:
    with pytest.raises(UsageError, match="no key agreement key"):
        entity(anchors=TrustAnchors.of(PARTIES.broker)).alert(0x1001, SUPPLIER, b"\x05\x00", signed=False)


def test_who_is_no_anchor_has_no_role() -> None:
    anchors = entity(anchors=TrustAnchors.of(PARTIES.broker)).anchors
    assert anchors.eui(RemotePartyRole.ACCESS_CONTROL_BROKER) == BROKER
    assert anchors.role_of(SUPPLIER) is None
    with pytest.raises(UsageError, match="SUPPLIER"):
        anchors.eui(RemotePartyRole.SUPPLIER)


def test_a_device_certificate_is_no_anchor() -> None:
    with pytest.raises(UsageError, match="no trust anchor"):
        TrustAnchors.of(PARTIES.pki.device(DEVICE))
