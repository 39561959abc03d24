"""A home for a foreign host: what its description opens, and that nothing of it is open by default.

The host here is a stack of ours that behaves like those hosts: well-known link key, no Smart Energy, no APS security.
"""

from pathlib import Path

import pytest
import yaml

from emulator.air.medium import Medium
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.home.builder import WELL_KNOWN_LINK_KEY, ForeignHome, Home, Surroundings
from emulator.home.description import HomeDescription, read_home
from emulator.parts.gbcs_entity import TrustAnchors
from emulator.storage import MemoryStorage
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, Parties
from protocols.addresses import Eui64
from protocols.errors import InputError
from protocols.interfaces import (
    SECOND,
    ActiveEndpoints,
    ApsData,
    DescribeEndpoint,
    Discovered,
    HanEvent,
    Joined,
    Received,
    SimpleDescriptor,
)
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole
from protocols.zcl.clusters import ota
from protocols.zcl.foundation import AttributeRead, ReadAttributesResponse, decode
from protocols.zcl.frame import ZclFrame, ZclStatus
from tests.support.han import START
from tests.support.spinel_host import SpinelRadio

HOME = Path(__file__).parents[3] / "emulator/home/more_homes/zoh-home.yaml"
HOST = Eui64(0x5A6F486F6E5A324D)
SMART_ENERGY, HOME_AUTOMATION = 1, 2
BASIC, IDENTIFY, OTA, TUNNELING = 0x0000, 0x0003, 0x0019, 0x0704
READ_MODEL = bytes.fromhex("00070005000400")  # model identifier, manufacturer name
HA_PROFILE = 0x0104


class Notes:
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def note(self, actor: str, event: str, **fields: "str | int | bool | None") -> None:
        self.events.append((actor, event))


class World:
    def __init__(self, **changes: str | dict[str, bool]) -> None:
        """`changes` to the fields of the home; `devices` to those of each device."""
        data = yaml.safe_load(HOME.read_text(encoding="utf-8"))
        every = changes.pop("devices", {})
        for device in data["devices"]:
            device.update(every)
        data |= changes
        description = HomeDescription.model_validate(data)
        self.clock, entropy = VirtualClock(START), SeededEntropy(1)
        self.around = surroundings(self.clock, entropy, description)
        self.home = ForeignHome(description, self.around)
        radio = SpinelRadio(self.home.hub_radio, self.clock)
        self.host = Node(NodeRole.COORDINATOR, HOST, (radio,), self.clock, MemoryStorage(), entropy)
        self.events: list[HanEvent] = []
        self.host.attach(self.events.append)
        self.host.register([SimpleDescriptor(1, HA_PROFILE, 0x65, 1, (BASIC,), (OTA,))])
        self.host.form(description.pan_id, description.channel)

    @property
    def notes(self) -> Notes:
        assert isinstance(self.around.recorder, Notes)
        return self.around.recorder

    def admit(self, *names: str, seconds: int = 60) -> "World":
        """Open the network to `names` under the well-known key, as such hosts do for everybody."""
        for name in names:
            device = self.home.device(name)
            self.host.allow_join(device.eui, WELL_KNOWN_LINK_KEY, seconds)
            self.home.switch_on(device)
        self.clock.run_for(seconds * SECOND)
        return self

    def joined(self) -> set[Eui64]:
        return {event.who for event in self.events if isinstance(event, Joined)}

    def ask(self, name: str, endpoint: int, cluster: int, frame: bytes, seconds: int = 10) -> list[bytes]:
        """Send a ZCL frame without APS security and return what came back on the cluster."""
        device = self.home.device(name)
        self.events.clear()
        aps = ApsData(HA_PROFILE, cluster, 1, endpoint, frame)
        self.host.send(device.eui, aps, secured=False, acknowledged=True)
        self.clock.run_for(seconds * SECOND)
        answers = [event for event in self.events if isinstance(event, Received) and event.aps.cluster == cluster]
        assert all(event.aps[:4] == (HA_PROFILE, cluster, endpoint, 1) and not event.secured for event in answers)
        return [event.aps.payload for event in answers]

    def endpoints(self, name: str) -> list[SimpleDescriptor]:
        eui = self.home.device(name).eui
        self.events.clear()
        self.host.discover(eui, ActiveEndpoints())
        self.clock.run_for(20 * SECOND)
        (found,) = [event for event in self.events if isinstance(event, Discovered)]
        for endpoint in found.endpoints:
            self.host.discover(eui, DescribeEndpoint(endpoint))
        self.clock.run_for(20 * SECOND)
        return [e.descriptor for e in self.events if isinstance(e, Discovered) and e.descriptor is not None]


def surroundings(clock: VirtualClock, entropy: SeededEntropy, description: HomeDescription) -> Surroundings:
    own = Parties(entropy, START, (description,)).credentials
    return Surroundings(
        clock=clock,
        entropy=entropy,
        medium=Medium(clock, entropy),
        recorder=Notes(),
        key_log=None,
        credentials=own,
        meter_anchors=TrustAnchors.of(own(SUPPLIER), own(NETWORK_OPERATOR), own(ACB)),
        broker_anchors=TrustAnchors.of(own(ACB)),
    )


@pytest.fixture(scope="module")
def world() -> World:
    return World().admit("bridge-1", "ppmid", "gsme")


def test_devices_join_under_the_well_known_key(world: World) -> None:
    assert {world.home.device(name).eui for name in ("bridge-1", "ppmid", "gsme")} <= {
        device.eui for device in world.home.devices if device.device.node.joined
    }


@pytest.mark.parametrize("name", ["bridge-1", "ppmid", "gsme"])
def test_a_second_endpoint_stands_beside_the_smart_energy_one(world: World, name: str) -> None:
    first, second = world.endpoints(name)
    assert (first.endpoint, first.profile) == (SMART_ENERGY, 0x0109)
    assert second == SimpleDescriptor(HOME_AUTOMATION, HA_PROFILE, 0x0008, 0, (BASIC, IDENTIFY), (OTA,))


@pytest.mark.parametrize(("name", "model"), [("bridge-1", b"B1010100"), ("ppmid", b"50010201"), ("gsme", b"65010101")])
@pytest.mark.parametrize("endpoint", [SMART_ENERGY, HOME_AUTOMATION])
def test_basic_tells_manufacturer_and_model_on_both(world: World, name: str, model: bytes, endpoint: int) -> None:
    (answer,) = world.ask(name, endpoint, BASIC, READ_MODEL)
    response = decode(ZclFrame.decode(answer))
    assert isinstance(response, ReadAttributesResponse)
    assert response.records[0].value == model
    assert all(record.status == ZclStatus.SUCCESS for record in response.records)
    assert ZclFrame.decode(answer).from_server


def test_what_basic_does_not_have_is_an_unsupported_attribute(world: World) -> None:
    (answer,) = world.ask("ppmid", HOME_AUTOMATION, BASIC, bytes.fromhex("00010006000700"))
    assert decode(ZclFrame.decode(answer)) == ReadAttributesResponse(
        (AttributeRead(0x0006, ZclStatus.UNSUPPORTED_ATTRIBUTE), AttributeRead(0x0007, ZclStatus.SUCCESS, 0x30, 1))
    )


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("000202" + "0700" + "20" + "01", "180204" + "8d0700"),  # Write Attributes: PowerSource is an enumeration
        ("010300", "18030b" + "0081"),  # a command of the cluster: Basic has none here
        ("18040b0000", None),  # a Default Response needs none
    ],
)
def test_what_is_not_served_is_refused_by_a_default_response(world: World, frame: str, answer: str | None) -> None:
    answers = world.ask("ppmid", HOME_AUTOMATION, BASIC, bytes.fromhex(frame))
    assert [each.hex() for each in answers] == ([] if answer is None else [answer])


def test_identify_counts_down(world: World) -> None:
    assert world.ask("ppmid", HOME_AUTOMATION, IDENTIFY, bytes.fromhex("0101003c00"))[0].hex() == "18010b" + "0000"
    assert ("zoh-home/ppmid", "identify") in world.notes.events
    (answer,) = world.ask("ppmid", HOME_AUTOMATION, IDENTIFY, bytes.fromhex("0002000000"))
    response = decode(ZclFrame.decode(answer))
    assert isinstance(response, ReadAttributesResponse)
    assert response.records[0].value in (50, 51)
    (query,) = world.ask("ppmid", HOME_AUTOMATION, IDENTIFY, bytes.fromhex("010301"))
    assert query.hex() in ("190300" + "2800", "190300" + "2900")
    world.clock.run_for(60 * SECOND)
    assert world.ask("ppmid", HOME_AUTOMATION, IDENTIFY, bytes.fromhex("010401")) == []


def test_an_image_notify_on_the_second_endpoint_leads_to_a_query(world: World) -> None:
    answers = world.ask("bridge-1", HOME_AUTOMATION, OTA, bytes.fromhex("19010000" + "64"), seconds=30)
    command = ota.decode(ZclFrame.decode(answers[0]))
    assert isinstance(command, ota.QueryNextImageRequest)
    assert (command.manufacturer_code, command.image_type, command.file_version) == (0x1A0B, 0x0201, 0x0B100000)


def test_an_image_notify_without_link_key_on_the_first_does_not(world: World) -> None:
    answers = world.ask("bridge-1", SMART_ENERGY, OTA, bytes.fromhex("19010000" + "64"), seconds=30)
    assert [a for a in answers if ZclFrame.decode(a).cluster_specific] == []


def test_a_host_that_gives_no_link_key_keeps_the_device(world: World) -> None:
    assert ("zoh-home/ppmid", "link-key-not-confirmed") in world.notes.events
    assert world.home.device("ppmid").device.node.joined


# --- the default -----------------------------------------------------------------------------------------------------


def test_by_default_devices_refuse_a_host_that_knows_no_install_codes() -> None:
    world = World(trust="install_code").admit("bridge-1", "ppmid", "gsme", seconds=120)
    assert world.joined() == set()
    assert not any(device.device.node.joined for device in world.home.devices)


def test_by_default_there_is_no_second_endpoint_and_no_firmware_from_such_a_host() -> None:
    world = World(devices={"home_automation": False}).admit("bridge-1")
    assert [each.profile for each in world.endpoints("bridge-1")] == [0x0109]
    assert world.ask("bridge-1", HOME_AUTOMATION, OTA, bytes.fromhex("19010000" + "64"), seconds=30) == []


def test_the_defaults_of_a_description_are_closed() -> None:
    data = yaml.safe_load(HOME.read_text(encoding="utf-8"))
    del data["trust"]
    for device in data["devices"]:
        device.pop("home_automation", None)
    description = HomeDescription.model_validate(data)
    assert description.trust == "install_code"
    assert not any(device.home_automation for device in description.devices)


@pytest.mark.parametrize(("changes", "reason"), [({}, "install code only"), ({"trust": "install_code"}, "foreign")])
def test_a_hub_of_ours_takes_no_such_description(changes: dict[str, str], reason: str) -> None:
    description = read_home(HOME).model_copy(update=changes)
    clock, entropy = VirtualClock(START), SeededEntropy(1)
    with pytest.raises(InputError, match=reason):
        Home(description, surroundings(clock, entropy, description))
