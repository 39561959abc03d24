"""A request as it came, read and judged, before anything is done about it."""

from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.duis.errors import DuisError
from protocols.duis.requests import Request
from protocols.duis.signature import Judgement


class Submission(NamedTuple):
    """What `Dsp.read` makes of octets and `Dsp.handle` takes."""

    user: Eui64  # whose line it came by
    octets: bytes
    received: int  # ns UTC
    request: Request | DuisError  # why it cannot be read
    judgement: Judgement  # on its signature
