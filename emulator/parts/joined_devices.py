"""The device log of a meter, HCALCS, PPMID or GPF: whom it is joined to, by CS03, CS04 and GCS59, told by CS07.

Joining here is the log entry and the codes; the key establishment between the two devices is not part of it: what would
come of it but success is a setting.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emulator.parts.gbcs_application import Answer, GbcsApplication
from emulator.parts.journal import Journal
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.certificate_path import check_device, check_validity
from protocols.gbcs.codes import DeviceType, JoinCode
from protocols.gbcs.device_log import LogEntry
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import KEY_AGREEMENT, Certificate
from protocols.gbcs.use_cases import cs03, cs04, cs07, gcs59
from protocols.gbcs.use_cases.cs03 import MethodAndRole
from protocols.gbcs.use_cases.cs04 import UnjoinCode
from protocols.gbcs.use_cases.table import DeviceKind

METHODS = {
    cs03.MESSAGE_CODE_A1: MethodAndRole.A_INITIATOR,
    cs03.MESSAGE_CODE_A2: MethodAndRole.A_RESPONDER,
    cs03.MESSAGE_CODE_B: MethodAndRole.B,
    cs03.MESSAGE_CODE_C: MethodAndRole.C,
}
"""The method that each join command is for."""

_T = DeviceType
PARTNERS: dict[tuple[DeviceKind, int], tuple[DeviceType, ...]] = {
    (DeviceKind.ESME, cs03.MESSAGE_CODE_A1): (_T.HCALCS, _T.PPMID),
    (DeviceKind.ESME, cs03.MESSAGE_CODE_B): (_T.TYPE_2,),
    (DeviceKind.HCALCS, cs03.MESSAGE_CODE_A2): (_T.ESME,),
    (DeviceKind.PPMID, cs03.MESSAGE_CODE_A2): (_T.ESME,),
    (DeviceKind.PPMID, cs03.MESSAGE_CODE_C): (_T.GSME,),
    (DeviceKind.GSME, cs03.MESSAGE_CODE_B): (_T.GPF,),
    (DeviceKind.GSME, cs03.MESSAGE_CODE_C): (_T.PPMID,),
    (DeviceKind.GPF, cs03.MESSAGE_CODE_B): (_T.GSME, _T.PPMID, _T.TYPE_2),
}
"""Whom a kind of device joins by a command."""

_UNJOINS = (cs04.MESSAGE_CODE_AC, cs04.MESSAGE_CODE_B)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinSettings:
    log_capacity: int = 16  # entries [inferred]
    check_validity: bool = True  # of the certificate of method C
    failing: Mapping[Eui64, JoinCode] = field(default_factory=dict)  # planted: what comes of joining these


class JoinedLog:
    """The entries in storage, one cell each."""

    def __init__(self, storage: Journal, prefix: str) -> None:
        self._storage, self._prefix = storage, prefix

    def entries(self) -> tuple[LogEntry, ...]:
        """Return the entries in order of their identifiers."""
        return tuple(
            LogEntry(Eui64.from_big(value[:8]), DeviceType(value[8]))
            for cell in self._storage.cells()
            if cell.startswith(self._prefix) and (value := self._storage.get(cell)) is not None
        )

    def get(self, device: Eui64) -> DeviceType | None:
        value = self._storage.get(f"{self._prefix}{device}")
        return None if value is None else DeviceType(value[8])

    def put(self, entry: LogEntry) -> None:
        self._storage.put(f"{self._prefix}{entry.device}", entry.device.big + bytes((entry.device_type,)))

    def remove(self, device: Eui64) -> None:
        self._storage.delete(f"{self._prefix}{device}")


class JoinCommands:
    """Serves CS03, CS04 and CS07 (a GPF also GCS59); `changed` hears of every change of the log."""

    def __init__(
        self,
        application: GbcsApplication,
        settings: JoinSettings | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._application, self._kind, self._wall = application, application.kind, application.wall
        self._settings = settings if settings is not None else JoinSettings()
        self._changed = changed
        self.log = JoinedLog(application.storage, f"joined/{application.entity.eui}/")
        codes = [code for kind, code in PARTNERS if kind is self._kind]
        for code in codes:
            application.on(code, self._join)
        for code in _UNJOINS:
            application.on(code, self._unjoin)
        application.on(cs07.MESSAGE_CODE, self._read)
        if self._kind is DeviceKind.GPF:
            application.on(gcs59.MESSAGE_CODE, self._restore)

    # --- CS03 --------------------------------------------------------------------------------------------------

    def _join(self, message: Message) -> Answer:
        command = cs03.Command.decode(message.payload)
        code = self._why_not(message.message_code, command) or self._enter(command.device, command.device_type)
        if code is not JoinCode.SUCCESS:
            return Answer(cs03.Response(code).encode())
        self._application.note("joined-device", device=str(command.device), type=int(command.device_type))
        return Answer(cs03.Response(code).encode(), then=self._changed)

    def _why_not(self, message_code: int, command: cs03.Command) -> JoinCode | None:
        """Return what is wrong with a join command, None if nothing is."""
        method = command.method_and_role
        if method not in METHODS.values():
            return JoinCode.INVALID_METHOD_AND_ROLE
        if method != METHODS[message_code]:
            return JoinCode.INVALID_MESSAGE_CODE
        if command.device_type not in PARTNERS[self._kind, message_code]:
            return JoinCode.INVALID_METHOD_AND_ROLE
        if method == MethodAndRole.C and not self._certificate_good(command):
            return JoinCode.INVALID_OR_MISSING_CERTIFICATE
        return self._settings.failing.get(command.device)

    def _certificate_good(self, command: cs03.Command) -> bool:
        """Return whether the certificate is the partner's. Its issuer is not known to devices here."""
        if command.certificate is None:
            return False
        try:
            certificate = Certificate(command.certificate)
            check_device(certificate, command.device, KEY_AGREEMENT)
            check_validity(certificate, self._wall.utc() if self._settings.check_validity else None)
        except DecodeError:
            return False
        return True

    def _enter(self, device: Eui64, device_type: DeviceType | int) -> JoinCode:
        held = self.log.get(device)
        if held is not None:
            return JoinCode.SUCCESS if held == device_type else JoinCode.INCOMPATIBLE_ENTRY
        if len(self.log.entries()) >= self._settings.log_capacity:
            return JoinCode.LOG_FULL
        self.log.put(LogEntry(device, device_type))
        return JoinCode.SUCCESS

    # --- CS04, CS07, GCS59 -------------------------------------------------------------------------------------

    def _unjoin(self, message: Message) -> Answer:
        device = cs04.Command.decode(message.payload).device
        if self.log.get(device) is None:
            return Answer(cs04.Response(UnjoinCode.NOT_IN_LOG).encode())
        self.log.remove(device)
        self._application.note("unjoined-device", device=str(device))
        return Answer(cs04.Response(UnjoinCode.SUCCESS).encode(), then=self._changed)

    def _read(self, message: Message) -> Answer:
        cs07.Command.decode(message.payload)
        return Answer(cs07.Response(self.log.entries()).encode())

    def _restore(self, message: Message) -> Answer:
        """Take the log of the hub that this one replaces, entry by entry."""
        command = gcs59.Command.decode(message.payload)
        restored = [gcs59.Restored(entry, self._restore_one(entry)) for entry in command.entries]
        taken = any(outcome.code is JoinCode.SUCCESS for outcome in restored)
        return Answer(gcs59.Response(tuple(restored)).encode(), then=self._changed if taken else None)

    def _restore_one(self, entry: LogEntry) -> JoinCode:
        if entry.device_type not in PARTNERS[DeviceKind.GPF, cs03.MESSAGE_CODE_B]:
            return JoinCode.INVALID_METHOD_AND_ROLE
        return self._enter(entry.device, entry.device_type)
