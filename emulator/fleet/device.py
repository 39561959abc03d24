"""One GBCS entity behind a hub, without radio."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from emulator.clock import OffsetWallClock
from emulator.parts.gbcs_application import GbcsApplication
from emulator.parts.gbcs_entity import DeviceKind, GbcsEntity
from emulator.parts.trust_anchors import TrustAnchors
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.smki import Credentials
from protocols.interfaces import Clock, Entropy, Recorder
from protocols.ota.image import FirmwareImage

FIRST_ALERT_COUNTER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What all devices of a fleet share."""

    clock: Clock
    entropy: Entropy
    recorder: Recorder


class LeanDevice(ABC):
    """Takes commands and images, runs a version. send(octets): gives the hub a message of the device."""

    kind: DeviceKind
    signed_images: bool

    def __init__(
        self, name: str, credentials: Credentials, anchors: TrustAnchors, version: int, around: Around,
        *, clock_offset: int = 0,
    ) -> None:  # fmt: skip
        """name: in the timeline. version: 32 bits, of the factory's firmware. clock_offset: ns its clock is fast."""
        self.name, self.firmware_version, self.clock = name, version, around.clock
        self.wall = OffsetWallClock(around.clock, clock_offset)
        self.send: Callable[[bytes], None] = _nowhere
        self.entity = GbcsEntity(
            credentials, anchors, MemoryStorage(), around.entropy, first_alert_counter=FIRST_ALERT_COUNTER
        )
        self._recorder = around.recorder
        self.gbcs = GbcsApplication(
            self.entity, self.kind, self.wall, send=lambda octets: self.send(octets), note=self.note
        )

    @property
    def eui(self) -> Eui64:
        return self.entity.eui

    def note(self, event: str, **fields: str | int | bool | None) -> None:
        self._recorder.note(self.name, event, **fields)

    def obey(self, octets: bytes) -> None:
        """Carry out a command of the WAN."""
        self.gbcs.obey(octets)

    def take_image(self, file: bytes) -> None:
        """Take an image that the hub passed on whole."""
        try:
            image = FirmwareImage.decode(file, signed=self.signed_images)
        except DecodeError as error:
            self.note("image-refused", reason=error.what)
            return
        self.image_arrived(image)

    @abstractmethod
    def image_arrived(self, image: FirmwareImage) -> None:
        """Hear of an image that can be read."""


def _nowhere(octets: bytes) -> None:
    """Lose what is sent before there is a hub."""
