"""The CSP against a WanSession in the hub's place, driven by plain calls."""

from dataclasses import replace

import pytest

from emulator.entropy import SeededEntropy
from gateway.csp import Csp, CspSettings, Effect, ToDsp, ToHub, WakeAt
from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.interfaces import DAY, SECOND
from protocols.ota.image import OtaHeader
from protocols.wan import smwan
from protocols.wan.envelope import (
    THE_HUB,
    FirmwareImageDelivery,
    GbcsCarried,
    HubFirmwareOutcome,
    HubFirmwareReport,
    PowerLoss,
    WanMessage,
)
from protocols.wan.session import WanSession
from protocols.wan.smwan import (
    FirmwareDeliveryStatus,
    FirmwareToHubs,
    GbcsFromHub,
    GbcsToHub,
    GbcsUndeliverable,
    HubFirmwareActivated,
    PowerOutage,
    SmWanMessage,
)

HUB, OTHER_HUB = Eui64(0x00DB1234567890A2), Eui64(0x00DB1234567890B2)
PPMID, ESME, HCALCS = Eui64(0x00DB1234567890A4), Eui64(0x00DB1234567890A0), Eui64(0x00DB1234567890A5)
NOW = 1_772_442_000 * SECOND
VERSION = 0x0123ABCD
BODY = bytes(range(200))
IMAGE = OtaHeader(0x121D, 0x0084, VERSION, 56 + len(BODY)).encode() + BODY


class Notes:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, str | int | bool | None]]] = []

    def note(self, actor: str, event: str, **fields: str | int | bool | None) -> None:
        assert actor == "csp"
        self.lines.append((event, fields))


class Bench:
    """The CSP and one hub's session; effects are carried out in the order of their times."""

    def __init__(self, settings: CspSettings | None = None) -> None:
        self.notes = Notes()
        self.csp = Csp(settings if settings is not None else CspSettings(), SeededEntropy(1), self.notes)
        self.hub = WanSession()
        self.hub_hears = True
        self.to_hub: list[tuple[int, WanMessage]] = []
        self.to_dsp: list[tuple[int, SmWanMessage]] = []
        self.wake_at: int | None = None

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, WakeAt):
                self.wake_at = effect.when
            elif isinstance(effect, ToDsp):
                self.to_dsp.append((effect.at, smwan.decode(effect.octets)))
            elif effect.hub == HUB and self.hub_hears:
                self._hub_hears(effect)

    def _hub_hears(self, effect: ToHub) -> None:
        arrival = self.hub.received(effect.octets)
        if arrival.message is not None:
            self.to_hub.append((effect.at, arrival.message))
        reply = self.hub.accept(arrival)
        if reply is not None:
            self.take(self.csp.from_hub(HUB, reply, effect.at))

    def up(self, message: WanMessage, now: int) -> bytes:
        _, octets = self.hub.send(message, now)
        self.take(self.csp.from_hub(HUB, octets, now))
        return octets

    def down(self, message: SmWanMessage, now: int = NOW) -> None:
        self.take(self.csp.from_dsp(message.encode(), now))

    def sleep_until(self, until: int) -> None:
        """Wake the CSP whenever it asked for it."""
        while self.wake_at is not None and self.wake_at <= until:
            when, self.wake_at = self.wake_at, None
            self.take(self.csp.wake(when))


def request(*targets: tuple[Eui64, Eui64, str]) -> FirmwareToHubs:
    return FirmwareToHubs("a:b:1", targets or ((HUB, PPMID, "PPMID"),), IMAGE)


def test_gbcs_goes_down_and_up_with_its_device_after_fixed_delays() -> None:
    bench = Bench(CspSettings(delay_down=3 * SECOND, delay_up=5 * SECOND))
    bench.down(GbcsToHub(HUB, PPMID, b"command"))
    assert bench.to_hub == [(NOW + 3 * SECOND, GbcsCarried(PPMID, b"command"))]
    bench.up(GbcsCarried(PPMID, b"response"), NOW + 60 * SECOND)
    assert bench.to_dsp == [(NOW + 65 * SECOND, GbcsFromHub(HUB, PPMID, b"response"))]


@pytest.mark.requirement("MP102B-G10")
def test_a_power_loss_reaches_the_dsp_at_report_plus_delay_to_the_nanosecond() -> None:
    """MP102B-G10: hub report + WAN delay (before `from_hub`) + CspSettings.delay_up."""
    bench = Bench(CspSettings(delay_up=1_000_000_007))
    bench.up(PowerLoss(HUB, NOW - 180 * SECOND), NOW + 1)
    assert bench.to_dsp == [(NOW + 1_000_000_008, PowerOutage(HUB, NOW - 180 * SECOND, NOW + 1))]


def test_a_doubled_power_loss_is_one_outage() -> None:
    bench = Bench()
    octets = bench.up(PowerLoss(HUB, NOW), NOW)
    bench.take(bench.csp.from_hub(HUB, octets, NOW + SECOND))
    assert len(bench.to_dsp) == 1


@pytest.mark.requirement("MP170-C9", "MP170-C26")
def test_an_image_goes_to_each_hub_once_with_the_hubs_devices_and_their_ccs01_types() -> None:
    """MP170-C9, MP170-C26: what a bridge is stays above; here it is a PPMID."""
    bench = Bench()
    bench.down(request((HUB, PPMID, "PPMID"), (OTHER_HUB, ESME, "ESME"), (HUB, HCALCS, "HCALCS")))
    bench.sleep_until(NOW + 10 * SECOND)
    assert bench.to_hub == [
        (NOW + 11 * SECOND, FirmwareImageDelivery("a:b:1", ((PPMID, 132), (HCALCS, 13)), IMAGE)),
    ]
    assert [fields["type"] for event, fields in bench.notes.lines if event == "firmware-service"] == [
        "PPMID", "ESME", "HCALCS",
    ]  # fmt: skip


def test_the_hubs_acknowledgement_makes_one_success_for_each_device() -> None:
    bench = Bench()
    bench.down(request((HUB, PPMID, "PPMID"), (HUB, HCALCS, "HCALCS")))
    bench.sleep_until(NOW + 10 * SECOND)
    acknowledged = NOW + 11 * SECOND
    assert bench.to_dsp == [
        (acknowledged + SECOND, FirmwareDeliveryStatus("a:b:1", HUB, device, VERSION, acknowledged, True))
        for device in (PPMID, HCALCS)
    ]
    assert bench.notes.lines[-1] == ("image-delivered", {"hub": str(HUB), "device": str(HCALCS), "success": True})


def test_a_hub_that_is_off_gets_the_image_when_it_is_back() -> None:
    bench = Bench()
    bench.hub_hears = False
    bench.down(request())
    bench.sleep_until(NOW + 800 * SECOND)
    assert bench.to_hub == []
    bench.hub_hears = True
    bench.sleep_until(NOW + 900 * SECOND)
    assert len(bench.to_hub) == 1
    assert [message for _, message in bench.to_dsp if isinstance(message, FirmwareDeliveryStatus) and message.success]


@pytest.mark.requirement("SM7-R9")
def test_a_delivery_nobody_acknowledges_fails_once_and_is_not_sent_any_more() -> None:
    """SM7-R9: the failure is told, N61."""
    bench = Bench(CspSettings(image_timeout=DAY))
    bench.hub_hears = False
    bench.down(request())
    bench.sleep_until(NOW + 3 * DAY)
    given_up = NOW + 10 * SECOND + DAY
    assert bench.to_dsp == [(given_up + SECOND, FirmwareDeliveryStatus("a:b:1", HUB, PPMID, VERSION, given_up, False))]
    bench.hub_hears = True
    bench.sleep_until(NOW + 4 * DAY)
    assert bench.to_hub == []
    bench.down(GbcsToHub(HUB, PPMID, b"later"), NOW + 4 * DAY)
    assert [message for _, message in bench.to_hub] == [GbcsCarried(PPMID, b"later")]


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ((HUB, PPMID, "Type 9"), CspSettings()),
        ((HUB, PPMID, "PPMID"), CspSettings(hubs=(OTHER_HUB,))),
    ],
)
def test_a_target_the_csp_cannot_serve_fails_at_once(target: tuple[Eui64, Eui64, str], settings: CspSettings) -> None:
    bench = Bench(settings)
    bench.down(request(target))
    bench.sleep_until(NOW + DAY)
    assert bench.to_hub == []
    status = FirmwareDeliveryStatus("a:b:1", HUB, PPMID, VERSION, NOW, False, identified=False)
    assert bench.to_dsp == [(NOW + SECOND, status)]


@pytest.mark.parametrize("what", ["a:b:1", VERSION])
def test_an_image_can_be_altered_in_transit_once(what: str | int) -> None:
    bench = Bench()
    bench.csp.alter_image(what, 100)
    bench.csp.alter_image("another:request:1", 101)
    bench.down(request())
    bench.down(replace(request(), request_id="a:b:1"), NOW + SECOND)
    bench.sleep_until(NOW + DAY)
    images = [message.image for _, message in bench.to_hub if isinstance(message, FirmwareImageDelivery)]
    assert [(i, octet) for i, octet in enumerate(images[0]) if octet != IMAGE[i]] == [(100, IMAGE[100] ^ 1)]
    assert images[1:] == [IMAGE]
    altered = [fields for event, fields in bench.notes.lines if event == "image-altered"]
    assert altered == [{"request": "a:b:1", "offset": 100}]


def test_gbcs_for_a_hub_that_is_not_served_is_told_as_undeliverable() -> None:
    bench = Bench(CspSettings(hubs=(OTHER_HUB,)))
    told = GbcsUndeliverable(HUB, PPMID, b"command").encode()
    assert bench.csp.from_dsp(GbcsToHub(HUB, PPMID, b"command").encode(), NOW) == [ToDsp(told, NOW + SECOND)]
    assert bench.csp.undeliverable == 1


def test_random_delay_of_images_follows_the_seed() -> None:
    def times() -> list[int]:
        bench = Bench(CspSettings(image_jitter=DAY))
        for _ in range(5):
            bench.down(request())
        bench.sleep_until(NOW + 3 * DAY)
        return [at for at, _ in bench.to_hub]

    assert times() == times()
    assert len(set(times())) == 5


def test_octets_that_cannot_be_read_change_nothing() -> None:
    bench = Bench()
    assert bench.csp.from_hub(HUB, b"noise", NOW) == []
    assert bench.csp.malformed == 1
    bench.up(FirmwareImageDelivery("r", (), IMAGE), NOW)  # not a hub's message
    assert (bench.csp.malformed, bench.to_dsp) == (2, [])
    with pytest.raises(DecodeError, match="does not go this way"):
        bench.csp.from_dsp(PowerOutage(HUB, NOW).encode(), NOW)
    with pytest.raises(DecodeError):
        bench.csp.from_dsp(FirmwareToHubs("r", ((HUB, PPMID, "PPMID"),), b"no image").encode(), NOW)
    assert bench.notes.lines == []


# --- firmware of the hub itself ------------------------------------------------------------------------------------


def _told(bench: Bench) -> list[tuple[str, dict[str, str | int | bool | None]]]:
    return [line for line in bench.notes.lines if line[0] in ("hub-firmware", "image-delivered")]


@pytest.mark.requirement("SM7-R9")
def test_an_image_for_the_hub_names_the_hub_and_the_dsp_hears_of_its_activation_alone() -> None:
    """SM7-R9: the delivery is the CSP's own affair; what runs is told once."""
    bench = Bench()
    bench.take(bench.csp.update_hub(HUB, IMAGE, NOW))
    bench.sleep_until(NOW + 20 * SECOND)
    assert bench.to_hub == [(NOW + 11 * SECOND, FirmwareImageDelivery("hub image 1", ((HUB, THE_HUB),), IMAGE))]
    assert bench.to_dsp == []
    for outcome in (HubFirmwareOutcome.REFUSED, HubFirmwareOutcome.FAILED):
        bench.up(HubFirmwareReport(HUB, VERSION, 1, outcome), NOW + 60 * SECOND)
    assert bench.to_dsp == []
    bench.up(HubFirmwareReport(HUB, VERSION, VERSION, HubFirmwareOutcome.ACTIVATED), NOW + 90 * SECOND)
    assert bench.to_dsp == [(NOW + 91 * SECOND, HubFirmwareActivated(HUB, VERSION, NOW + 90 * SECOND))]
    assert [fields.get("outcome", fields.get("success")) for _, fields in _told(bench)] == [
        True, "REFUSED", "FAILED", "ACTIVATED",
    ]  # fmt: skip


def test_an_image_for_a_hub_out_of_reach_is_given_up_without_a_word_to_the_dsp() -> None:
    bench = Bench(CspSettings(image_timeout=DAY))
    bench.hub_hears = False
    bench.take(bench.csp.update_hub(HUB, IMAGE, NOW))
    bench.sleep_until(NOW + 3 * DAY)
    assert bench.to_dsp == []
    assert _told(bench) == [("image-delivered", {"hub": str(HUB), "device": str(HUB), "success": False})]


def test_a_hub_speaks_of_its_own_firmware_alone() -> None:
    bench = Bench()
    bench.up(HubFirmwareReport(OTHER_HUB, VERSION, VERSION, HubFirmwareOutcome.ACTIVATED), NOW)
    assert (bench.to_dsp, bench.csp.malformed) == ([], 1)


def test_what_is_no_image_or_for_no_hub_of_ours_is_refused() -> None:
    csp = Bench(CspSettings(hubs=(OTHER_HUB,))).csp
    with pytest.raises(DecodeError, match="OTA file identifier"):
        csp.update_hub(OTHER_HUB, b"x" * 60, NOW)
    with pytest.raises(UsageError, match="is not a hub of this CSP"):
        csp.update_hub(HUB, IMAGE, NOW)
