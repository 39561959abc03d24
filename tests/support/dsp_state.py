"""What a DSP has in memory, as text to compare: one restored from its store must have the same."""

from collections.abc import Collection, Iterator, Mapping

from gateway.dsp.dues import Dues
from gateway.dsp.machine import Dsp
from gateway.dsp.rows import Row, to_values
from gateway.dsp.settings import DspSettings

_OURS = "gateway.dsp."
_LAZY = ("_dated", "_accepted", "ordinary")  # what is over is left in these until it comes up; or made anew when asked
_BY_LOCATION = " at 0x"  # in the text of what is wired together, not kept


def state_of(dsp: Dsp) -> dict[str, str]:
    """Return each attribute that holds rows, indexes or counts, by its path; what is empty is left out."""
    return dict(_attributes(dsp, "dsp", set()))


def _attributes(part: object, path: str, seen: set[int]) -> Iterator[tuple[str, str]]:
    if id(part) in seen or isinstance(part, DspSettings):
        return
    seen.add(id(part))
    if isinstance(part, Dues):
        yield path, _told({key: when for key, (when, _, _) in part._entries.items()})
        return
    for name, value in getattr(part, "__dict__", {}).items():
        if name in _LAZY:
            continue
        if isinstance(value, Collection) and not isinstance(value, str | bytes):
            told = _told(value)
            if told and _BY_LOCATION not in told:
                yield f"{path}.{name}", told
        elif type(value).__module__.startswith(_OURS):
            yield from _attributes(value, f"{path}.{name}", seen)


def _told(value: object) -> str:
    """Tell a value whatever the order of its mappings and sets, without what is empty in it."""
    if isinstance(value, Mapping):
        told = {repr(key): _told(each) for key, each in value.items()}
        return " ".join(f"{key}={told[key]};" for key in sorted(told) if told[key])
    if isinstance(value, set | frozenset):
        return " ".join(sorted(map(repr, value)))
    if isinstance(value, Collection) and not isinstance(value, str | bytes | tuple):
        return " ".join(map(repr, value))
    return repr(to_values(value) if isinstance(value, Row) else value)
