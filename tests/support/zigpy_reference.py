"""The reference of the OTA benchmark: zigpy's own OTA manager serves one device in this process, without a radio."""

import asyncio
import struct
import time
from typing import NamedTuple

import zigpy.application
import zigpy.device
import zigpy.ota
import zigpy.ota.image
import zigpy.ota.manager
import zigpy.ota.providers
import zigpy.state
import zigpy.types as t
import zigpy.zdo.types as zdo_t
from zigpy.zcl.clusters.general import Ota

MANUFACTURER, IMAGE_TYPE, OLD_VERSION, NEW_VERSION = 0x121D, 0x0084, 0x01000000, 0x02000000
PROFILE, ENDPOINT, SHORT = 0x0104, 1, 0x1234
_BLOCK_REQUEST = struct.Struct("<BBBBHHIIB")
_BLOCK_AT = 3 + 1 + 2 + 2 + 4  # offset of the file offset in an Image Block Response


class Served(NamedTuple):
    image: bytes  # as the device received it
    status: int  # of the upgrade, 0 for success
    blocks: int
    answers: int  # frames the server sent for block requests
    seconds: float  # of processor time


class _Device:
    """The client: a plain state machine, so that the time is zigpy's."""

    def __init__(self, application: "Application", block_size: int) -> None:
        self._application, self._block_size = application, block_size
        self._size = self._transaction = 0
        self.image = bytearray()
        self.blocks = self.answers = 0

    def receive(self, frame: bytes) -> None:
        command = frame[2]
        if command == 0x00:  # Image Notify
            fields = struct.pack("<BHHI", 0, MANUFACTURER, IMAGE_TYPE, OLD_VERSION)
            self._send(bytes((0x01, self._next(), 0x01)) + fields)
        elif command == 0x02 and frame[3] == 0:  # Query Next Image Response
            self._size = int.from_bytes(frame[12:16], "little")
            self._ask()
        elif command == 0x05:  # Image Block Response
            self.answers += 1
            if frame[3] == 0 and int.from_bytes(frame[_BLOCK_AT : _BLOCK_AT + 4], "little") == len(self.image):
                self.blocks += 1
                self.image += frame[_BLOCK_AT + 5 :]
                self._ask()

    def _ask(self) -> None:
        if len(self.image) < self._size:
            fields = (0, MANUFACTURER, IMAGE_TYPE, NEW_VERSION, len(self.image), self._block_size)
            self._send(_BLOCK_REQUEST.pack(0x01, self._next(), 0x03, *fields))
        else:
            end = struct.pack("<BHHI", 0, MANUFACTURER, IMAGE_TYPE, NEW_VERSION)
            self._send(bytes((0x01, self._next(), 0x06)) + end)

    def _next(self) -> int:
        self._transaction = (self._transaction + 1) & 0xFF
        return self._transaction

    def _send(self, frame: bytes) -> None:
        self._application.arrive(frame)


class Application(zigpy.application.ControllerApplication):  # type: ignore[misc]  # zigpy is untyped to mypy here
    """A radio driver whose radio is a function call."""

    client: _Device

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def start_network(self) -> None:
        """The network is there."""

    async def load_network_info(self, *, load_devices: bool = False) -> None:
        """Nothing to load."""

    async def write_network_info(self, *, network_info: object, node_info: object) -> None:
        """Nothing to write."""

    async def reset_network_info(self) -> None:
        """Nothing to reset."""

    async def permit_ncp(self, time_s: int = 60) -> None:
        """Nobody joins."""

    async def permit_with_link_key(self, node: object, link_key: object, time_s: int = 60) -> None:
        """Nobody joins."""

    async def force_remove(self, dev: object) -> None:
        """Nobody leaves."""

    async def add_endpoint(self, descriptor: object) -> None:
        """Endpoints need no radio."""

    async def send_packet(self, packet: t.ZigbeePacket) -> None:
        asyncio.get_running_loop().call_soon(self.client.receive, packet.data.serialize())

    def arrive(self, frame: bytes) -> None:
        """Hand a frame of the device to zigpy as a radio library does."""
        packet = t.ZigbeePacket(
            src=t.AddrModeAddress(addr_mode=t.AddrMode.NWK, address=t.NWK(SHORT)),
            src_ep=t.uint8_t(ENDPOINT),
            dst=t.AddrModeAddress(addr_mode=t.AddrMode.NWK, address=t.NWK(0)),
            dst_ep=t.uint8_t(ENDPOINT),
            profile_id=t.uint16_t(PROFILE),
            cluster_id=t.uint16_t(Ota.cluster_id),
            data=t.SerializableBytes(frame),
            lqi=t.uint8_t(255),
            rssi=t.int8s(-40),
        )
        self.packet_received(packet)


def _image(size: int) -> zigpy.ota.OtaImageWithMetadata:
    header = zigpy.ota.image.OTAImageHeader(
        upgrade_file_id=zigpy.ota.image.OTAImageHeader.MAGIC_VALUE,
        header_version=0x0100,
        header_length=56,
        field_control=zigpy.ota.image.FieldControl(0),
        manufacturer_id=MANUFACTURER,
        image_type=IMAGE_TYPE,
        file_version=NEW_VERSION,
        stack_version=2,
        header_string=zigpy.ota.image.HeaderString(bytes(32)),
        image_size=size,
    )
    body = bytes(number * 7 % 251 for number in range(size - 56 - 6))
    element = zigpy.ota.image.SubElement(tag_id=zigpy.ota.image.ElementTagId.UPGRADE_IMAGE, data=body)
    firmware = zigpy.ota.image.OTAImage(header=header, subelements=[element])
    metadata = zigpy.ota.providers.BaseOtaImageMetadata(
        file_version=NEW_VERSION, manufacturer_id=MANUFACTURER, image_type=IMAGE_TYPE
    )
    return zigpy.ota.OtaImageWithMetadata(metadata=metadata, firmware=firmware)


def _application() -> Application:
    config = {"database_path": None, "device": {"path": "none"}, "ota": {"enabled": False}, "backup_enabled": False}
    return Application(config)


def _add_device(application: Application) -> zigpy.device.Device:
    device = application.add_device(t.EUI64.convert("00:db:12:34:56:78:90:01"), t.NWK(SHORT))
    device.node_desc = zdo_t.NodeDescriptor(
        logical_type=zdo_t.LogicalType.Router,
        complex_descriptor_available=0,
        user_descriptor_available=0,
        reserved=0,
        aps_flags=0,
        frequency_band=zdo_t.NodeDescriptor.FrequencyBand.Freq2400MHz,
        mac_capability_flags=zdo_t.NodeDescriptor.MACCapabilityFlags(0x8E),
        manufacturer_code=MANUFACTURER,
        maximum_buffer_size=82,
        maximum_incoming_transfer_size=82,
        server_mask=0,
        maximum_outgoing_transfer_size=82,
        descriptor_capability_field=0,
    )
    endpoint = device.add_endpoint(ENDPOINT)
    endpoint.profile_id, endpoint.device_type = PROFILE, 0x0051
    endpoint.add_output_cluster(Ota.cluster_id)
    endpoint.status = zigpy.endpoint.Status.ZDO_INIT
    device.model, device.manufacturer = "reference", "reference"
    device.status = zigpy.device.Status.ENDPOINTS_INIT
    return device


async def _serve(size: int, block_size: int) -> tuple[Served, bytes]:
    application = _application()
    device = _add_device(application)
    # Without this zigpy's OTA cluster handler answers NO_IMAGE_AVAILABLE besides and the reference is slowed down.
    device.ota_in_progress = True
    client = application.client = _Device(application, block_size)
    image = _image(size)
    started = time.process_time()
    status = await zigpy.ota.manager.update_firmware(device, image)
    seconds = time.process_time() - started
    served = Served(bytes(client.image), int(status), client.blocks, client.answers, seconds)
    return served, image.firmware.serialize()


def serve(size: int, block_size: int) -> tuple[Served, bytes]:
    """Serve an image of `size` octets; return how it went and the image that was to be served."""
    return asyncio.run(_serve(size, block_size))
