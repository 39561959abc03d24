"""Everything a user received, in order, and a way to wait for the next thing."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.users.checks import CheckedMessage
from gateway.users.errors import NotReceivedError
from protocols.duis.alerts import DccAlert
from protocols.duis.identifiers import RequestId
from protocols.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    FutureDatedDeviceAlertMessage,
    Response,
    ResponseMessage,
)
from protocols.interfaces import Clock, Rank


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message received."""

    number: int  # from 1
    time: int  # ns UTC of receipt
    octets: bytes
    response: Response | None  # None: not readable, see fault
    gbcs: CheckedMessage | None = None  # of a device's answer or alert
    fault: str = ""  # why the document, or the GBCS message in it, could not be read
    synchronous: bool = False  # the answer on the line a request was sent on

    @property
    def code(self) -> str:
        """The response code; empty if the document could not be read."""
        return "" if self.response is None else self.response.response_code

    @property
    def content(self) -> object:
        """What a response message holds, a device or DCC alert message as it is; None for an acknowledgement."""
        body = None if self.response is None else self.response.body
        return body.content if isinstance(body, ResponseMessage) else body

    @property
    def dcc_alert(codes: str | Iterable[str], **fields: object) -> Predicate:
    """Fit a DCC alert of one of these codes whose payload has these attributes, e.g. `device_id=...`."""
    wanted = (codes,) if isinstance(codes, str) else tuple(codes)

    def fits(delivery: Delivery) -> bool:
        body = None if delivery.response is None else delivery.response.body
        if not isinstance(body, DccAlertMessage) or body.dcc_alert_code not in wanted:
            return False
        return all(getattr(body.alert, name, None) == value for name, value in fields.items())

    return fits


def _originator(delivery: Delivery) -> int | None:
    return None if delivery.gbcs is None else delivery.gbcs.message.originator
