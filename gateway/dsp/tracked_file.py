"""The tracked list as a file: text, one EUI-64 a line, or the packed cache made from it.

A cache is a header (`_HEADER`: magic, version, count of identifiers, SHA-256 of what follows) and the identifiers in
order, 8 octets each, little-endian. It holds what the list holds and is written for its owner alone.
"""

import hashlib
import os
import struct
from pathlib import Path
from tempfile import NamedTemporaryFile

from gateway.dsp.packed import SIZE
from gateway.dsp.tracked import TrackedList
from protocols.errors import InputError

MAGIC, VERSION = b"hanlab-tracked\n", 1
_HEADER = struct.Struct("<15sBQ32s")
_BLOCK = 1 << 16  # octets read at once


def read_tracked(path: Path, bad_share: float) -> TrackedList:
    """Read a list, text or cache. bad_share: of lines that may be no EUI-64.

    Raises InputError naming the file, and lines by number; never what they hold.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return _from_cache(MAGIC + file.read())
            file.seek(0)
            return TrackedList.read(iter(lambda: file.read(_BLOCK), b""), bad_share)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def write_cache(path: Path, tracked: TrackedList) -> None:
    """Write a list packed, at once: readers see the old file or the new one. Mode 0600."""
    octets = tracked.octets()
    header = _HEADER.pack(MAGIC, VERSION, len(tracked), hashlib.sha256(octets).digest())
    unfinished: Path | None = None
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:  # mode 0600
            unfinished = Path(file.name)
            file.write(header + octets)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        if unfinished is not None:
            unfinished.unlink()
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _from_cache(content: bytes) -> TrackedList:
    if len(content) < _HEADER.size:
        raise InputError(f"a cache cut short, {len(content)} octets")
    _, version, count, digest = _HEADER.unpack_from(content)
    if version > VERSION:
        raise InputError(f"cache version {version} is newer than this program reads ({VERSION})")
    octets = content[_HEADER.size :]
    if len(octets) != SIZE * count:
        raise InputError(f"a cache of {count} identifiers holds {len(octets)} octets, not {SIZE * count}")
    if hashlib.sha256(octets).digest() != digest:
        raise InputError("a cache whose content is not that of its hash")
    return TrackedList.from_octets(octets)
