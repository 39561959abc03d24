"""Critical services other than 11.3: the pre-command (Transform), and what comes back signed."""

from dataclasses import replace

from gateway.dsp.acb import Acb
from gateway.dsp.answers import Answers
from gateway.dsp.dispatch import Dispatch
from gateway.dsp.effects import Turn
from gateway.dsp.products import ProductsList
from gateway.dsp.records import Device, Transform
from gateway.dsp.rows import Table
from gateway.dsp.services import PRE_COMMAND_MISMATCH, SIGNATURE_INVALID, RefusedError
from gateway.dsp.settings import DspSettings
from gateway.dsp.validation import Target
from protocols.addresses import Eui64
from protocols.duis.bodies import SignedPreCommand
from protocols.duis.codes import SUCCESS
from protocols.duis.identifiers import RequestId
from protocols.duis.requests import Request
from protocols.duis.responses import PreCommand
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs.envelope import Category, Message


def read_signed(request_id: RequestId, octets: bytes, message_code: int) -> Message:
    """Decode a signed pre-command. Raises RefusedError unless its header is that of its Transform.

    The payload is left for the caller to compare, the signature for `verify_signed`.
    """
    try:
        message = Message.decode(octets)
    except DecodeError as error:
        raise RefusedError(PRE_COMMAND_MISMATCH, f"signed pre-command: {error}") from error
    if message.category is not Category.SIGNED_COMMAND:
        raise RefusedError(SIGNATURE_INVALID, "pre-command without a signature")
    seen = (message.originator, message.target, message.counter, message.message_code, message.date_time)
    if seen != (*request_id, message_code, b"") or message.supplementary_party is not None:
        raise RefusedError(PRE_COMMAND_MISMATCH, "header of the signed pre-command differs from its Transform")
    return message


def verify_signed(acb: Acb, message: Message) -> None:
    """Raise RefusedError unless the originator of a signed pre-command signed it."""
    try:
        acb.verify_user_signature(message)
    except IntegrityError as error:
        raise RefusedError(SIGNATURE_INVALID, error.what) from error


def pre_command_content(settings: DspSettings, products: ProductsList, device: Device, octets: bytes) -> PreCommand:
    """Return the answer to a Transform."""
    version = products.gbcs_version(device) or settings.gbcs_version
    return PreCommand(gbcs_version=version, gbcs_payload=octets)


class Critical:
    def __init__(
        self, settings: DspSettings, products: ProductsList, acb: Acb, answers: Answers, dispatch: Dispatch
    ) -> None:
        self._settings, self._products, self._acb = settings, products, acb
        self._answers, self._dispatch = answers, dispatch
        self.table = Table(Transform, lambda transform: transform.transformed + settings.transform_lifetime)

    def transform(
        self, turn: Turn, request: Request, target: Target, code: int, payload: bytes, subject: Eui64 | None = None
    ) -> str:
        """Answer command variant 4 with the pre-command of this message code and payload."""
        octets = self._acb.pre_command(request.request_id, code, payload)
        self.table.put(
            turn,
            Transform(
                request_id=str(request.request_id), user=request.request_id.originator, service=request.service,
                device=target.device.device, subject=subject, pre_command=octets, transformed=turn.now,
            ),
        )  # fmt: skip
        content = pre_command_content(self._settings, self._products, target.device, octets)
        self._answers.reply(turn, request, SUCCESS, content)
        return SUCCESS

    def signed(self, turn: Turn, user: Eui64, request: Request, target: Target) -> str:
        """Take a Signed Pre-Command: exactly what was transformed, with the user's signature. Send it."""
        body = request.body
        transform = self.table.get(str(request.request_id))
        if not isinstance(body, SignedPreCommand) or transform is None:
            raise RefusedError(PRE_COMMAND_MISMATCH, "no Transform of this RequestID waits for its signature")
        if (transform.user, transform.service) != (user, request.service):
            raise RefusedError(PRE_COMMAND_MISMATCH, f"the Transform was of {transform.service} by {transform.user}")
        asked = Message.decode(transform.pre_command)
        message = read_signed(request.request_id, body.gbcs_payload, asked.message_code)
        if replace(message, signature=None).encode() != transform.pre_command:
            raise RefusedError(PRE_COMMAND_MISMATCH, "payload of the signed pre-command differs from its Transform")
        verify_signed(self._acb, message)
        self._acb.command(message)  # IntegrityError before anything is written
        self.table.drop(turn, transform)
        return self._dispatch.send(turn, request, target, message, subject=transform.subject)

    def expire(self, turn: Turn) -> None:
        """Forget Transforms nobody signed."""
        for transform in self.table.due_by(turn.now):
            self.table.drop(turn, transform)
