"""Lean meters and bridges answer as the ones on the air do: real messages in, signed messages out."""

from collections.abc import Callable

import pytest

from emulator.clock import VirtualClock
from emulator.fleet.bridge import REBOOT, LeanBridge
from emulator.fleet.device import Around
from emulator.fleet.meter import FAREWELL, GSME_REBOOT, LeanMeter
from emulator.parts.trust_anchors import TrustAnchors
from emulator.power import Supply
from firmware_images import product
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs06, cs08, cs09, ecs52, ecs80, fdra, gcs38
from protocols.gbcs.use_cases.cs06 import Outcome, OutcomeCode
from protocols.interfaces import DAY, MINUTE, SECOND
from protocols.ota.image import FirmwareImage, Kind
from tests.support.dsp_bench import image
from tests.support.parties import BROKER, NETWORK_OPERATOR, START, SUPPLIER, Parties

EUI = Eui64(0x00DB1234567890A0)
OLD, NEW = product(Kind.ESME).versions[:2]
WAIT = 13 * MINUTE


class Recorder:
    def __init__(self) -> None:
        self.events: list[str] = []

    def note(self, actor: str, event: str, **fields: str | int | bool | None) -> None:
        self.events.append(event)


class Stand:
    """One device, who commands it, and what it sent."""

    def __init__(self, kind: Kind) -> None:
        self.parties, self.clock, self.recorder = Parties(), VirtualClock(START), Recorder()
        around = Around(clock=self.clock, entropy=self.parties.entropy, recorder=self.recorder)
        own, self.supply = self.parties.pki.device(EUI), Supply()
        self.device: LeanMeter | LeanBridge
        if kind in (Kind.ESME, Kind.GSME):
            dc_out = self.supply if kind is Kind.ESME else None
            old = product(kind).versions[0]
            self.device = LeanMeter("home/meter", own, self.parties.anchors(), old, around, dc_out=dc_out)
        else:
            anchors = TrustAnchors.of(self.parties.broker)
            self.device = LeanBridge("home/bridge", own, anchors, product(kind), around)
        self.sent: list[Message] = []
        self.device.send = lambda octets: self.sent.append(Message.decode(octets))
        self._counter = 0

    def give(self, given: FirmwareImage) -> None:
        self.device.take_image(given.encode())

    def command(
        self, code: int, payload: Callable[[int], bytes], *, signed: bool = False, broker: bool = False
    ) -> None:
        self._counter += 1
        sender = self.parties.broker if broker else self.parties.supplier
        for_user = (SUPPLIER, self._counter) if broker else None
        octets = self.parties.command(
            sender, EUI, code, payload(self._counter), counter=self._counter, signed=signed, for_user=for_user
        )
        self.device.obey(octets)

    def activate(self, image_hash: bytes, at: int | None = None) -> None:
        self.command(cs06.MESSAGE_CODE, lambda n: cs06.Command(image_hash, n, at).encode(), signed=True)

    @property
    def last(self) -> Message:
        """The last message sent, whose signature is the device's."""
        message = self.sent[-1]
        security.verify_signature(message, self.parties.pki.device(EUI).ds_certificate.public_key)
        return message

    def outcome(self) -> Outcome | None:
        assert (self.last.cra, self.last.target) == (Cra.RESPONSE, SUPPLIER)
        return cs06.Response.decode(self.last.payload).outcome


@pytest.fixture
def esme() -> Stand:
    return Stand(Kind.ESME)


def fed(stand: Stand) -> bool:
    """Whether the hub has supply now."""
    return stand.supply.on


def release(stand: Stand, number: int = 1, kind: Kind = Kind.ESME) -> FirmwareImage:
    return image(kind, number, stand.parties)


def test_an_image_the_supplier_signed_is_told_and_does_not_run(esme: Stand) -> None:
    esme.give(release(esme))
    alert = fdra.Alert.decode(esme.last.payload)
    assert (alert.alert_code, alert.image_hash) == (AlertCode.FIRMWARE_VERIFIED, release(esme).hash)
    assert esme.device.firmware_version == OLD


def test_an_image_with_another_signature_is_told_and_never_runs(esme: Stand) -> None:
    good = release(esme)
    assert good.signature is not None
    esme.give(good._replace(signature=good.signature[::-1]))
    assert fdra.Alert.decode(esme.last.payload).alert_code == AlertCode.FIRMWARE_VERIFICATION_FAILED
    esme.activate(good.hash)
    assert esme.outcome() == Outcome(OutcomeCode.NO_IMAGE, OLD)


def test_what_is_no_image_is_noted(esme: Stand) -> None:
    esme.device.take_image(b"nothing of the kind")
    assert (esme.recorder.events, esme.sent) == (["image-refused"], [])


def test_an_activation_cuts_the_hubs_supply_and_answers_when_it_is_back(esme: Stand) -> None:
    esme.give(release(esme))
    esme.activate(release(esme).hash)
    begun = len(esme.sent)
    esme.clock.run_for(FAREWELL)
    assert not fed(esme)
    esme.clock.run_for(WAIT - 1)
    assert (fed(esme), len(esme.sent)) == (False, begun)
    esme.clock.run_for(1)
    assert fed(esme)
    assert esme.outcome() == Outcome(OutcomeCode.SUCCESS, NEW)


def test_the_wrong_hash_changes_nothing(esme: Stand) -> None:
    esme.give(release(esme))
    esme.activate(bytes(32))
    assert esme.outcome() == Outcome(OutcomeCode.HASH_MISMATCH, OLD)
    assert esme.supply.on


def test_a_repeated_command_is_answered_with_the_version_that_runs(esme: Stand) -> None:
    esme.give(release(esme))
    for _ in range(2):
        esme.activate(release(esme).hash)
        esme.clock.run_for(WAIT + FAREWELL)
    assert esme.outcome() == Outcome(OutcomeCode.NO_IMAGE, NEW)


def test_a_dated_activation_runs_at_its_date_and_tells_by_alert(esme: Stand) -> None:
    esme.give(release(esme))
    esme.activate(release(esme).hash, START + DAY)
    assert esme.outcome() is None
    esme.clock.run_until(START + DAY - 1)
    assert esme.supply.on
    esme.clock.run_for(WAIT + FAREWELL + 1)
    alert = cs06.Alert.decode(esme.last.payload)
    assert (alert.alert_code, alert.outcome) == (
        AlertCode.FUTURE_DATED_COMMAND_DONE,
        Outcome(OutcomeCode.SUCCESS, NEW),
    )


def test_a_cancelled_activation_never_runs(esme: Stand) -> None:
    esme.give(release(esme))
    esme.activate(release(esme).hash, START + DAY)
    esme.activate(bytes(32), cs06.CANCEL)
    esme.clock.run_for(2 * DAY)
    assert (esme.device.firmware_version, esme.supply.on) == (OLD, True)


def test_a_command_that_nobody_it_knows_signed_gets_no_answer(esme: Stand) -> None:
    octets = esme.parties.command(
        esme.parties.other_supplier, EUI, cs06.MESSAGE_CODE, cs06.Command(bytes(32), 1, None).encode(), counter=1,
        signed=True,
    )  # fmt: skip
    esme.device.obey(octets)
    assert (esme.sent, esme.recorder.events) == ([], ["command-refused"])


def test_an_esme_is_read_by_ecs52(esme: Stand) -> None:
    esme.command(ecs52.MESSAGE_CODE, lambda n: ecs52.Command(n).encode())
    assert ecs52.Response.decode(esme.sent[-1].payload).firmware_version == OLD


@pytest.mark.parametrize(
    ("lasted", "code"),
    [
        (3 * MINUTE - 1, AlertCode.SUPPLY_RESTORED),
        (3 * MINUTE, AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE),
    ],
)
def test_a_real_loss_is_told_to_the_network_operator(esme: Stand, lasted: int, code: AlertCode) -> None:
    assert isinstance(esme.device, LeanMeter)
    esme.device.mains_restored(START, START + lasted)
    assert esme.last.target == NETWORK_OPERATOR
    assert ecs80.Alert.decode(esme.last.payload).alert_code == code


def test_a_gsme_activates_without_touching_the_supply_and_is_read_by_gcs38() -> None:
    stand = Stand(Kind.GSME)
    new = release(stand, 1, Kind.GSME)
    stand.give(new)
    assert fdra.GsmeAlert.decode(stand.last.payload).alert_code == AlertCode.FIRMWARE_VERIFIED
    stand.activate(new.hash)
    stand.clock.run_for(FAREWELL + GSME_REBOOT)
    assert stand.outcome() == Outcome(OutcomeCode.SUCCESS, new.header.file_version)
    assert stand.supply.on
    stand.command(gcs38.MESSAGE_CODE, lambda n: gcs38.Command().encode())
    assert gcs38.Response.decode(stand.sent[-1].payload).firmware_version == new.header.file_version


def test_a_bridge_runs_its_image_by_itself_and_tells_the_broker() -> None:
    stand = Stand(Kind.BRIDGE1)
    new = release(stand, 1, Kind.BRIDGE1)
    stand.give(new)
    stand.clock.run_for(REBOOT)
    assert stand.last.target == BROKER
    assert cs09.Alert.decode(stand.last.payload).firmware_version == new.header.file_version
    stand.command(cs08.MESSAGE_CODE, lambda n: cs08.Command().encode(), broker=True)
    assert cs08.Response.decode(stand.sent[-1].payload).firmware_version == new.header.file_version


def test_a_bridge_refuses_the_image_of_another_product() -> None:
    stand = Stand(Kind.BRIDGE1)
    stand.give(release(stand, 1, Kind.PPMID))
    stand.clock.run_for(10 * SECOND + REBOOT)
    assert (stand.sent, stand.recorder.events) == ([], ["image-refused"])
