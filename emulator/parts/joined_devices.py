"""The device log of a meter, HCALCS, PPMID or GPF: whom it is joined to, by CS03, CS04 and GCS59, told by CS07.

A join that needs a link key with the other device (A1 and B at an ESME) is answered when it is known what came of
that, also over a power cut; there is an entry only for what succeeded. The responder of method A enters the other one
at once, and is then begun with. Joins of a GSME, of a GPF and by method C need no key on the HAN: the first two go
through the hub, whose key is there, by the last each keeps the other's certificate: `device_messages.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from emulator.parts.gbcs_application import Answer, GbcsApplication
from emulator.parts.journal import Journal
from emulator.parts.partner_keys import PartnerKeys
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
_BEGINS = {cs03.MESSAGE_CODE_A1: True, cs03.MESSAGE_CODE_B: False}
"""The commands that make an ESME begin, and whether by certificates."""
_KEYED_WITH = (_T.ESME, _T.HCALCS, _T.PPMID, _T.TYPE_2)
"""Kinds of device, of a log of an ESME, HCALCS or PPMID, with which there is a link key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinSettings:
    log_capacity: int = 16  # entries [inferred]
    check_validity: bool = True  # of the certificate of method C


def log_prefix(entity: Eui64) -> str:
    """Return how the cells of an entity's log begin."""
    return f"joined/{entity}/"


class JoinedLog:
    """The entries in storage, one cell each: identifier, type, and by method C the other's certificate."""

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

    def certificate(self, device: Eui64) -> bytes | None:
        """Return the key agreement certificate of a device joined by method C, DER."""
        value = self._storage.get(f"{self._prefix}{device}")
        return (value[9:] or None) if value is not None else None

    def put(self, entry: LogEntry, certificate: bytes = b"") -> None:
        value = entry.device.big + bytes((entry.device_type,)) + certificate
        self._storage.put(f"{self._prefix}{entry.device}", value)

    def remove(self, device: Eui64) -> None:
        self._storage.delete(f"{self._prefix}{device}")


class JoinCommands:
    """Serves CS03, CS04 and CS07 (a GPF also GCS59); `changed` hears of every change of the log.

    keys: how link keys with others come; None for one that has none, as a GPF.
    """

    def __init__(
        self,
        application: GbcsApplication,
        settings: JoinSettings | None = None,
        changed: Callable[[], None] = lambda: None,
        keys: PartnerKeys | None = None,
    ) -> None:
        self._application, self._kind, self._wall = application, application.kind, application.wall
        self._settings = settings if settings is not None else JoinSettings()
        self._changed, self._keys = changed, keys
        self.log = JoinedLog(application.storage, log_prefix(application.entity.eui))
        self._underway = f"joining/{application.entity.eui}/"  # cells: the commands
        self._begun: set[str] = set()  # of these, those that `keys` knows of
        if keys is not None:
            keys.wanted, keys.responds = self._wants, self._responds
        codes = [code for kind, code in PARTNERS if kind is self._kind]
        for code in codes:
            application.on(code, self._join)
        for code in _UNJOINS:
            application.on(code, self._unjoin)
        application.on(cs07.MESSAGE_CODE, self._read)
        if self._kind is DeviceKind.GPF:
            application.on(gcs59.MESSAGE_CODE, self._restore)

    def stop(self) -> None:
        """Forget what is under way, but for the storage: the power went."""
        self._begun.clear()

    def joined(self) -> None:
        """There is (again) a network: go on with the joins that the power took."""
        if self._keys is not None:
            self._keys.joined()
            for cell in self._application.storage.cells():
                if cell.startswith(self._underway):
                    self._begin(cell)

    # --- CS03 --------------------------------------------------------------------------------------------------

    def _join(self, message: Message) -> Answer | None:
        command = cs03.Command.decode(message.payload)
        code = self._why_not(message.message_code, command) or self._room_for(command.device, command.device_type)
        if code is JoinCode.SUCCESS and self._needs_key(message.message_code, command.device):
            cell = f"{self._underway}{command.device}/{message.counter}"
            self._application.storage.put(cell, message.encode())
            self._application.storage.afterwards(partial(self._begin, cell))
            return None
        return self._conclude(command, code)

    def _conclude(self, command: cs03.Command, code: JoinCode) -> Answer:
        """Enter the other device if all went well; return the answer."""
        if code is not JoinCode.SUCCESS:
            self._application.note("join-failed", device=str(command.device), code=int(code))
            return Answer(cs03.Response(code).encode())
        self.log.put(LogEntry(command.device, command.device_type), command.certificate or b"")
        self._application.note("joined-device", device=str(command.device), type=int(command.device_type))
        return Answer(cs03.Response(code).encode(), then=self._changed)

    # --- link keys ---------------------------------------------------------------------------------------------

    def _needs_key(self, message_code: int, device: Eui64) -> bool:
        """Return whether this device is to begin: not again by method A, where both are known to have the key."""
        if self._keys is None or self._kind is not DeviceKind.ESME or message_code not in _BEGINS:
            return False
        return not _BEGINS[message_code] or self.log.get(device) is None or not self._keys.has(device)

    def _begin(self, cell: str) -> None:
        octets = self._application.storage.get(cell)
        if octets is None or self._keys is None or cell in self._begun:
            return
        self._begun.add(cell)
        message = Message.decode(octets)
        device = _other(message)
        certificates = _BEGINS[message.message_code]
        self._keys.establish(device, partial(self._established, cell, message), certificates=certificates)

    def _established(self, cell: str, message: Message, code: JoinCode) -> None:
        """Answer a command whose key is there, or will not come."""
        storage = self._application.storage
        self._begun.discard(cell)
        with storage.transaction():
            storage.delete(cell)
            answer = self._conclude(cs03.Command.decode(message.payload), code)
            self._application.respond(message, answer, signed=_BEGINS[message.message_code])
            if answer.then is not None:
                answer.then()
        if self._keys is not None and self.log.get(_other(message)) is None:
            self._keys.drop(_other(message))

    def _wants(self, partner: Eui64) -> bool:
        """Tell whether a link key with a device is wanted: it is in the log, or about to be."""
        if any(cell.startswith(f"{self._underway}{partner}/") for cell in self._application.storage.cells()):
            return True
        return self._kind is not DeviceKind.GSME and self.log.get(partner) in _KEYED_WITH

    def _responds(self, partner: Eui64) -> bool:
        """Tell whether a device may begin key establishment: an ESME with what it was joined to by method A."""
        return self._kind in (DeviceKind.HCALCS, DeviceKind.PPMID) and self.log.get(partner) is DeviceType.ESME

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
        return None

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

    def _room_for(self, device: Eui64, device_type: DeviceType | int) -> JoinCode:
        held = self.log.get(device)
        if held is not None:
            return JoinCode.SUCCESS if held == device_type else JoinCode.INCOMPATIBLE_ENTRY
        full = len(self.log.entries()) >= self._settings.log_capacity
        return JoinCode.LOG_FULL if full else JoinCode.SUCCESS

    # --- CS04, CS07, GCS59 -------------------------------------------------------------------------------------

    def _unjoin(self, message: Message) -> Answer:
        device = cs04.Command.decode(message.payload).device
        if self.log.get(device) is None:
            return Answer(cs04.Response(UnjoinCode.NOT_IN_LOG).encode())
        self.log.remove(device)
        self._application.note("unjoined-device", device=str(device))
        if self._keys is not None:
            self._application.storage.afterwards(partial(self._keys.drop, device))
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
        code = self._room_for(entry.device, entry.device_type)
        if code is JoinCode.SUCCESS:
            self.log.put(entry)
        return code


def _other(message: Message) -> Eui64:
    """Return the device that a CS03 is about."""
    return cs03.Command.decode(message.payload).device
