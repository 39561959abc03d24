"""A meter's logs, each with room of its own."""

from functools import partial

from emulator.clock import OffsetWallClock, VirtualClock
from emulator.parts.event_log import EventLog
from emulator.storage import MemoryStorage
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.use_cases.ecs35 import Entry, Log
from protocols.interfaces import DAY, SECOND
from tests.support.timeline import Timeline


def test_each_log_keeps_its_latest_hundred_entries_over_a_power_cut() -> None:
    clock, storage = VirtualClock(DAY), MemoryStorage()
    note = partial(Timeline().note, "home/esme")
    log = EventLog(storage, OffsetWallClock(clock), note)
    log.add(AlertCode.CREDIT_LOW)
    for number in range(103):
        log.add(AlertCode.FIRMWARE_VERIFIED if number % 2 else AlertCode.FIRMWARE_CHANGED)
        clock.run_for(SECOND)
    kept = EventLog(storage, OffsetWallClock(clock), note)
    held = kept.entries(Log.SECURITY)
    assert len(held) == 100
    assert held[0] == Entry(DAY + 3 * SECOND, AlertCode.FIRMWARE_VERIFIED, b"")
    assert held[-1] == Entry(DAY + 102 * SECOND, AlertCode.FIRMWARE_CHANGED, b"")
    assert [entry.code for entry in kept.entries(Log.EVENT)] == [AlertCode.CREDIT_LOW]
    assert len(kept.entries()) == 101
