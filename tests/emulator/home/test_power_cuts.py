"""A power cut between any two changes of any device's storage leaves a home that goes on as if there had been none."""

import re
from collections import defaultdict
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.devices.communications_hub.firmware import Firmware
from emulator.devices.communications_hub.image_blocks import Progress
from protocols.addresses import Eui64
from protocols.gbcs.use_cases.ccs08 import TransferCode
from tests.support.busy_home import ALL, BusyHome

NUMBERS = re.compile(r"[0-9a-f]{16}|\d{4,}")


@cache
def changes() -> dict[str, dict[str, tuple[int, ...]]]:
    """Return of each device the numbers of its changes by kind of cell, in a home without a cut."""
    busy = BusyHome().live()
    assert list(busy.faults()) == []
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name in ALL:
        by_kind = defaultdict(list)
        for number, cell in enumerate(busy.changes[name]):
            by_kind[NUMBERS.sub("#", cell)].append(number)
        found[name] = {kind: tuple(numbers) for kind, numbers in by_kind.items()}
    return found


def test_the_busy_home_changes_every_kind_of_cell_of_its_devices() -> None:
    kinds = {name: set(found) for name, found in changes().items()}
    assert kinds["hub"] >= {"log/#", "queue/#/#", "image/esme/0", "block/shared", "wan/in", "journal", "authorised"}
    assert kinds["esme"] >= {"firmware/part/#", "firmware/running", "activation/begun", "activation/dc-cut", "outbox/#"}
    assert kinds["ppmid"] >= {"firmware/pending", "activation/begun", "gbcs/#/alert-counter", "tunnel/last-id"}
    assert all({"peer/#", "counters", "heard/#"} <= found for found in kinds.values())


@st.composite
def cuts(draw: st.DrawFn) -> tuple[str, int, int]:
    """Draw who loses its power, before which change, for how many seconds; rare cells as often as common ones."""
    name = draw(st.sampled_from(ALL))
    kind = draw(st.sampled_from(sorted(changes()[name])))
    return name, draw(st.sampled_from(changes()[name][kind])), draw(st.sampled_from((5, 60, 400)))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts())
def test_a_power_cut_before_any_change_leaves_everything_consistent(cut: tuple[str, int, int]) -> None:
    busy = BusyHome(*cut).live()
    assert busy.cut_at is not None
    assert list(busy.faults()) == []


def test_the_rig_finds_a_hub_that_settles_before_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came of an image is settled in the block, and the power goes before the alert is in the storage."""
    hub = changes()["hub"]
    number = max(each for each in hub["journal"] if each < hub["block/esme"][-1]) + 1
    assert list(BusyHome("hub", number).live().faults()) == []

    def settle_first(firmware: Firmware, device: Eui64, version: int, progress: Progress, code: TransferCode) -> None:
        contents = firmware._blocks.open_for(device)
        if contents is not None and contents.version == version:
            firmware._blocks.settle(device, progress)
            firmware._report(device, version, code)

    monkeypatch.setattr(Firmware, "_finish", settle_first)
    assert "the hub told [] of the image for esme" in list(BusyHome("hub", number).live().faults())
