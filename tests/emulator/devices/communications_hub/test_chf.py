"""The CHF's commands: CCS01 with real MACs, ECS52."""

from collections.abc import Iterator

import pytest

from emulator.devices.communications_hub.device_log import DeviceLog
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import ccs01, ecs52
from protocols.interfaces import HOUR, SECOND
from protocols.wan.envelope import GbcsCarried
from tests.support.hub_bench import (
    ACB,
    CHF,
    ESME_TYPE,
    HCALCS_TYPE,
    IHD_TYPE,
    PPMID_TYPE,
    START,
    SUPPLIER,
    HubBench,
    acb,
    code_of,
    credentials,
    eui,
)
from tests.support.requirements import patched


class PowerCut(Exception):  # noqa: N818 - what happens, not an error
    pass


@pytest.fixture
def bench() -> HubBench:
    bench = HubBench()
    bench.hub.start()
    return bench


def log(bench: HubBench) -> dict[Eui64, int]:
    """Return the log as it would be found after a power cut."""
    return {entry.device: entry.type_code for entry in DeviceLog(bench.storage, bench.settings).entries()}


def responses(bench: HubBench) -> list[ccs01.Response]:
    """Return the CCS01 responses, each with a MAC that verifies."""
    found = [message for message in bench.messages_up(CHF) if message.message_code == ccs01.MESSAGE_CODE]
    z = security.shared_secret(acb().ka_key, credentials(CHF).ka_certificate.public_key)
    for message in found:
        security.check_mac(message, z)
    return [ccs01.Response.decode(message.payload) for message in found]


@pytest.mark.requirement("MP170-A9")
def test_ccs01_adds_a_device_and_is_answered_under_a_mac_with_the_users_counters(bench: HubBench) -> None:
    """MP170-A9: a bridge enters the log by the existing request, as a PPMID."""
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run(10)
    assert log(bench) == {eui(1): PPMID_TYPE}
    (response,) = [message for message in bench.messages_up(CHF) if message.message_code == ccs01.MESSAGE_CODE]
    assert (response.cra, response.counter, response.originator, response.target) == (Cra.RESPONSE, 1001, CHF, ACB)
    assert (response.supplementary_party, response.supplementary_counter) == (SUPPLIER, 1001)
    assert responses(bench)[0].success
    assert bench.notes.of("device-added") == [{"device": str(eui(1)), "type": "PPMID"}]


def test_a_device_already_in_the_log_keeps_its_entry_and_the_answer_is_success(bench: HubBench) -> None:
    bench.add_to_log(eui(1), PPMID_TYPE, seconds=60)
    bench.run(100)
    payload = ccs01.Command(eui(1), bytes(16), IHD_TYPE, 600, counter=2000).encode()
    bench.down(GbcsCarried(CHF, bench.command(ccs01.MESSAGE_CODE, payload, counter=2000)))
    bench.run(10)
    (entry,) = DeviceLog(bench.storage, bench.settings).entries()
    assert (entry.type_code, entry.install_code) == (PPMID_TYPE, code_of(eui(1)))
    assert entry.join_until == START + (102 + 600) * SECOND
    assert [response.success for response in responses(bench)] == [True, True]
    assert len(bench.notes.of("device-added")) == 1


def test_a_wrong_mac_gets_no_answer_and_changes_nothing(bench: HubBench) -> None:
    payload = ccs01.Command(eui(1), bytes(16), PPMID_TYPE, 60, counter=1).encode()
    octets = bytearray(bench.command(ccs01.MESSAGE_CODE, payload))
    octets[-1] ^= 1
    bench.down(GbcsCarried(CHF, bytes(octets)))
    bench.run(10)
    assert log(bench) == {}
    assert bench.messages_up(CHF) == []
    assert bench.notes.of("command-refused") == [{"reason": "MAC invalid"}]
    assert bench.csp.held == ()  # received all the same: it must not come again


def test_another_party_than_the_acb_is_refused(bench: HubBench) -> None:
    payload = ccs01.Command(eui(1), bytes(16), PPMID_TYPE, 60, counter=1).encode()
    good = Message.decode(bench.command(ccs01.MESSAGE_CODE, payload))
    forged = Message(
        Cra.COMMAND, 5, SUPPLIER, CHF, b"", ccs01.MESSAGE_CODE, None, None, None, b"", good.payload, b"", None
    )
    z = security.shared_secret(acb().ka_key, credentials(CHF).ka_certificate.public_key)
    bench.down(GbcsCarried(CHF, security.add_mac(forged, z).encode()))
    bench.run(10)
    assert log(bench) == {}
    assert bench.notes.of("command-refused") == [{"reason": f"unknown originator: {SUPPLIER}"}]


def test_a_replayed_command_is_refused(bench: HubBench) -> None:
    payload = ccs01.Command(eui(1), bytes(16), PPMID_TYPE, 60, counter=1).encode()
    octets = bench.command(ccs01.MESSAGE_CODE, payload)
    for _ in range(2):
        bench.down(GbcsCarried(CHF, octets))
        bench.run(10)
    assert len(responses(bench)) == 1
    assert [fields["reason"] for fields in bench.notes.of("command-refused")] == [
        "counter 1001 not above the last one of ACCESS_CONTROL_BROKER"
    ]


@pytest.mark.requirement("MP170-C3", "MP170-A11", planted=patched(DeviceLog, "has_room", lambda self, type_code: True))
@pytest.mark.parametrize("last", [PPMID_TYPE, HCALCS_TYPE])
def test_a_seventh_type_1_device_is_refused_and_other_types_still_fit(bench: HubBench, last: int) -> None:
    for number in range(6):
        bench.add_to_log(eui(number), HCALCS_TYPE if number == 3 else PPMID_TYPE)
        bench.run(5)
    bench.add_to_log(eui(7), last)
    bench.run(5)
    bench.add_to_log(eui(8), ESME_TYPE)
    bench.run(10)
    assert [response.success for response in responses(bench)] == [True] * 6 + [False, True]
    refusal = responses(bench)[6]
    assert refusal.register == AccessResult.OTHER_REASON
    assert eui(7) not in log(bench)
    assert len(log(bench)) == 7


def test_a_seventeenth_device_is_refused(bench: HubBench) -> None:
    bench.hub.preload([(eui(number), IHD_TYPE, code_of(eui(number))) for number in range(16)])
    bench.add_to_log(eui(99), IHD_TYPE)
    bench.run(10)
    assert [response.success for response in responses(bench)] == [False]
    assert len(log(bench)) == 16


@pytest.mark.requirement("SM7-R8")
def test_the_hub_answers_ecs52_with_its_own_version(bench: HubBench) -> None:
    """SM7-R8 for the hub itself: 11.2 by the URP pattern."""
    bench.down(GbcsCarried(CHF, bench.command(ecs52.MESSAGE_CODE, ecs52.Command(counter=1001).encode())))
    bench.run(10)
    (response,) = bench.messages_up(CHF)
    answer = ecs52.Response.decode(response.payload)
    assert (answer.firmware_version, answer.counter) == (bench.settings.firmware_version, 1001)


def test_commands_the_chf_does_not_know_are_refused(bench: HubBench) -> None:
    bench.down(GbcsCarried(CHF, bench.command(0x0129, b"\x05\x00")))
    bench.down(GbcsCarried(CHF, b"noise"))
    bench.run(10)
    assert bench.messages_up(CHF) == []
    assert [str(fields["reason"])[:9] for fields in bench.notes.of("command-refused")] == ["use case ", "malformed"]


def test_a_command_of_an_accepted_shape_with_a_wrong_payload_is_refused(bench: HubBench) -> None:
    bench.down(GbcsCarried(CHF, bench.command(ccs01.MESSAGE_CODE, b"\x05\x00")))
    bench.run(10)
    assert bench.messages_up(CHF) == []
    assert len(bench.notes.of("command-refused")) == 1


def test_a_power_cut_before_any_cell_of_a_ccs01_loses_nothing() -> None:
    """Cut the power before each put of a whole CCS01, one run a put, then boot: one device, and an answer."""
    puts = cells_of_a_ccs01()
    assert len(puts) > 5
    for fatal in range(len(puts)):
        bench = HubBench()
        bench.hub.start()
        bench.add_to_log(eui(1), PPMID_TYPE)
        countdown = iter(range(fatal, -1, -1))

        def cut(cell: str, countdown: Iterator[int] = countdown) -> None:
            if next(countdown, -1) == 0:
                raise PowerCut(cell)

        bench.storage.before_put = cut
        with pytest.raises(PowerCut):
            bench.run(10)
        bench.storage.before_put = None
        bench.hub.power_off()
        bench.hub.power_on()
        bench.run(100)
        bench.resend()
        bench.run(100)
        assert log(bench) == {eui(1): PPMID_TYPE}, puts[fatal]
        assert {response.success for response in responses(bench)} == {True}, puts[fatal]
        assert bench.csp.held == (), puts[fatal]


def cells_of_a_ccs01() -> list[str]:
    bench, puts = HubBench(), list[str]()
    bench.hub.start()
    bench.storage.before_put = puts.append
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run(10)
    return puts


def test_preloaded_devices_may_join_for_two_hours(bench: HubBench) -> None:
    bench.hub.preload([(eui(1), ESME_TYPE, code_of(eui(1)))])
    (entry,) = DeviceLog(bench.storage, bench.settings).entries()
    assert entry.join_until == START + 2 * HOUR
    assert not entry.joined
