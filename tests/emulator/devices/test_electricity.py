"""ESME variants, their clocks and logs, on a real node against one that plays the hub."""

import pytest

from emulator.clock import OffsetWallClock
from emulator.consumption.flow import ConstantFlow
from emulator.consumption.voltage import Voltage
from emulator.devices.communications_hub.kinds import kind_of
from emulator.devices.esme import Esme, EsmeSettings
from emulator.entropy import SeededEntropy
from emulator.parts.auxiliary_switches import AuxiliarySwitch
from emulator.parts.clock_keeper import ClockKeeper
from emulator.parts.cluster_server import ClusterServer
from emulator.parts.electricity_meter import Connected, ElectricitySettings
from emulator.parts.han_application import METERING, METERING_DEVICE, SECOND_ELEMENT
from emulator.parts.zcl_client import values_of
from emulator.power import Mains, Supply
from firmware_images import product
from protocols.addresses import Eui64
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.use_cases.ccs01 import LogDeviceType
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.ota.image import Kind
from protocols.stack.settings import NodeRole
from protocols.zcl import foundation
from protocols.zcl.clusters import time
from protocols.zcl.clusters.metering import Attribute as Metering
from protocols.zcl.data_types import Value
from protocols.zcl.foundation import ReadAttributes
from protocols.zcl.frame import ZclFrame
from tests.support.hub_side import KEY, HubSide

DEVICE = Eui64(0x00DB1234567890A0)


class Metered:
    def __init__(
        self, variant: str = "A", *, drift_ppb: int = 0, flow: ConstantFlow | None = None,
        auxiliary: tuple[AuxiliarySwitch, ...] = (),
    ) -> None:  # fmt: skip
        self.hub = HubSide()
        self.mains, self.dc_out = Mains(self.hub.clock), Supply()
        parts = self.hub.parts(DEVICE, NodeRole.END_DEVICE, product(Kind.ESME))
        self.wall = OffsetWallClock(self.hub.clock, drift_ppb=drift_ppb)
        parts["wall"] = self.wall
        second = ConstantFlow(3_000) if variant.startswith("B") else None
        phases = 3 if variant.startswith("C") else 1
        voltage = Voltage(SeededEntropy(1), "home", phases=phases)
        self.device = Esme(
            mains=self.mains.supply, dc_out=self.dc_out,
            esme_settings=EsmeSettings(metering=ElectricitySettings(variant=variant)),
            connected=Connected(
                flow=flow or ConstantFlow(1_000), second=second, voltage=voltage, auxiliary=auxiliary
            ),
            **parts,
        )  # fmt: skip
        self.hub.admit(DEVICE)
        self.device.start(KEY)
        self.hub.run(MINUTE)

    def row(self) -> dict[str, object]:
        """Return the fields of the last row of a day."""
        return dict(self.hub.timeline.of("day")[-1])

    def until_midnight(self) -> None:
        self.hub.run(DAY - self.hub.clock.now() % DAY + MINUTE)

    def told_hub_time(self, utc: int) -> None:
        """Let the meter hear `utc` as the hub's time."""
        clock: ClockKeeper = self.device.meter.clock
        clock._told({time.Attribute.TIME: time.from_nanoseconds(utc)})


def test_a_twin_element_meter_counts_its_second_element_apart() -> None:
    meter = Metered("BD")
    meter.until_midnight()
    hours = sum(entry != "-" for entry in str(meter.row()["profile"]).split()) / 2
    assert meter.row()["import_wh"] == pytest.approx(1_000 * hours, rel=0.1)
    assert meter.row()["second_wh"] == pytest.approx(3 * int(str(meter.row()["import_wh"])), abs=3)


def test_a_polyphase_meter_has_three_voltages() -> None:
    meter = Metered("C")
    meter.until_midnight()
    row = meter.row()
    single = Metered("A")
    single.until_midnight()
    assert "second_wh" not in row
    assert int(str(row["voltage_least"])) <= int(str(single.row()["voltage_least"]))
    assert int(str(row["voltage_most"])) >= int(str(single.row()["voltage_most"]))


def test_metering_goes_on_while_an_activation_cuts_the_hub_off() -> None:
    """MP102B: the mains are on; only what the meter gives the hub is gone."""
    meter = Metered()
    before = meter.device.meter.registers.read().taken
    meter.device.activate()
    assert bool(meter.dc_out.on) is False
    meter.hub.run(30 * MINUTE)
    assert bool(meter.dc_out.on) is True
    assert meter.device.meter.registers.read().taken == pytest.approx(before + 500, abs=1)


def test_nothing_is_measured_without_mains() -> None:
    meter = Metered()
    meter.hub.run(HOUR)
    before = meter.device.meter.registers.read().taken
    meter.mains.cut(2 * HOUR)
    meter.hub.run(2 * HOUR + 5 * SECOND)
    assert meter.device.meter.registers.read().taken == before
    codes = [entry.code for entry in meter.device.meter.log.entries()]
    assert codes == [AlertCode.SUPPLY_INTERRUPTED, AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE]


@pytest.mark.requirement("MP102B-G12")
def test_a_clock_is_set_by_the_hub_within_limits() -> None:
    """The first time by whatever it is off; later by 2 to 10 s, and beyond that it is told."""
    meter = Metered()
    clock, meters = meter.hub.clock, meter.device.meter
    meter.told_hub_time(clock.now() + 5 * MINUTE)
    assert abs(meter.wall.utc() - clock.now() - 5 * MINUTE) < SECOND
    meter.told_hub_time(meter.wall.utc() + SECOND)
    assert meters.log.entries() == meters.log.entries()[:1]
    meter.told_hub_time(meter.wall.utc() - 8 * SECOND)
    assert [entry.code for entry in meters.log.entries()] == [AlertCode.CLOCK_ADJUSTED] * 2
    before = meter.wall.utc()
    meter.told_hub_time(before + 11 * SECOND)
    assert meter.wall.utc() == before
    (refused,) = meter.hub.timeline.of("clock-not-adjusted")
    assert 10_000 < int(str(refused["off_ms"])) < 12_000


def test_a_drifting_clock_ends_its_half_hours_when_it_says_so() -> None:
    """A second fast a day: its midnight is early by as much."""
    meter = Metered(drift_ppb=11_574)
    left = DAY - meter.hub.clock.now() % DAY
    meter.hub.run(left - SECOND)
    assert meter.hub.timeline.of("day") == []
    meter.hub.run(SECOND - 1)
    assert len(meter.hub.timeline.of("day")) == 1


def read(server: ClusterServer, attribute: int) -> Value:
    asked = ZclFrame.decode(foundation.encode(ReadAttributes((attribute,)), 1, from_server=False))
    answer = server.attributes.answer(asked, 0)
    assert answer is not None
    values = values_of(ZclFrame.decode(answer))
    assert values is not None
    return values[attribute]


def test_a_twin_element_meter_shows_its_second_element_on_an_endpoint_of_its_own() -> None:
    """Attributes and profile of the first stay on the first; the hub still takes the meter for an ESME."""
    meter = Metered("BD")
    meter.hub.run(2 * HOUR)
    served = {(endpoint.endpoint, server.cluster): server for endpoint, server in meter.device.application.served}
    metered = [endpoint for endpoint, cluster in served if cluster == METERING]
    assert metered == [METERING_DEVICE.endpoint, SECOND_ELEMENT.endpoint]
    one, two = (read(served[endpoint, METERING], Metering.CURRENT_SUMMATION_DELIVERED) for endpoint in metered)
    assert (one, two) == pytest.approx((2_016, 6_050), abs=20)
    assert read(served[metered[1], METERING], Metering.INSTANTANEOUS_DEMAND) == 3_000
    shown = [endpoint for endpoint, _ in meter.device.application.served]
    assert kind_of(shown) is LogDeviceType.ESME
    single = [
        endpoint.endpoint for endpoint, server in Metered("A").device.application.served if server.cluster == METERING
    ]
    assert single == [METERING_DEVICE.endpoint]


def test_the_second_element_is_paid_by_its_own_tariff() -> None:
    meter = Metered("B")
    meter.hub.run(10 * HOUR)
    registers, second = meter.device.meter.registers, meter.device.meter.second
    assert second is not None
    one, two = registers.read().taken, second.read().taken
    assert meter.device.meter.account.cost == one * 28 + two * 28


def test_what_the_second_element_counted_outlives_a_power_cut() -> None:
    meter = Metered("B")
    meter.hub.run(HOUR)
    assert meter.device.meter.second is not None
    before, cost = meter.device.meter.second.read().taken, meter.device.meter.account.cost
    meter.mains.cut(HOUR)
    meter.hub.run(HOUR)
    assert meter.device.meter.second.read().taken == before
    assert meter.device.meter.account.cost == cost
    meter.hub.run(HOUR)
    assert meter.device.meter.second.read().taken == pytest.approx(before + 3_000, abs=10)
