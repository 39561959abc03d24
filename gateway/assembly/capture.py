"""The capture of a run and the keys that open it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from emulator.air.medium import Tap
from protocols.pcapng import CaptureKey, PcapngWriter, write_keys


class CaptureFile:
    """`emulator.air` capture port: one interface a radio network, in the order in which they are made.

    As a listener of the timeline it gives the next frame after each event of the story that event as its comment.
    """

    def __init__(self, file: BinaryIO, *, live: bool = False) -> None:
        """live: each frame is in the file at once, for `hanlab capture follow` in real time."""
        self._file, self._live = file, live
        self._writer = PcapngWriter(file)
        self._interfaces: dict[str, int] = {}

    @property
    def frames(self) -> int:
        """So many are in the file."""
        return self._writer.frames

    def network(self, name: str) -> int:
        """Return the interface of a network, made when first asked for."""
        number = self._interfaces.get(name)
        if number is None:
            number = self._interfaces[name] = self._writer.interface(name)
        return number

    def tap(self, network: str) -> Tap:
        """Return what takes the frames of a network."""
        tap = self._writer.tap(self.network(network))
        return partial(self._at_once, tap) if self._live else tap

    def _at_once(self, tap: Tap, time_ns: int, octets_with_fcs: bytes) -> None:
        tap(time_ns, octets_with_fcs)
        self._file.flush()

    def comment(self, text: str) -> None:
        """Comment the next frame, of whatever network."""
        self._writer.comments.append(text)

    def noted(self, now: int, actor: str, event: str, fields: Mapping[str, str | int | bool | None]) -> None:
        if actor == "story":
            self.comment(f"{event}: " + ", ".join(str(value) for value in fields.values()))


class KeyFile:
    """Collects the keys that came into use, each once, for `keys.txt`."""

    def __init__(self) -> None:
        self._keys: dict[bytes, CaptureKey] = {}

    def log(self, label: str, key: bytes) -> None:
        self._keys.setdefault(key, CaptureKey(key, label))

    def write(self, path: Path) -> None:
        """Write the rows of Wireshark's `zigbee_pc_keys` table, readable by the owner only."""
        path.touch(mode=0o600)
        path.write_text(write_keys(self._keys.values()), encoding="utf-8")
