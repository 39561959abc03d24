"""Switches built into an ESME: by its variant, after its calendar, boosted by its button, read by ECS61a."""

import pytest

from emulator.consumption.flow import ConstantFlow, SwitchedLoad
from emulator.parts.auxiliary_switches import MOST, AuxiliarySwitch
from emulator.parts.load_control import OnTime
from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.gbcs.envelope import Cra
from protocols.gbcs.use_cases import ecs61a
from protocols.interfaces import DAY, HOUR, MINUTE
from tests.emulator.devices.test_electricity import Metered
from tests.emulator.parts.test_log_commands import ask

NIGHT, LUNCH = OnTime(22 * 60, 4 * 60), OnTime(12 * 60, 30)


class Switched(Metered):
    def __init__(self, variant: str, *switches: AuxiliarySwitch) -> None:
        super().__init__(variant, flow=ConstantFlow(0), auxiliary=switches)

    def until(self, hour: int, minute: int = 1) -> None:
        """Run until this time of the next day."""
        self.hub.run(DAY - self.hub.clock.now() % DAY + hour * HOUR + minute * MINUTE)

    @property
    def states(self) -> tuple[bool, ...]:
        return self.device.meter.auxiliary.states

    def read(self) -> ecs61a.Response:
        ask(self, ecs61a.MESSAGE_CODE, ecs61a.Command(7).encode())
        return ecs61a.Response.decode(self.hub.of(Cra.RESPONSE, ecs61a.MESSAGE_CODE)[-1].payload)


def two() -> tuple[AuxiliarySwitch, AuxiliarySwitch]:
    return AuxiliarySwitch(SwitchedLoad(2_000), (NIGHT, LUNCH)), AuxiliarySwitch(SwitchedLoad(500))


def test_a_switch_follows_its_calendar_and_what_it_feeds_is_counted() -> None:
    meter = Switched("AD", *two())
    meter.until(3)
    before = meter.device.meter.registers.read().taken
    for hour, minute, closed in ((11, 59, False), (12, 1, True), (12, 31, False), (21, 59, False), (22, 1, True)):
        meter.hub.run((hour * 60 + minute) * MINUTE - meter.hub.clock.now() % DAY)
        assert meter.states == (closed, False)
    assert meter.device.meter.registers.read().taken - before == pytest.approx(1_000 + 33, abs=1)
    meter.until(0)
    assert meter.states == (True, False)  # over midnight
    assert (meter.row()["alcs_switched"], meter.row()["alcs_seconds_on"]) == (4, "16200 0")
    assert meter.row()["import_wh"] == pytest.approx(before + 5_000, abs=3)
    meter.until(2)
    assert meter.states == (False, False)


def test_without_supply_all_are_open_and_then_as_the_calendar_says() -> None:
    meter = Switched("ADE", *two())
    meter.until(11)
    meter.device.meter.auxiliary.press_boost(600)
    assert meter.states == (True, True)
    meter.mains.cut(10 * MINUTE)
    assert meter.states == (False, False)
    meter.hub.run(20 * MINUTE)
    assert meter.states == (False, False)  # the boost went with the supply
    meter.hub.run(45 * MINUTE)
    meter.mains.cut(10 * MINUTE)
    meter.hub.run(11 * MINUTE)
    assert meter.states == (True, False)


def test_a_boost_closes_all_switches_for_its_time() -> None:
    meter = Switched("BDE", *two())
    meter.until(11, 45)
    auxiliary = meter.device.meter.auxiliary
    auxiliary.press_boost(30)
    assert meter.states == (True, True)
    meter.hub.run(29 * MINUTE)
    assert meter.states == (True, True)
    meter.hub.run(2 * MINUTE)
    assert meter.states == (True, False)  # the calendar goes on
    auxiliary.press_boost(30)
    auxiliary.press_boost(0)
    assert meter.states == (True, False)
    told = [event for event in meter.hub.timeline.of("alcs-switched") if event["switch"] == 2]
    assert [(event["on"], event["boost"]) for event in told] == [(True, True), (False, False)] * 2


@pytest.mark.parametrize("variant", ["A", "AD", "BF", "CD"])
def test_a_variant_without_boost_has_no_button(variant: str) -> None:
    with pytest.raises(UsageError, match="no boost"):
        Switched(variant).device.meter.auxiliary.press_boost(30)


def test_a_variant_with_switches_has_one_at_least_and_others_none() -> None:
    assert Switched("CDEF").states == (False,)
    assert Switched("CEF").states == ()
    assert "alcs_switched" not in Switched("A").device.meter.auxiliary.row()
    with pytest.raises(UsageError, match="variant AEF has no auxiliary"):
        Switched("AEF", *two())
    with pytest.raises(UsageError, match="5 auxiliary switches at most"):
        Switched("AD", *two() * (MOST // 2 + 1))


def test_switches_are_read_by_the_supplier() -> None:
    meter = Switched("AD", *two())
    meter.until(12)
    response = meter.read()
    assert response.descriptions == (b"ALCS 1", b"ALCS 2", b"", b"", b"")
    assert response.states == (True, False, False, False, False)
    assert [(entry.switch, entry.closes, entry.time[:2]) for entry in response.entries] == [
        (1, True, bytes((22, 0))), (1, False, bytes((2, 0))), (1, True, bytes((12, 0))), (1, False, bytes((12, 30))),
    ]  # fmt: skip
    assert Switched("A").read().hcalcs == (Eui64(0),) * 5
