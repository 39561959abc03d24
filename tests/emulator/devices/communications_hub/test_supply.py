"""The hub without supply: hold-up, power loss report, boot."""

import pytest

from emulator.wan import WanSettings
from gateway.csp import Csp, CspSettings, ToDsp, ToHub
from protocols.addresses import Eui64
from protocols.interfaces import SECOND
from protocols.wan import smwan
from protocols.wan.envelope import GbcsCarried, PowerLoss
from protocols.wan.smwan import PowerOutage
from tests.support.hub_bench import CHF, PPMID_TYPE, START, HubBench, eui

WAN_UP = WanSettings().delay_up


def losses(bench: HubBench) -> list[tuple[int, PowerLoss]]:
    return [(at, message) for at, message in bench.up if isinstance(message, PowerLoss)]


def running(bench: HubBench) -> bool:
    return bench.hub.running


def held(bench: HubBench) -> int:
    """Return how many messages of the CSP the hub has not acknowledged."""
    return len(bench.csp.held)


@pytest.fixture
def bench() -> HubBench:
    bench = HubBench()
    bench.hub.start()
    return bench


@pytest.mark.requirement("MP102B-G10")
def test_a_cut_of_2_59_is_not_reported_and_the_hub_runs_through(bench: HubBench) -> None:
    bench.run(10)
    bench.mains.cut(179 * SECOND)
    bench.run(100)
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run(1000)
    assert losses(bench) == []
    assert bench.notes.of("device-added") != []
    assert running(bench)


@pytest.mark.requirement("MP102B-G10")
def test_a_cut_of_3_00_is_reported_once_with_the_start_of_the_loss(bench: HubBench) -> None:
    """MP102B-G10: at 3:00 sharp, and the hub has not been off."""
    bench.run(10)
    bench.mains.cut(180 * SECOND)
    bench.run(1000)
    went = START + 10 * SECOND
    assert losses(bench) == [(went + 180 * SECOND + WAN_UP, PowerLoss(CHF, went))]
    assert bench.notes.of("power-loss-reported") == [{"started": went}]
    assert running(bench)


@pytest.mark.requirement("MP102B-G11")
def test_after_200_seconds_the_hub_is_off_and_boots_when_the_supply_is_back(bench: HubBench) -> None:
    """MP102B-G11: what an activation of 13 minutes does to the hub."""
    bench.mains.cut(780 * SECOND)
    bench.run(199)
    assert running(bench)
    bench.run(2)
    assert not running(bench)
    bench.run(780 - 201 + 59)
    assert not running(bench)
    bench.run(2)
    assert running(bench)
    bench.run(1000)
    assert len(losses(bench)) == 1


def test_what_the_wan_brings_while_the_hub_is_off_is_lost_and_comes_again(bench: HubBench) -> None:
    bench.mains.cut(780 * SECOND)
    bench.run(300)
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run(700)
    assert bench.notes.of("device-added") == []
    assert held(bench) == 1
    bench.resend()
    bench.run(10)
    assert held(bench) == 0
    assert bench.notes.of("device-added") == [{"device": str(eui(1)), "type": "PPMID"}]


def test_a_report_the_wan_lost_is_sent_again_after_the_boot() -> None:
    bench = HubBench()
    bench.hub.start()
    bench.mains.cut(780 * SECOND)
    receive, bench.wan.csp.listening = bench.wan.csp, False
    bench.run(300)
    receive.listening = True
    bench.run(1000)
    ((at, loss),) = losses(bench)
    assert loss == PowerLoss(CHF, START)
    assert at == START + (780 + 60) * SECOND + WAN_UP


def test_the_supply_going_again_during_the_boot_is_reported_from_its_own_start(bench: HubBench) -> None:
    bench.mains.cut(300 * SECOND)
    bench.run(310)
    bench.mains.cut(190 * SECOND)
    bench.run(1000)
    assert [loss.started for _, loss in losses(bench)] == [START, START + 310 * SECOND]
    assert running(bench)


def test_a_hub_whose_supply_goes_and_stays_away_while_it_boots_is_off(bench: HubBench) -> None:
    bench.mains.cut(300 * SECOND)
    bench.run(310)
    bench.mains.cut(900 * SECOND)
    bench.run(300)
    assert not running(bench)
    bench.run(1000)
    assert running(bench)


@pytest.mark.requirement("MP102B-R2")
def test_ad1_reaches_the_dsp_at_a_time_known_to_the_nanosecond() -> None:
    """MP102B-R2: loss + 180 s (hub) + 2 s (WAN) + 1 s (CSP), so that a run can aim at a window's last instant."""
    bench = HubBench()
    csp, outages = Csp(CspSettings(), bench.entropy), list[tuple[int, smwan.SmWanMessage]]()

    def from_hub(octets: bytes) -> None:
        for effect in csp.from_hub(CHF, octets, bench.clock.now()):
            if isinstance(effect, ToDsp):
                outages.append((effect.at, smwan.decode(effect.octets)))
            elif isinstance(effect, ToHub):
                bench.clock.call_at(effect.at, bench.wan.csp.send, effect.octets)

    bench.wan.csp.attach(from_hub)
    bench.hub.start()
    went = START + 123_456_789_012
    bench.clock.call_at(went, bench.mains.cut, 200 * SECOND)
    bench.run(2000)
    settings, wan = CspSettings(), WanSettings()
    taken = went + bench.settings.loss_report_after + wan.delay_up
    assert outages == [(taken + settings.delay_up, PowerOutage(CHF, went, taken))]
    assert settings.delay_up + wan.delay_up == 3 * SECOND


def test_a_message_for_nobody_in_the_log_is_noted_and_dropped(bench: HubBench) -> None:
    stranger = Eui64(0x1122334455667788)
    bench.down(GbcsCarried(stranger, b"message"))
    bench.run(10)
    assert bench.notes.of("gbcs-undeliverable") == [{"device": str(stranger)}]
    assert bench.csp.held == ()


def test_noise_from_the_wan_is_noted_and_dropped(bench: HubBench) -> None:
    bench.wan.csp.send(b"HLWN\x02")
    bench.run(10)
    assert len(bench.notes.of("wan-refused")) == 1
    assert running(bench)
