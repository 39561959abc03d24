"""What users get from the DSP, as DUIS octets."""

from gateway.dsp.effects import Turn
from gateway.dsp.records import Command, Counter
from gateway.dsp.rows import Table
from gateway.dsp.xml_signatures import XmlSignatures
from protocols.addresses import Eui64
from protocols.duis.alerts import DccAlert
from protocols.duis.codes import SUCCESS
from protocols.duis.errors import DuisError
from protocols.duis.identifiers import RequestId
from protocols.duis.requests import Request
from protocols.duis.responses import (
    Content,
    DccAlertMessage,
    DeviceAlertMessage,
    FutureDatedDeviceAlertMessage,
    GbcsPayload,
    Response,
    ResponseMessage,
)
from protocols.duis.schema import PUBLISHED_VERSION
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.interfaces import MILLISECOND

_DATED = (AlertCode.FUTURE_DATED_COMMAND_DONE, AlertCode.FUTURE_DATED_COMMAND_FAILED)


class Counters:
    """Numbers that rise for ever: the milliseconds of now, or one more than the last where that is higher."""

    def __init__(self) -> None:
        self.table = Table(Counter)

    def next(self, turn: Turn, name: str) -> int:
        last = self.table.get(name)
        value = max(turn.now // MILLISECOND, last.value + 1 if last else 0)
        self.table.put(turn, Counter(name, value))
        return value


class Answers:
    """Builds responses and alerts; each is signed and goes out as an effect of the turn."""

    def __init__(self, dsp: Eui64, counters: Counters, signatures: XmlSignatures) -> None:
        self._dsp, self._counters, self._signatures = dsp, counters, signatures

    def reply(self, turn: Turn, request: Request, code: str, content: Content | None = None) -> None:
        """Answer a request at once."""
        response = Response(
            request_id=request.request_id,
            response_code=code,
            response_date_time=turn.now,
            body=ResponseMessage(request.service, content),
            schema_version=request.schema_version,
        )
        turn.reply(self._signatures.seal(response))

    def reply_unread(self, turn: Turn, error: DuisError, code: str) -> None:
        """Answer octets that are no valid request, as far as they tell which they were meant to be."""
        response = Response(
            request_id=error.request_id,
            response_code=code,
            response_date_time=turn.now,
            body=None if error.service is None else ResponseMessage(error.service),
            schema_version=PUBLISHED_VERSION,
        )
        turn.reply(self._signatures.seal(response))

    def device_response(self, turn: Turn, command: Command, message: bytes | None, code: str = SUCCESS) -> None:
        """Relay the answer of a device under the user's RequestID, or tell with `code` that there is none."""
        request_id = RequestId.parse(command.request_id)
        content = None if message is None else GbcsPayload(message)
        response = Response(
            request_id=request_id,
            response_id=request_id.answered,
            response_code=code,
            response_date_time=turn.now,
            body=ResponseMessage(command.service, content),
            schema_version=PUBLISHED_VERSION,
        )
        turn.to_user(command.user, self._signatures.seal(response))

    def device_alert(self, turn: Turn, user: Eui64, message: Message, octets: bytes, alert_code: int) -> None:
        """Pass an alert of a device on to the user it is for."""
        body: DeviceAlertMessage | ResponseMessage = DeviceAlertMessage(alert_code=alert_code, gbcs_payload=octets)
        if alert_code in _DATED:
            body = ResponseMessage("11.3", FutureDatedDeviceAlertMessage(alert_code=alert_code, gbcs_payload=octets))
        response = Response(
            response_id=RequestId(message.originator, user, message.counter),
            response_code=SUCCESS,
            response_date_time=turn.now,
            body=body,
            schema_version=PUBLISHED_VERSION,
        )
        turn.to_user(user, self._signatures.seal(response))

    def dcc_alert(
        self, turn: Turn, user: Eui64, code: str, payload: DccAlert, throttled: tuple[int, int] | None = None
    ) -> None:
        """Raise an alert of the DCC's own. throttled: sequence and count of those it stands for."""
        sequence, count = throttled or (None, None)
        counter = self._counters.next(turn, f"alerts to {user}")
        response = Response(
            response_id=RequestId(self._dsp, user, counter),
            response_code=SUCCESS,
            response_date_time=turn.now,
            body=DccAlertMessage(
                dcc_alert_code=code, throttled_alert_sequence_id=sequence, throttled_alert_count=count, alert=payload
            ),
            schema_version=PUBLISHED_VERSION,
        )
        turn.to_user(user, self._signatures.seal(response))
