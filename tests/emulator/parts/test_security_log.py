"""A meter's security log."""

from functools import partial

from emulator.clock import OffsetWallClock, VirtualClock
from emulator.parts.security_log import LogEntry, SecurityLog
from emulator.storage import MemoryStorage
from protocols.gbcs.codes import AlertCode
from protocols.interfaces import DAY, SECOND
from tests.support.timeline import Timeline


def test_the_latest_hundred_entries_are_kept_over_a_power_cut() -> None:
    clock, storage = VirtualClock(DAY), MemoryStorage()
    note = partial(Timeline().note, "home/esme")
    log = SecurityLog(storage, OffsetWallClock(clock), note)
    for number in range(103):
        log.add(AlertCode.SUPPLY_INTERRUPTED if number % 2 else AlertCode.FIRMWARE_CHANGED)
        clock.run_for(SECOND)
    held = SecurityLog(storage, OffsetWallClock(clock), note).entries()
    assert len(held) == 100
    assert held[0] == LogEntry(DAY + 3 * SECOND, AlertCode.SUPPLY_INTERRUPTED)
    assert held[-1] == LogEntry(DAY + 102 * SECOND, AlertCode.FIRMWARE_CHANGED)
