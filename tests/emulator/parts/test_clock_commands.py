"""ECS70 and GCS28: a meter whose clock is right is commissioned, one whose clock is wrong says so."""

import pytest

from emulator.parts.clock_commands import ClockCommands
from emulator.parts.gbcs_entity import DeviceKind
from protocols.gbcs import security
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import ecs70, gcs28, generic_alert
from protocols.interfaces import MINUTE
from tests.support.offline import DEVICE, Offline
from tests.support.parties import START, SUPPLIER, Parties

PARTIES = Parties()


class Clocked(Offline):
    """A meter that serves the clock commands; `set_clock` tells what it answers."""

    def _build(self) -> None:
        super()._build()
        self.clocks = ClockCommands(self.application)
        self.counter = getattr(self, "counter", 0)

    def set_clock(self, *, around: int = START) -> ecs70.Response | gcs28.Response:
        self.counter += 1
        start, end = around - MINUTE, around + MINUTE
        if self.kind is DeviceKind.ESME:
            code, payload = ecs70.MESSAGE_CODE, ecs70.Command(start, end, self.counter).encode()
        else:
            code, payload = gcs28.MESSAGE_CODE, gcs28.Command(start, end).encode()
        response = self.obey(
            PARTIES.command(PARTIES.supplier, DEVICE, code, payload, counter=self.counter, signed=True)
        )
        assert response is not None, self.refusals
        security.verify_signature(response, PARTIES.pki.device(DEVICE).ds_certificate.public_key)
        decoded = ecs70.Response if self.kind is DeviceKind.ESME else gcs28.Response
        return decoded.decode(response.payload)

    def told(self) -> list[Message]:
        return [message for message in self.sent if message.cra is Cra.ALERT]


@pytest.mark.parametrize("kind", [DeviceKind.ESME, DeviceKind.GSME])
def test_a_right_clock_commissions_the_meter_once(kind: DeviceKind) -> None:
    meter = Clocked(PARTIES, kind)
    response = meter.set_clock()
    assert (response.success, response.time) == (True, START)
    (alert,) = meter.told()
    assert (alert.message_code, alert.target) == (generic_alert.CRITICAL_MESSAGE_CODE, SUPPLIER)
    form = generic_alert.Alert if kind is DeviceKind.ESME else generic_alert.GsmeAlert
    assert form.decode(alert.payload).alert_code == AlertCode.DEVICE_COMMISSIONED
    meter.restart()
    assert meter.clocks.confirmed
    assert meter.set_clock().success
    assert len(meter.told()) == 1


@pytest.mark.parametrize("kind", [DeviceKind.ESME, DeviceKind.GSME])
@pytest.mark.parametrize("off", [-61 * MINUTE, 5 * MINUTE])
def test_a_wrong_clock_is_told_and_commissions_nothing(kind: DeviceKind, off: int) -> None:
    meter = Clocked(PARTIES, kind, wrong_by=off)
    assert not meter.set_clock().success
    assert (meter.clocks.confirmed, meter.told()) == (False, [])
    assert meter.set_clock(around=START + off).success


def test_a_network_operator_sets_no_clock() -> None:
    meter = Clocked(PARTIES, DeviceKind.ESME)
    payload = ecs70.Command(START - MINUTE, START + MINUTE, 1).encode()
    octets = PARTIES.command(PARTIES.operator, DEVICE, ecs70.MESSAGE_CODE, payload, counter=1, signed=True)
    assert meter.obey(octets) is None
    assert meter.refusals == ["use case 0062 not allowed to NETWORK_OPERATOR"]
    assert not meter.clocks.confirmed
