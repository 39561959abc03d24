"""A polyphase ESME: what it tells of each phase and of the whole supply, what it counts, and what feeds the hub."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.consumption.flow import ConstantFlow, PhasedFlow
from emulator.consumption.voltage import Voltage
from emulator.devices.esme import Esme, EsmeSettings
from emulator.entropy import SeededEntropy
from emulator.parts.electricity_meter import Connected, ElectricitySettings
from emulator.power import Mains, Supply
from firmware_images import product
from protocols.errors import UsageError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra
from protocols.gbcs.use_cases import ecs80
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.ota.image import Kind
from protocols.stack.settings import NodeRole
from tests.emulator.devices.test_electricity import DEVICE
from tests.support.hub_side import KEY, HubSide
from tests.support.parties import NETWORK_OPERATOR

LONG, SHORT = 3 * MINUTE, 3 * MINUTE - SECOND
WATTS = (1_000, 200, 30)


class Polyphase:
    """A meter with another load on each phase."""

    def __init__(self, hub_phase: int | None = None) -> None:
        self.hub = HubSide()
        self.mains, self.dc_out = Mains(self.hub.clock, 3), Supply()
        self.dc: list[bool] = []
        self.dc_out.attach(self.dc.append)
        parts = self.hub.parts(DEVICE, NodeRole.END_DEVICE, product(Kind.ESME))
        metering = ElectricitySettings(variant="C")
        self.device = Esme(
            mains=self.mains.supply, phases=self.mains.phases, dc_out=self.dc_out,
            esme_settings=EsmeSettings(metering=metering, hub_phase=hub_phase),
            connected=Connected(
                flow=PhasedFlow([ConstantFlow(watts) for watts in WATTS]),
                voltage=Voltage(SeededEntropy(1), "home", phases=3),
            ),
            **parts,
        )  # fmt: skip
        self.hub.admit(DEVICE)
        self.device.start(KEY)
        self.hub.run(MINUTE)

    def cut(self, duration: int, *phases: int, wait: int = 0) -> None:
        self.mains.cut(duration, phases)
        self.hub.run(wait)

    def told(self) -> list[tuple[int, int]]:
        """Return code and length (ns) of each alert that reached the hub, in order."""
        alerts = [ecs80.Alert.decode(message.payload) for message in self.hub.of(Cra.ALERT, ecs80.MESSAGE_CODE)]
        return [(int(alert.alert_code), alert.restoration - alert.interruption) for alert in alerts]


@pytest.mark.parametrize(
    ("phase", "duration", "code"),
    [
        (1, SHORT, 0x8F37),
        (1, LONG, 0x8F38),
        (2, SHORT, 0x8F39),
        (2, LONG, 0x8F3A),
        (3, SHORT, 0x8F3B),
        (3, LONG, 0x8F3C),
    ],
)
@pytest.mark.requirement("MP102B-G10")
def test_a_phase_that_comes_back_is_told_to_the_network_operator(phase: int, duration: int, code: int) -> None:
    meter = Polyphase()
    meter.cut(duration, phase, wait=duration + MINUTE)
    assert meter.told() == [(code, duration)]
    (message,) = meter.hub.of(Cra.ALERT, ecs80.MESSAGE_CODE)
    assert message.target == NETWORK_OPERATOR
    security.verify_signature(message, meter.hub.parties.pki.device(DEVICE).ds_certificate.public_key)
    assert meter.hub.timeline.of("phase-restored") == [{"phase": phase, "duration": duration}]
    assert [entry.code for entry in meter.device.meter.log.entries()] == [0x8F57 + phase, code]
    assert meter.dc == []
    assert meter.hub.timeline.of("supply-interrupted") == []


def test_two_phases_are_told_one_by_one() -> None:
    meter = Polyphase()
    meter.cut(SHORT, 1)
    meter.cut(LONG, 3, wait=LONG + MINUTE)
    assert meter.told() == [(0x8F37, SHORT), (0x8F3C, LONG)]


def test_all_phases_together_are_the_supply_and_told_once() -> None:
    meter = Polyphase()
    meter.cut(LONG, wait=LONG + MINUTE)
    assert meter.told() == [(0x8F36, LONG)]
    assert meter.dc == [False, True]


def test_a_phase_that_was_longer_away_than_the_supply_is_told_too() -> None:
    """Phase 1 goes a minute before the rest, phase 2 comes a minute after it."""
    meter = Polyphase()
    meter.cut(4 * MINUTE, 1, wait=MINUTE)
    meter.cut(4 * MINUTE, 2)
    meter.cut(3 * MINUTE, 3, wait=6 * MINUTE)
    assert meter.told() == [(0x8F36, 3 * MINUTE), (0x8F38, 4 * MINUTE), (0x8F3A, 4 * MINUTE)]


@pytest.mark.requirement("MP102B-G9")
def test_a_phase_lost_during_an_activation_is_told_after_it() -> None:
    meter = Polyphase(hub_phase=2)
    meter.device.activate()
    meter.hub.run(MINUTE)
    meter.cut(LONG, 2, wait=20 * MINUTE)
    assert meter.told() == [(0x8F3A, LONG)]
    assert meter.dc == [False, True]


def test_the_hub_hangs_on_one_phase_where_that_is_set() -> None:
    meter = Polyphase(hub_phase=2)
    meter.cut(LONG, 1, 3, wait=LONG + MINUTE)
    assert meter.dc == []
    meter.cut(LONG, 2, wait=LONG + MINUTE)
    assert meter.dc == [False, True]
    meter.cut(LONG, wait=0)
    meter.cut(LONG + HOUR, 2, wait=LONG + MINUTE)
    assert meter.dc == [False, True, False]
    assert meter.device.powered
    meter.hub.run(HOUR)
    assert meter.dc[-1] is True


@pytest.mark.parametrize("phase", [0, 4])
def test_a_phase_that_is_not_there_feeds_no_hub(phase: int) -> None:
    with pytest.raises(UsageError, match="feeds the hub"):
        Polyphase(hub_phase=phase)


def test_what_hangs_on_a_phase_that_is_away_is_not_counted() -> None:
    meter = Polyphase()
    registers = meter.device.meter.registers
    before = registers.read().taken
    assert registers.rate() == sum(WATTS)
    meter.cut(HOUR, 1, wait=HOUR)
    assert registers.read().taken - before == pytest.approx(230, abs=1)
    meter.hub.run(HOUR)
    assert registers.read().taken - before == pytest.approx(230 + 1_230, abs=1)


def test_the_average_voltage_of_a_phase_falls_with_the_time_it_was_away() -> None:
    meter = Polyphase()
    log, clock = meter.device.meter.voltage, meter.hub.clock
    assert log is not None
    meter.hub.run(HOUR - clock.now() % HOUR)
    meter.cut(15 * MINUTE, 3, wait=HOUR)
    ends = (clock.now() - HOUR + 1, clock.now())
    first, second = log.entries(3, *ends)
    assert 1_160 <= first.average <= 1_240
    assert 2_300 <= second.average <= 2_460
    assert all(2_300 <= entry.average <= 2_460 for phase in (1, 2) for entry in log.entries(phase, *ends))
    assert [log.counters(phase) for phase in (1, 2, 3)] == [(0, 0), (0, 0), (1, 0)]


def test_without_power_nothing_is_averaged() -> None:
    meter = Polyphase()
    log, clock = meter.device.meter.voltage, meter.hub.clock
    assert log is not None
    meter.hub.run(HOUR - clock.now() % HOUR)
    meter.cut(2 * HOUR, wait=3 * HOUR)
    held = log.entries(1, 0, clock.now())
    assert [entry.end % DAY // (30 * MINUTE) for entry in held] == [19, 20, 25, 26]  # none from 10:00 to 12:00
    assert all(2_300 <= entry.average <= 2_460 for entry in held)


LOSSES = st.lists(
    st.tuples(st.integers(0, 600), st.integers(1, 600), st.sets(st.integers(1, 3))), min_size=1, max_size=4
)


@given(LOSSES)
@settings(max_examples=15, deadline=None)
def test_whatever_goes_and_comes_each_phase_is_told_or_in_the_supply(losses: list[tuple[int, int, set[int]]]) -> None:
    """Nothing is told of a phase that was there, and nothing that was away is left out."""
    meter = Polyphase()
    for pause, length, phases in losses:
        meter.hub.run(pause * SECOND)
        meter.mains.cut(length * SECOND, phases)
    meter.hub.run(HOUR)
    assert all(phase.on for phase in meter.mains.phases)
    assert meter.device.powered
    told = [phase for code, _ in meter.told() if (phase := ecs80.phase_of(code)) is not None]
    gone = {phase for _, _, phases in losses for phase in phases or {1, 2, 3}}
    assert set(told) - {ecs80.WHOLE} <= gone
    assert gone <= set(told) or ecs80.WHOLE in told
    assert all((code in (0x8F36, 0x8F38, 0x8F3A, 0x8F3C)) is (length >= LONG) for code, length in meter.told())
    assert [cell for cell in meter.device.storage.cells() if cell.startswith("supply/")] == []
