"""The communications hub function as a GBCS entity: commands of the ACB, and its own alerts."""

from collections.abc import Callable
from typing import Protocol

from emulator.devices.communications_hub.device_log import DeviceLog, LogEntry
from emulator.devices.communications_hub.settings import HubSettings
from emulator.parts.gbcs_entity import GbcsEntity, GbcsRefused
from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs import security
from protocols.gbcs.codes import AccessResult, AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import ccs01, ccs08, ecs52
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import SECOND, Storage, WallClock

_UNDERWAY = "chf/command"
_ACB = RemotePartyRole.ACCESS_CONTROL_BROKER


class Note(Protocol):
    """Takes an event for the timeline."""

    def __call__(self, event: str, **fields: str | int | bool | None) -> None: ...


class Chf:
    """send(octets) takes a GBCS message for the WAN; admit(entry) opens joining as long as the entry says."""

    def __init__(
        self,
        entity: GbcsEntity,
        log: DeviceLog,
        storage: Storage,
        wall: WallClock,
        settings: HubSettings,
        *,
        send: Callable[[bytes], None],
        admit: Callable[[LogEntry], None],
        note: Note,
    ) -> None:
        self._entity, self._log, self._storage, self._wall = entity, log, storage, wall
        self._settings, self._send, self._admit, self._note = settings, send, admit, note

    def start(self) -> None:
        """Finish the command that a power cut interrupted."""
        octets = self._storage.get(_UNDERWAY)
        if octets is not None:
            self.execute(octets)

    def execute(self, octets: bytes) -> None:
        """Obey a command and send its response; no answer to what is refused."""
        interrupted = self._storage.get(_UNDERWAY) == octets
        if not interrupted:
            self._storage.put(_UNDERWAY, octets)
        try:
            command = self._accept(octets, interrupted=interrupted)
            payload = self._obey(command)
        except (GbcsRefused, DecodeError) as refusal:
            self._note("command-refused", reason=str(refusal))
        else:
            self._send(self._entity.respond(command, payload, signed=False))
        self._storage.delete(_UNDERWAY)

    def report(self, device: Eui64, version: int, code: TransferCode) -> None:
        """Send the CCS08 alert, signed, to the ACB: what came of an image of `version` for `device`."""
        good = code is TransferCode.TRANSFERRED
        alert_code = AlertCode.FIRMWARE_TRANSFERRED if good else AlertCode.FIRMWARE_TRANSFER_FAILED
        payload = ccs08.Alert(alert_code, self._wall.utc(), device, version, code).encode()
        counter = self._entity.next_counter()
        octets = self._entity.alert(ccs08.MESSAGE_CODE, self._entity.anchors.eui(_ACB), payload, counter=counter)
        self._send(octets)
        self._note("alert-sent", code=f"{alert_code:04X}", counter=counter)

    def _accept(self, octets: bytes, *, interrupted: bool) -> Message:
        """Check a command; one that was interrupted after its counter had been noted is good if its MAC is."""
        try:
            return self._entity.accept(octets)
        except GbcsRefused:
            if not interrupted:
                raise
            command = Message.decode(octets)
            key = self._entity.anchors.public_key(_ACB, "ka")
            if key is None or command.target != self._entity.eui:
                raise
            try:
                security.check_mac(command, security.shared_secret(self._entity.credentials.ka_key, key))
            except IntegrityError:
                raise GbcsRefused("MAC invalid") from None
            return command

    def _obey(self, command: Message) -> bytes:
        """Carry out an accepted command and return the payload of its response."""
        if command.message_code == ccs01.MESSAGE_CODE:
            return self._register(ccs01.Command.decode(command.payload))
        if command.message_code == ecs52.MESSAGE_CODE:
            request = ecs52.Command.decode(command.payload)
            return ecs52.Response(self._settings.firmware_version, counter=request.counter).encode()
        raise GbcsRefused(f"use case {command.message_code:04X} not supported")

    def _register(self, request: ccs01.Command) -> bytes:
        """Add a device and open joining for it. One already there keeps its keys; joining opens all the same."""
        entry = self._log.get(request.device)
        if entry is None:
            if not self._log.has_room(request.device_type):
                return ccs01.Response(register=AccessResult.OTHER_REASON, counter=request.counter).encode()
            entry = LogEntry(request.device, int(request.device_type), request.install_code)
            self._note("device-added", device=str(entry.device), type=entry.type.name)
        if request.open_joining:
            entry = entry._replace(join_until=self._wall.utc() + request.join_timeout * SECOND)
        self._log.put(entry)
        if request.open_joining:
            self._admit(entry)
        return ccs01.Response(counter=request.counter).encode()
