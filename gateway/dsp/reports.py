"""What comes up from the hubs: responses, device alerts, delivery status. Nothing is believed before it is verified.

A response that fails goes to `refused_messages`, an alert that fails to `alerts` with the decision refused; neither is
passed on, and nothing else changes.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from gateway.dsp.acb import Acb
from gateway.dsp.activation import Activations
from gateway.dsp.alerts import DeviceAlerts
from gateway.dsp.answers import Answers
from gateway.dsp.commands import Commands
from gateway.dsp.device_services import DeviceServices
from gateway.dsp.effects import Turn, Value
from gateway.dsp.records import Alert, Command, Decision, Refusal, Signature
from gateway.dsp.rows import append, from_values
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis.codes import SUCCESS
from protocols.errors import DecodeError
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import alert_code_of, ccs01, cs06, cs08, ecs52
from protocols.wan.smwan import GbcsFromHub

_NO_ANSWER = "E21"
_DEVICE_LOG_CHANGED = f"{AlertCode.CHF_DEVICE_LOG_CHANGED:04X}"
_NO_SIGNATURE = b"\x40" + bytes(64)  # put where a signature is missing, to read the rest
_Answer: TypeAlias = cs06.Response | ecs52.Response | cs08.Response | ccs01.Response
_DECODERS: dict[int, Callable[[bytes], _Answer]] = {
    cs06.MESSAGE_CODE: cs06.Response.decode,
    ecs52.MESSAGE_CODE: ecs52.Response.decode,
    cs08.MESSAGE_CODE: cs08.Response.decode,
    ccs01.MESSAGE_CODE: ccs01.Response.decode,
}


class Reports:
    def __init__(
        self,
        settings: DspSettings,
        acb: Acb,
        answers: Answers,
        commands: Commands,
        activations: Activations,
        device_services: DeviceServices,
        alerts: DeviceAlerts,
    ) -> None:
        self._settings, self._acb, self._answers, self._commands = settings, acb, answers, commands
        self._activations, self._device_services, self._alerts = activations, device_services, alerts
        self._seen: set[tuple[Eui64, int]] = set()  # alerts believed before, looked up only

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take the alerts of earlier runs, to know a repeated one."""
        for values in rows:
            alert = from_values(Alert, values)
            if alert.signature is not Signature.NONE and alert.decision is not Decision.REFUSED:
                self._seen.add((alert.originator, alert.counter or 0))
                if alert.code == _DEVICE_LOG_CHANGED:
                    self._alerts.device_log_seen(alert.originator, alert.counter or 0)

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
        """Tell users of commands that were never answered."""
        for command in self._commands.timed_out(turn):
            self._answers.device_response(turn, command, None, _NO_ANSWER)
            if command.message_code == ccs01.MESSAGE_CODE:
                self._device_services.log_updated(turn, command, success=False)

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
        try:
            answer = _DECODERS[message.message_code](message.payload)
        except DecodeError as error:
            self._refuse(turn, carried, message, f"payload: {error}")
            return
        self._commands.done(turn, command)
        self._answers.device_response(turn, command, carried.message, SUCCESS)
        if not relayed_only or self._settings.believe_relayed_reads:
            self._apply(turn, command, answer)

    def _apply(self, turn: Turn, command: Command, answer: _Answer) -> None:
        """Let the inventory and the trackers follow an answer that is believed."""
        if isinstance(answer, cs06.Response):
            self._activations.answered(turn, command, answer)
        elif isinstance(answer, ccs01.Response):
            self._device_services.log_updated(turn, command, success=answer.success)
        elif isinstance(answer, cs08.Response):
            version = answer.firmware_version if answer.code == cs08.ReadCode.READ else None
            self._device_services.version_read(turn, command, version)
        else:
            self._device_services.version_read(turn, command, answer.firmware_version)

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
            self._alerts.believed(turn, message, carried, code, judgement)
        except DecodeError as error:
            self._alerts.record(turn, message, code, Decision.REFUSED, None, judgement)
            turn.note("payload-refused", origin=str(message.originator), reason=str(error))
            return
        if judgement is Signature.VALID:
            self._seen.add((message.originator, message.counter))

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

    def _refuse(self, turn: Turn, carried: GbcsFromHub, message: Message | None, reason: str) -> None:
        code = None if message is None else message.message_code
        append(turn, Refusal(turn.now, carried.hub, carried.device, code, reason))
        turn.note("message-refused", hub=str(carried.hub), device=str(carried.device), reason=reason)
