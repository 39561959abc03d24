"""How a command leaves: to the device, to the user for local delivery, or both, by the command variant."""

from gateway.dsp.acb import Acb
from gateway.dsp.answers import Answers
from gateway.dsp.commands import Commands
from gateway.dsp.effects import Turn
from gateway.dsp.records import Command
from gateway.dsp.rows import Unsigned
from gateway.dsp.validation import Target
from protocols.addresses import Eui64
from protocols.duis.codes import ACCEPTED, SUCCESS
from protocols.duis.requests import CommandVariant, Request
from protocols.duis.responses import LocalCommand
from protocols.gbcs.envelope import Message

_TO_DEVICE = (
    CommandVariant.TO_DEVICE,
    CommandVariant.TO_DEVICE_AND_LOCAL,
    CommandVariant.SIGNED_TO_DEVICE,
    CommandVariant.SIGNED_TO_DEVICE_AND_LOCAL,
)
_LOCAL = (
    CommandVariant.LOCAL,
    CommandVariant.TO_DEVICE_AND_LOCAL,
    CommandVariant.SIGNED_LOCAL,
    CommandVariant.SIGNED_TO_DEVICE_AND_LOCAL,
)


class Dispatch:
    def __init__(self, acb: Acb, answers: Answers, commands: Commands) -> None:
        self._acb, self._answers, self._commands = acb, answers, commands

    def send(
        self,
        turn: Turn,
        request: Request,
        target: Target,
        message: Message,
        *,
        at: int | None = None,
        subject: Eui64 | None = None,
        mpxns: tuple[str | None, str | None, str | None] = (None, None, None),
    ) -> str:
        """Protect a command with the broker's MAC, send it or hand it over, and answer the request.

        at: when the DSP sends it, None for now. subject, mpxns: kept with the command until its answer.
        Returns the response code.
        """
        octets = self._acb.command(message)
        mpxn, secondary, export = mpxns
        command = Command(
            originator=message.originator, device=message.target, counter=Unsigned(message.counter),
            request_id=str(request.request_id), user=request.request_id.originator, service=request.service,
            hub=target.hub.device, message_code=message.message_code, due=turn.now, subject=subject,
            mpxn=mpxn, secondary_mpan=secondary, export_mpan=export,
        )  # fmt: skip
        if request.command_variant in _TO_DEVICE:
            self._commands.send(turn, command, octets, at)
        else:
            self._commands.hand_over(turn, command)
        if request.command_variant not in _LOCAL:
            self._answers.reply(turn, request, ACCEPTED)
            return ACCEPTED
        self._answers.reply(turn, request, SUCCESS, LocalCommand(gbcs_payload=octets))
        return SUCCESS
