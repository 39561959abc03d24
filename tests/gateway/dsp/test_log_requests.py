"""4.10 and 6.13: voltages and logs of an ESME, asked for in the form its variant has, the answer passed on."""

from dataclasses import replace

import pytest

from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.bodies import LogToRead, ReadLogPeriod
from protocols.duis.codes import EMULATOR_CODES
from protocols.duis.inventory import DeviceStatus
from protocols.duis.requests import CommandVariant
from protocols.gbcs.use_cases import ecs23, ecs35, ecs61a
from protocols.interfaces import DAY, SECOND
from tests.support.dsp_bench import ESME, GSME, HUB, PPMID, Bench, estate
from tests.support.parties import NETWORK_OPERATOR, START, SUPPLIER

TO_DEVICE = CommandVariant.TO_DEVICE
PERIOD = ReadLogPeriod(start=START - START % SECOND - DAY, end=START - START % SECOND)
VOLTAGES = bodies.ReadNetworkData(period=PERIOD)


def log(which: LogToRead) -> bodies.ReadEventOrSecurityLog:
    return bodies.ReadEventOrSecurityLog(period=PERIOD, log=which)


def with_variant(variant: str) -> Bench:
    return Bench(devices=[replace(each, variant=variant) if each.device == ESME else each for each in estate()])


@pytest.mark.parametrize(("variant", "phases"), [("A", 1), ("BD", 1), ("C", 3), ("CDEF", 3)])
@pytest.mark.parametrize("user", [SUPPLIER, NETWORK_OPERATOR])
def test_voltages_are_asked_for_by_the_phases_of_the_variant(variant: str, phases: int, user: Eui64) -> None:
    bench = with_variant(variant)
    command = bench.command_of(bench.request(VOLTAGES, ESME, TO_DEVICE, user=user))
    assert (command.message_code, command.originator) == (ecs23.MESSAGE_CODES[phases], user)
    asked = ecs23.Command.decode(command.payload)
    assert (asked.begin, asked.end, asked.phases) == (PERIOD.start, PERIOD.end, phases)
    answer = ecs23.Response(tuple(ecs23.Phase(0, 0, (), 1800) for _ in range(phases)), asked.counter).encode()
    answered = bench.respond(command, answer, mac=True)
    assert [to for to, _ in answered.to_users] == [user]
    assert bench.rows("commands") == []


@pytest.mark.parametrize(
    ("which", "read"),
    [
        (LogToRead.EVENT, ecs35.Log.EVENT),
        (LogToRead.SECURITY, ecs35.Log.SECURITY),
        (LogToRead.POWER_EVENT, ecs35.Log.POWER),
    ],
)
def test_each_log_has_its_use_case(which: LogToRead, read: ecs35.Log) -> None:
    bench = Bench()
    command = bench.command_of(bench.request(log(which), ESME, TO_DEVICE))
    assert command.message_code == ecs35.MESSAGE_CODES[read]
    assert ecs35.Command.decode(command.payload).log is read
    answered = bench.respond(command, ecs35.Response(read, ()).encode(), mac=True)
    assert [to for to, _ in answered.to_users] == [SUPPLIER]


def test_switches_are_read_by_7_7() -> None:
    bench = Bench()
    command = bench.command_of(bench.request(bodies.ReadAlcsData(), ESME, TO_DEVICE))
    assert command.message_code == ecs61a.MESSAGE_CODE
    nobody = (Eui64(0),) * ecs61a.SWITCHES
    answer = ecs61a.Response(
        (b"",) * 5, nobody, (), (), (False,) * 5, counter=ecs61a.Command.decode(command.payload).counter
    )
    assert [to for to, _ in bench.respond(command, answer.encode(), mac=True).to_users] == [SUPPLIER]
    assert bench.request(bodies.ReadAlcsData(), GSME, TO_DEVICE).code == "E11"


def test_the_log_of_auxiliary_switches_is_not_offered() -> None:
    outcome = Bench().request(log(LogToRead.ALCS_EVENT), ESME, TO_DEVICE)
    assert outcome.code == EMULATOR_CODES["service-not-offered"]
    assert outcome.to_csp == []


@pytest.mark.parametrize(("target", "code"), [(GSME, "E45"), (HUB, "E45"), (PPMID, "E11")])
def test_another_target_than_an_esme_is_refused(target: Eui64, code: str) -> None:
    assert Bench().request(log(LogToRead.SECURITY), target, TO_DEVICE).code == code


def test_a_device_that_is_not_commissioned_is_not_asked() -> None:
    devices = [replace(each, status=DeviceStatus.WHITELISTED) if each.device == ESME else each for each in estate()]
    assert Bench(devices=devices).request(VOLTAGES, ESME, TO_DEVICE).code == "E5"
