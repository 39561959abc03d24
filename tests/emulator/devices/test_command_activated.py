"""ESME and HCALCS on a real node, over the simulated air, against a real node that plays the hub."""

import pytest

from emulator.devices.esme import Esme, EsmeSettings
from emulator.devices.hcalcs import Hcalcs
from emulator.parts.command_activated import Begun, CommandActivatedDevice
from emulator.power import Mains, Supply
from emulator.storage import MemoryStorage
from firmware_images import Product, product
from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.gbcs import security
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra
from protocols.gbcs.smki import Credentials
from protocols.gbcs.times import dlms_date_time
from protocols.gbcs.use_cases import cs06, cs08, ecs52, ecs80, fdra, miiwa
from protocols.gbcs.use_cases.cs06 import Outcome, OutcomeCode
from protocols.interfaces import DAY, MINUTE, SECOND
from protocols.ota.client import ZclStatus
from protocols.ota.image import FirmwareImage, Kind, build_image
from protocols.ota.server import TransferEnded
from protocols.stack.settings import NodeRole
from tests.support.hub_side import KEY, HubSide
from tests.support.parties import BROKER, NETWORK_OPERATOR, START, SUPPLIER

DEVICE = Eui64(0x00DB1234567890A0)
V1, V2, V3 = 0x01000000, 0x01000100, 0x01000200


class Home:
    """A hub's node and one ESME or HCALCS that has joined; the ESME with its mains."""

    def __init__(self, kind: Kind = Kind.ESME, *, offset: int = 0) -> None:
        self.hub = HubSide()
        self.clock = self.hub.clock
        self.mains, self.dc_out = Mains(self.clock), Supply()
        self.product = product(kind)
        self.storage = MemoryStorage()
        parts = self.hub.parts(DEVICE, NodeRole.ROUTER, self.product, storage=self.storage, offset=offset)
        self.device: CommandActivatedDevice = (
            Esme(mains=self.mains.supply, dc_out=self.dc_out, **parts) if kind is Kind.ESME else Hcalcs(**parts)
        )
        self.counter = 1000
        self.dc: list[tuple[int, bool]] = []
        self.dc_out.attach(lambda on: self.dc.append((self.clock.now(), on)))
        self.hub.admit(DEVICE)
        self.device.start(KEY)
        self.hub.run(MINUTE)

    def image(self, version: int = V2, *, of: Product | None = None) -> FirmwareImage:
        made = of or self.product
        return build_image(
            made.kind,
            version=version,
            size=4096,
            manufacturer=made.manufacturer,
            model=made.model,
            image_type=made.image_type,
            sign=self.hub.parties.sign_image,
        )

    def distribute(self, version: int = V2) -> bytes:
        """Bring an image to the device; return its hash."""
        image = self.image(version)
        self.hub.offer(DEVICE, image.encode(), activate_now=False)
        self.hub.run(MINUTE)
        return image.hash

    def activate(self, image_hash: bytes, when: int | None = None, *, sender: Credentials | None = None) -> None:
        self.counter += 1
        payload = cs06.Command(image_hash, self.counter, when).encode()
        by = sender or self.hub.parties.supplier
        command = self.hub.parties.command(by, DEVICE, 0x0012, payload, counter=self.counter, signed=True)
        self.hub.send(DEVICE, command)
        self.hub.run(5 * SECOND)

    def outcomes(self) -> list[Outcome | None]:
        return [cs06.Response.decode(each.payload).outcome for each in self.hub.of(Cra.RESPONSE, 0x0012)]

    def dated_outcomes(self) -> list[cs06.Alert]:
        return [cs06.Alert.decode(each.payload) for each in self.hub.of(Cra.ALERT, cs06.ALERT_MESSAGE_CODE)]

    def receipts(self) -> list[fdra.Alert]:
        return [fdra.Alert.decode(each.payload) for each in self.hub.of(Cra.ALERT, fdra.MESSAGE_CODE)]

    def supply_alerts(self) -> list[ecs80.Alert]:
        return [ecs80.Alert.decode(each.payload) for each in self.hub.of(Cra.ALERT, ecs80.MESSAGE_CODE)]

    def cut(self, duration: int) -> None:
        self.mains.cut(duration)
        self.hub.run(duration + 2 * MINUTE)


KINDS = pytest.mark.parametrize("kind", [Kind.ESME, Kind.HCALCS])


@pytest.mark.requirement("SM7-R4", "SM7-R5", "MP102B-G5")
@KINDS
def test_a_good_image_is_told_with_its_hash_and_not_activated(kind: Kind) -> None:
    home = Home(kind)
    image_hash = home.distribute(home.product.versions[1])
    home.hub.run(DAY)
    (receipt,) = home.receipts()
    assert (receipt.alert_code, receipt.image_hash) == (AlertCode.FIRMWARE_VERIFIED, image_hash)
    (message,) = home.hub.of(Cra.ALERT, fdra.MESSAGE_CODE)
    assert message.target == SUPPLIER
    assert receipt.counter == message.counter & 0xFFFFFF
    security.verify_signature(message, home.hub.parties.pki.device(DEVICE).ds_certificate.public_key)
    assert home.device.firmware_version == home.product.versions[0]
    assert home.dc == []


@pytest.mark.requirement("SM7-R4")
@KINDS
def test_an_image_with_an_altered_signature_is_refused_and_told(kind: Kind) -> None:
    home = Home(kind)
    version = home.product.versions[1]
    good = home.image(version)
    file = bytearray(good.encode())
    file[-1] ^= 0x01
    home.hub.offer(DEVICE, bytes(file), activate_now=False)
    home.hub.run(MINUTE)
    assert home.hub.ota_effects[-1] == TransferEnded(DEVICE, version, ZclStatus.INVALID_IMAGE)
    (receipt,) = home.receipts()
    assert (receipt.alert_code, receipt.image_hash) == (AlertCode.FIRMWARE_VERIFICATION_FAILED, good.hash)
    assert home.hub.timeline.of("image-refused") == [{"version": f"{version:08X}", "reason": "signature invalid"}]
    home.activate(good.hash)
    assert home.outcomes() == [Outcome(OutcomeCode.NO_IMAGE, home.product.versions[0])]
    home.distribute(version)
    assert [each.alert_code for each in home.receipts()] == [0x8F1C, 0x8F72]


def test_an_image_signed_by_another_supplier_is_refused() -> None:
    home = Home()
    parties = home.hub.parties
    made = home.product
    image = build_image(
        made.kind,
        version=V2,
        size=4096,
        manufacturer=made.manufacturer,
        model=made.model,
        sign=lambda octets: parties.entropy.sign(parties.other_supplier.ds_key, octets),
    )
    home.hub.offer(DEVICE, image.encode(), activate_now=False)
    home.hub.run(MINUTE)
    assert [each.alert_code for each in home.receipts()] == [0x8F1C]


@pytest.mark.requirement("MP102B-R1", "MP102B-G10", "MP102B-G11")
def test_an_immediate_activation_cuts_the_dc_for_13_minutes_and_answers_afterwards() -> None:
    home = Home()
    home.activate(home.distribute())
    assert home.outcomes() == []
    assert home.device.powered is False
    home.hub.run(20 * MINUTE)
    (cut, cut_on), (back, back_on) = home.dc
    assert (cut_on, back_on, back - cut) == (False, True, 13 * MINUTE)
    assert home.device.firmware_version == V2
    assert home.outcomes() == [Outcome(OutcomeCode.SUCCESS, V2)]
    (response,) = home.hub.of(Cra.RESPONSE, 0x0012)
    assert (response.counter, response.target, response.mac) == (home.counter, SUPPLIER, None)
    assert response.date_time == dlms_date_time(back)
    security.verify_signature(response, home.hub.parties.pki.device(DEVICE).ds_certificate.public_key)


@pytest.mark.requirement("MP102B-R1")
def test_an_activation_raises_no_supply_alert() -> None:
    home = Home()
    home.activate(home.distribute())
    home.hub.run(DAY)
    assert home.supply_alerts() == []
    assert home.hub.timeline.of("supply-interrupted") == []
    assert len(home.hub.timeline.of("dc-supply-cut")) == len(home.hub.timeline.of("dc-supply-back")) == 1


def test_the_hcalcs_restarts_without_touching_any_supply() -> None:
    home = Home(Kind.HCALCS)
    image_hash = home.distribute(home.product.versions[1])
    home.activate(image_hash)
    home.hub.run(2 * MINUTE)
    assert home.outcomes() == [Outcome(OutcomeCode.SUCCESS, home.product.versions[1])]
    assert home.dc == []


@pytest.mark.requirement("SM7-R5")
@KINDS
def test_a_wrong_hash_is_answered_with_code_2_and_changes_nothing(kind: Kind) -> None:
    home = Home(kind)
    home.distribute(home.product.versions[1])
    home.activate(bytes(32))
    home.hub.run(DAY)
    assert home.outcomes() == [Outcome(OutcomeCode.HASH_MISMATCH, home.product.versions[0])]
    assert home.device.firmware_version == home.product.versions[0]


def test_an_activation_without_an_image_is_answered_with_code_1() -> None:
    home = Home()
    home.activate(bytes(32))
    assert home.outcomes() == [Outcome(OutcomeCode.NO_IMAGE, V1)]


@pytest.mark.requirement("MP102B-R3", "MP102B-G7")
def test_a_dated_activation_is_accepted_and_runs_at_its_date() -> None:
    home = Home()
    image_hash = home.distribute()
    when = START + 2 * DAY
    home.activate(image_hash, when)
    assert home.outcomes() == [None]
    home.clock.run_until(when - 1)
    assert home.device.firmware_version == V1
    assert home.dc == []
    home.hub.run(20 * MINUTE)
    assert home.dc == [(when, False), (when + 13 * MINUTE, True)]
    (told,) = home.dated_outcomes()
    assert told == cs06.Alert(0x8F66, when, home.counter, Outcome(OutcomeCode.SUCCESS, V2))
    (message,) = home.hub.of(Cra.ALERT, cs06.ALERT_MESSAGE_CODE)
    assert message.target == SUPPLIER
    security.verify_signature(message, home.hub.parties.pki.device(DEVICE).ds_certificate.public_key)
    assert home.outcomes() == [None]


@pytest.mark.requirement("MP102B-G12")
def test_the_date_is_read_on_the_meters_own_clock() -> None:
    home = Home(offset=-5 * MINUTE)
    image_hash = home.distribute()
    when = START + DAY
    home.activate(image_hash, when)
    home.clock.run_until(when + 20 * MINUTE)
    assert home.dc[0] == (when + 5 * MINUTE, False)


def test_a_later_date_replaces_the_earlier_one() -> None:
    home = Home()
    image_hash = home.distribute()
    home.activate(image_hash, START + DAY)
    home.activate(image_hash, START + 3 * DAY)
    home.clock.run_until(START + 2 * DAY)
    assert home.device.firmware_version == V1
    home.clock.run_until(START + 4 * DAY)
    assert home.device.firmware_version == V2
    assert len(home.dated_outcomes()) == 1


@pytest.mark.requirement("MP102B-G8")
def test_a_cancelled_activation_never_runs() -> None:
    home = Home()
    image_hash = home.distribute()
    home.activate(image_hash, START + DAY)
    home.activate(image_hash, cs06.CANCEL)
    home.clock.run_until(START + 3 * DAY)
    assert home.outcomes() == [None, None]
    assert home.device.firmware_version == V1
    assert home.dated_outcomes() == []
    assert home.dc == []
    assert home.hub.timeline.of("activation-cancelled") == [{}]


def test_a_dated_activation_survives_a_power_cut() -> None:
    home = Home()
    when = START + DAY
    home.activate(home.distribute(), when)
    home.cut(10 * MINUTE)
    home.clock.run_until(when + 20 * MINUTE)
    assert home.device.firmware_version == V2
    assert len(home.dated_outcomes()) == 1


def test_a_date_that_passed_in_a_power_cut_is_caught_up() -> None:
    home = Home()
    when = START + 10 * MINUTE
    home.activate(home.distribute(), when)
    home.cut(30 * MINUTE)
    home.hub.run(20 * MINUTE)
    assert home.device.firmware_version == V2
    assert [alert.execution_time for alert in home.dated_outcomes()] == [when]


def test_a_dated_activation_that_fails_is_told() -> None:
    home = Home()
    image_hash = home.distribute()
    when = START + DAY
    home.activate(image_hash, when)
    home.distribute(V3)
    home.clock.run_until(when + MINUTE)
    (told,) = home.dated_outcomes()
    assert told == cs06.Alert(0x8F67, when, home.counter, Outcome(OutcomeCode.HASH_MISMATCH, V1))


def test_a_newer_download_replaces_the_image_that_waits() -> None:
    home = Home()
    home.distribute(V2)
    home.activate(home.distribute(V3))
    home.hub.run(20 * MINUTE)
    assert home.device.firmware_version == V3


def test_a_command_of_another_party_activates_nothing() -> None:
    home = Home()
    home.activate(home.distribute(), sender=home.hub.parties.other_supplier)
    assert home.outcomes() == []
    assert home.device.powered
    assert home.hub.timeline.of("command-refused") == [{"reason": "unknown originator: 90b3d51f30030000"}]


def test_a_repeated_command_is_refused() -> None:
    home = Home()
    home.activate(bytes(32))
    home.counter -= 1
    home.activate(bytes(32))
    assert len(home.outcomes()) == 1


def test_a_short_loss_of_the_mains_is_told_to_the_operator_as_8f35() -> None:
    home = Home()
    home.cut(3 * MINUTE - SECOND)
    (told,) = home.supply_alerts()
    (message,) = home.hub.of(Cra.ALERT, ecs80.MESSAGE_CODE)
    assert (told.alert_code, message.target) == (0x8F35, NETWORK_OPERATOR)
    assert told.restoration - told.interruption == 3 * MINUTE - SECOND
    security.verify_signature(message, home.hub.parties.pki.device(DEVICE).ds_certificate.public_key)


def test_a_loss_of_three_minutes_is_told_as_8f36() -> None:
    home = Home()
    home.cut(3 * MINUTE)
    (told,) = home.supply_alerts()
    assert told.alert_code == 0x8F36
    assert home.hub.timeline.of("supply-restored") == [{"duration": 3 * MINUTE}]
    assert [on for _, on in home.dc] == [False, True]


@pytest.mark.requirement("MP102B-G9")
def test_a_real_loss_during_an_activation_is_still_told() -> None:
    home = Home()
    home.activate(home.distribute())
    home.hub.run(5 * MINUTE)
    home.cut(10 * MINUTE)
    home.hub.run(10 * MINUTE)
    assert home.device.firmware_version == V2
    assert [each.alert_code for each in home.supply_alerts()] == [0x8F36]
    assert home.outcomes() == [Outcome(OutcomeCode.SUCCESS, V2)]
    assert home.dc_out.on


def test_two_losses_before_the_meter_has_booted_are_one() -> None:
    home = Home()
    home.mains.cut(MINUTE)
    home.hub.run(MINUTE + 2 * SECOND)
    home.cut(MINUTE)
    assert len(home.supply_alerts()) == 1
    assert home.device.powered


def test_ecs52_reads_the_version_under_the_suppliers_key() -> None:
    home = Home()
    payload = ecs52.Command(50).encode()
    parties = home.hub.parties
    home.hub.send(DEVICE, parties.command(parties.supplier, DEVICE, 0x0059, payload, counter=50, signed=False))
    home.hub.run(5 * SECOND)
    (response,) = home.hub.of(Cra.RESPONSE, ecs52.MESSAGE_CODE)
    assert ecs52.Response.decode(response.payload).firmware_version == V1
    key = parties.pki.device(DEVICE).ka_certificate.public_key
    security.check_mac(response, security.shared_secret(parties.supplier.ka_key, key))


@pytest.mark.requirement("SM7-R8")
def test_cs08_reads_the_version_of_an_hcalcs() -> None:
    home = Home(Kind.HCALCS)
    parties = home.hub.parties
    payload = cs08.Command().encode()
    command = parties.command(
        parties.broker, DEVICE, cs08.MESSAGE_CODE, payload, counter=5, signed=False, for_user=(SUPPLIER, 3)
    )
    home.hub.send(DEVICE, command)
    home.hub.run(5 * SECOND)
    (response,) = home.hub.of(Cra.RESPONSE, cs08.MESSAGE_CODE)
    assert response.target == BROKER
    assert cs08.Response.decode(response.payload).firmware_version == home.product.versions[0]


def test_each_kind_answers_its_own_read_only() -> None:
    home = Home()
    parties = home.hub.parties
    payload = cs08.Command().encode()
    home.hub.send(DEVICE, parties.command(parties.broker, DEVICE, 0x0129, payload, counter=5, signed=False))
    home.hub.run(5 * SECOND)
    assert home.hub.messages == []
    assert home.hub.timeline.of("command-refused") == [{"reason": "use case 0129 not supported"}]


def test_the_load_switch_of_an_hcalcs_opens_when_the_power_goes() -> None:
    home = Home(Kind.HCALCS)
    assert isinstance(home.device, Hcalcs)
    home.device.switch_load(True)
    assert home.device.load_on is True
    home.device.power_off()
    home.device.power_on()
    assert bool(home.device.load_on) is False


@pytest.mark.requirement("MP102B-G11")
@pytest.mark.parametrize("minutes", [11, 16])
def test_an_activation_outside_12_to_15_minutes_is_refused(minutes: int) -> None:
    with pytest.raises(UsageError, match="12 to 15"):
        EsmeSettings(dc_outage=minutes * MINUTE)


def test_two_idle_days_with_a_waiting_image_are_quiet_on_the_air() -> None:
    home = Home()
    home.distribute()
    before = home.device.node.statistics.sent
    home.hub.run(2 * DAY)
    assert home.device.node.statistics.sent - before < 40


@KINDS
def test_an_image_that_does_not_come_up_is_outcome_3_and_the_old_version_runs(kind: Kind) -> None:
    home = Home(kind)
    image_hash = home.distribute(home.product.versions[1])
    home.device.store.put_pending(b"")  # the store went bad
    home.storage.put("activation/begun", begun(home, image_hash))
    home.device.power_off()
    home.device.power_on()
    home.hub.run(2 * MINUTE)
    assert home.outcomes() == [Outcome(OutcomeCode.ACTIVATION_FAILURE, home.product.versions[0])]
    assert home.device.firmware_version == home.product.versions[0]


def begun(home: Home, image_hash: bytes) -> bytes:
    """Return what a device keeps of an activation under way."""
    payload = cs06.Command(image_hash, 5000).encode()
    parties = home.hub.parties
    octets = parties.command(parties.supplier, DEVICE, 0x0012, payload, counter=5000, signed=True)
    return Begun(home.device.firmware_version, dated=False, octets=octets).encode()


def test_a_failing_measurement_is_warned_of_under_a_mac_for_the_supplier() -> None:
    home = Home()
    assert isinstance(home.device, Esme)
    home.device.warn_of_integrity(miiwa.Cause.MEASUREMENT)
    home.hub.run(MINUTE)
    (message,) = home.hub.of(Cra.ALERT, miiwa.MESSAGE_CODE)
    parties = home.hub.parties
    own = parties.pki.device(DEVICE)
    security.check_mac(message, security.shared_secret(parties.supplier.ka_key, own.ka_certificate.public_key))
    assert miiwa.Alert.decode(message.payload).cause == miiwa.Cause.MEASUREMENT
