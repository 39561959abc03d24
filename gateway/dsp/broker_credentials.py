"""The broker's own credentials on devices: CS02b by the broker, for one meter that opts out (8.5) or for all."""

from typing import NamedTuple

from gateway.dsp.acb import Acb
from gateway.dsp.answers import Counters
from gateway.dsp.commands import Commands
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Command
from gateway.dsp.rows import Unsigned
from gateway.dsp.statuses import GONE
from protocols.addresses import Eui64
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.errors import DecodeError, InputError
from protocols.gbcs.cells import CellIdentifier, KeyUsage
from protocols.gbcs.codes import CredentialStatus
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Certificate, RemotePartyRole
from protocols.gbcs.use_cases import cs02b

MESSAGE_CODE = cs02b.MESSAGE_CODES[cs02b.Mode.ACB_BY_ACB]
SERVICE = "CS02b"  # of commands no user asked for

_HOLDERS = (DeviceType.ESME, DeviceType.GSME, DeviceType.GPF, DeviceType.PPMID, DeviceType.HCALCS)
_UNREACHED = (*GONE, DeviceStatus.PENDING)


class NewCredentials(NamedTuple):
    """What takes the place of the broker's certificates: DER, each None to leave the one that is there."""

    digital_signing: bytes | None
    key_agreement: bytes | None
    path: tuple[bytes, ...]  # of issuing authorities
    floor: int = 0  # of the counter, 64 bits
    check_times: bool = True

    def checked(self) -> "NewCredentials":
        """Return itself. Raises InputError for no certificate, or one that is none."""
        given = [each for each in (self.digital_signing, self.key_agreement) if each is not None]
        if not given:
            raise InputError("no certificate to replace the broker's")
        try:
            for certificate in (*given, *self.path):
                Certificate(certificate)
        except DecodeError as error:
            raise InputError(f"certificate: {error.what}") from error
        return self

    def payload(self, counter: int) -> bytes:
        """Return the command of CS02b."""
        role = RemotePartyRole.ACCESS_CONTROL_BROKER
        usages = ((KeyUsage.DIGITAL_SIGNATURE, self.digital_signing), (KeyUsage.KEY_AGREEMENT, self.key_agreement))
        checks = cs02b.TimeChecks.APPLY if self.check_times else cs02b.TimeChecks.DISAPPLY
        control = cs02b.Control(cs02b.Mode.ACB_BY_ACB, counter, floor=self.floor, time_checks=checks)
        cells = (cs02b.Replacement(der, CellIdentifier(role, usage)) for usage, der in usages if der is not None)
        return cs02b.Command(control, tuple(cells), self.path).encode()


def replaced(response: cs02b.Response) -> bool:
    """Whether every cell took its new certificate."""
    outcome = response.outcome
    return outcome is not None and all(cell.status == CredentialStatus.SUCCESS for cell in outcome.cells)


class BrokerCredentials:
    def __init__(self, inventory: Inventory, acb: Acb, counters: Counters, commands: Commands) -> None:
        self._inventory, self._acb, self._counters, self._commands = inventory, acb, counters, commands

    def message(self, turn: Turn, device: Eui64, new: NewCredentials) -> Message:
        """Return the command for a device."""
        counter = self._counters.next(turn, "broker")
        payload = new.payload(counter)
        return Message(Cra.COMMAND, counter, self._acb.eui, device, message_code=MESSAGE_CODE, payload=payload)

    def replace_everywhere(self, turn: Turn, new: NewCredentials) -> None:
        """Send the command to every device that holds the broker's credentials; bridges are PPMIDs here too."""
        for device in list(self._inventory):
            hub = self._inventory.hub_of(device)
            if device.type not in _HOLDERS or device.status in _UNREACHED or hub is None:
                continue
            if not self._acb.reaches(device.device):
                continue
            message = self.message(turn, device.device, new)
            request_id = RequestId(self._acb.eui, device.device, message.counter)
            command = Command(
                originator=self._acb.eui, device=device.device, counter=Unsigned(message.counter),
                request_id=str(request_id), user=self._acb.eui, service=SERVICE, hub=hub.device,
                message_code=MESSAGE_CODE, due=turn.now,
            )  # fmt: skip
            self._commands.send(turn, command, self._acb.command(message))

    @staticmethod
    def answered(turn: Turn, command: Command, response: cs02b.Response) -> None:
        """A device answered the job."""
        turn.note("broker-credentials", device=str(command.device), replaced=replaced(response))
