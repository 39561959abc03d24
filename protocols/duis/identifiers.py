"""RequestID and ResponseID: `originator:target:counter`."""

import re
from typing import NamedTuple, Self

from protocols.addresses import Eui64
from protocols.errors import InputError

_EUI = "[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){7}"
EUI_FORM = re.compile(_EUI)
_FORM = re.compile(f"({_EUI}):({_EUI}):(0|[1-9][0-9]{{0,19}})")
MAX_COUNTER = 2**64 - 1


def eui_of(matched: str) -> Eui64:
    """Return the EUI-64 of a text that is known to have the form of DUIS."""
    return Eui64(int(matched.replace("-", ""), 16))


class RequestId(NamedTuple):
    """Names a request, or with the parties swapped its response. Source: DUIS XML schema V5.4."""

    originator: Eui64
    target: Eui64
    counter: int  # 64 bits

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the form of DUIS, EUI-64 in any case; InputError for anything else."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise InputError(f"not originator:target:counter: {text[:80]!r}")
        counter = int(match[3])
        if counter > MAX_COUNTER:
            raise InputError(f"counter above 64 bits: {text[:80]!r}")
        return cls(eui_of(match[1]), eui_of(match[2]), counter)

    @property
    def answered(self) -> "RequestId":
        """Return the ResponseID of the answer: device (or DSP) first, user second, the same counter."""
        return RequestId(self.target, self.originator, self.counter)

    def __str__(self) -> str:
        return f"{self.originator.hyphenated}:{self.target.hyphenated}:{self.counter}"
