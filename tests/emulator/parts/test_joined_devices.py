"""CS03, CS04, CS07 at every kind of device with a log of its own; 8F30 and ECS100 for what is refused."""

import pytest

from emulator.parts.gbcs_application import RefusalAlerts
from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.joined_devices import JoinSettings
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.codes import AlertCode, DeviceType, JoinCode
from protocols.gbcs.device_log import LogEntry
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Credentials
from protocols.gbcs.use_cases import cs03, cs04, cs06, cs07, ecs100, generic_alert
from protocols.gbcs.use_cases.cs03 import MethodAndRole
from protocols.gbcs.use_cases.cs04 import UnjoinCode
from tests.support.offline import DEVICE, Offline
from tests.support.parties import BROKER, SUPPLIER, Parties

PARTIES = Parties()
OTHER = Eui64(0x00DB123456789093)
A1, A2, B, C = cs03.MESSAGE_CODE_A1, cs03.MESSAGE_CODE_A2, cs03.MESSAGE_CODE_B, cs03.MESSAGE_CODE_C
M = MethodAndRole

JOINS = [
    (DeviceKind.ESME, PARTIES.supplier, A1, M.A_INITIATOR, DeviceType.HCALCS),
    (DeviceKind.ESME, PARTIES.supplier, A1, M.A_INITIATOR, DeviceType.PPMID),
    (DeviceKind.ESME, PARTIES.supplier, B, M.B, DeviceType.TYPE_2),
    (DeviceKind.ESME, PARTIES.broker, B, M.B, DeviceType.TYPE_2),
    (DeviceKind.GPF, PARTIES.supplier, B, M.B, DeviceType.GSME),
    (DeviceKind.GPF, PARTIES.broker, B, M.B, DeviceType.TYPE_2),
    (DeviceKind.HCALCS, PARTIES.supplier, A2, M.A_RESPONDER, DeviceType.ESME),
    (DeviceKind.PPMID, PARTIES.broker, A2, M.A_RESPONDER, DeviceType.ESME),
    (DeviceKind.PPMID, PARTIES.broker, C, M.C, DeviceType.GSME),
    (DeviceKind.GSME, PARTIES.supplier, B, M.B, DeviceType.GPF),
    (DeviceKind.GSME, PARTIES.supplier, C, M.C, DeviceType.PPMID),
]


class Joining(Offline):
    """A device and the party that commands it."""

    def __init__(self, kind: DeviceKind, sender: Credentials, joins: JoinSettings | None = None) -> None:
        super().__init__(PARTIES, kind, joins=joins)
        self.sender, self.counter = sender, 0

    def say(self, code: int, payload: bytes, *, signed: bool) -> Message:
        self.counter += 1
        on_behalf = (SUPPLIER, 9) if self.sender is PARTIES.broker else None
        response = self.obey(
            PARTIES.command(self.sender, DEVICE, code, payload, counter=self.counter, signed=signed, for_user=on_behalf)
        )
        assert response is not None, self.refusals
        return response

    def join(
        self, code: int, method: int, kind: int, device: Eui64 = OTHER, *, certificate: bytes | None = None
    ) -> JoinCode | int:
        if certificate is None and method == M.C:
            certificate = PARTIES.pki.device(device).ka_certificate.der
        response = self.say(code, cs03.Command(method, device, kind, certificate).encode(), signed=code != B)
        assert bool(response.signature) is (code != B)
        return cs03.Response.decode(response.payload).code


@pytest.mark.parametrize(("kind", "sender", "code", "method", "other"), JOINS)
def test_a_device_joins_tells_and_unjoins(
    kind: DeviceKind, sender: Credentials, code: int, method: MethodAndRole, other: DeviceType
) -> None:
    device = Joining(kind, sender)
    assert device.join(code, method, other) == JoinCode.SUCCESS
    assert device.joins.log.entries() == (LogEntry(OTHER, other),)
    device.restart()
    assert device.join(code, method, other) == JoinCode.SUCCESS  # the same again
    if sender is PARTIES.supplier and kind is DeviceKind.GSME:
        read = device.say(cs07.MESSAGE_CODE, cs07.Command().encode(), signed=False)
        assert cs07.Response.decode(read.payload).entries == (LogEntry(OTHER, other),)
    codes = []
    for _ in range(2):
        message_code, signed = (cs04.MESSAGE_CODE_B, False) if code == B else (cs04.MESSAGE_CODE_AC, True)
        response = device.say(message_code, cs04.Command(OTHER).encode(), signed=signed)
        codes.append(cs04.Response.decode(response.payload).code)
    assert codes == [UnjoinCode.SUCCESS, UnjoinCode.NOT_IN_LOG]
    assert device.joins.log.entries() == ()


@pytest.mark.parametrize(("kind", "sender", "code", "method", "other"), JOINS)
def test_wrong_joins_get_their_codes(
    kind: DeviceKind, sender: Credentials, code: int, method: MethodAndRole, other: DeviceType
) -> None:
    device = Joining(kind, sender)
    wrong_method = next(m for m in M if m != method)
    assert device.join(code, wrong_method, other) == JoinCode.INVALID_MESSAGE_CODE
    assert device.join(code, 9, other) == JoinCode.INVALID_METHOD_AND_ROLE
    assert device.join(code, method, DeviceType.CHF) == JoinCode.INVALID_METHOD_AND_ROLE
    if method is M.C:
        for bad in (PARTIES.pki.device(Eui64(5)).ka_certificate, PARTIES.pki.device(OTHER).ds_certificate):
            assert device.join(code, method, other, certificate=bad.der) == JoinCode.INVALID_OR_MISSING_CERTIFICATE
    assert device.joins.log.entries() == ()


def test_a_full_log_and_an_entry_of_another_kind_have_their_codes() -> None:
    device = Joining(DeviceKind.ESME, PARTIES.supplier, JoinSettings(log_capacity=2))
    codes = [device.join(A1, M.A_INITIATOR, DeviceType.PPMID, Eui64(number)) for number in (1, 2, 3)]
    assert codes == [JoinCode.SUCCESS, JoinCode.SUCCESS, JoinCode.LOG_FULL]
    assert device.join(A1, M.A_INITIATOR, DeviceType.HCALCS, Eui64(2)) == JoinCode.INCOMPATIBLE_ENTRY


# --- refusals that are told --------------------------------------------------------------------------------------


def told(device: Offline) -> list[Message]:
    alerts = [message for message in device.sent if message.cra is Cra.ALERT]
    for alert in alerts:
        security.verify_signature(alert, PARTIES.pki.device(DEVICE).ds_certificate.public_key)
    return alerts


def unauthorised(counter: int = 5) -> bytes:
    payload = cs06.Command(bytes(32), counter).encode()
    return PARTIES.command(PARTIES.operator, DEVICE, cs06.MESSAGE_CODE, payload, counter=counter, signed=True)


def test_a_source_without_authority_is_told_to_the_supplier() -> None:
    for kind, decode in (
        (DeviceKind.ESME, generic_alert.Alert.decode),
        (DeviceKind.GSME, generic_alert.GsmeAlert.decode),
    ):
        device = Offline(PARTIES, kind)
        assert device.obey(unauthorised()) is None
        (alert,) = told(device)
        assert (alert.message_code, alert.target) == (generic_alert.CRITICAL_MESSAGE_CODE, SUPPLIER)
        assert decode(alert.payload).alert_code == AlertCode.SOURCE_LACKS_AUTHORITY


def test_an_unsupported_command_is_told_to_its_originator_where_the_setting_says_so() -> None:
    unsupported = PARTIES.command(PARTIES.broker, DEVICE, 0x0060, b"\x05\x00", counter=77, signed=False)
    for wanted in (False, True):
        device = Offline(PARTIES, DeviceKind.ESME, refusal_alerts=RefusalAlerts(not_supported=wanted))
        assert device.obey(unsupported) is None
        assert len(told(device)) == wanted
        for message in told(device):
            alert = ecs100.Alert.decode(message.payload)
            assert (message.target, alert.command_message_code, alert.command_counter) == (BROKER, 0x0060, 77)


def test_nothing_is_told_of_what_nobody_proved_to_have_sent() -> None:
    """An alert on any noise would let a stranger fill the WAN."""
    device = Offline(PARTIES, DeviceKind.ESME, refusal_alerts=RefusalAlerts(not_supported=True))
    forged = Message.decode(unauthorised())
    stranger = Parties(8)
    again = security.sign(forged, stranger.operator.ds_key, stranger.entropy)
    for octets in (again.encode(), b"noise", forged.encode()[:-1] + b"\x00"):
        device.application.obey(octets)
    assert told(device) == []
    assert len(device.refusals) == 3
