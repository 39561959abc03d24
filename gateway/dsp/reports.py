"""What comes up from the hubs: responses, device alerts, delivery status. Nothing is believed before it is verified.

A response that fails goes to `refused_messages`, an alert that fails to `alerts` with the decision refused; neither is
passed on, and nothing else changes.
"""

from collections.abc import Iterable, Mapping

from gateway.dsp.acb import Acb
from gateway.dsp.alerts import DeviceAlerts
from gateway.dsp.answers import Answers
from gateway.dsp.commands import Commands
from gateway.dsp.device_answers import AnswerKind
from gateway.dsp.device_logs import DeviceLogs
from gateway.dsp.effects import Turn, Value
from gateway.dsp.records import Alert, Command, Decision, Refusal, Signature
from gateway.dsp.rows import append, from_values
from gateway.dsp.services import LOCAL_RESPONSE_MISMATCH, RefusedError
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis.bodies import ReturnLocalCommandResponse
from protocols.duis.codes import SUCCESS
from protocols.errors import DecodeError
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import alert_code_of, ccs01, ccs02, undelivered
from protocols.wan.smwan import GbcsFromHub, GbcsUndeliverable

_NOT_DELIVERED, _NO_ANSWER, _NO_ANSWER_TO_DATED = "E20", "E21", "E30"
_NO_SIGNATURE = b"\x40" + bytes(64)  # put where a signature is missing, to read the rest
_NOT_HANDED_OVER = undelivered.MESSAGE_CODE
_LOG_CODES = (ccs01.MESSAGE_CODE, ccs02.MESSAGE_CODE)


class Reports:
    def __init__(
        self,
        settings: DspSettings,
        acb: Acb,
        answers: Answers,
        commands: Commands,
        kinds: Mapping[int, AnswerKind],
        device_logs: DeviceLogs,
        alerts: DeviceAlerts,
    ) -> None:
        """kinds: what answers of devices mean, by message code."""
        self._settings, self._acb, self._answers, self._commands = settings, acb, answers, commands
        self._kinds, self._device_logs, self._alerts = kinds, device_logs, alerts
        self._seen: set[tuple[Eui64, int]] = set()  # alerts believed before, looked up only

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take the alerts of earlier runs, to know a repeated one."""
        for values in rows:
            alert = from_values(Alert, values)
            if alert.signature is not Signature.NONE and alert.decision is not Decision.REFUSED:
                self._seen.add((alert.originator, alert.counter or 0))

    def received(self, turn: Turn, carried: GbcsFromHub) -> None:
        """Take a GBCS message."""
        try:
            message = Message.decode(carried.message)
        except DecodeError as error:
            self._unreadable(turn, carried, error)
            return
        if message.cra is Cra.ALERT:
            self._alert(turn, carried, message)
        elif message.cra is Cra.RESPONSE:
            self._response(turn, carried, message)
        else:
            self._refuse(turn, carried, message, "a command does not come from below")

    def give_up(self, turn: Turn) -> None:
        """Tell users of commands that were never answered; what they deliver themselves is only forgotten."""
        for command in self._commands.timed_out(turn):
            if not command.local:
                self._unanswered(turn, command, _NO_ANSWER_TO_DATED if command.dated else _NO_ANSWER)

    def undeliverable(self, turn: Turn, carried: GbcsUndeliverable) -> None:
        """The CSP cannot reach the hub of a command: E20 to its user."""
        try:
            message = Message.decode(carried.message)
        except DecodeError as error:
            self._refuse(turn, carried, None, f"not a GBCS message: {error}")
            return
        command = self._commands.sent(message)
        if command is None:
            self._refuse(turn, carried, message, "no command that is awaited")
            return
        self._commands.done(turn, command)
        self._unanswered(turn, command, _NOT_DELIVERED)

    def _unanswered(self, turn: Turn, command: Command, code: str) -> None:
        if command.user == self._acb.eui:
            turn.note("command-unanswered", device=str(command.device), service=command.service, code=code)
            return
        self._answers.device_response(turn, command, None, code)
        if command.message_code in _LOG_CODES:
            self._device_logs.answered(turn, command, success=False)

    # --- responses ---

    def _response(self, turn: Turn, carried: GbcsFromHub, message: Message) -> None:
        command = self._commands.awaited(message)
        if command is None:
            self._refuse(turn, carried, message, "answers no command that is awaited")
            return
        judgement = self._acb.judge(message)
        relayed_only = judgement is Signature.NONE
        if judgement not in (Signature.VALID, Signature.NONE) or (relayed_only and carried.hub != command.hub):
            self._refuse(turn, carried, message, f"signature or MAC {judgement}")
            return
        kind = self._kinds[message.message_code]
        try:
            answer = kind.decode(message.payload)
        except DecodeError as error:
            self._refuse(turn, carried, message, f"payload: {error}")
            return
        self._commands.done(turn, command)
        if command.user != self._acb.eui:
            self._answers.device_response(turn, command, carried.message, SUCCESS)
        if not relayed_only or self._settings.believe_relayed_reads:
            kind.follow(turn, command, answer)

    def returned(self, turn: Turn, user: Eui64, body: ReturnLocalCommandResponse) -> None:
        """8.13: take what a device answered to a command its user delivered. Raises RefusedError.

        An answer whose MAC only the user can check is not believed, since it came by the user.
        """
        try:
            message = Message.decode(body.device_gbcs_response)
            command = None if message.cra is not Cra.RESPONSE else self._commands.awaited(message)
            if command is None or command.user != user or command.request_id != str(body.original_request_id):
                raise RefusedError(LOCAL_RESPONSE_MISMATCH, f"no command of {body.original_request_id} waits for this")
            judgement = self._acb.judge(message)
            if judgement not in (Signature.VALID, Signature.NONE):
                raise RefusedError(LOCAL_RESPONSE_MISMATCH, f"signature or MAC {judgement}")
            kind = self._kinds[message.message_code]
            answer = kind.decode(message.payload)
        except DecodeError as error:
            raise RefusedError(LOCAL_RESPONSE_MISMATCH, f"device response: {error}") from error
        self._commands.done(turn, command)
        if judgement is Signature.VALID:
            kind.follow(turn, command, answer)

    # --- alerts ---

    def _alert(self, turn: Turn, carried: GbcsFromHub, message: Message) -> None:
        try:
            code = alert_code_of(message)
        except DecodeError as error:
            self._refuse(turn, carried, message, f"alert: {error}")
            return
        judgement = self._acb.judge(message)
        if code is None or judgement in (Signature.INVALID, Signature.ABSENT):
            self._alerts.record(turn, message, code or 0, Decision.REFUSED, None, judgement)
            return
        if (message.originator, message.counter) in self._seen:
            turn.note("alert-repeated", code=f"{code:04X}", origin=str(message.originator))
            return
        try:
            lost = undelivered.Alert.decode(message.payload) if message.message_code == _NOT_HANDED_OVER else None
            self._alerts.believed(turn, message, carried, code, judgement)
        except DecodeError as error:
            self._alerts.record(turn, message, code, Decision.REFUSED, None, judgement)
            turn.note("payload-refused", origin=str(message.originator), reason=str(error))
            return
        if judgement is Signature.VALID:
            self._seen.add((message.originator, message.counter))
            if lost is not None:
                self._not_handed_over(turn, message.originator, lost)

    def _not_handed_over(self, turn: Turn, hub: Eui64, lost: undelivered.Alert) -> None:
        """8F84: a hub could not hand a command to the ESME; its user need not wait for the time-out."""
        command = self._commands.table.get(lost.originator, lost.target, lost.message_counter)
        if command is not None and command.hub == hub and lost.cra == Cra.COMMAND:
            self._commands.done(turn, command)
            self._unanswered(turn, command, _NOT_DELIVERED)

    def _unreadable(self, turn: Turn, carried: GbcsFromHub, error: DecodeError) -> None:
        """Record what is no GBCS message; an alert that is one but for its missing protection, as an alert."""
        for octets in (carried.message + _NO_SIGNATURE, carried.message[:-1] + _NO_SIGNATURE):
            try:
                message = Message.decode(octets)
                code = alert_code_of(message)
            except DecodeError:
                continue
            if code is not None:
                self._alerts.record(turn, message, code, Decision.REFUSED, None, Signature.ABSENT)
                return
        self._refuse(turn, carried, None, f"not a GBCS message: {error}")

    @staticmethod
    def _refuse(turn: Turn, carried: GbcsFromHub | GbcsUndeliverable, message: Message | None, reason: str) -> None:
        code = None if message is None else message.message_code
        append(turn, Refusal(turn.now, carried.hub, carried.device, code, reason))
        turn.note("message-refused", hub=str(carried.hub), device=str(carried.device), reason=reason)
