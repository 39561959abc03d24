"""The communications hub function as a GBCS entity: commands of the ACB, and its own alerts."""

from collections.abc import Callable

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.device_log import DeviceLog, HistoricLog, LogEntry
from emulator.devices.communications_hub.han import Han
from emulator.devices.communications_hub.log_commands import LogCommands
from emulator.devices.communications_hub.returning import Returning
from emulator.devices.communications_hub.settings import HubSettings
from emulator.devices.communications_hub.survey import Survey
from emulator.parts.credential_commands import CredentialCommands
from emulator.parts.gbcs_application import Answer, GbcsApplication, Note
from emulator.parts.gbcs_entity import DeviceKind, GbcsEntity
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.blocks import Block, Route, is_block
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.device_log import HashedKey, LogBackup
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import ccs08, cs14, ecs52, undelivered
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import WallClock

__all__ = ["Chf", "Note"]

_ACB = RemotePartyRole.ACCESS_CONTROL_BROKER


class Chf:
    """send(octets) takes a GBCS message for the WAN; admit(entry) opens joining as long as the entry says.

    removed(device) hears that a device has left the log. version() is that of the hub's own firmware, 32 bits.
    """

    def __init__(
        self,
        entity: GbcsEntity,
        log: DeviceLog,
        han: Han,
        survey: Survey,
        historic: HistoricLog,
        returning: Returning,
        wall: WallClock,
        alarms: Alarms,
        settings: HubSettings,
        *,
        version: Callable[[], int],
        send: Callable[[bytes], None],
        admit: Callable[[LogEntry], None],
        removed: Callable[[Eui64], None],
        note: Note,
    ) -> None:
        self._log, self._han, self._wall, self._version = log, han, wall, version
        self.application = GbcsApplication(
            entity, DeviceKind.CHF, wall, send=send, note=note, refusal_alerts=settings.refusal_alerts
        )
        self._note = note
        self._credentials = CredentialCommands(
            self.application, lambda _, delay, callback: alarms.after(delay, callback), settings.credentials
        )
        self.application.on(ecs52.MESSAGE_CODE, self._read_version)
        LogCommands(
            self.application, log, historic, han, survey, returning, settings,
            admit=admit, removed=removed, changed=self.log_changed,
        )  # fmt: skip

    def start(self) -> None:
        """Go on with what is dated."""
        self._credentials.start()

    def execute(self, octets: bytes) -> None:
        """Obey a command and send its response; no answer to what is refused."""
        self.application.obey(octets)

    # --- alerts ------------------------------------------------------------------------------------------------

    def report(self, device: Eui64, version: int, code: TransferCode) -> None:
        """Send the CCS08 alert, signed, to the ACB: what came of an image of `version` for `device`."""
        good = code is TransferCode.TRANSFERRED
        alert_code = AlertCode.FIRMWARE_TRANSFERRED if good else AlertCode.FIRMWARE_TRANSFER_FAILED
        payload = ccs08.Alert(alert_code, self._wall.utc(), device, version, code).encode()
        broker = self.application.entity.anchors.eui(_ACB)
        counter = self.application.alert(ccs08.MESSAGE_CODE, broker, lambda _: payload)
        self._note("alert-sent", code=f"{alert_code:04X}", counter=counter)

    def log_changed(self) -> None:
        """Send CS14, the whole device log, under a MAC to the ACB."""
        broker, now = self.application.entity.anchors.eui(_ACB), self._wall.utc()
        keys = tuple(HashedKey(entry.device, entry.key_hash) for entry in self._log.entries())
        backup = LogBackup(now, self._han.trust().extended_pan_id, keys)
        counter = self.application.alert(
            cs14.MESSAGE_CODE, broker, lambda counter: cs14.Alert(now, backup, counter=counter).encode(), signed=False
        )
        self._note("alert-sent", code=f"{AlertCode.CHF_DEVICE_LOG_CHANGED:04X}", counter=counter)

    def undelivered(self, octets: bytes) -> None:
        """Send 8F84, signed, to the ACB: a message for the ESME waited too long. Of blocks the first one counts."""
        try:
            if is_block(octets):
                block = Block.decode(octets)
                route = block.route if block.number == 1 else None
            else:
                route = Route.of(Message.decode(octets))
        except DecodeError:
            return
        if route is None:
            return
        broker, now = self.application.entity.anchors.eui(_ACB), self._wall.utc()
        counter = self.application.alert(
            undelivered.MESSAGE_CODE, broker,
            lambda own: undelivered.Alert(
                now, route.originator, route.target, route.cra, route.counter, counter=own
            ).encode(),
        )  # fmt: skip
        self._note("alert-sent", code=f"{AlertCode.MESSAGE_NOT_DELIVERED:04X}", counter=counter)

    # --- commands ----------------------------------------------------------------------------------------------

    def _read_version(self, message: Message) -> Answer:
        request = ecs52.Command.decode(message.payload)
        return Answer(ecs52.Response(self._version(), counter=request.counter).encode())
