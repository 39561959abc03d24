"""Wireshark as judge: fields that tshark reads from a capture."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.tools import require_tool

# Frames that tshark finds wrong: a bad FCS, octets it cannot read, security it cannot open.
FAULTS = (
    "_ws.malformed || _ws.expert.severity >= 0x600000 || wpan.fcs_ok == 0 || wpan.fcs.bad"
    " || zbee_sec.encrypted_payload || zbee_sec.encrypted_payload_sliced || zbee_sec.extended_source_unknown"
)


def fields(
    capture: Path, keys: Path | str, names: Sequence[str], *, display_filter: str = "", limit: int = 0
) -> list[list[str]]:
    """Return the values of the named fields of each frame shown.

    keys: the key table, as file or text. limit: number of frames read, 0 for all. A field that occurs several times in
    a frame gives its values joined with `,`; one that does not occur an empty text.
    """
    text = keys.read_text() if isinstance(keys, Path) else keys
    command = [require_tool("tshark"), "-r", str(capture), "-2", "-T", "fields", "-E", "separator=/t"]
    for row in text.splitlines():
        command += ["-o", f"uat:zigbee_pc_keys:{row}"]
    for name in names:
        command += ["-e", name]
    if display_filter:
        command += ["-Y", display_filter]
    if limit:
        command += ["-c", str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def faults(capture: Path, keys: Path | str, *, limit: int = 0) -> list[list[str]]:
    """Return number, protocols and complaint of each frame that tshark finds wrong or cannot decrypt."""
    names = ("frame.number", "frame.protocols", "_ws.expert.message")
    return fields(capture, keys, names, display_filter=FAULTS, limit=limit)
