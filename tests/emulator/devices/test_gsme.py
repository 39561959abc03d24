"""The sleepy gas meter: GET and PUT, the mirror's flag, 11.1 over the air, CS06, GCS38, all behind a real hub."""

import pytest

from emulator.clock import OffsetWallClock
from emulator.devices.gsme import Gsme, GsmeSettings
from emulator.parts.gas_meter import BatterySettings, GasSettings
from emulator.parts.gbcs_entity import GbcsEntity, TrustAnchors
from emulator.parts.tunnel_client import TunnelClientSettings
from emulator.storage import MemoryStorage
from firmware_images import product
from protocols.crypto.install_code import link_key
from protocols.gbcs import security
from protocols.gbcs.codes import AlertCode, DeviceType, JoinCode
from protocols.gbcs.device_log import LogEntry
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Credentials
from protocols.gbcs.use_cases import ccs02, cs03, cs04, cs06, cs07, fdra, gcs38, miiwa
from protocols.gbcs.use_cases.cs03 import MethodAndRole
from protocols.gbcs.use_cases.cs04 import UnjoinCode
from protocols.gbcs.use_cases.cs06 import Outcome, OutcomeCode
from protocols.interfaces import DAY, MINUTE, SECOND
from protocols.ota.image import FirmwareImage, Kind, build_image
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole, StackSettings
from protocols.wan.envelope import GbcsCarried
from protocols.zcl import foundation
from protocols.zcl.clusters import metering
from protocols.zcl.data_types import BITMAP8, Value
from tests.support.hub_bench import (
    CHANNEL,
    CHF,
    GPF,
    GSME_TYPE,
    HubBench,
    acb,
    code_of,
    credentials,
    delivery,
    eui,
    network_operator,
    supplier,
)

DEVICE = eui(7)
WAKES = 10 * MINUTE
NEW = 0x02000100


class GasHome:
    """A hub and a gas meter that wakes every ten minutes."""

    def __init__(self, made: type[Gsme] = Gsme) -> None:
        self.bench = HubBench(with_gpf=True)
        bench = self.bench
        bench.hub.start()
        bench.add_to_log(DEVICE, GSME_TYPE)
        bench.run(2)
        radio = bench.medium.radio("home", "gsme")
        bench.medium.link(bench.radio, radio)
        sleepy = StackSettings(poll_period=WAKES)
        node = Node(
            NodeRole.SLEEPY_END_DEVICE,
            DEVICE,
            (radio,),
            bench.clock,
            MemoryStorage(),
            bench.entropy,
            sleepy,
            name="gsme",
        )
        self.storage = MemoryStorage()
        anchors = TrustAnchors.of(acb(), supplier(), network_operator())
        self.device = made(
            name="gsme", node=node, clock=bench.clock, wall=OffsetWallClock(bench.clock), storage=self.storage,
            entropy=bench.entropy, recorder=bench.notes, product=product(Kind.GSME),
            entity=GbcsEntity(credentials(DEVICE), anchors, self.storage, bench.entropy),
            gsme_settings=GsmeSettings(tunnel=TunnelClientSettings(wake_period=WAKES)),
        )  # fmt: skip
        self.device.start(link_key(code_of(DEVICE)), (CHANNEL,))
        bench.run_till(lambda: self.device.node.parent is not None)
        bench.run(60)
        self.counter = 100

    def say(self, message_code: int, payload: bytes, *, signed: bool = False, counter: int | None = None) -> None:
        """Have the supplier send a command through the broker."""
        self.counter += 1
        number = self.counter if counter is None else counter
        message = Message(
            Cra.COMMAND, number, supplier().eui, DEVICE, message_code=message_code, payload=payload, signature=b""
        )
        if signed:
            message = security.sign(message, supplier().ds_key, self.bench.entropy)
        z = security.shared_secret(acb().ka_key, credentials(DEVICE).ka_certificate.public_key)
        self.bench.down(GbcsCarried(DEVICE, security.add_mac(message, z).encode()))

    def up(self, message_code: int, by: Credentials | None = None) -> list[Message]:
        """Return what came of a use case, each message with a signature, or MAC for the supplier, that verifies."""
        found = [m for m in self.bench.messages_up(DEVICE) if m.message_code == message_code]
        own = credentials(DEVICE)
        for message in found:
            if message.signature:
                security.verify_signature(message, own.ds_certificate.public_key)
            else:
                partner = by or supplier()
                security.check_mac(message, security.shared_secret(partner.ka_key, own.ka_certificate.public_key))
        return found


@pytest.fixture
def home() -> GasHome:
    return GasHome()


# --- tunnel ------------------------------------------------------------------------------------------------------


def test_commands_wait_until_the_meter_wakes_and_all_are_fetched_in_one_go(home: GasHome) -> None:
    for _ in range(3):
        home.say(gcs38.MESSAGE_CODE, gcs38.Command().encode())
    home.bench.run(30)
    assert home.up(gcs38.MESSAGE_CODE) == []
    home.bench.run(600)
    answers = home.up(gcs38.MESSAGE_CODE)
    assert [message.counter for message in answers] == [101, 102, 103]
    assert {gcs38.Response.decode(m.payload).firmware_version for m in answers} == {home.device.firmware_version}
    assert len(home.bench.notes.of("tunnel-open")) == 1


def test_a_message_that_nobody_fetched_for_a_day_expires_and_is_told(home: GasHome) -> None:
    home.device.power_off()
    home.say(gcs38.MESSAGE_CODE, gcs38.Command().encode())
    home.bench.run(DAY // SECOND + 60)
    assert home.bench.notes.of("gbcs-expired") == [{"device": str(DEVICE)}]
    home.device.power_on()
    home.bench.run(1_200)
    assert home.up(gcs38.MESSAGE_CODE) == []


def test_a_message_survives_a_power_cut_of_the_hub_and_the_meter_gets_a_new_tunnel(home: GasHome) -> None:
    home.say(gcs38.MESSAGE_CODE, gcs38.Command().encode())
    home.bench.run(1_200)
    home.say(gcs38.MESSAGE_CODE, gcs38.Command().encode())
    home.bench.run(5)
    home.bench.hub.power_off()
    home.bench.run(5)
    home.bench.hub.power_on()
    home.bench.run(1_800)
    home.bench.resend()
    home.bench.run(60)
    assert [message.counter for message in home.up(gcs38.MESSAGE_CODE)] == [101, 102]
    assert len(home.bench.notes.of("tunnel-open")) == 2


def test_what_the_meter_has_to_say_it_puts_at_once_and_again_after_a_loss(home: GasHome) -> None:
    home.device.warn_of_integrity(miiwa.Cause.WATCHDOG)
    home.bench.run(60)
    (message,) = home.up(miiwa.GSME_MESSAGE_CODE)
    alert = miiwa.GsmeAlert.decode(message.payload)
    assert (alert.alert_code, alert.cause) == (AlertCode.INTEGRITY_WARNING, miiwa.Cause.WATCHDOG)
    home.bench.hub.power_off()
    home.device.warn_of_integrity(miiwa.Cause.RAM)
    home.bench.run(60)
    home.bench.hub.power_on()
    home.bench.run(3_600)
    assert [message.counter for message in home.up(miiwa.GSME_MESSAGE_CODE)] == [1, 2]


# --- use cases ---------------------------------------------------------------------------------------------------


def test_the_meter_joins_by_cs03b_and_c_and_tells_it_by_cs07(home: GasHome) -> None:
    gpf, display = LogEntry(eui(90), DeviceType.GPF), LogEntry(eui(91), DeviceType.PPMID)
    certificate = credentials(display.device).ka_certificate.der
    home.say(cs03.MESSAGE_CODE_B, cs03.Command(MethodAndRole.B, gpf.device, DeviceType.GPF).encode())
    joins = (
        cs03.Command(MethodAndRole.C, display.device, DeviceType.PPMID),
        cs03.Command(MethodAndRole.C, gpf.device, DeviceType.PPMID, certificate),
        cs03.Command(MethodAndRole.B, display.device, DeviceType.PPMID, certificate),
        cs03.Command(MethodAndRole.C, display.device, DeviceType.PPMID, certificate),
    )
    for command in joins:
        home.say(cs03.MESSAGE_CODE_C, command.encode(), signed=True)
    home.say(cs07.MESSAGE_CODE, cs07.Command().encode())
    home.say(cs04.MESSAGE_CODE_B, cs04.Command(gpf.device).encode())
    home.bench.run(1_200)
    codes = [cs03.Response.decode(message.payload).code for message in home.up(cs03.MESSAGE_CODE_C)]
    missing = JoinCode.INVALID_OR_MISSING_CERTIFICATE
    assert codes == [missing, missing, JoinCode.INVALID_MESSAGE_CODE, JoinCode.SUCCESS]
    (answer,) = home.up(cs07.MESSAGE_CODE)
    assert cs07.Response.decode(answer.payload).entries == (gpf, display)
    (unjoined,) = home.up(cs04.MESSAGE_CODE_B)
    assert cs04.Response.decode(unjoined.payload).code == UnjoinCode.SUCCESS


# --- firmware ----------------------------------------------------------------------------------------------------


def image(version: int = NEW) -> FirmwareImage:
    made, entropy = product(Kind.GSME), HubBench().entropy
    return build_image(
        Kind.GSME, version=version, size=4_000, manufacturer=made.manufacturer, model=made.model,
        image_type=made.image_type, sign=lambda octets: entropy.sign(supplier().ds_key, octets),
    )  # fmt: skip


@pytest.mark.requirement("SM7-R4", "SM7-R5", "SM7-R7")
def test_the_sleepy_meter_is_updated_by_11_1_and_cs06(home: GasHome) -> None:
    """SM7-R4, SM7-R5 for the gas meter: image over the air, 8F72 in its own form, activation on command."""
    file = image()
    home.bench.down(delivery("a:b:1", file.encode(), DEVICE, type_code=GSME_TYPE))
    home.bench.run_till(lambda: home.device.store.pending is not None, within=3_600)
    home.bench.run(60)
    (message,) = home.up(fdra.GSME_MESSAGE_CODE)
    receipt = fdra.GsmeAlert.decode(message.payload)
    assert (receipt.alert_code, receipt.image_hash) == (AlertCode.FIRMWARE_VERIFIED, file.hash)
    home.counter += 1
    payload = cs06.Command(file.hash, home.counter).encode()
    home.say(cs06.MESSAGE_CODE, payload, signed=True, counter=home.counter)
    home.bench.run(1_800)
    (answer,) = home.up(cs06.MESSAGE_CODE)
    assert cs06.Response.decode(answer.payload).outcome == Outcome(OutcomeCode.SUCCESS, NEW)
    assert home.device.firmware_version == NEW
    hub = home.bench.hub._running
    assert hub is not None
    assert hub.gpf is not None
    home.bench.run(DAY // SECOND)
    assert hub.gpf.mirrored_version == NEW


@pytest.mark.requirement("MP105-R6")
def test_a_gpf_that_missed_the_report_of_an_activation_shows_the_old_version_until_the_next(home: GasHome) -> None:
    """The cause of N52: the hub has no power when the meter activates, so its mirror keeps what it heard last."""
    file = image()
    home.bench.down(delivery("a:b:1", file.encode(), DEVICE, type_code=GSME_TYPE))
    home.bench.run_till(lambda: home.device.store.pending is not None, within=3_600)
    home.counter += 1
    payload = cs06.Command(file.hash, home.counter, home.bench.clock.now() + 3600 * SECOND).encode()
    home.say(cs06.MESSAGE_CODE, payload, signed=True, counter=home.counter)
    home.bench.run(3_500)
    home.bench.hub.power_off()
    home.bench.run_till(lambda: home.device.firmware_version == NEW, within=600)
    home.bench.run(60)
    home.bench.hub.power_on()
    home.bench.run(5)
    assert mirrored(home) == product(Kind.GSME).versions[0]
    home.say(gcs38.MESSAGE_CODE, gcs38.Command().encode())
    home.bench.run_till(lambda: bool(home.up(gcs38.MESSAGE_CODE)), within=3_600)
    (own,) = home.up(gcs38.MESSAGE_CODE)
    assert gcs38.Response.decode(own.payload).firmware_version == NEW
    home.bench.run(DAY // SECOND)
    assert mirrored(home) == NEW


def mirrored(home: GasHome) -> int | None:
    """Return what the GPF answers to GCS38."""
    before, code = len(home.bench.messages_up(GPF)), gcs38.MESSAGE_CODE
    home.bench.down(GbcsCarried(GPF, home.bench.command(code, gcs38.Command().encode(), target=GPF)))
    home.bench.run(5)
    (answer,) = home.bench.messages_up(GPF)[before:]
    return gcs38.Response.decode(answer.payload).firmware_version


class Failing(Gsme):
    """A meter on which no new image comes up."""

    def starts_well(self, version: int, file: bytes) -> bool:
        return False


def test_a_meter_falls_back_from_an_image_that_does_not_come_up() -> None:
    """Outcome 3: the device runs what it ran, and says so."""
    home, file = GasHome(Failing), image()
    home.bench.down(delivery("a:b:1", file.encode(), DEVICE, type_code=GSME_TYPE))
    home.bench.run_till(lambda: home.device.store.pending is not None, within=3_600)
    home.counter += 1
    payload = cs06.Command(file.hash, home.counter, home.bench.clock.now() + 3600 * SECOND).encode()
    home.say(cs06.MESSAGE_CODE, payload, signed=True, counter=home.counter)
    home.bench.run(1_200)
    home.bench.run(7_200)
    (alert,) = home.up(cs06.ALERT_MESSAGE_CODE)
    told = cs06.Alert.decode(alert.payload)
    old = product(Kind.GSME).versions[0]
    assert told.alert_code == AlertCode.FUTURE_DATED_COMMAND_FAILED
    assert told.outcome == Outcome(OutcomeCode.ACTIVATION_FAILURE, old)
    assert home.device.firmware_version == old
    assert home.bench.notes.of("activation-failed", "gsme") == [{"version": f"{NEW:08X}"}]


# --- mirror ------------------------------------------------------------------------------------------------------


def reported(home: GasHome) -> dict[int, Value]:
    mirror = home.bench.hub._running._mirror if home.bench.hub._running is not None else None
    assert mirror is not None
    return {number: record.value for number, record in mirror.attributes.items()}


def test_the_mirror_holds_what_was_pushed_and_keeps_it_over_a_power_cut(home: GasHome) -> None:
    first = reported(home)
    assert first[metering.Attribute.UNIT_OF_MEASURE] == metering.Unit.CUBIC_METRES
    assert first[metering.FIRMWARE_VERSION] == home.device.firmware_version.to_bytes(4, "big")
    home.bench.hub.power_off()
    home.bench.hub.power_on()
    assert reported(home) == first
    home.bench.run(11 * 60)
    later = reported(home)
    snapshots = [int(str(held[metering.Attribute.READING_SNAPSHOT_TIME])) for held in (first, later)]
    assert 0 < snapshots[1] - snapshots[0] <= 20 * 60


def mirrored_version(home: GasHome) -> int | None:
    running = home.bench.hub._running
    assert running is not None
    assert running.gpf is not None
    return running.gpf.mirrored_version


def test_a_removed_meter_leaves_nothing_in_mirror_gpf_and_tunnel(home: GasHome) -> None:
    """The next gas meter of the home must not be taken for the one before."""
    bench = home.bench
    home.say(gcs38.MESSAGE_CODE, gcs38.Command().encode())
    bench.run(11 * 60)
    assert len(bench.notes.of("tunnel-open")) == 1
    running = bench.hub._running
    assert running is not None
    assert mirrored_version(home) == home.device.firmware_version
    payload = ccs02.Command(DEVICE, bench.counter + 1).encode()
    bench.down(GbcsCarried(CHF, bench.command(ccs02.MESSAGE_CODE, payload)))
    bench.run(5)
    assert reported(home) == {}
    assert mirrored_version(home) is None
    assert running._gas._tunnels == {}
    assert [cell for cell in bench.storage.cells() if cell.startswith("mirror/")] == []


def test_the_mirror_of_a_second_meter_has_nothing_of_the_first(home: GasHome) -> None:
    bench = home.bench
    running = bench.hub._running
    assert running is not None
    assert running._mirror is not None
    first = reported(home)
    assert len(first) > 3
    other = foundation.ReportAttributes((foundation.AttributeReport(metering.Attribute.STATUS, BITMAP8, 1),))
    running._mirror._take(eui(8), other)
    assert reported(home) == {metering.Attribute.STATUS: 1}
    assert not running._mirror.forget(DEVICE)
    bench.hub.power_off()
    bench.hub.power_on()
    assert reported(home) == {metering.Attribute.STATUS: 1}


def test_a_low_battery_is_told_once_and_stands_in_the_mirror() -> None:
    home = GasHome()
    home.device.meter.settings = GasSettings(battery=BatterySettings(capacity=1_000, sleeping=0, wake=100))
    home.bench.run(2 * 3600)
    told = [fields for fields in home.bench.notes.of("alert-sent", "gsme") if fields["code"] == "8F1F"]
    assert len(told) == 1
    assert reported(home)[metering.Attribute.STATUS] == metering.Status.LOW_BATTERY
    assert reported(home)[metering.Attribute.REMAINING_BATTERY_LIFE] == 0
