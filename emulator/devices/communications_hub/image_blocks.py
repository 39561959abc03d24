"""Where the hub keeps firmware images: one block for the ESME, one shared by all others.

A block is two kinds of cell: `image/<block>/<number>` holds the file and is written once, `block/<block>` says which
number is valid, for whom it is and how far that went. Writing the second makes the first valid.
"""

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum

from emulator.devices.communications_hub.settings import DEVICE_TYPES
from protocols.addresses import Eui64
from protocols.interfaces import Storage
from protocols.octets import Reader

_FIXED = struct.Struct(">QI32sB")


class Progress(IntEnum):
    OPEN = 0
    TRANSFERRED = 1
    FAILED = 2


@dataclass(slots=True)
class Recipient:
    device: Eui64
    type_code: int  # of the device log
    progress: Progress = Progress.OPEN


@dataclass(frozen=True, slots=True)
class Contents:
    """What a block holds, but for the image itself."""

    number: int
    request_id: str
    version: int  # 32 bits, file version
    digest: bytes  # SHA-256 of the file
    recipients: tuple[Recipient, ...]

    @property
    def open_recipients(self) -> tuple[Recipient, ...]:
        return tuple(r for r in self.recipients if r.progress is Progress.OPEN)

    @property
    def kept(self) -> bool:
        """Whether a device that keeps its block still waits for this image."""
        return any(DEVICE_TYPES[recipient.type_code].keeps_block for recipient in self.open_recipients)

    def encode(self) -> bytes:
        request = self.request_id.encode()
        parts = [_FIXED.pack(self.number, self.version, self.digest, len(request)), request]
        parts += [r.device.big + bytes((r.type_code, r.progress)) for r in self.recipients]
        return b"".join(parts)

    @classmethod
    def decode(cls, octets: bytes) -> "Contents":
        reader = Reader(octets)
        number, version, digest, length = _FIXED.unpack(reader.octets(_FIXED.size))
        request = reader.octets(length).decode()
        recipients = []
        while reader.remaining:
            device = Eui64.from_big(reader.octets(8))
            recipients.append(Recipient(device, reader.uint8(), Progress(reader.uint8())))
        return cls(number, request, version, digest, tuple(recipients))


class ImageBlocks:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._held: dict[str, Contents] = {}
        for cell in storage.cells():
            if cell.startswith("block/") and (octets := storage.get(cell)) is not None:
                self._held[cell.removeprefix("block/")] = Contents.decode(octets)
        self._drop_orphans()

    def blocks(self) -> tuple[str, ...]:
        return tuple(sorted(self._held))

    def contents(self, block: str) -> Contents | None:
        return self._held.get(block)

    def image(self, block: str) -> bytes:
        """Return the file in `block`, b"" if there is none."""
        contents = self._held.get(block)
        image = None if contents is None else self._storage.get(_image_cell(block, contents.number))
        return b"" if image is None else image

    def write(self, block: str, image: bytes) -> Contents:
        """Write the file beside the present one and return contents without recipients; `adopt` makes them valid."""
        before = self._held.get(block)
        number = 0 if before is None else before.number + 1
        self._storage.put(_image_cell(block, number), image)
        return Contents(number, "", 0, hashlib.sha256(image).digest(), ())

    def adopt(self, block: str, contents: Contents) -> None:
        """Make `contents` those of `block` and forget the image before."""
        before = self._held.get(block)
        self._save(block, contents)
        if before is not None and before.number != contents.number:
            self._storage.delete(_image_cell(block, before.number))

    def settle(self, device: Eui64, progress: Progress) -> None:
        """Note how it went for `device`."""
        for block, contents in self._held.items():
            for recipient in contents.open_recipients:
                if recipient.device == device:
                    recipient.progress = progress
                    self._save(block, contents)

    def open_for(self, device: Eui64) -> Contents | None:
        """Return the contents that `device` has not finished with."""
        for block in self.blocks():
            contents = self._held[block]
            if any(recipient.device == device for recipient in contents.open_recipients):
                return contents
        return None

    def _save(self, block: str, contents: Contents) -> None:
        self._storage.put(f"block/{block}", contents.encode())
        self._held[block] = contents

    def _drop_orphans(self) -> None:
        valid = {_image_cell(block, contents.number) for block, contents in self._held.items()}
        for cell in self._storage.cells():
            if cell.startswith("image/") and cell not in valid:
                self._storage.delete(cell)


def _image_cell(block: str, number: int) -> str:
    return f"image/{block}/{number}"
