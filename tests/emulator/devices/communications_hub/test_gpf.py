"""The GPF: its own log (CS03B, CS04B, CS07, GCS59, GCS62), the version it mirrors (GCS38)."""

from dataclasses import replace

import pytest

from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.codes import DeviceType, JoinCode, ZclStatus
from protocols.gbcs.device_log import LogEntry
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs03, cs04, cs07, gcs38, gcs59, gcs62
from protocols.gbcs.use_cases.cs03 import MethodAndRole
from protocols.gbcs.use_cases.cs04 import UnjoinCode
from protocols.wan.envelope import GbcsCarried
from tests.support.hub_bench import ACB, GPF, HubBench, acb, credentials, eui


@pytest.fixture
def bench() -> HubBench:
    bench = HubBench(with_gpf=True)
    bench.hub.start()
    return bench


def sent(bench: HubBench, message_code: int) -> list[Message]:
    z = security.shared_secret(acb().ka_key, credentials(GPF).ka_certificate.public_key)
    found = [message for message in bench.messages_up(GPF) if message.message_code == message_code]
    for message in found:
        assert (message.originator, message.target) == (GPF, ACB)
        security.check_mac(message, z)
    return found


def say(bench: HubBench, message_code: int, payload: bytes) -> Message:
    bench.down(GbcsCarried(GPF, bench.command(message_code, payload, GPF)))
    bench.run(20)
    return sent(bench, message_code)[-1]


def join(bench: HubBench, device: Eui64, kind: DeviceType = DeviceType.GSME) -> JoinCode | int:
    response = say(bench, cs03.MESSAGE_CODE_B, cs03.Command(MethodAndRole.B, device, kind).encode())
    return cs03.Response.decode(response.payload).code


def logs(bench: HubBench) -> list[tuple[LogEntry, ...]]:
    return [gcs62.Alert.decode(message.payload).entries for message in sent(bench, gcs62.MESSAGE_CODE)]


GAS, DISPLAY = LogEntry(eui(1), DeviceType.GSME), LogEntry(eui(2), DeviceType.TYPE_2)


def test_every_change_of_its_log_is_told_whole(bench: HubBench) -> None:
    assert join(bench, eui(1)) == JoinCode.SUCCESS
    assert join(bench, eui(2), DeviceType.TYPE_2) == JoinCode.SUCCESS
    assert join(bench, eui(2), DeviceType.TYPE_2) == JoinCode.SUCCESS  # there already
    response = say(bench, cs07.MESSAGE_CODE, cs07.Command().encode())
    assert cs07.Response.decode(response.payload).entries == (GAS, DISPLAY)
    removed = say(bench, cs04.MESSAGE_CODE_B, cs04.Command(eui(1)).encode())
    assert cs04.Response.decode(removed.payload).code == UnjoinCode.SUCCESS
    assert logs(bench) == [(GAS,), (GAS, DISPLAY), (GAS, DISPLAY), (DISPLAY,)]
    order = [message.cra for message in bench.messages_up(GPF)][:2]
    assert order == [Cra.RESPONSE, Cra.ALERT]


def test_failed_joins_and_unjoins_are_answered_and_change_nothing(bench: HubBench) -> None:
    join(bench, eui(1))
    assert join(bench, eui(1), DeviceType.PPMID) == JoinCode.INCOMPATIBLE_ENTRY
    assert join(bench, eui(3), DeviceType.ESME) == JoinCode.INVALID_METHOD_AND_ROLE
    removed = say(bench, cs04.MESSAGE_CODE_B, cs04.Command(eui(9)).encode())
    assert cs04.Response.decode(removed.payload).code == UnjoinCode.NOT_IN_LOG
    assert logs(bench) == [(GAS,)]


def test_gcs59_restores_its_log_entry_by_entry_with_one_alert(bench: HubBench) -> None:
    wrong = LogEntry(eui(3), DeviceType.HCALCS)
    response = say(bench, gcs59.MESSAGE_CODE, gcs59.Command((GAS, DISPLAY, wrong)).encode())
    outcomes = gcs59.Response.decode(response.payload).outcomes
    assert [outcome.code for outcome in outcomes] == [0, 0, JoinCode.INVALID_METHOD_AND_ROLE]
    assert logs(bench) == [(GAS, DISPLAY)]


def test_its_log_survives_a_power_cut(bench: HubBench) -> None:
    join(bench, eui(1))
    bench.hub.power_off()
    bench.hub.power_on()
    response = say(bench, cs07.MESSAGE_CODE, cs07.Command().encode())
    assert cs07.Response.decode(response.payload).entries == (GAS,)


def test_gcs38_before_the_meter_told_its_version_fails(bench: HubBench) -> None:
    response = say(bench, gcs38.MESSAGE_CODE, gcs38.Command().encode())
    assert gcs38.Response.decode(response.payload) == gcs38.Response(None, ZclStatus.HARDWARE_FAILURE)


@pytest.mark.requirement("MP105-R6")
def test_a_mirrored_version_may_differ_from_the_meters_own(bench: HubBench) -> None:
    """MP105-R6: what the GPF answers is what it mirrors, also when the meter runs something else by now."""
    running = bench.hub._running
    assert running is not None
    assert running.gpf is not None
    running.gpf.mirror(0x01020304)
    response = say(bench, gcs38.MESSAGE_CODE, gcs38.Command().encode())
    assert gcs38.Response.decode(response.payload) == gcs38.Response(0x01020304)


def test_a_forged_command_of_the_gpf_is_refused(bench: HubBench) -> None:
    good = Message.decode(bench.command(cs07.MESSAGE_CODE, cs07.Command().encode(), GPF))
    bench.down(GbcsCarried(GPF, replace(good, mac=bytes(12)).encode()))
    bench.run(10)
    assert (bench.messages_up(GPF), bench.notes.of("command-refused")) == ([], [{"reason": "MAC invalid"}])
