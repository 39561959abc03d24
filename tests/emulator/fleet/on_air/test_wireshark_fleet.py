"""The one capture of homes that take turns, judged by Wireshark: nothing undecrypted, each meter's units in order."""

from collections import defaultdict
from pathlib import Path

import pytest

from emulator.fleet.on_air.fleet import Fleet
from protocols.interfaces import MINUTE
from tests.support.han import FrameLog
from tests.support.tshark import faults, fields

HOMES, DEVICES, MINUTES = 4, 3, 10


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    log = FrameLog()
    fleet = Fleet(HOMES, DEVICES, seed=4, capture=log, turn=4 * MINUTE)
    fleet.run(MINUTES * MINUTE)
    keys = [home.membership.network_key for home in fleet.homes]
    keys += [member.key for home in fleet.homes for member in home.membership.members]
    rows = "\n".join(f'"{key.hex(":")}","Normal","key"' for key in keys)
    return log.write(tmp_path_factory.mktemp("fleet")), rows


@pytest.mark.judge("tshark")
def test_wireshark_finds_no_fault_and_no_step_back_in_time(captured: tuple[Path, str]) -> None:
    assert faults(*captured) == []
    times = [float(time) for (time,) in fields(*captured, ("frame.time_epoch",))]
    assert len(times) > 2 * HOMES * DEVICES * MINUTES
    assert times == sorted(times)


@pytest.mark.judge("tshark")
def test_wireshark_reads_every_report_of_every_meter_in_order(captured: tuple[Path, str]) -> None:
    names = ("frame.interface_name", "wpan.src16", "zbee_zcl.attr.uint48")
    told = defaultdict(list)
    for home, source, value in fields(*captured, names, display_filter="zbee_zcl.cmd.id == 0x0a"):
        told[home, source].append(int(value))
    assert len(told) == HOMES * DEVICES
    assert all(units == list(range(1, MINUTES + 1)) for units in told.values())
