"""PPMID and bridges on a real node, over the simulated air, against a real node that plays the hub."""

from hashlib import sha256

import pytest

from emulator.devices.alt_han_bridge import AltHanBridge
from emulator.devices.ppmid import Ppmid
from emulator.parts.firmware import FirmwareStore
from emulator.parts.gbcs_entity import TrustAnchors
from emulator.parts.self_activating import SelfActivatingDevice
from emulator.storage import MemoryStorage
from firmware_images import Product, product
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs06, cs08, cs09
from protocols.interfaces import MINUTE, SECOND
from protocols.ota.client import Checkpoint, PartialImage, ZclStatus
from protocols.ota.image import FirmwareImage, Kind, build_image
from protocols.ota.server import TransferEnded, TransferStarted
from protocols.stack.settings import NodeRole
from tests.support.hub_side import KEY, HubSide
from tests.support.parties import BROKER, SUPPLIER

DEVICE = Eui64(0x00DB1234567890A4)


def image(of: Product, version: int | None = None, *, model: int | None = None, size: int = 5000) -> bytes:
    made = build_image(
        of.kind,
        version=of.versions[1] if version is None else version,
        size=size,
        manufacturer=of.manufacturer,
        model=of.model if model is None else model,
        image_type=of.image_type,
    )
    return made.encode()


def installed(hub: HubSide, kind: Kind = Kind.BRIDGE1, *, loss: float = 0.0) -> SelfActivatingDevice:
    """Return a device that has joined and has its tunnel."""
    anchors = TrustAnchors.of(hub.parties.broker)
    make = Ppmid if kind is Kind.PPMID else AltHanBridge
    device = make(**hub.parts(DEVICE, NodeRole.ROUTER, product(kind), anchors=anchors, loss=loss))
    hub.admit(DEVICE)
    device.start(KEY)
    hub.run(5 * MINUTE if loss else MINUTE)
    assert DEVICE in hub.tunnels
    return device


def on(device: SelfActivatingDevice) -> bool:
    return device.powered


def run_until_off(hub: HubSide, device: SelfActivatingDevice) -> None:
    while device.powered:
        hub.run(SECOND)


def read_version(hub: HubSide, counter: int = 9) -> None:
    payload = cs08.Command().encode()
    command = hub.parties.command(
        hub.parties.broker, DEVICE, cs08.MESSAGE_CODE, payload, counter=counter, signed=False, for_user=(SUPPLIER, 3)
    )
    hub.send(DEVICE, command)
    hub.run(10 * SECOND)


@pytest.mark.requirement("SM7-R2", "SM7-R3", "MP170-R2")
@pytest.mark.parametrize("kind", [Kind.PPMID, Kind.BRIDGE1, Kind.BRIDGE4])
def test_one_offer_ends_with_the_new_version_and_a_signed_alert(kind: Kind) -> None:
    hub = HubSide()
    device, made = installed(hub, kind), product(kind)
    hub.offer(DEVICE, image(made), activate_now=True)
    hub.run(3 * MINUTE)
    assert hub.ota_effects == [
        TransferStarted(DEVICE, made.versions[1], 0),
        TransferEnded(DEVICE, made.versions[1], ZclStatus.SUCCESS),
    ]
    assert device.firmware_version == made.versions[1]
    (alert,) = hub.of(Cra.ALERT, cs09.MESSAGE_CODE)
    assert alert.target == BROKER
    security.verify_signature(alert, hub.parties.pki.device(DEVICE).ds_certificate.public_key)
    told = cs09.Alert.decode(alert.payload)
    assert (told.alert_code, told.firmware_version, told.code) == (0x8F8B, made.versions[1], 0)
    assert hub.unsecured == 0


def test_the_timeline_tells_the_download() -> None:
    hub = HubSide()
    device = installed(hub)
    file = image(device.product)
    hub.offer(DEVICE, file, activate_now=True)
    hub.run(3 * MINUTE)
    assert hub.timeline.of("download-started") == [{"version": "0B100100", "size": 5000}]
    (finished,) = hub.timeline.of("download-finished")
    assert finished == {"version": "0B100100", "sha256": sha256(file).hexdigest(), "blocks": 105, "retries": 0}
    hashed = FirmwareImage.decode(file, signed=False).hash.hex()
    assert hub.timeline.of("image-verified") == [{"version": "0B100100", "hash": hashed}]
    assert hub.timeline.of("activated") == [{"from_version": "0B100000", "to_version": "0B100100"}]
    assert hub.timeline.of("alert-sent") == [{"code": "8F8B", "counter": 1}]
    assert device.statistics.blocks == 105


def test_it_is_off_for_half_a_minute_and_comes_back_by_itself() -> None:
    hub = HubSide()
    device = installed(hub)
    hub.offer(DEVICE, image(device.product), activate_now=True)
    run_until_off(hub, device)
    hub.run(28 * SECOND)
    assert on(device) is False
    hub.run(4 * SECOND)
    assert on(device) is True
    hub.run(MINUTE)
    assert [type(event).__name__ for event in hub.arrivals] == ["Joined", "Rejoined"]


@pytest.mark.requirement("MP170-R7", "MP170-A6", "SM7-R8")
def test_the_version_is_read_through_the_broker() -> None:
    hub = HubSide()
    device = installed(hub)
    read_version(hub)
    (response,) = hub.of(Cra.RESPONSE, cs08.MESSAGE_CODE)
    assert cs08.Response.decode(response.payload) == cs08.Response(device.product.versions[0])
    assert (response.supplementary_party, response.supplementary_counter) == (SUPPLIER, 3)
    key = hub.parties.pki.device(DEVICE).ka_certificate.public_key
    security.check_mac(response, security.shared_secret(hub.parties.broker.ka_key, key))


@pytest.mark.requirement("MP170-R12")
@pytest.mark.parametrize("position", [100, 2500, 4999])
def test_an_image_altered_in_one_octet_is_refused_and_never_runs(position: int) -> None:
    hub = HubSide()
    device = installed(hub)
    altered = bytearray(image(device.product))
    altered[position] ^= 0x10
    hub.offer(DEVICE, bytes(altered), activate_now=True)
    hub.run(5 * MINUTE)
    assert hub.ota_effects[-1] == TransferEnded(DEVICE, 0x0B100100, ZclStatus.INVALID_IMAGE)
    assert device.firmware_version == 0x0B100000
    assert hub.messages == []
    assert len(hub.timeline.of("image-refused")) == 1
    hub.offer(DEVICE, image(device.product), activate_now=True)
    hub.run(5 * MINUTE)
    assert device.firmware_version == 0x0B100100


@pytest.mark.requirement("MP170-A1")
def test_an_image_of_another_product_is_refused() -> None:
    hub = HubSide()
    device = installed(hub)
    other = build_image(
        Kind.BRIDGE2, version=0x0B200100, size=5000, manufacturer=0x1A0B, model=0xB2010100, image_type=0x0201
    )
    hub.offer(DEVICE, other.encode(), activate_now=True)
    hub.run(5 * MINUTE)
    assert hub.timeline.of("image-refused") == [{"version": "0B200100", "reason": "made for bridge2 1A0B B2010100"}]
    assert device.firmware_version == 0x0B100000


def test_a_power_cut_in_the_download_resumes_at_the_stored_offset() -> None:
    hub = HubSide()
    device = installed(hub)
    file = image(device.product, size=120_000)
    hub.offer(DEVICE, file, activate_now=True)
    while device.statistics.octets < 70_000:
        hub.run(SECOND // 10)
    device.power_off()
    hub.run(MINUTE)
    device.power_on()
    hub.run(5 * MINUTE)
    starts = [effect for effect in hub.ota_effects if isinstance(effect, TransferStarted)]
    assert len(starts) == 1
    assert device.statistics.octets == 120_000 - 65_568
    assert [fields["sha256"] for fields in hub.timeline.of("download-finished")] == [sha256(file).hexdigest()]
    assert device.firmware_version == 0x0B100100


def test_a_power_cut_during_the_restart_still_ends_with_the_new_version_and_one_alert() -> None:
    hub = HubSide()
    device = installed(hub)
    hub.offer(DEVICE, image(device.product), activate_now=True)
    run_until_off(hub, device)
    device.power_off()
    hub.run(10 * MINUTE)
    assert on(device) is False
    device.power_on()
    hub.run(2 * MINUTE)
    assert device.firmware_version == 0x0B100100
    assert len(hub.of(Cra.ALERT, cs09.MESSAGE_CODE)) == 1


@pytest.mark.requirement("SM7-R3")
def test_a_stored_image_that_went_bad_does_not_run_and_is_told() -> None:
    """SM7-R3: 8F8B with result 1; the device runs what it ran."""
    hub = HubSide()
    device, made = installed(hub), product(Kind.BRIDGE1)
    hub.offer(DEVICE, image(made), activate_now=True)
    run_until_off(hub, device)
    file = bytearray(device.storage.get("firmware/pending") or b"")
    file[-1] ^= 1
    device.storage.put("firmware/pending", bytes(file))
    hub.run(2 * MINUTE)
    (message, *_) = hub.of(Cra.ALERT, cs09.MESSAGE_CODE)
    alert = cs09.Alert.decode(message.payload)
    assert (alert.firmware_version, alert.code) == (made.versions[1], cs09.ActivationCode.FAILED)
    security.verify_signature(message, hub.parties.pki.device(DEVICE).ds_certificate.public_key)
    assert hub.timeline.of("activation-failed")[0] == {"version": f"{made.versions[1]:08X}"}


def test_an_alert_waits_in_storage_until_the_hub_is_back() -> None:
    hub = HubSide()
    device = installed(hub)
    hub.offer(DEVICE, image(device.product), activate_now=True)
    run_until_off(hub, device)
    hub.node.power_off()
    hub.run(20 * MINUTE)
    assert device.tunnel.waiting == 1
    assert hub.timeline.of("alert-sent") == []
    hub.node.power_on()
    hub.run(3 * MINUTE)
    assert len(hub.of(Cra.ALERT, cs09.MESSAGE_CODE)) == 1
    assert device.tunnel.waiting == 0


def test_a_lossy_radio_delays_and_changes_nothing() -> None:
    hub = HubSide()
    device = installed(hub, loss=0.2)
    hub.offer(DEVICE, image(device.product, size=20_480), activate_now=True)
    hub.run(30 * MINUTE)
    assert device.firmware_version == 0x0B100100
    counters = {alert.counter for alert in hub.of(Cra.ALERT, cs09.MESSAGE_CODE)}
    assert counters == {1}


def test_a_command_it_does_not_know_is_refused_without_an_answer() -> None:
    hub = HubSide()
    installed(hub)
    payload = cs06.Command(bytes(32), 77).encode()
    hub.send(DEVICE, hub.parties.command(hub.parties.supplier, DEVICE, 0x0012, payload, counter=77, signed=True))
    hub.run(10 * SECOND)
    assert hub.messages == []
    assert hub.timeline.of("command-refused") == [{"reason": "unknown originator: 90b3d51f30010000"}]


@pytest.mark.requirement("MP170-A9")
def test_the_bridge_and_the_ppmid_look_the_same_but_for_their_identifiers() -> None:
    seen = []
    for kind in (Kind.PPMID, Kind.BRIDGE1):
        hub = HubSide()
        device = installed(hub, kind)
        hub.offer(DEVICE, image(device.product), activate_now=True)
        hub.run(5 * MINUTE)
        seen.append([(message.cra, message.message_code, len(message.payload)) for message in hub.messages])
        assert device.application.endpoint.device == 0x0506
    assert seen[0] == seen[1]


def test_the_same_seed_gives_the_same_alert() -> None:
    octets = []
    for _ in range(2):
        hub = HubSide()
        device = installed(hub)
        hub.offer(DEVICE, image(device.product), activate_now=True)
        hub.run(5 * MINUTE)
        octets.append(hub.octets)
    assert octets[0] == octets[1]
    assert Message.decode(octets[0][0]).message_code == cs09.MESSAGE_CODE


def test_a_part_of_an_image_counts_up_to_its_first_gap() -> None:
    """A power cut may leave a later part without the one before."""
    store = FirmwareStore(MemoryStorage(), 1)
    store.begin(2, 100, 0)
    for offset, data in ((0, b"a" * 10), (20, b"c" * 10), (10, b"b" * 5)):
        store.keep(Checkpoint(2, 100, offset, data))
    assert store.partial == PartialImage(2, 100, b"a" * 10 + b"b" * 5)
