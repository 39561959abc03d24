"""A meter's logs of what happened and when, the newest last, kept over power cuts: security, power, and all else."""

import struct
from typing import Final

from emulator.parts.gbcs_application import Note
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.use_cases.ecs35 import Entry, Log
from protocols.gbcs.use_cases.ecs80 import CODES
from protocols.interfaces import AdjustableClock, Storage

CAPACITY = 100  # entries of each log; the oldest is overwritten (SMETS2)
_ENTRY = struct.Struct(">QH")
_CELLS = {Log.EVENT: "event-log", Log.SECURITY: "security-log", Log.POWER: "power-event-log"}
_OTHER = {Log.EVENT: b"", Log.SECURITY: b"", Log.POWER: bytes(4)}  # no source says what it tells of a supply [I]

POWER: Final = frozenset(code for codes in CODES.values() for code in codes)
SECURITY: Final = frozenset(
    {
        AlertCode.CLOCK_NOT_ADJUSTED, AlertCode.FIRMWARE_VERIFICATION_FAILED, AlertCode.FIRMWARE_VERIFIED,
        AlertCode.FIRMWARE_CHANGED, AlertCode.COMMAND_CHECK_FAILED, AlertCode.UNAUTHORISED_COMMUNICATION,
        AlertCode.DEVICE_JOINED, AlertCode.DEVICE_UNJOINED, AlertCode.CREDENTIALS_UPDATED,
    }
)  # fmt: skip
"""Codes by the log they belong in, as RTDS 4.5.0 (ECS35b, ECS35e) and the manual of a SMETS2 meter have it."""

TOLD_AS: Final = {
    "image-refused": AlertCode.FIRMWARE_VERIFICATION_FAILED,
    "joined-device": AlertCode.DEVICE_JOINED,
    "unjoined-device": AlertCode.DEVICE_UNJOINED,
    "credential-replaced": AlertCode.CREDENTIALS_UPDATED,
}
"""What the timeline tells of a meter that is logged too, once it is stored; refused commands: `refusal`."""


def log_of(code: int) -> Log:
    return Log.POWER if code in POWER else Log.SECURITY if code in SECURITY else Log.EVENT


def refusal(reason: str) -> AlertCode | None:
    """Return what is logged of a command that was refused: its form was wrong, or its sender; None: it is not known."""
    if reason.endswith("not supported"):
        return None
    malformed = reason.startswith(("malformed", "not a "))
    return AlertCode.COMMAND_CHECK_FAILED if malformed else AlertCode.UNAUTHORISED_COMMUNICATION


class EventLog:
    def __init__(self, storage: Storage, wall: AdjustableClock, note: Note) -> None:
        self._storage, self._wall, self._note = storage, wall, note

    def add(self, code: int) -> None:
        """Log a code now, in the log where it belongs."""
        cell = _CELLS[log_of(code)]
        held = (self._storage.get(cell) or b"") + _ENTRY.pack(self._wall.utc(), code)
        self._storage.put(cell, held[-CAPACITY * _ENTRY.size :])
        self._note("logged", code=f"{code:04X}", log=log_of(code).name.lower())

    def tell(self, event: str, reason: str) -> None:
        """Log what the timeline tells of, if it belongs in a log. reason: of a refusal."""
        code = refusal(reason) if event == "command-refused" else TOLD_AS.get(event)
        if code is not None:
            self.add(code)

    def entries(self, *logs: Log) -> list[Entry]:
        """Return the entries of these logs, of all by default, in order of time."""
        found = [
            Entry(time, code, _OTHER[log])
            for log in logs or Log
            for time, code in _ENTRY.iter_unpack(self._storage.get(_CELLS[log]) or b"")
        ]
        return sorted(found, key=lambda entry: entry.time)
