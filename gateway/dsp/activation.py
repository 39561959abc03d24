"""Service request 11.3: Transform, Signed Pre-Command, and what the device makes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.dsp.acb import Acb
from gateway.dsp.answers import Answers, Counters
from gateway.dsp.critical import pre_command_content, read_signed, verify_signed
from gateway.dsp.dispatch import Dispatch
from gateway.dsp.effects import Turn, Value
from gateway.dsp.inventory import Inventory
from gateway.dsp.products import ProductsList
from gateway.dsp.records import Activation, ActivationState, Command, Device
from gateway.dsp.rows import Table
from gateway.dsp.services import DATE_TOO_FAR, PRE_COMMAND_MISMATCH, RefusedError
from gateway.dsp.settings import DspSettings
from gateway.dsp.suppression import Suppression
from gateway.dsp.tracking import Tracking
from gateway.dsp.validation import Target
from protocols.addresses import Eui64
from protocols.duis.bodies import ActivateFirmware, SignedPreCommand
from protocols.duis.codes import SUCCESS
from protocols.duis.identifiers import RequestId
from protocols.duis.requests import CommandVariant, Request
from protocols.duis.times import CANCELLATION_DATE_TIME
from protocols.errors import DecodeError
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs06
from protocols.interfaces import SECOND

IMMEDIATE, DATED, CANCEL = "immediate", "dated", "cancel"
_AWAITED = (ActivationState.SENT, ActivationState.SCHEDULED)


class Activations:
    def __init__(
        self,
        settings: DspSettings,
        inventory: Inventory,
        products: ProductsList,
        acb: Acb,
        answers: Answers,
        counters: Counters,
        dispatch: Dispatch,
        tracking: Tracking,
        suppression: Suppression,
    ) -> None:
        self._settings, self._inventory, self._products, self._acb = settings, inventory, products, acb
        self._answers, self._counters, self._dispatch = answers, counters, dispatch
        self._tracking, self._suppression = tracking, suppression
        self.table = Table(Activation, self._due)
        self._dated: dict[Eui64, dict[str, None]] = {}  # request_id of the dated ones a device may hold, by device

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take the rows of the store."""
        self.table.load(rows)
        for activation in self.table:
            self._note_date(activation)

    def _note_date(self, activation: Activation) -> None:
        if activation.kind == DATED and activation.state in _AWAITED:
            self._dated.setdefault(activation.device, {})[activation.request_id] = None

    # --- requests ---

    def transform(self, turn: Turn, user: Eui64, request: Request, target: Target) -> str:
        """Answer command variant 4 with the pre-command; nothing is activated and no window opens."""
        body = request.body
        if not isinstance(body, ActivateFirmware):
            raise RefusedError("E12", "no activation in the request")
        execution = body.execution_date_time
        if execution is not None:
            execution = cs06.CANCEL if execution == CANCELLATION_DATE_TIME else _seconds(execution)
        kind = self._kind(execution, turn.now)
        counter = request.request_id.counter
        payload = cs06.Command(body.firmware_hash, counter, execution).encode()
        pre_command = self._acb.pre_command(request.request_id, cs06.MESSAGE_CODE, payload)
        activation = Activation(
            request_id=str(request.request_id), user=user, device=target.device.device, hash=body.firmware_hash,
            kind=kind, execution=execution if kind == DATED else None, state=ActivationState.TRANSFORMED,
            transformed=turn.now,
        )  # fmt: skip
        self.table.put(turn, activation)
        content = pre_command_content(self._settings, self._products, target.device, pre_command)
        self._answers.reply(turn, request, SUCCESS, content)
        return SUCCESS

    def signed(self, turn: Turn, user: Eui64, request: Request, target: Target) -> str:
        """Take a Signed Pre-Command (variants 5 to 7): check it against its Transform, record, send."""
        body = request.body
        if not isinstance(body, SignedPreCommand):
            raise RefusedError("E12", "no signed pre-command in the request")
        activation = self.table.get(str(request.request_id))
        if activation is None or activation.state is not ActivationState.TRANSFORMED or activation.user != user:
            raise RefusedError(PRE_COMMAND_MISMATCH, "no Transform of this RequestID waits for its signature")
        message, command = self._read_signed(request.request_id, body.gbcs_payload, activation)
        kind = self._kind(command.execution_time, turn.now)
        self._acb.command(message)  # IntegrityError before anything is written
        dated = command.execution_time if kind == DATED else None
        others = (body.execution_date_time, activation.execution)
        if any(time not in (None, CANCELLATION_DATE_TIME) and _seconds(time) != dated for time in others):
            turn.note("date-disagreement", request=activation.request_id, used=dated)
        accepted = replace(
            activation, kind=kind, execution=dated, state=ActivationState.SENT, accepted=turn.now,
            sequence=self._counters.next(turn, "activations"),
        )  # fmt: skip
        self.table.put(turn, accepted)
        self._note_date(accepted)
        local = request.command_variant is CommandVariant.SIGNED_LOCAL
        self._track(turn, target.device, accepted, local=local)
        return self._dispatch.send(turn, request, target, message)

    def _kind(self, execution: int | None, now: int) -> str:
        """Return what an execution time asks for. Raises RefusedError for a date beyond the horizon."""
        if execution is None:
            return IMMEDIATE
        if execution == cs06.CANCEL:
            return CANCEL
        if execution > now + self._settings.activation_horizon:
            raise RefusedError(DATE_TOO_FAR, f"execution {execution} is more than the horizon ahead of {now}")
        return DATED

    def _read_signed(
        self, request_id: RequestId, octets: bytes, activation: Activation
    ) -> tuple[Message, cs06.Command]:
        """Decode a signed pre-command. Raises RefusedError unless it is what was transformed, and signed.

        The execution time alone may differ; that of the command counts, since the device obeys it.
        """
        message = read_signed(request_id, octets, cs06.MESSAGE_CODE)
        try:
            command = cs06.Command.decode(message.payload)
        except DecodeError as error:
            raise RefusedError(PRE_COMMAND_MISMATCH, f"signed pre-command: {error}") from error
        if (command.image_hash, command.originator_counter) != (activation.hash, request_id.counter):
            raise RefusedError(PRE_COMMAND_MISMATCH, "payload of the signed pre-command differs from its Transform")
        verify_signed(self._acb, message)
        return message, command

    def _track(self, turn: Turn, device: Device, activation: Activation, *, local: bool) -> None:
        if activation.kind == CANCEL:
            self._suppression.cancel_requested(turn, device.device)
        else:
            self._suppression.arm(turn, device, activation, local=local)

    # --- what the device says ---

    def answered(self, turn: Turn, command: Command, response: cs06.Response) -> None:
        """The device answered the command; its signature was verified."""
        activation = self.table.get(command.request_id)
        device = self._inventory.device(command.device)
        if activation is None or device is None:
            return
        if response.outcome is not None:
            cause = f"{command.service} {command.request_id}"
            self._apply(turn, device, activation, response.outcome, cause)
        elif activation.kind == CANCEL:
            self._cancelled(turn, activation)
        else:
            self._scheduled(turn, activation)

    def reported(self, turn: Turn, message: Message, alert: cs06.Alert) -> None:
        """The device told what came of a dated activation (8F66, 8F67); its signature was verified."""
        device = self._inventory.device(message.originator)
        if device is None:
            return
        request_id = str(RequestId(message.target, message.originator, alert.originator_counter))
        cause = f"{int(alert.alert_code):04X} {request_id}"
        self._apply(turn, device, self.table.get(request_id), alert.outcome, cause)

    def _apply(
        self, turn: Turn, device: Device, activation: Activation | None, outcome: cs06.Outcome, cause: str
    ) -> None:
        """Take the version the device runs, whatever the outcome (MP105), and close the activation."""
        success = outcome.code == cs06.OutcomeCode.SUCCESS
        if success or self._settings.use_activation_retry:
            self._inventory.version_reported(turn, device, outcome.firmware_version, cause)
            self._tracking.activated(turn, device.device, outcome.firmware_version)
        if activation is None:
            return
        if not success:
            reason = f"activation outcome {int(outcome.code)}"
            self._tracking.activation_failed(turn, self._tracking.of_hash(device.device, activation.hash), reason)
            self._suppression.activation_failed(turn, activation.request_id)
        self.table.put(turn, replace(activation, state=ActivationState.DONE if success else ActivationState.FAILED))

    def _scheduled(self, turn: Turn, activation: Activation) -> None:
        """The device holds this date now, and no earlier one."""
        self._end_earlier(turn, activation, ActivationState.REPLACED)
        self._tracking.unscheduled(turn, activation.device)
        self._tracking.scheduled(turn, activation.device, activation.hash)
        self._suppression.date_confirmed(turn, activation.device, activation.sequence or 0)
        self.table.put(turn, replace(activation, state=ActivationState.SCHEDULED))

    def _cancelled(self, turn: Turn, activation: Activation) -> None:
        self._end_earlier(turn, activation, ActivationState.CANCELLED)
        self._tracking.unscheduled(turn, activation.device)
        self._suppression.cancel_confirmed(turn, activation.device, activation.sequence or 0)
        self.table.put(turn, replace(activation, state=ActivationState.CONFIRMED))

    def _end_earlier(self, turn: Turn, activation: Activation, state: ActivationState) -> None:
        for request_id in list(self._dated.get(activation.device, ())):
            other = self.table.get(request_id)
            if other is None or other.state not in _AWAITED:
                del self._dated[activation.device][request_id]
            elif (other.sequence or 0) < (activation.sequence or 0):
                self.table.put(turn, replace(other, state=state))

    # --- time ---

    def expire(self, turn: Turn) -> None:
        """Mark dated activations no alert came for; forget Transforms nobody signed."""
        for activation in self.table.due_by(turn.now):
            if activation.state is ActivationState.TRANSFORMED:
                self.table.drop(turn, activation)
            else:
                self.table.put(turn, replace(activation, state=ActivationState.OVERDUE))
                self._tracking.overdue(turn, activation.device)

    def _due(self, activation: Activation) -> int | None:
        if activation.state is ActivationState.TRANSFORMED:
            return activation.transformed + self._settings.transform_lifetime
        if activation.state is ActivationState.SCHEDULED and activation.execution is not None:
            return activation.execution + self._settings.overdue_after
        return None


def _seconds(time: int | None) -> int | None:
    """Return a time in whole seconds, as a command can tell it."""
    return None if time is None else time - time % SECOND
