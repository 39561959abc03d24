"""Homes that idle on the air: what became of their reports, how fast time went, and every frame if it is wanted."""

from contextlib import ExitStack
from pathlib import Path
from time import process_time
from typing import NamedTuple

from emulator.fleet.on_air.fleet import Fleet
from emulator.fleet.on_air.membership import MOST_DEVICES
from gateway.assembly.capture import CaptureFile, KeyFile
from protocols.errors import InputError
from protocols.interfaces import MINUTE


class Idled(NamedTuple):
    homes: int
    devices: int  # a home
    minutes: int  # virtual
    sent: int  # reports
    read: int  # decrypted by their hubs
    torn: int  # that do not follow the one before
    refused: int  # frames with a wrong MIC, key, counter or form
    frames: int  # captured
    seconds: float  # of processor time, without building the homes

    @property
    def whole(self) -> bool:
        """Whether no report was lost; in each home one may be under way at the end."""
        return not self.torn and not self.refused and self.sent - self.read <= self.homes

    @property
    def speed(self) -> float:
        """Device-hours in a second of processor time."""
        return self.homes * self.devices * self.minutes / 60 / self.seconds


def idle(homes: int, devices: int, minutes: int, *, seed: int, capture: Path | None = None) -> Idled:
    """Let homes idle, a report a minute from each device.

    capture: pcapng to write; the keys are written beside it (`keys_beside`). InputError if that cannot be.
    """
    if devices > MOST_DEVICES:
        raise InputError(f"--devices {devices}: a home takes {MOST_DEVICES}")
    with ExitStack() as files:
        try:
            written = None if capture is None else CaptureFile(files.enter_context(capture.open("wb")))
        except OSError as wrong:
            raise InputError(f"--capture: {capture}: {wrong.strerror}") from wrong
        fleet = Fleet(homes, devices, seed=seed, capture=written)
        if capture is not None:
            _keys(fleet).write(keys_beside(capture))
        started = process_time()
        fleet.run(minutes * MINUTE)
        seconds = process_time() - started
    tally, frames = fleet.tally(), 0 if written is None else written.frames
    return Idled(
        homes, devices, minutes, tally.sent, tally.reports, tally.torn, tally.refused, frames, round(seconds, 3)
    )


def keys_beside(capture: Path) -> Path:
    """Return where the keys of a capture are."""
    return capture.with_suffix(".keys.txt")


def _keys(fleet: Fleet) -> KeyFile:
    keys = KeyFile()
    for home in fleet.homes:
        membership = home.membership
        keys.log(f"network key {membership.hub}", membership.network_key)
        for member in membership.members:
            keys.log(f"link key {member.eui}", member.key)
    return keys
