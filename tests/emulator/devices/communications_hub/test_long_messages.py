"""Messages longer than a transfer, both ways between a real hub and a real meter."""

from emulator.devices.esme import Esme
from protocols.gbcs.blocks import LARGEST
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Credentials, RemotePartyRole
from protocols.gbcs.use_cases import cs02b
from protocols.gbcs.use_cases.cs02b import Mode
from protocols.interfaces import SECOND
from protocols.ota.image import Kind
from protocols.wan.envelope import GbcsCarried
from protocols.zcl.clusters.tunneling import MAXIMUM_TRANSFER
from tests.support.hub_bench import ESME_TYPE, HubBench, eui
from tests.support.parties import Parties
from tests.support.replacements import cells_of, replacement

DEVICE = eui(1)
PARTIES = Parties(1)  # the seed of the bench
RENEWED = PARTIES.renewed()


class Meter:
    """A hub and a meter that knows every party."""

    def __init__(self) -> None:
        self.bench = HubBench(fed_by_esme=True)
        bench = self.bench
        bench.dc_in.switch(True)
        bench.hub.start()
        bench.add_to_log(DEVICE, ESME_TYPE)
        bench.run(2)
        parts = bench.parts(DEVICE, Kind.ESME, anchors=PARTIES.all_anchors())
        self.device = Esme(mains=bench.mains.supply, dc_out=bench.dc_in, **parts)
        self.device.start()
        bench.run_till(lambda: bool(bench.notes.of("tunnel-open")))

    def replace(self, sender: Credentials, mode: Mode, *new: Credentials) -> bytes:
        octets = replacement(PARTIES, sender, DEVICE, mode, cells_of(*new), counter=9)
        self.bench.down(GbcsCarried(DEVICE, octets))
        self.bench.run(60)
        return octets

    def outcomes(self, mode: Mode) -> list[cs02b.Outcome | None]:
        code = cs02b.MESSAGE_CODES[mode]
        found = [m for m in self.bench.messages_up(DEVICE) if (m.cra, m.message_code) == (Cra.RESPONSE, code)]
        return [cs02b.Response.decode(message.payload).outcome for message in found]


def test_a_replacement_of_two_blocks_reaches_the_meter() -> None:
    meter = Meter()
    octets = meter.replace(PARTIES.supplier, Mode.SUPPLIER_BY_SUPPLIER, RENEWED.supplier)
    assert len(octets) > MAXIMUM_TRANSFER
    (outcome,) = meter.outcomes(Mode.SUPPLIER_BY_SUPPLIER)
    assert outcome is not None
    assert {cell.status for cell in outcome.cells} == {0}


def test_the_longest_replacement_by_recovery_reaches_the_meter() -> None:
    meter = Meter()
    everybody = (RENEWED.recovery, RENEWED.supplier, RENEWED.operator, RENEWED.broker, RENEWED.tcos)
    octets = meter.replace(PARTIES.recovery, Mode.ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY, *everybody)
    assert len(octets) > 3 * LARGEST
    (outcome,) = meter.outcomes(Mode.ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY)
    assert outcome is not None
    assert len(outcome.cells) == 11
    held = meter.device.entity.anchors.cells()
    assert all(held[cell] == certificate for cell, certificate in cells_of(*everybody).items())


def test_a_long_message_of_the_meter_comes_up_whole() -> None:
    meter = Meter()
    supplier = meter.device.entity.anchors.eui(RemotePartyRole.SUPPLIER)
    octets = meter.device.entity.alert(0x1000, supplier, bytes(5000))
    meter.device.send_gbcs(octets)
    meter.bench.run(60)
    assert meter.bench.messages_up(DEVICE) == [Message.decode(octets)]


def test_blocks_that_are_cut_off_by_a_restart_are_forgotten_and_the_next_message_passes() -> None:
    meter = Meter()
    octets = replacement(
        PARTIES, PARTIES.supplier, DEVICE, Mode.SUPPLIER_BY_SUPPLIER, cells_of(RENEWED.supplier), counter=9
    )
    meter.bench.down(GbcsCarried(DEVICE, octets))
    meter.bench.clock.run_for(SECOND // 2)
    meter.device.power_off()
    meter.bench.run(60)
    meter.device.power_on()
    meter.bench.run(300)
    again = replacement(
        PARTIES, PARTIES.supplier, DEVICE, Mode.SUPPLIER_BY_SUPPLIER, cells_of(RENEWED.supplier), counter=10
    )
    meter.bench.down(GbcsCarried(DEVICE, again))
    meter.bench.run(120)
    assert [outcome is not None for outcome in meter.outcomes(Mode.SUPPLIER_BY_SUPPLIER)] == [True]


def test_noise_too_long_for_a_transfer_is_told_as_undeliverable() -> None:
    meter = Meter()
    meter.bench.down(GbcsCarried(DEVICE, bytes(2000)))
    meter.bench.run(10)
    assert meter.bench.notes.of("gbcs-undeliverable") == [{"device": str(DEVICE)}]
