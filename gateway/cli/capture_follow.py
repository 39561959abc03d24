"""Streams a capture that is still being written."""

import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from protocols.errors import DecodeError, InputError
from protocols.pcapng import BlockCutter

CAPTURE, FINISHED = "capture.pcapng", "summary.json"  # of an output folder
POLL = 0.05  # s between looks at a file that has not grown
_CHUNK = 1 << 18  # octets


def follow(place: Path, out: int, wait: Callable[[float], None] = time.sleep) -> None:
    """Write the blocks of a pcapng file to the file descriptor `out` as they become whole.

    place: the file, or the output folder of a run, which ends the stream when the run is over. Waits for a file that
    is not there yet. Returns when the reader of `out` has gone, or the file was replaced by another. Raises InputError
    for a file that is not pcapng.
    """
    path = place / CAPTURE if place.is_dir() else place
    closed = _watch(out)
    while not path.exists():
        if closed():
            return
        wait(POLL)
    try:
        with path.open("rb") as file:
            _copy(file, out, closed, lambda: _over(place, path, file), wait)
    except BrokenPipeError:
        return
    except DecodeError as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def _copy(
    file: BinaryIO, out: int, closed: Callable[[], bool], over: Callable[[], bool], wait: Callable[[float], None]
) -> None:
    cutter = BlockCutter()
    while True:
        last = over()  # before the read: what was written until then is still copied
        if octets := file.read(_CHUNK):
            _write(out, cutter.feed(octets))
        elif last or closed():
            return
        else:
            wait(POLL)


def _write(out: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(out, view) :]


def _over(place: Path, path: Path, file: BinaryIO) -> bool:
    """Whether nothing more will come: the run has its summary, or the path names another file by now."""
    if path is not place and (place / FINISHED).exists():
        return True
    try:
        return not os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return True


def _watch(out: int) -> Callable[[], bool]:
    """Return a function that tells whether the reader of a pipe has gone."""
    if not hasattr(select, "poll"):
        return lambda: False
    poller = select.poll()
    poller.register(out, 0)  # errors are always told
    return lambda: any(event & select.POLLERR for _, event in poller.poll(0))
