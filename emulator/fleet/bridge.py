"""PPMID and Alt HAN bridges of a fleet: images by 11.4, run at once and told by CS09; version read by CS08."""

from emulator.fleet.device import Around, LeanDevice
from emulator.parts.gbcs_application import Answer
from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.trust_anchors import TrustAnchors
from firmware_images import Product
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import Credentials, RemotePartyRole
from protocols.gbcs.use_cases import cs08, cs09
from protocols.gbcs.use_cases.cs09 import ActivationCode
from protocols.interfaces import SECOND
from protocols.ota.image import FirmwareImage

REBOOT = 30 * SECOND


class LeanBridge(LeanDevice):
    """A device that activates by itself. made: the product it is; images of another are refused."""

    kind = DeviceKind.PPMID
    signed_images = False

    def __init__(
        self, name: str, credentials: Credentials, anchors: TrustAnchors, made: Product, around: Around
    ) -> None:
        super().__init__(name, credentials, anchors, made.versions[0], around)
        self.made = made
        self.gbcs.on(cs08.MESSAGE_CODE, self._cs08)

    def image_arrived(self, image: FirmwareImage) -> None:
        header = image.header
        if (header.manufacturer, header.image_type) != (self.made.manufacturer, self.made.image_type):
            self.note("image-refused", reason="another product")
            return
        self.clock.call_at(self.clock.now() + REBOOT, self._run, header.file_version)

    def _run(self, version: int) -> None:
        before, self.firmware_version = self.firmware_version, version
        self.note("activated", from_version=f"{before:08X}", to_version=f"{version:08X}")
        broker = self.entity.anchors.eui(RemotePartyRole.ACCESS_CONTROL_BROKER)
        alert = cs09.Alert(self.wall.utc(), version, ActivationCode.ACTIVATED)
        self.gbcs.alert(cs09.MESSAGE_CODE, broker, lambda _: alert.encode())

    def _cs08(self, message: Message) -> Answer:
        cs08.Command.decode(message.payload)
        return Answer(cs08.Response(self.firmware_version).encode())
