"""Downloads on whole stacks with nothing above the OTA machines: what the air and the stack cost a block.

A hub with an `OtaServer`, end devices with an `OtaClient` each, all within reach of each other. NWK security, APS
security under link keys as key establishment leaves them, CSMA-CA, acknowledgements, a share of frames lost on every
link, and a capture file.
"""

from pathlib import Path
from time import process_time
from typing import NamedTuple

from gateway.assembly.capture import CaptureFile
from protocols.interfaces import SECOND, ApsData, HanEvent, LinkKey, Received
from protocols.ota import client as device_side
from protocols.ota import server as hub_side
from protocols.ota.client import OtaClient, OtaClientSettings, OtaIdentity
from protocols.ota.image import Kind, build_image
from protocols.ota.server import OtaServer, OtaServerSettings
from protocols.stack.settings import NodeRole
from protocols.zcl.clusters import ota
from tests.support.han import PROFILE, Han, Member

LOSS = 0.001  # share of frames that every link loses
MAKER, TYPE, VERSION = 0x121D, 0x0084, 0x00000002


class Fetched(NamedTuple):
    """What became of the downloads."""

    blocks: int  # taken by the devices
    seconds: float  # of processor time
    virtual_seconds: float
    whole: bool  # every device has the image, octet for octet
    frames: int  # in the capture file
    lost: int  # frames that a radio did not get: the loss model, and collisions
    retries: int  # by the MAC


class _Device:
    """One client and its node."""

    def __init__(self, bench: "OtaBench", member: Member) -> None:
        self.member, self._bench, self.image = member, bench, b""
        settings = OtaClientSettings(start_delay=0, block_size=bench.block_size)
        random = bench.han.entropy.random(f"ota {member.name}")
        self.client = OtaClient(OtaIdentity(MAKER, TYPE, None), 1, random, settings)
        self._send, self._hub, self._now = member.node.send, bench.hub.eui, bench.han.clock.now
        member.node.attach(self._event)

    def _event(self, event: HanEvent) -> None:
        if type(event) is Received:
            self.do(self.client.frame(event.aps.payload, self._now()))

    def do(self, effects: list[device_side.Effect]) -> None:
        for effect in effects:
            if type(effect) is device_side.Send:
                data = ApsData(PROFILE, ota.CLUSTER, 1, 1, effect.frame)
                self._send(self._hub, data, secured=True, acknowledged=False)
            elif isinstance(effect, device_side.Discover):
                self.do(self.client.server_found(self._now(), self._hub))
            elif isinstance(effect, device_side.ImageComplete):
                self.image = effect.image


class OtaBench:
    """So many devices that fetch one image at the same time."""

    def __init__(self, folder: Path, *, devices: int, size: int, block_size: int) -> None:
        self.han, self.block_size = Han(seed=devices), block_size
        self.file = (folder / f"capture-{devices}.pcapng").open("wb")
        self.capture = self.han.medium.capture = CaptureFile(self.file)
        self.hub = self.han.hub()
        members = [self.han.add(f"device {number}", NodeRole.END_DEVICE) for number in range(devices)]
        nodes = [self.hub, *members]
        for index, member in enumerate(nodes):
            for other in nodes[:index]:
                self.han.link(member, other, loss=LOSS)
        self.han.join(*(member.name for member in members))
        self.han.run(30)
        for number, member in enumerate(members, 1):
            key = LinkKey(bytes((number,)) * 16)
            self.hub.node.install_link_key(member.eui, key)
            member.node.install_link_key(self.hub.eui, key)
        built = build_image(Kind.PPMID, version=VERSION, size=size, manufacturer=MAKER, model=1, image_type=TYPE)
        self.image = built.encode()
        self.server = OtaServer(OtaServerSettings(block_size=block_size))
        self.server.offer(self.image, tuple(member.eui for member in members), activate_now=True)
        self.devices = [_Device(self, member) for member in members]
        self._send, self._now = self.hub.node.send, self.han.clock.now
        self.hub.node.attach(self._at_hub)

    def _at_hub(self, event: HanEvent) -> None:
        if type(event) is Received:
            for effect in self.server.frame(event.who, event.aps.payload, self._now()):
                if type(effect) is hub_side.Send:
                    data = ApsData(PROFILE, ota.CLUSTER, 1, 1, effect.frame)
                    self._send(effect.device, data, secured=True, acknowledged=False)

    def run(self) -> Fetched:
        """Fetch the image on all devices."""
        clock, frames = self.han.clock, self.capture.frames
        begun, started = clock.now(), process_time()
        for device in self.devices:
            device.do(device.client.start(clock.now()))
        while not all(device.image for device in self.devices):
            for device in self.devices:
                device.do(device.client.wake(clock.now()))
            clock.run_for(SECOND)
        seconds, virtual = process_time() - started, (clock.now() - begun) / SECOND
        self.file.close()
        members = [self.hub, *(device.member for device in self.devices)]
        radios = [radio.statistics for member in members for radio in member.radios]
        return Fetched(
            sum(device.client.statistics.blocks for device in self.devices),
            seconds,
            virtual,
            all(device.image == self.image for device in self.devices),
            self.capture.frames - frames,
            sum(radio.lost for radio in radios),
            sum(radio.retries for radio in radios),
        )
