"""8F84: what the hub could not hand to the ESME within a day it tells the broker; of other devices it tells nothing."""

from dataclasses import replace

import pytest

from emulator.devices.communications_hub import HubSettings
from protocols.gbcs import security
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import ecs52, undelivered
from protocols.interfaces import DAY, HOUR, SECOND
from protocols.wan.envelope import GbcsCarried
from tests.support.hub_bench import ACB, CHF, ESME_TYPE, PPMID_TYPE, HubBench, credentials, eui

DEVICE = eui(1)


def told(bench: HubBench) -> list[undelivered.Alert]:
    found = [message for message in bench.messages_up(CHF) if message.message_code == undelivered.MESSAGE_CODE]
    for message in found:
        security.verify_signature(message, credentials(CHF).ds_certificate.public_key)
        assert message.target == ACB
    return [undelivered.Alert.decode(message.payload) for message in found]


def hub(type_code: int, settings: HubSettings | None = None) -> HubBench:
    bench = HubBench(settings)
    bench.hub.start()
    bench.add_to_log(DEVICE, type_code)
    bench.run(5)
    return bench


@pytest.mark.parametrize("restart", [False, True])
def test_a_message_that_waited_a_day_for_the_esme_is_told_once(restart: bool) -> None:
    bench = hub(ESME_TYPE)
    octets = bench.command(ecs52.MESSAGE_CODE, ecs52.Command(77).encode(), DEVICE, counter=77)
    bench.down(GbcsCarried(DEVICE, octets))
    bench.run(23 * 3600)
    if restart:
        bench.hub.power_off()
        bench.run(60)
        bench.hub.power_on()
    assert told(bench) == []
    bench.run(2 * HOUR // SECOND)
    (alert,) = told(bench)
    assert (alert.originator, alert.target, alert.cra, alert.message_counter) == (ACB, DEVICE, Cra.COMMAND, 77)
    assert alert.alert_code == AlertCode.MESSAGE_NOT_DELIVERED
    bench.run(2 * DAY // SECOND)
    assert len(told(bench)) == 1


def test_a_long_message_is_told_once_and_not_for_each_block() -> None:
    bench = hub(ESME_TYPE)
    short = Message.decode(bench.command(ecs52.MESSAGE_CODE, b"", DEVICE, counter=78))
    bench.down(GbcsCarried(DEVICE, replace(short, payload=bytes(4000)).encode()))
    bench.run(DAY // SECOND + 60)
    assert len(bench.notes.of("gbcs-expired")) == 4
    (alert,) = told(bench)
    assert alert.message_counter == 78


def test_of_other_devices_and_of_noise_nothing_is_told() -> None:
    for type_code, octets in ((PPMID_TYPE, None), (ESME_TYPE, b"noise")):
        bench = hub(type_code)
        message = bench.command(ecs52.MESSAGE_CODE, b"", DEVICE) if octets is None else octets
        bench.down(GbcsCarried(DEVICE, message))
        bench.run(DAY // SECOND + 60)
        assert len(bench.notes.of("gbcs-expired")) == 1
        assert told(bench) == []
