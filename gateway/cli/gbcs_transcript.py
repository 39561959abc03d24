"""`hanlab gbcs transcript`: the replacement of credentials on an emulated device as text or JSON."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from gateway.assembly.credential_replacement import Cell, CredentialReplacement, Holds, Replaced
from protocols.errors import InputError
from protocols.gbcs import document
from protocols.gbcs.envelope import Message
from protocols.gbcs.json_fields import Json
from protocols.gbcs.listing import listing
from protocols.gbcs.smki import RemotePartyRole
from protocols.interfaces import SECOND

_USE_CASES = ("cs02b", "0104")
_TREE = 8  # column behind which a line belongs to the payload's tree
_LONGEST_VALUE = 64  # characters


def show(use_case: str, device: str, cut_before: int | None, home: str, seed: int, *, as_json: bool) -> bool:
    """Print the transcript; return whether the device is left with one set of credentials and obeys it alone."""
    if use_case.casefold() not in _USE_CASES:
        raise InputError(f"no transcript of {use_case!r}; of CS02b there is one")
    replaced = CredentialReplacement(device, cut_before, home=home, seed=seed).run()
    if as_json:
        print(json.dumps(_report(replaced, cut_before)))
    else:
        print("\n".join(_text(replaced, cut_before)))
    return replaced.consistent


def _text(replaced: Replaced, cut_before: int | None) -> Iterator[str]:
    cut = "no power cut" if cut_before is None else f"power cut before put {cut_before}"
    yield f"CS02b ACB by ACB on {replaced.device}, {cut}"
    yield from _cells("held before", replaced.before)
    yield from _message("command", Message.decode(replaced.command), replaced)
    yield "\nsteps"
    yield from (f"  {_clock(step.time)}  {step.who:10} {step.what}" for step in replaced.steps)
    for response in replaced.responses:
        yield from _message("response", response, replaced)
    yield from _cells("held afterwards", replaced.after)
    yield ""
    for name, answered in (("old", replaced.old_keys_answered), ("new", replaced.new_keys_answered)):
        yield f"a command under the {name} keys is {'answered' if answered else 'not answered'}"
    if replaced.holds is Holds.MIXED:
        yield f"{replaced.device} holds a mixture of old and new credentials"
    else:
        yield f"{replaced.device} holds the {replaced.holds.value} credentials, all of them"


def _cells(title: str, cells: tuple[Cell, ...]) -> Iterator[str]:
    yield f"\n{title}"
    for each in cells:
        yield f"  {_name(each):52} {each.entity}  key {each.certificate.key_id.hex()}  {each.holds}"


def _name(each: Cell) -> str:
    role = RemotePartyRole(each.cell.role).name.lower().replace("_", " ")
    usage = getattr(each.cell.key_usage, "name", f"{each.cell.key_usage:02X}").lower().replace("_", " ")
    return f"{role}, {usage}" + (", prepayment top-up" if each.cell.cell_usage else "")


def _message(title: str, message: Message, replaced: Replaced) -> Iterator[str]:
    """Yield the envelope with its offsets, and the names of the payload's fields."""
    described = document.describe(message, title, replaced.keys)
    first, *lines = listing(message, described)
    yield f"\n{first}"
    for line in lines:
        if not line[:_TREE].endswith("  ") or line[7:8] != " ":
            yield line
        if line[7:].startswith("payload"):
            yield from (f"       {name} = {value}" for name, value in _named(described["fields"], "  "))


def _named(value: Json, name: str) -> Iterator[tuple[str, str]]:
    """Yield every field of the payload with its path."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _named(below, f"{name}.{key}" if name.strip() else f"{name}{key}")
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _named(below, f"{name}[{number}]")
    elif value is not None:
        shown = str(value)
        yield name, shown if len(shown) <= _LONGEST_VALUE else f"{shown[:32]}... ({len(shown) // 2} octets)"


def _report(replaced: Replaced, cut_before: int | None) -> dict[str, Json]:
    command = document.describe(Message.decode(replaced.command), "command", replaced.keys)
    return {
        "device": replaced.device,
        "cut_before": cut_before,
        "command": command,
        "responses": [document.describe(each, "response", replaced.keys) for each in replaced.responses],
        "steps": [{"time": _clock(step.time), "who": step.who, "what": step.what} for step in replaced.steps],
        "puts": list(replaced.puts),
        "before": [_cell(each) for each in replaced.before],
        "after": [_cell(each) for each in replaced.after],
        "holds": replaced.holds.value,
        "old_keys_answered": replaced.old_keys_answered,
        "new_keys_answered": replaced.new_keys_answered,
        "consistent": replaced.consistent,
    }


def _cell(each: Cell) -> dict[str, Json]:
    key = each.certificate.key_id.hex()
    return {"cell": _name(each), "entity": each.entity, "key": key, "holds": each.holds}


def _clock(time: int) -> str:
    seconds, rest = divmod(time, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}.{rest // 1_000_000:03}"
