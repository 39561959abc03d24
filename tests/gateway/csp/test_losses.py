"""What the CSP loses, repeats and delays by its settings, each drawn from the seed; regions; downloads counted."""

from dataclasses import replace

import pytest

from emulator.entropy import SeededEntropy
from gateway.csp import Csp, CspSettings, ToDsp, ToHub
from gateway.csp.settings import Downloads
from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs06, cs08
from protocols.interfaces import DAY, HOUR, SECOND
from protocols.wan import smwan
from protocols.wan.envelope import GbcsCarried, PowerLoss
from protocols.wan.session import WanSession
from tests.gateway.csp.test_machine import HUB, NOW, OTHER_HUB, PPMID, Bench, request

ESME, USER = Eui64(0x00DB1234567890A0), Eui64(0x90B3D51F30010000)
RESPONSE = Message(
    Cra.RESPONSE, 7, ESME, USER, message_code=cs06.MESSAGE_CODE, payload=cs06.Response().encode(), signature=bytes(64)
)
READ = replace(
    RESPONSE, message_code=cs08.MESSAGE_CODE, payload=cs08.Response(1).encode(), signature=b"", mac=bytes(12)
)


def passed(settings: CspSettings, octets: bytes, times: int = 400, *, seed: int = 1) -> list[bool]:
    """Send the same message of a device again and again; return which ones reached the DSP."""
    csp, hub = Csp(settings, SeededEntropy(seed)), WanSession()
    reached = []
    for number in range(times):
        now = NOW + number * SECOND
        _, sent = hub.send(GbcsCarried(ESME, octets), now)
        effects = csp.from_hub(HUB, sent, now)
        reached.append(any(isinstance(effect, ToDsp) for effect in effects))
        for effect in effects:
            if isinstance(effect, ToHub):
                hub.accept(hub.received(effect.octets))
    return reached


@pytest.mark.requirement("MP105-R10")
def test_a_fifth_of_the_responses_to_11_3_vanishes_and_nothing_else() -> None:
    settings = CspSettings(lost_11_3_responses=0.2)
    reached = passed(settings, RESPONSE.encode())
    assert 40 < reached.count(False) < 120
    assert all(passed(settings, READ.encode()))
    assert all(passed(settings, replace(RESPONSE, cra=Cra.ALERT, message_code=cs06.ALERT_MESSAGE_CODE).encode()))
    assert all(passed(settings, b"no GBCS message"))


def test_losses_follow_the_seed() -> None:
    settings = CspSettings(lost_11_3_responses=0.2)
    once = passed(settings, RESPONSE.encode())
    assert passed(settings, RESPONSE.encode()) == once
    assert passed(settings, RESPONSE.encode(), seed=2) != once


def test_messages_are_lost_both_ways_and_counted() -> None:
    bench = Bench(CspSettings(loss_down=1.0))
    bench.down(smwan.GbcsToHub(HUB, PPMID, b"command"))
    bench.sleep_until(NOW + HOUR)
    assert (bench.to_hub, bench.csp.lost) == ([], 1)
    assert [event for event, _ in bench.notes.lines] == ["message-lost"]
    assert not any(passed(CspSettings(loss_up=1.0), READ.encode(), 20))


def test_an_image_and_an_outage_are_never_lost_that_way() -> None:
    bench = Bench(CspSettings(loss_down=1.0, loss_up=1.0, lost_11_3_responses=1.0))
    bench.down(request())
    bench.up(PowerLoss(HUB, NOW), NOW)
    bench.sleep_until(NOW + HOUR)
    assert len(bench.to_hub) == 1
    assert {type(message) for _, message in bench.to_dsp} == {smwan.PowerOutage, smwan.FirmwareDeliveryStatus}


def test_what_is_repeated_arrives_twice() -> None:
    bench = Bench(CspSettings(duplicates=1.0))
    bench.up(PowerLoss(HUB, NOW - 180 * SECOND), NOW)
    bench.up(GbcsCarried(PPMID, b"alert"), NOW)
    kinds = [type(message) for _, message in bench.to_dsp]
    assert kinds == [smwan.PowerOutage] * 2 + [smwan.GbcsFromHub] * 2
    assert bench.csp.duplicated == 2


def test_a_region_has_settings_of_its_own() -> None:
    north = CspSettings(delay_up=5 * SECOND, delay_down=7 * SECOND, image_delay=DAY)
    for region, up, down in (("North", 5, 7), ("South", 1, 1)):
        bench = Bench(CspSettings(regions={"North": north}, region_of={HUB: region, OTHER_HUB: "North"}))
        bench.up(PowerLoss(HUB, NOW), NOW)
        bench.down(smwan.GbcsToHub(HUB, PPMID, b"command"))
        bench.down(request())
        bench.sleep_until(NOW + HOUR)
        assert [at for at, m in bench.to_dsp if isinstance(m, smwan.PowerOutage)] == [NOW + up * SECOND]
        assert [at for at, m in bench.to_hub if isinstance(m, GbcsCarried)] == [NOW + down * SECOND]
        assert (len(bench.to_hub) == 1) is (region == "North"), "its image waits a day"


@pytest.mark.parametrize("name", ["loss_down", "loss_up", "duplicates", "lost_11_3_responses"])
@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_lies_between_nothing_and_all(name: str, share: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        CspSettings(**{name: share})  # type: ignore[arg-type]


@pytest.mark.requirement("MP170-P7")
def test_downloads_are_counted_for_each_request() -> None:
    bench = Bench(CspSettings(image_timeout=DAY))
    bench.down(request())
    bench.sleep_until(NOW + HOUR)
    bench.hub_hears = False
    bench.down(replace(request((HUB, PPMID, "PPMID"), (HUB, ESME, "Type 9")), request_id="a:b:2"), NOW + HOUR)
    bench.sleep_until(NOW + 3 * DAY)
    assert bench.csp.downloads == {"a:b:1": Downloads(1, 1, 0), "a:b:2": Downloads(2, 0, 2)}
