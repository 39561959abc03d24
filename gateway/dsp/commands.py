"""Commands on their way to devices: held until their date, then sent or handed over, and awaited."""

from collections.abc import Callable
from dataclasses import replace

from gateway.dsp.effects import Turn
from gateway.dsp.records import Command
from gateway.dsp.rows import Table
from gateway.dsp.settings import DspSettings
from protocols.gbcs.envelope import Message
from protocols.wan.smwan import GbcsToHub


class Commands:
    def __init__(self, settings: DspSettings) -> None:
        self._settings = settings
        self.table = Table(Command, lambda command: command.due)

    def send(self, turn: Turn, command: Command, octets: bytes, at: int | None = None) -> None:
        """Send a command now and await its response, or hold it until `at`. `command.due` is set here."""
        if at is not None and at > turn.now:
            self.table.put(turn, replace(command, due=at, held=octets, dated=True))
            return
        self.table.put(turn, replace(command, due=turn.now + self._settings.response_timeout, held=None))
        turn.to_csp(GbcsToHub(command.hub, command.device, octets).encode())

    def hand_over(self, turn: Turn, command: Command) -> None:
        """Await the answer of a command the user delivers itself."""
        self.table.put(turn, replace(command, due=turn.now + self._settings.local_timeout, held=None, local=True))

    def awaited(self, message: Message) -> Command | None:
        """Return the command a response answers, if one is awaited."""
        command = self.table.get(message.target, message.originator, message.counter)
        if command is None or command.held is not None or command.message_code != message.message_code:
            return None
        return command

    def sent(self, message: Message) -> Command | None:
        """Return the command that is awaited, by its own message."""
        command = self.table.get(message.originator, message.target, message.counter)
        return None if command is None or command.held is not None else command

    def done(self, turn: Turn, command: Command) -> None:
        self.table.drop(turn, command)

    def send_held(self, turn: Turn) -> None:
        """Send what was held until now."""
        for command in self.table.due_by(turn.now):
            if command.held is not None:
                self.send(turn, command, command.held)

    def timed_out(self, turn: Turn) -> list[Command]:
        """Give up and return the commands whose answer is overdue."""
        late = [command for command in self.table.due_by(turn.now) if command.held is None]
        for command in late:
            self.table.drop(turn, command)
        return late

    def cancel_held(self, turn: Turn, wanted: Callable[[Command], bool]) -> list[Command]:
        """Forget and return the held commands that are `wanted`."""
        held = [command for command in self.table if command.held is not None and wanted(command)]
        for command in held:
            self.table.drop(turn, command)
        return held
