"""A hub is replaced: CCS03 gives it the log, devices come by the hashes of their keys, kinds are found by discovery."""

import pytest

from emulator.devices.alt_han_bridge import AltHanBridge
from gateway.campaigns.evidence.capture import dissect
from protocols.gbcs.device_log import HashedKey, LogBackup
from protocols.gbcs.use_cases import cs08, cs09
from protocols.gbcs.use_cases.ccs01 import LogDeviceType
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import LinkKey
from protocols.ota.image import Kind
from tests.support.broker import Broker
from tests.support.hub_bench import image_of
from tests.support.keyed_home import HUB, KeyedHome
from tests.support.requirements import patched

PPMID_TYPE = 132
WHOLE = ("ihd", "gsme", "hcalcs", "ppmid", "bridge-1", "bridge-3")
SMALL = ("ppmid", "bridge-1")


class Swapped:
    """A home before and after the swap of its hub."""

    def __init__(self, *names: str, tunnelling: str = "until_swap", altered: str | None = None) -> None:
        """altered: the device whose hash in the backup is another one."""
        self.home = KeyedHome(*names, tunnelling=tunnelling)
        self.before = Broker(self.home)
        self.home.run_till_keyed(within=600).run(60)
        self.backup = self.before.backup()
        self._altered = altered

    def swap(self) -> "Swapped":
        home = self.home
        home.home.replace_hub()
        self.after = Broker(home, 5000)
        self.after.restore(self._given())
        home.run_till(self._all_back, within=4 * 3600, step=60).run(600)
        return self

    def _given(self) -> LogBackup:
        if self._altered is None:
            return self.backup
        wrong = self.home.device(self._altered).eui
        keys = tuple(HashedKey(key.device, bytes(16)) if key.device == wrong else key for key in self.backup.keys)
        return LogBackup(self.backup.time, self.backup.extended_pan_id, keys)

    def _all_back(self) -> bool:
        expected = [device for device in self.home.home.devices if device.name != self._altered]
        return all(self.home.keyed(device) for device in expected)

    def type_of(self, name: str) -> str:
        running = self.home.home.hub._running
        assert running is not None
        entry = running.log.get(self.home.device(name).eui)
        assert entry is not None
        return entry.type.name

    def update(self, broker: Broker, name: str, kind: Kind, release: int = 1) -> list[TransferCode | int]:
        """Deliver the device its image and return what the hub says of it."""
        device = self.home.device(name)
        broker.deliver(image_of(kind, release=release), device.eui)
        self.home.run(300)
        return [alert.code for alert in broker.transfers() if alert.device == device.eui]

    def reads(self, broker: Broker, name: str) -> int:
        """Read the version by CS08; return how many answers came."""
        device, counter = self.home.device(name).eui, broker.next_counter
        broker.command(device, cs08.MESSAGE_CODE, cs08.Command().encode(), counter)
        self.home.run(120)
        return sum(message.originator == device for message in broker.messages(cs08.MESSAGE_CODE))

    def activations(self, broker: Broker, name: str) -> int:
        device = self.home.device(name).eui
        return sum(message.originator == device for message in broker.messages(cs09.MESSAGE_CODE))


@pytest.fixture(scope="module")
def swapped() -> Swapped:
    return Swapped(*WHOLE).swap()


def test_everybody_comes_back_and_establishes_a_key_anew(swapped: Swapped) -> None:
    home = swapped.home
    hashes = {key.device: key.key_hash for key in swapped.backup.keys}
    assert len(hashes) == 7
    for device in home.home.devices:
        assert device.device.node.trust_centre == home.home.gpf != HUB
        key = home.hub._on().state.peer(device.eui).key
        assert key is not None
        assert key != LinkKey(hashes[device.eui])
        assert home.notes.of("key-established", f"home-1/{device.name}")[-1]["partner"] == str(home.home.gpf)
    assert home.hub._on().state.network is not None
    assert home.hub.export_trust().extended_pan_id == swapped.backup.extended_pan_id


def test_every_frame_of_the_swap_opens_with_a_key_of_the_home(swapped: Swapped) -> None:
    seen = dissect(swapped.home.frames, swapped.home.keys)
    assert (seen.defects, seen.unfinished) == ([], 0)
    assert seen.frames > 5_000


def test_the_log_that_the_acb_has_ends_with_the_new_hashes(swapped: Swapped) -> None:
    now = swapped.after.backup()
    assert [key.device for key in now.keys] == [key.device for key in swapped.backup.keys]
    assert not {key.key_hash for key in now.keys} & {key.key_hash for key in swapped.backup.keys}
    assert dict(swapped.home.hub.export_trust().hashed_link_keys) == {key.device: key.key_hash for key in now.keys}


@pytest.mark.requirement("MP170-A10")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("esme", "ESME"),
        ("gsme", "GSME"),
        ("hcalcs", "HCALCS"),
        ("ppmid", "PPMID"),
        ("ihd", "IHD"),
        ("bridge-1", "IHD"),
        ("bridge-3", "IHD"),
    ],
)
def test_kinds_are_found_by_discovery(swapped: Swapped, name: str, kind: str) -> None:
    """MP170-A10: a bridge comes back as an IHD, a PPMID as what it is."""
    assert swapped.type_of(name) == kind


def test_who_has_another_key_does_not_come_back() -> None:
    swapped = Swapped(*SMALL, altered="ppmid").swap()
    swapped.home.run(6 * 3600)
    ppmid = swapped.home.device("ppmid")
    assert not swapped.home.keyed(ppmid)
    assert swapped.type_of("ppmid") == "unknown"
    assert swapped.home.node("ppmid").trust_centre == HUB


@pytest.mark.requirement(
    "MP170-A10", "MP170-C16", "X-7", planted=patched(AltHanBridge, "serves_tunnels", property(lambda self: True))
)
@pytest.mark.parametrize(
    ("tunnelling", "type_after", "transferred", "answers"),
    [("until_swap", "IHD", False, 0), ("always", "PPMID", True, 1), ("never", "IHD", False, 0)],
)
def test_a_bridge_before_and_after_the_swap(tunnelling: str, type_after: str, transferred: bool, answers: int) -> None:
    """MP170-A10, C16 and X-7: what the three readings of the seed come to."""
    swapped = Swapped(*SMALL, tunnelling=tunnelling)
    told_before = int(tunnelling != "never")
    assert swapped.type_of("bridge-1") == "PPMID"
    assert swapped.update(swapped.before, "bridge-1", Kind.BRIDGE1) == [TransferCode.TRANSFERRED]
    assert swapped.activations(swapped.before, "bridge-1") == told_before
    assert swapped.reads(swapped.before, "bridge-1") == told_before
    running = swapped.home.updatable("bridge-1").firmware_version
    swapped.swap()
    assert swapped.type_of("bridge-1") == type_after
    code = TransferCode.TRANSFERRED if transferred else TransferCode.IMAGE_DISCARDED
    assert swapped.update(swapped.after, "bridge-1", Kind.BRIDGE1, release=2) == [code]
    assert (swapped.home.updatable("bridge-1").firmware_version != running) is transferred
    assert swapped.activations(swapped.after, "bridge-1") == int(transferred)
    assert swapped.reads(swapped.after, "bridge-1") == answers


def test_a_ppmid_is_of_type_1_after_the_swap_as_before() -> None:
    swapped = Swapped(*SMALL).swap()
    assert swapped.update(swapped.after, "ppmid", Kind.PPMID) == [TransferCode.TRANSFERRED]
    assert swapped.activations(swapped.after, "ppmid") == 1
    assert swapped.reads(swapped.after, "ppmid") == 1


def test_a_bridge_that_is_removed_and_added_again_is_a_ppmid_again() -> None:
    swapped = Swapped(*SMALL).swap()
    bridge = swapped.home.device("bridge-1")
    swapped.after.remove(bridge.eui)
    swapped.home.run(60)
    assert not bridge.device.node.joined
    swapped.after.add(bridge.eui, bridge.description.install_code, LogDeviceType.PPMID)
    swapped.home.run(10)
    bridge.device.start(bridge.key, (swapped.home.home.description.channel,))
    node = bridge.device.node  # the hub waits for its historic key first, then takes the install code
    swapped.home.run_till(lambda: node.joined and swapped.home.keyed(bridge), within=2 * 3600).run(60)
    assert swapped.type_of("bridge-1") == "PPMID"
    assert swapped.reads(swapped.after, "bridge-1") == 1


def test_a_restored_hub_that_loses_its_supply_finds_the_kinds_all_the_same() -> None:
    swapped = Swapped(*SMALL)
    home = swapped.home
    home.home.replace_hub()
    swapped.after = Broker(home, 5000)
    swapped.after.restore(swapped.backup)
    home.run_till(lambda: bool(home.notes.of("key-established", "home-1/hub-2")), within=4 * 3600)
    home.home.hub.power_off()
    home.run(60)
    home.home.hub.power_on()
    home.run_till(swapped._all_back, within=4 * 3600, step=60).run(600)
    assert [swapped.type_of(name) for name in ("esme", "ppmid", "bridge-1")] == ["ESME", "PPMID", "IHD"]
