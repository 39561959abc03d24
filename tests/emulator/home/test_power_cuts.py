"""A power cut between any two changes of any device's storage leaves a home that goes on as if there had been none."""

import re
from collections import defaultdict
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.devices.communications_hub.firmware import Firmware
from emulator.devices.communications_hub.image_blocks import Progress
from emulator.parts.command_activated import CommandActivatedDevice
from emulator.parts.journal import Change, Journal
from protocols.addresses import Eui64
from protocols.gbcs.use_cases.ccs08 import TransferCode
from tests.support.busy_home import BusyHome
from tests.support.cut_home import CutHome
from tests.support.rekeyed_home import RekeyedHome
from tests.support.updated_home import SecondUpdatedHome, UpdatedHome

NUMBERS = re.compile(r"[0-9a-f]{16}|\d{4,}")
HOMES: tuple[type[CutHome], ...] = (BusyHome, UpdatedHome, SecondUpdatedHome, RekeyedHome)


@cache
def changes(home: type[CutHome] = BusyHome) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return of each device the numbers of its changes by kind of cell, in a home without a cut."""
    busy = home().live()
    assert list(busy.faults()) == []
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name in busy.all:
        by_kind = defaultdict(list)
        for number, cell in enumerate(busy.changes[name]):
            by_kind[NUMBERS.sub("#", cell)].append(number)
        found[name] = {kind: tuple(numbers) for kind, numbers in by_kind.items()}
    return found


def kinds(home: type[CutHome]) -> dict[str, set[str]]:
    return {name: set(found) for name, found in changes(home).items()}


def test_the_homes_change_every_kind_of_cell_of_their_devices() -> None:
    busy, first, second, rekeyed = (kinds(home) for home in HOMES)
    assert busy["hub"] >= {"log/#", "queue/#/#", "image/esme/0", "block/shared", "wan/in", "journal", "authorised"}
    assert busy["esme"] >= {"firmware/part/#", "firmware/running", "activation/begun", "activation/dc-cut", "outbox/#"}
    assert busy["ppmid"] >= {"firmware/pending", "activation/begun", "gbcs/#/alert-counter", "tunnel/last-id"}
    assert all({"peer/#", "counters", "heard/#"} <= found for found in busy.values())
    for taker in (first["gsme"], first["hcalcs"], first["bridge-1"], first["bridge-3"], second["gsme"]):
        assert taker >= {"firmware/part/#", "firmware/pending", "firmware/running", "activation/begun", "outbox/#"}
    assert "activation/dated" in first["hcalcs"] & second["gsme"]
    assert second["bridge-4"] >= {"battery/charge", "firmware/running"}
    assert first["hub"] >= {"image/shared/0", "image/shared/1", "own/pending", "own/begun", "own/running", "wan/out/#"}
    anchors = {"gbcs/#/anchor/04-80-00", "gbcs/#/anchor/04-08-00", "gbcs/#/floor/access_control_broker"}
    assert all(anchors <= found for name, found in rekeyed.items())
    assert {"gbcs/#/anchor/02-80-00", "gbcs/#/floor/supplier"} <= rekeyed["gsme"] & rekeyed["hcalcs"] & rekeyed["esme"]
    assert any("/dated/" in cell for cell in rekeyed["hcalcs"])
    assert all(any(cell.startswith("blocks/") for cell in rekeyed[name]) for name in ("gsme", "ppmid", "bridge-3"))


@st.composite
def cuts(draw: st.DrawFn) -> tuple[type[CutHome], str, int, int]:
    """Draw a home, who loses its power, before which change, for how many seconds; rare cells as often as others."""
    home = draw(st.sampled_from(HOMES))
    name = draw(st.sampled_from(sorted(changes(home))))
    kind = draw(st.sampled_from(sorted(changes(home)[name])))
    return home, name, draw(st.sampled_from(changes(home)[name][kind])), draw(st.sampled_from((5, 60, 400)))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts())
def test_a_power_cut_before_any_change_leaves_everything_consistent(cut: tuple[type[CutHome], str, int, int]) -> None:
    home, name, number, off = cut
    busy = home(name, number, off).live()
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


def _one_by_one(journal: Journal, written: list[Change]) -> None:
    """What a journal does that is none."""
    journal._apply(written)
    journal._unfinished = False


def test_the_rig_finds_cells_written_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gas meter's image, its credentials: half of what belongs together is there."""
    changes.cache_clear()
    monkeypatch.setattr(Journal, "_commit", _one_by_one)
    verified = changes(UpdatedHome)["gsme"]["firmware/pending"][0] + 1
    anchor = changes(RekeyedHome)["gsme"]["gbcs/#/anchor/04-80-00"][-1]
    found = list(UpdatedHome("gsme", verified).live().faults())
    found += RekeyedHome("gsme", anchor).live().faults()
    changes.cache_clear()
    assert any(fault.startswith("gsme: ") for fault in found)
    assert any("ACB_BY_ACB" in fault for fault in found)


def test_the_rig_finds_an_activation_that_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A date that a switch keeps in its memory alone is gone with the power."""
    dated = changes(UpdatedHome)["hcalcs"]["activation/dated"][0] + 1

    def forgetful(device: CommandActivatedDevice, when: int, octets: bytes) -> None:
        device.timers.after("dated", when - device.wall.utc(), device.activate)

    assert list(UpdatedHome("hcalcs", dated).live().faults()) == []
    monkeypatch.setattr(CommandActivatedDevice, "_schedule", forgetful)
    with pytest.raises(AssertionError, match="not within"):
        UpdatedHome("hcalcs", dated).live()
