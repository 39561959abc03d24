"""RequestID and ResponseID: `originator:target:counter`."""

import re
from typing import NamedTuple, Self

from protocols.addresses import Eui64
from protocols.errors import InputError

_EUI = "[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){7}"
_FORM = re.compile(f"({_EUI}):({_EUI}):(0|[1-9][0-9]{{0,19}})")
MAX_COUNTER = 2**64 - 1


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
        return cls(Eui64.parse(match[1]), Eui64.parse(match[2]), counter)

    @property
    def answered(self) -> "RequestId":
        """Return the ResponseID of the answer: device (or DSP) first, user second, the same counter."""
        return RequestId(self.target, self.originator, self.counter)

    def __str__(self) -> str:
        return f"{self.originator.hyphenated}:{self.target.hyphenated}:{self.counter}"
