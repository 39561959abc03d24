"""`hanlab gbcs access`: who may send which command to which kinds of devices, from the one table there is."""

import json
from collections.abc import Iterator

from protocols.errors import InputError
from protocols.gbcs.envelope import Cra
from protocols.gbcs.json_fields import Json
from protocols.gbcs.use_cases.table import USE_CASES, Access, DeviceKind, UseCase, by_name


def show(use_case: str | None, device: str | None, *, as_json: bool) -> None:
    """Print the rows of all commands, or of one use case, or for one kind of device."""
    kind = None if device is None else _kind(device)
    for row in _wanted(use_case):
        for access in row.access:
            if kind is None or kind in access.devices:
                print(json.dumps(_described(row, access)) if as_json else _line(row, access))


def _kind(name: str) -> DeviceKind:
    if name.upper() not in DeviceKind.__members__:
        raise InputError(f"device kind {name!r}: none of {', '.join(DeviceKind.__members__)}")
    return DeviceKind[name.upper()]


def _wanted(name: str | None) -> Iterator[UseCase]:
    found = tuple(USE_CASES.values()) if name is None else by_name(name)
    if not found:
        raise InputError(f"use case {name!r}: unknown")
    yield from (row for row in found if Cra.COMMAND in row.directions)


def _protection(row: UseCase, access: Access) -> str:
    signed = bool(row.critical) if access.signed is None else access.signed
    return " and ".join(name for name, there in (("signature", signed), ("MAC", access.mac)) if there)


def _described(row: UseCase, access: Access) -> dict[str, Json]:
    return {
        "message_code": f"{row.message_code:04X}",
        "use_case": row.name,
        "originator": access.originator.name.lower(),
        "on_behalf": access.on_behalf,
        "devices": [kind.value for kind in access.devices],
        "protection": _protection(row, access),
        "replay_protected": row.replay_protected,
        "inferred": access.inferred,
    }


def _line(row: UseCase, access: Access) -> str:
    who = access.originator.name.lower().replace("_", " ") + (" for a user" if access.on_behalf else "")
    devices = " ".join(kind.value for kind in access.devices)
    notes = [
        *(["counter"] if row.replay_protected else []),
        *(["inferred"] if access.inferred else []),
    ]
    text = (
        f"{row.message_code:04X}  {row.name:42} {who:32} {devices:32} {_protection(row, access):18} {', '.join(notes)}"
    )
    return text.rstrip()
