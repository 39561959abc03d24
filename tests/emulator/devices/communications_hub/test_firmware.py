"""Images from the WAN to devices over the air, and what the hub tells of them."""

import hashlib

import pytest

from emulator.devices.communications_hub import HubSettings
from emulator.devices.communications_hub.device_log import DeviceLog
from emulator.devices.communications_hub.firmware import Firmware
from firmware_images import product
from protocols.addresses import Eui64
from protocols.crypto.install_code import link_key
from protocols.gbcs import security
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.use_cases import ccs02, ccs08, cs08, cs09
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import DAY, SECOND
from protocols.ota.image import Kind, OtaHeader
from protocols.ota.server import OtaServerSettings
from protocols.wan.envelope import GbcsCarried
from protocols.zcl.clusters import ota
from protocols.zcl.clusters.tunneling import RequestTunnelResponse
from protocols.zcl.frame import ZclFrame, ZclStatus
from tests.support.hub_bench import (
    ACB,
    CHANNEL,
    CHF,
    ESME_TYPE,
    GSME_TYPE,
    HCALCS_TYPE,
    IHD_TYPE,
    PPMID_TYPE,
    DrivenDevice,
    HubBench,
    acb,
    code_of,
    credentials,
    delivery,
    eui,
    image_of,
)
from tests.support.requirements import patched

DEVICE, OTHER = eui(1), eui(2)
V1, V2 = product(Kind.PPMID).versions[1:3]
Outcome = tuple[AlertCode | int, Eui64, int, TransferCode | int]
DISCARDED, MISMATCH, FAILED = (
    TransferCode.IMAGE_DISCARDED, TransferCode.HARDWARE_VERSION_MISMATCH, TransferCode.TRANSFER_FAILED,
)  # fmt: skip


def outcomes(bench: HubBench) -> list[Outcome]:
    """Return what the signed CCS08 alerts told, in order."""
    return [(a.alert_code, a.device, a.firmware_version, a.code) for a in bench.transfer_alerts()]


def failure(device: Eui64, version: int, code: TransferCode) -> Outcome:
    return (AlertCode.FIRMWARE_TRANSFER_FAILED, device, version, code)


def success(device: Eui64, version: int) -> Outcome:
    return (AlertCode.FIRMWARE_TRANSFERRED, device, version, TransferCode.TRANSFERRED)


def with_log(*devices: tuple[Eui64, int], settings: HubSettings | None = None) -> HubBench:
    bench = HubBench(settings)
    bench.hub.start()
    for device, type_code in devices:
        bench.add_to_log(device, type_code)
        bench.run(3)
    return bench


def with_driven(type_code: int = PPMID_TYPE) -> tuple[HubBench, DrivenDevice]:
    bench = with_log((DEVICE, type_code))
    device = bench.driven(DEVICE, RequestTunnelResponse(1, 0))
    bench.run_till(lambda: device.node.joined)
    bench.run(5)
    return bench, device


class Client:
    """The commands of an OTA client, one at a time, and the hub's answers."""

    def __init__(self, bench: HubBench, device: DrivenDevice, image: bytes) -> None:
        self.bench, self.device, self.image = bench, device, image
        header = OtaHeader.decode(image)
        self.id = (header.manufacturer, header.image_type, header.file_version)
        self.hardware = None if header.hardware_range is None else header.hardware_range.minimum

    def ask(self, command: ota.OtaCommand) -> object:
        before = len(self.device.ota)
        self.device.send_zcl(ota.CLUSTER, ota.encode(command, 9))
        self.bench.run(2)
        frames = [ZclFrame.decode(octets) for octets in self.device.ota[before:]]
        answers = [ota.decode(frame) for frame in frames if frame.cluster_specific and frame.transaction == 9]
        return answers[0] if answers else None

    def query(self, hardware: int | None = None) -> object:
        wanted = self.hardware if hardware is None else hardware
        return self.ask(ota.QueryNextImageRequest(*self.id[:2], 0x01, wanted))

    def block(self, offset: int) -> object:
        return self.ask(ota.ImageBlockRequest(*self.id, offset, 48))

    def end(self, status: ZclStatus) -> object:
        return self.ask(ota.UpgradeEndRequest(status, *self.id))


# --- end to end with a real device -------------------------------------------------------------------------------


@pytest.mark.requirement("SM7-R1", "SM7-R2", "SM7-R3", "MP170-C10")
def test_a_ppmid_fetches_its_image_activates_it_and_both_tell() -> None:
    """SM7-R1, SM7-R2, SM7-R3, MP170-C10: image to device, CCS08 8F8A by the hub, CS09 8F8B by the device."""
    bench = with_log((DEVICE, PPMID_TYPE))
    ppmid = bench.ppmid(DEVICE)
    bench.run_till(lambda: bench.notes.of("tunnel-open") != [])
    image = image_of(Kind.PPMID, size=20_000)
    bench.down(delivery("a:b:1", image, DEVICE))
    bench.run_till(lambda: ppmid.firmware_version == V1)
    bench.run(60)
    assert outcomes(bench) == [success(DEVICE, V1)]
    (told,) = [message for message in bench.messages_up(DEVICE) if message.message_code == cs09.MESSAGE_CODE]
    security.verify_signature(told, credentials(DEVICE).ds_certificate.public_key)
    assert told.target == ACB
    assert cs09.Alert.decode(told.payload).firmware_version == V1
    assert bench.notes.of("image-stored") == [
        {
            "request": "a:b:1", "device": str(DEVICE), "version": f"{V1:08X}", "size": 20_000,
            "sha256": hashlib.sha256(image).hexdigest(),
        }
    ]  # fmt: skip
    assert [fields["version"] for fields in bench.notes.of("ota-started")] == [f"{V1:08X}"]
    assert bench.notes.of("ota-finished")[0]["status"] == "SUCCESS"


@pytest.mark.requirement("SM7-R8", "MP170-C14", "MP170-C16")
def test_the_version_of_a_ppmid_is_read_through_its_tunnel() -> None:
    """SM7-R8, MP170-C14, MP170-C16: CS08 by the ACB, answered under a MAC."""
    bench = with_log((DEVICE, PPMID_TYPE))
    bench.ppmid(DEVICE)
    bench.down(GbcsCarried(DEVICE, bench.command(cs08.MESSAGE_CODE, cs08.Command().encode(), DEVICE)))
    bench.run_till(lambda: bench.messages_up(DEVICE) != [])
    (answer,) = bench.messages_up(DEVICE)
    z = security.shared_secret(acb().ka_key, credentials(DEVICE).ka_certificate.public_key)
    security.check_mac(answer, z)
    assert cs08.Response.decode(answer.payload).firmware_version == product(Kind.PPMID).versions[0]


@pytest.mark.requirement("MP102B-G11")
def test_a_hub_power_cut_in_the_middle_of_a_transfer_loses_nothing() -> None:
    """MP102B-G11: the hub is off for 13 minutes while a device downloads."""
    bench = with_log((DEVICE, PPMID_TYPE))
    ppmid = bench.ppmid(DEVICE)
    bench.run_till(lambda: bench.notes.of("tunnel-open") != [])
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=200_000), DEVICE))
    bench.run_till(lambda: bench.notes.of("ota-started") != [])
    bench.run(5)
    assert outcomes(bench) == []
    bench.hub.power_off()
    bench.run(780)
    bench.hub.power_on()
    bench.run_till(lambda: ppmid.firmware_version == V1, within=7200)
    bench.run(600)
    assert outcomes(bench) == [success(DEVICE, V1)]
    assert len(bench.notes.of("image-stored")) == 1


@pytest.mark.requirement("MP170-R12")
def test_an_image_altered_in_transit_ends_with_code_3_and_a_good_one_may_follow() -> None:
    """MP170-R12: the device refuses it with INVALID_IMAGE."""
    bench = with_log((DEVICE, PPMID_TYPE))
    ppmid = bench.ppmid(DEVICE)
    bench.run_till(lambda: bench.notes.of("tunnel-open") != [])
    good = image_of(Kind.PPMID, size=4_000)
    bad = good[:3000] + bytes((good[3000] ^ 1,)) + good[3001:]
    bench.down(delivery("a:b:1", bad, DEVICE))
    bench.run_till(lambda: outcomes(bench) == [failure(DEVICE, V1, FAILED)])
    assert bench.notes.of("ota-finished")[0]["status"] == "INVALID_IMAGE"
    bench.down(delivery("a:b:2", good, DEVICE))
    bench.run_till(lambda: ppmid.firmware_version == V1)
    assert outcomes(bench) == [failure(DEVICE, V1, FAILED), success(DEVICE, V1)]


# --- what the hub does not take ----------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-A10")
@pytest.mark.parametrize(("type_code", "in_log"), [(IHD_TYPE, True), (PPMID_TYPE, False)])
def test_an_image_for_a_device_without_updates_is_discarded(type_code: int, *, in_log: bool) -> None:
    """MP170-A10: what the hub takes for an IHD gets no image; nor does what it does not know."""
    bench = with_log(*([(DEVICE, type_code)] if in_log else []))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), DEVICE))
    bench.run(10)
    assert outcomes(bench) == [failure(DEVICE, V1, DISCARDED)]
    assert bench.csp.held == ()
    assert [cell for cell in bench.storage.cells() if cell.startswith("image/")] == []


@pytest.mark.parametrize("octets", [b"", b"no image", image_of(Kind.PPMID)[:-1], image_of(Kind.PPMID) + b"\x00"])
def test_octets_that_are_no_whole_image_are_discarded(octets: bytes) -> None:
    bench = with_log((DEVICE, PPMID_TYPE))
    bench.down(delivery("a:b:1", octets, DEVICE))
    bench.run(10)
    assert [outcome[3] for outcome in outcomes(bench)] == [DISCARDED]


# --- the blocks --------------------------------------------------------------------------------------------------


@pytest.mark.requirement(
    "MP170-A4", "MP170-A5", planted=patched(Firmware, "_discard", lambda self, devices, version: None)
)
@pytest.mark.parametrize("first", [PPMID_TYPE, HCALCS_TYPE])
@pytest.mark.parametrize("second", [PPMID_TYPE, HCALCS_TYPE])
def test_the_shared_block_is_overwritten_and_the_loser_alerted(first: int, second: int) -> None:
    bench = with_log((DEVICE, first), (OTHER, second))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), DEVICE, type_code=first))
    bench.run(10)
    assert outcomes(bench) == []
    later = image_of(Kind.PPMID, release=2)
    bench.down(delivery("a:b:2", later, OTHER, type_code=second))
    bench.run(10)
    assert outcomes(bench) == [failure(DEVICE, V1, DISCARDED)]
    assert bench.notes.of("image-discarded") == [{"device": str(DEVICE), "version": f"{V1:08X}"}]
    assert [cell for cell in bench.storage.cells() if cell.startswith("image/")] == ["image/shared/1"]


@pytest.mark.requirement("MP170-A4")
def test_the_esme_has_a_block_of_its_own() -> None:
    """MP170-A4: the shared one is the GSME's."""
    bench = with_log((DEVICE, PPMID_TYPE), (OTHER, ESME_TYPE))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), DEVICE))
    bench.down(delivery("a:b:2", image_of(Kind.ESME), OTHER, type_code=ESME_TYPE))
    bench.run(10)
    assert outcomes(bench) == []
    assert [c for c in bench.storage.cells() if c.startswith("image/")] == ["image/esme/0", "image/shared/0"]


def test_an_image_for_several_devices_is_stored_once_and_all_losers_are_alerted() -> None:
    bench = with_log((DEVICE, PPMID_TYPE), (OTHER, PPMID_TYPE), (eui(3), PPMID_TYPE))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), DEVICE, OTHER))
    bench.run(10)
    assert [c for c in bench.storage.cells() if c.startswith("image/")] == ["image/shared/0"]
    bench.down(delivery("a:b:2", image_of(Kind.PPMID, release=2), eui(3)))
    bench.run(10)
    assert outcomes(bench) == [failure(DEVICE, V1, DISCARDED), failure(OTHER, V1, DISCARDED)]


def test_a_gsmes_image_displaces_the_others_and_is_not_displaced_while_it_waits() -> None:
    bench = with_log((DEVICE, PPMID_TYPE), (OTHER, GSME_TYPE))
    gsme = image_of(Kind.GSME, release=0)
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), DEVICE))
    bench.run(10)
    bench.down(delivery("a:b:2", gsme, OTHER, type_code=GSME_TYPE))
    bench.run(10)
    bench.down(delivery("a:b:3", image_of(Kind.PPMID, release=2), DEVICE))
    bench.run(10)
    assert outcomes(bench) == [failure(DEVICE, V1, DISCARDED), failure(DEVICE, V2, DISCARDED)]
    assert [fields["request"] for fields in bench.notes.of("image-stored")] == ["a:b:1", "a:b:2"]


def removed(bench: HubBench, device: Eui64) -> None:
    """Take a device out of the log by CCS02."""
    counter = bench.counter + 1
    bench.down(GbcsCarried(CHF, bench.command(ccs02.MESSAGE_CODE, ccs02.Command(device, counter).encode())))
    bench.run(10)


def test_a_gsme_that_is_removed_keeps_the_block_no_longer() -> None:
    bench = with_log((DEVICE, PPMID_TYPE), (OTHER, GSME_TYPE))
    image = image_of(Kind.GSME)
    bench.down(delivery("a:b:1", image, OTHER, type_code=GSME_TYPE))
    bench.run(10)
    removed(bench, OTHER)
    version = OtaHeader.decode(image).file_version
    assert outcomes(bench) == [failure(OTHER, version, DISCARDED)]
    assert bench.notes.of("image-discarded") == [{"device": str(OTHER), "version": f"{version:08X}"}]
    bench.down(delivery("a:b:2", image_of(Kind.PPMID), DEVICE))
    bench.run(10)
    assert [fields["request"] for fields in bench.notes.of("image-stored")] == ["a:b:1", "a:b:2"]
    assert len(outcomes(bench)) == 1


def test_a_removal_that_a_power_cut_interrupts_frees_the_block_at_boot() -> None:
    bench = with_log((DEVICE, PPMID_TYPE), (OTHER, GSME_TYPE))
    image = image_of(Kind.GSME)
    bench.down(delivery("a:b:1", image, OTHER, type_code=GSME_TYPE))
    bench.run(10)
    bench.hub.power_off()
    DeviceLog(bench.storage, bench.settings).remove(OTHER)
    bench.hub.power_on()
    bench.run(10)
    assert outcomes(bench) == [failure(OTHER, OtaHeader.decode(image).file_version, DISCARDED)]
    bench.down(delivery("a:b:2", image_of(Kind.PPMID), DEVICE))
    bench.run(10)
    assert len(bench.notes.of("image-stored")) == 2


def test_a_device_that_is_removed_and_added_again_gets_no_image_of_before() -> None:
    bench, device = with_driven()
    image = image_of(Kind.PPMID)
    bench.down(delivery("a:b:1", image, DEVICE))
    bench.run(10)
    Client(bench, device, image).block(0)
    removed(bench, DEVICE)
    assert outcomes(bench) == [failure(DEVICE, V1, DISCARDED)]
    bench.add_to_log(DEVICE, PPMID_TYPE)
    device.node.join(link_key(code_of(DEVICE)), (CHANNEL,))
    bench.run_till(lambda: device.node.joined)
    bench.run(10)
    answer = Client(bench, device, image).query()
    assert isinstance(answer, ota.QueryNextImageResponse)
    assert answer.status == ZclStatus.NO_IMAGE_AVAILABLE


def test_a_doubled_delivery_is_taken_once() -> None:
    bench = with_log((DEVICE, PPMID_TYPE))
    octets = bench.down(delivery("a:b:1", image_of(Kind.PPMID), DEVICE))
    bench.wan.csp.send(octets)
    bench.run(10)
    assert len(bench.notes.of("image-stored")) == 1
    assert outcomes(bench) == []


@pytest.mark.requirement("MP170-A5")
def test_a_power_cut_before_any_cell_of_a_delivery_loses_nothing() -> None:
    """MP170-A5: one image displaces another, and the power goes before each put in turn."""

    class PowerCut(Exception):  # noqa: N818 - what happens, not an error
        pass

    def prepared() -> HubBench:
        bench = with_log((DEVICE, PPMID_TYPE), (OTHER, PPMID_TYPE))
        bench.down(delivery("a:b:1", image_of(Kind.PPMID), DEVICE))
        bench.run(10)
        bench.down(delivery("a:b:2", image_of(Kind.PPMID, release=2), OTHER))
        return bench

    rehearsal, puts = prepared(), list[str]()
    rehearsal.storage.before_put = puts.append
    rehearsal.run(10)
    assert [cell for cell in puts if cell.startswith("image/")] == ["image/shared/1"]
    for fatal in range(len(puts)):
        bench, left = prepared(), [fatal]

        def cut(cell: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == -1:
                raise PowerCut(cell)

        bench.storage.before_put = cut
        with pytest.raises(PowerCut):
            bench.run(10)
        bench.storage.before_put = None
        bench.hub.power_off()
        bench.hub.power_on()
        bench.run(100)
        bench.resend()
        bench.run(100)
        assert set(outcomes(bench)) == {failure(DEVICE, V1, DISCARDED)}, puts[fatal]
        assert [c for c in bench.storage.cells() if c.startswith("image/")] == ["image/shared/1"], puts[fatal]
        assert bench.csp.held == (), puts[fatal]


# --- the OTA cluster ---------------------------------------------------------------------------------------------


def test_a_device_is_notified_at_once_and_again_until_it_begins() -> None:
    bench, device = with_driven()
    image = image_of(Kind.PPMID)
    bench.down(delivery("a:b:1", image, DEVICE))
    bench.run(10)
    notify = ota.decode(ZclFrame.decode(device.ota[0]))
    header = OtaHeader.decode(image)
    assert notify == ota.ImageNotify(100, header.manufacturer, header.image_type, V1)
    bench.run(1800)
    assert len(device.ota) == 2
    client = Client(bench, device, image)
    client.query()
    client.block(0)
    seen = len(device.ota)
    bench.run(3600)
    assert len(device.ota) == seen


@pytest.mark.requirement("SM7-R2", "SM7-R4", "SM7-R5")
@pytest.mark.parametrize(
    ("type_code", "kind", "waits"),
    [(PPMID_TYPE, Kind.PPMID, False), (ESME_TYPE, Kind.ESME, True), (HCALCS_TYPE, Kind.HCALCS, True)],
)
def test_the_upgrade_time_is_now_for_a_ppmid_and_wait_for_the_others(
    type_code: int, kind: Kind, *, waits: bool
) -> None:
    """SM7-R2, SM7-R4, SM7-R5: the type of the device log decides."""
    bench, device = with_driven(type_code)
    image = image_of(kind)
    bench.down(delivery("a:b:1", image, DEVICE, type_code=type_code))
    bench.run(10)
    client = Client(bench, device, image)
    client.block(0)
    answer = client.end(ZclStatus.SUCCESS)
    assert isinstance(answer, ota.UpgradeEndResponse)
    assert (answer.upgrade_time == ota.UPGRADE_WAIT) is waits
    if not waits:
        assert answer.upgrade_time == answer.current_time
    bench.run(10)
    assert outcomes(bench) == [success(DEVICE, OtaHeader.decode(image).file_version)]
    assert client.end(ZclStatus.SUCCESS) is not None  # repeated: answered, not told twice
    bench.run(10)
    assert len(outcomes(bench)) == 1


def test_a_wrong_hardware_version_is_told_once_with_code_2() -> None:
    bench, device = with_driven()
    image = image_of(Kind.PPMID)
    bench.down(delivery("a:b:1", image, DEVICE))
    bench.run(10)
    client = Client(bench, device, image)
    for _ in range(2):
        answer = client.query(hardware=0x0999)
        assert isinstance(answer, ota.QueryNextImageResponse)
        assert answer.status == ZclStatus.NO_IMAGE_AVAILABLE
    bench.run(10)
    assert outcomes(bench) == [failure(DEVICE, V1, MISMATCH)]


@pytest.mark.parametrize("status", [ZclStatus.INVALID_IMAGE, ZclStatus.ABORT])
def test_an_upgrade_end_that_is_not_success_is_told_with_code_3(status: ZclStatus) -> None:
    bench, device = with_driven()
    image = image_of(Kind.PPMID)
    bench.down(delivery("a:b:1", image, DEVICE))
    bench.run(10)
    client = Client(bench, device, image)
    client.block(0)
    client.end(status)
    bench.run(10)
    assert outcomes(bench) == [failure(DEVICE, V1, FAILED)]


def test_a_device_that_falls_silent_is_given_up_with_code_3() -> None:
    bench, device = with_driven()
    image = image_of(Kind.PPMID)
    bench.down(delivery("a:b:1", image, DEVICE))
    bench.run(10)
    Client(bench, device, image).block(0)
    bench.run(OtaServerSettings().transfer_timeout // SECOND - 60)
    assert outcomes(bench) == []
    bench.run(120)
    assert outcomes(bench) == [failure(DEVICE, V1, FAILED)]
    assert bench.notes.of("ota-finished")[0]["status"] == "TIMEOUT"
    assert OtaServerSettings().transfer_timeout == DAY


@pytest.mark.requirement("MP170-A5")
def test_a_displaced_transfer_is_aborted_at_its_next_request() -> None:
    bench, device = with_driven()
    bench.add_to_log(OTHER, PPMID_TYPE)
    image = image_of(Kind.PPMID)
    bench.down(delivery("a:b:1", image, DEVICE))
    bench.run(10)
    client = Client(bench, device, image)
    block = client.block(0)
    assert isinstance(block, ota.ImageBlockResponse)
    assert block.data == image[:48]
    bench.down(delivery("a:b:2", image_of(Kind.PPMID, release=2), OTHER))
    bench.run(10)
    aborted = client.block(48)
    assert aborted == ota.ImageBlockRefused(ZclStatus.ABORT)


@pytest.mark.requirement("MP170-A10")
def test_a_stranger_on_the_network_gets_no_image() -> None:
    """MP170-A10: only devices of the log are served."""
    bench, device = with_driven()
    image = image_of(Kind.PPMID)
    bench.add_to_log(OTHER, PPMID_TYPE)
    bench.run(5)
    bench.down(delivery("a:b:1", image, OTHER))
    bench.run(10)
    answer = Client(bench, device, image).query()
    assert isinstance(answer, ota.QueryNextImageResponse)
    assert answer.status == ZclStatus.NO_IMAGE_AVAILABLE


def test_ota_without_aps_security_is_answered_failure() -> None:
    """ZSE 5.4.6."""
    bench, device = with_driven()
    header = OtaHeader.decode(image_of(Kind.PPMID))
    request = ota.QueryNextImageRequest(header.manufacturer, header.image_type, 1, None)
    device.send_zcl(ota.CLUSTER, ota.encode(request, 9), secured=False)
    bench.run(10)
    assert device.ota == [bytes.fromhex("18090b" + "0101")]


def test_the_alert_counter_of_the_chf_counts_up() -> None:
    bench = with_log((DEVICE, IHD_TYPE))
    for number in range(3):
        bench.down(delivery(f"a:b:{number}", image_of(Kind.PPMID), DEVICE))
        bench.run(10)
    counters = [m.counter for m in bench.messages_up(CHF) if m.message_code == ccs08.MESSAGE_CODE]
    assert counters == sorted(set(counters))
    assert len(counters) == 3


@pytest.mark.requirement("SM7-R9", planted=patched(Firmware, "knows", lambda self, delivery: True))
@pytest.mark.parametrize(("type_code", "taken"), [(PPMID_TYPE, False), (HCALCS_TYPE, False), (ESME_TYPE, True)])
def test_a_hub_of_before_secmp0007_acknowledges_images_for_meters_only(type_code: int, taken: bool) -> None:
    """SM7-R9: nothing is stored, told or passed on, so that to the CSP the delivery fails."""
    bench = with_log((DEVICE, type_code), settings=HubSettings(secmp0007=False))
    kind = {PPMID_TYPE: Kind.PPMID, HCALCS_TYPE: Kind.HCALCS, ESME_TYPE: Kind.ESME}[type_code]
    bench.down(delivery("a:b:1", image_of(kind), DEVICE, type_code=type_code))
    bench.run(60)
    assert (bench.csp.deadline is None) is taken
    assert (len(bench.notes.of("image-stored")), len(bench.notes.of("image-not-known"))) == (taken, not taken)
    assert outcomes(bench) == []
