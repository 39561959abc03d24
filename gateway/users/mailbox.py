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
from protocols.duis.signature import Verdict
from protocols.interfaces import Clock, Rank


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message received."""

    number: int  # from 1
    time: int  # ns UTC of receipt
    octets: bytes
    response: Response | None  # None: not readable or not signed by the DSP, see fault
    gbcs: CheckedMessage | None = None  # of a device's answer or alert
    fault: str = ""  # why the document, or the GBCS message in it, could not be read or believed
    signature: Verdict = Verdict.ABSENT  # on the document's XML signature
    synchronous: bool = False  # the answer on the line a request was sent on

    @property
    def code(self) -> str:
        """The response code; empty if the document could not be read or believed."""
        return "" if self.response is None else self.response.response_code

    @property
    def content(self) -> object:
        """What a response message holds, a device or DCC alert message as it is; None for an acknowledgement."""
        body = None if self.response is None else self.response.body
        return body.content if isinstance(body, ResponseMessage) else body

    @property
    def dcc_alert(self) -> DccAlert | None:
        body = None if self.response is None else self.response.body
        return body.alert if isinstance(body, DccAlertMessage) else None


Predicate = Callable[[Delivery], bool]


class Mailbox:
    """Grows only. `wait_for` wakes on arrival, nothing is polled."""

    def __init__(self, user: str, clock: Clock) -> None:
        self._user, self._clock = user, clock
        self._waiting: list[tuple[Predicate, asyncio.Future[Delivery]]] = []
        self.deliveries: list[Delivery] = []

    @property
    def mark(self) -> int:
        """The number of the last delivery, to pass as `after`."""
        return len(self.deliveries)

    def add(
        self,
        octets: bytes,
        response: Response | None,
        gbcs: CheckedMessage | None,
        fault: str,
        signature: Verdict,
        *,
        synchronous: bool,
    ) -> Delivery:
        """Keep a message received now, and wake who waits for it."""
        now = self._clock.now()
        delivery = Delivery(self.mark + 1, now, octets, response, gbcs, fault, signature, synchronous)
        self.deliveries.append(delivery)
        for predicate, future in self._waiting:
            if not future.done() and predicate(delivery):
                future.set_result(delivery)
        return delivery

    def find(self, predicate: Predicate, after: int = 0) -> Delivery | None:
        """Return the first delivery numbered above `after` that fits."""
        return next((delivery for delivery in self.deliveries[after:] if predicate(delivery)), None)

    async def wait_for(self, predicate: Predicate, *, what: str, within: int, after: int = 0) -> Delivery:
        """Return the first delivery numbered above `after` that fits, present or to come within `within` ns.

        Raises NotReceivedError, naming `what`, at the deadline; what arrives at that very instant still counts.
        """
        found = self.find(predicate, after)
        if found is not None:
            return found
        future: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        deadline = self._clock.now() + within
        waiting = (predicate, future)
        self._waiting.append(waiting)
        timer = self._clock.call_at(deadline, self._give_up, future, what, deadline, rank=Rank.COROUTINE)
        try:
            return await future
        finally:
            timer.cancel()
            self._waiting.remove(waiting)

    def _give_up(self, future: "asyncio.Future[Delivery]", what: str, deadline: int) -> None:
        if not future.done():
            future.set_exception(NotReceivedError(self._user, what, deadline))


def answers(request_id: RequestId) -> Predicate:
    """Fit what a device answered to this request later, or the DSP in its place (E20, E21)."""

    def fits(delivery: Delivery) -> bool:
        response = delivery.response
        return (
            response is not None
            and not delivery.synchronous
            and isinstance(response.body, ResponseMessage)
            and request_id in (response.request_id, response.response_id and response.response_id.answered)
        )

    return fits


def device_alert(code: int, device: int | None = None) -> Predicate:
    """Fit a device alert, or a future dated one, of this alert code (and from this device)."""

    def fits(delivery: Delivery) -> bool:
        content = delivery.content
        if not isinstance(content, DeviceAlertMessage | FutureDatedDeviceAlertMessage):
            return False
        return content.alert_code == code and device in (None, _originator(delivery))

    return fits


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
