"""ECS35 and ECS23 at an ESME: each log has what belongs in it, and voltages are read by phase."""

import pytest

from emulator.parts.event_log import EventLog, log_of, refusal
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra
from protocols.gbcs.smki import Credentials
from protocols.gbcs.use_cases import ecs23, ecs35
from protocols.gbcs.use_cases.ecs35 import Log
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from tests.emulator.devices.test_electricity import DEVICE, Metered
from tests.emulator.devices.test_phases import Polyphase

ALWAYS = (0, 4_000_000_000 * SECOND)
EPOCH = 946_684_800 * SECOND


def ask(meter: Metered | Polyphase, code: int, payload: bytes, sender: Credentials | None = None) -> None:
    parties = meter.hub.parties
    by = parties.supplier if sender is None else sender
    meter.hub.send(DEVICE, parties.command(by, DEVICE, code, payload, counter=7, signed=False))
    meter.hub.run(20 * SECOND)


def logged(meter: Metered | Polyphase, log: Log, begin: int = EPOCH, end: int = ALWAYS[1]) -> list[int]:
    """Return the codes that the meter answers with."""
    ask(meter, ecs35.MESSAGE_CODES[log], ecs35.Command(log, begin, end, 7).encode())
    message = meter.hub.of(Cra.RESPONSE, ecs35.MESSAGE_CODES[log])[-1]
    response = ecs35.Response.decode(message.payload)
    assert (response.log, message.target) == (log, meter.hub.parties.supplier.eui)
    return [entry.code for entry in response.entries]


def test_each_log_has_what_belongs_in_it() -> None:
    meter = Polyphase()
    meter.cut(4 * MINUTE, 2, wait=5 * MINUTE)
    meter.cut(MINUTE, wait=3 * MINUTE)
    meter.device.meter.log.add(AlertCode.CLOCK_ADJUSTED)
    meter.device.activated()
    assert logged(meter, Log.POWER) == [0x8F59, 0x8F3A, 0x8F58, 0x8F59, 0x8F5A, 0x8F57, 0x8F35]
    assert logged(meter, Log.SECURITY) == [AlertCode.FIRMWARE_CHANGED]
    assert logged(meter, Log.EVENT) == [AlertCode.CLOCK_ADJUSTED]


def test_a_log_is_read_between_two_times_both_included() -> None:
    meter = Polyphase()
    for _ in range(3):
        meter.cut(MINUTE, 1, wait=HOUR)
    entries = meter.device.meter.log.entries(Log.POWER)
    begin, end = (entry.time - entry.time % SECOND for entry in (entries[1], entries[4]))
    assert logged(meter, Log.POWER, begin, end) == [0x8F37, 0x8F58, 0x8F37, 0x8F58]
    assert logged(meter, Log.POWER, begin + SECOND, end) == [0x8F58, 0x8F37, 0x8F58]
    assert logged(meter, Log.POWER, begin, begin - SECOND) == []


def test_a_refused_command_is_in_the_security_log() -> None:
    meter = Metered()
    ask(
        meter,
        ecs35.SECURITY_MESSAGE_CODE,
        ecs35.Command(Log.SECURITY, EPOCH, EPOCH, 7).encode(),
        meter.hub.parties.other_supplier,
    )
    assert meter.hub.of(Cra.RESPONSE, ecs35.SECURITY_MESSAGE_CODE) == []
    ask(meter, ecs35.SECURITY_MESSAGE_CODE, b"\xd9nonsense")
    assert logged(meter, Log.SECURITY) == [AlertCode.UNAUTHORISED_COMMUNICATION, AlertCode.COMMAND_CHECK_FAILED]


@pytest.mark.parametrize("log", [Log.EVENT, Log.POWER])
def test_another_log_than_that_of_the_message_code_is_refused(log: Log) -> None:
    meter = Metered()
    ask(meter, ecs35.SECURITY_MESSAGE_CODE, ecs35.Command(log, EPOCH, EPOCH, 7).encode())
    assert meter.hub.timeline.of("command-refused") == [{"reason": "another log not supported"}]
    assert logged(meter, Log.SECURITY) == []


def test_a_log_keeps_its_last_hundred_entries_over_a_power_cut() -> None:
    meter = Metered()
    for _ in range(103):
        meter.device.meter.log.add(AlertCode.CLOCK_ADJUSTED)
    again = EventLog(meter.device.storage, meter.wall, meter.device.note)
    assert len(again.entries(Log.EVENT)) == 100
    assert [log_of(code) for code in (0x8145, 0x8F43, 0x8F3C, 0x8F57)] == [
        Log.EVENT,
        Log.SECURITY,
        Log.POWER,
        Log.POWER,
    ]
    assert refusal("use case 0129 not supported") is None


# --- voltages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", ["supplier", "operator"])
def test_voltages_of_three_phases_are_read(reader: str) -> None:
    meter = Polyphase()
    meter.hub.run(HOUR - meter.hub.clock.now() % HOUR)
    meter.cut(15 * MINUTE, 3, wait=2 * HOUR)
    now, code = meter.hub.clock.now(), ecs23.THREE_PHASES_MESSAGE_CODE
    sender = getattr(meter.hub.parties, reader)
    ask(meter, code, ecs23.Command(now - 2 * HOUR + SECOND, now, 3, 7).encode(), sender)
    (message,) = meter.hub.of(Cra.RESPONSE, code)
    assert message.target == sender.eui
    one, two, three = ecs23.Response.decode(message.payload).phases
    assert [len(phase.averages or ()) for phase in (one, two, three)] == [4, 4, 4]
    assert all(233 <= each.volts <= 246 for phase in (one, two) for each in phase.averages or ())
    assert three.averages is not None
    assert 116 <= three.averages[0].volts <= 124
    assert [(phase.under, phase.over, phase.period) for phase in (one, two, three)] == [
        (0, 0, 1800),
        (0, 0, 1800),
        (1, 0, 1800),
    ]


def test_a_single_phase_meter_has_one_phase() -> None:
    meter = Metered()
    meter.hub.run(2 * HOUR)
    now = meter.hub.clock.now()
    ask(meter, ecs23.MESSAGE_CODE, ecs23.Command(now - DAY, now, 1, 7).encode())
    (message,) = meter.hub.of(Cra.RESPONSE, ecs23.MESSAGE_CODE)
    (phase,) = ecs23.Response.decode(message.payload).phases
    assert phase.averages is not None
    assert len(phase.averages) == 4
    ask(meter, ecs23.THREE_PHASES_MESSAGE_CODE, ecs23.Command(now - DAY, now, 3, 7).encode())
    assert meter.hub.of(Cra.RESPONSE, ecs23.THREE_PHASES_MESSAGE_CODE) == []
    assert meter.hub.timeline.of("command-refused") == [{"reason": "the voltage of 3 phases not supported"}]
