"""Wireshark as judge: fields that tshark reads from a capture."""

import json
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
    arguments = ["-T", "fields", "-E", "separator=/t"]
    for name in names:
        arguments += ["-e", name]
    if display_filter:
        arguments += ["-Y", display_filter]
    if limit:
        arguments += ["-c", str(limit)]
    return [line.split("\t") for line in _tshark(capture, keys, arguments).splitlines()]


def layer_octets(capture: Path, keys: Path | str, layer: str) -> dict[int, bytes]:
    """Return, by number, the octets of a layer as tshark put them together, for every frame that has it."""
    found = json.loads(_tshark(capture, keys, ["-T", "jsonraw", "-j", f"frame {layer}", "-Y", layer]))
    shown = fields(capture, keys, ["frame.number"], display_filter=layer)
    octets = [bytes.fromhex(frame["_source"]["layers"][f"{layer}_raw"][0]) for frame in found]
    return {int(number): message for (number,), message in zip(shown, octets, strict=True)}


def _tshark(capture: Path, keys: Path | str, arguments: Sequence[str]) -> str:
    """Run tshark in two passes with each row of the key table, and return what it prints."""
    text = keys.read_text(encoding="utf-8") if isinstance(keys, Path) else keys
    rows = [argument for row in text.splitlines() for argument in ("-o", f"uat:zigbee_pc_keys:{row}")]
    command = [require_tool("tshark"), "-r", str(capture), "-2", *rows, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def faults(capture: Path, keys: Path | str, *, limit: int = 0) -> list[list[str]]:
    """Return number, protocols and complaint of each frame that tshark finds wrong or cannot decrypt."""
    names = ("frame.number", "frame.protocols", "_ws.expert.message")
    return fields(capture, keys, names, display_filter=FAULTS, limit=limit)
