"""CS02a and CS02b at a device: what it says of its trust anchors, and how they are replaced.

CS02f and CS02g are the same for load controllers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from emulator.parts.gbcs_application import Answer, GbcsApplication
from emulator.parts.gbcs_entity import AUTHORISING_ROLES, GbcsRefused, Grounds
from emulator.parts.trust_anchors import Cells, named_by
from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs.cells import USAGES, CellIdentifier, KeyUsage
from protocols.gbcs.certificate_path import check_path, check_remote_party
from protocols.gbcs.codes import AlertCode, CredentialStatus
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import CERTIFICATE_SIGNING, Certificate, RemotePartyRole
from protocols.gbcs.use_cases import cs02a, cs02b
from protocols.gbcs.use_cases.cs02b import CellOutcome, CounterChange, Mode, Outcome

_R = RemotePartyRole
_NO_KEY = bytes(8)
_USAGE_NAMES = {octet: name for name, octet in USAGES.items()}

TARGETS: dict[Mode, tuple[RemotePartyRole, ...]] = {
    Mode.ROOT_BY_SUPPLIER: (_R.ROOT,),
    Mode.ROOT_BY_WAN_PROVIDER: (_R.ROOT,),
    Mode.SUPPLIER_BY_SUPPLIER: (_R.SUPPLIER,),
    Mode.NETWORK_OPERATOR_BY_NETWORK_OPERATOR: (_R.NETWORK_OPERATOR,),
    Mode.ACB_BY_ACB: (_R.ACCESS_CONTROL_BROKER,),
    Mode.WAN_PROVIDER_BY_WAN_PROVIDER: (_R.WAN_PROVIDER,),
    Mode.TCOS_BY_TCOS: (_R.TRANSITIONAL_COS,),
    Mode.SUPPLIER_BY_TCOS: (_R.SUPPLIER,),
    Mode.ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY: tuple(_R),
    Mode.ANY_BY_CONTINGENCY: tuple(_R),
    Mode.LOAD_CONTROLLER_BY_LOAD_CONTROLLER: (_R.LOAD_CONTROLLER,),
    Mode.LOAD_CONTROLLER_BY_SUPPLIER: (_R.LOAD_CONTROLLER,),
}
"""Whose cells a mode may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSettings:
    check_validity: bool = True  # False: dates never count, as for the published test certificates


class _Checked(NamedTuple):
    cell: CellIdentifier
    status: CredentialStatus
    certificate: Certificate | None  # the new one, None on failure


class CredentialCommands:
    """Serves CS02a and CS02b for one entity. Of each mode one dated command is stored; a later one replaces it.

    Cells fail one by one: those whose certificate is good are replaced together, the others keep theirs [inferred].
    after(name, delay, callback): a timer that dies with the power; setting it again moves it.
    """

    def __init__(
        self,
        application: GbcsApplication,
        after: Callable[[str, int, Callable[[], None]], object],
        settings: CredentialSettings | None = None,
    ) -> None:
        self._application, self._after = application, after
        self._entity, self._store = application.entity, application.entity.anchors
        self._storage, self._wall = application.storage, application.wall
        self._settings = settings if settings is not None else CredentialSettings()
        for code in (cs02a.MESSAGE_CODE, cs02a.LOAD_CONTROLLER_MESSAGE_CODE):
            application.on(code, self._read)
        for code in cs02b.MESSAGE_CODES.values():
            application.on(code, self._replace)

    def start(self) -> None:
        """Do what fell due while the power was away, and wait for the rest."""
        for _, message, _ in list(self._dated()):
            self._due(message.message_code)

    # --- CS02a -------------------------------------------------------------------------------------------------

    def _read(self, message: Message) -> Answer:
        command = cs02a.Command.decode(message.payload)
        held = self._store.certificate(command.authorising_cell)
        if held is None or named_by(held) != message.originator:
            raise GbcsRefused("the cell named is not the originator's", Grounds.NO_AUTHORITY, message)
        return Answer(cs02a.Response(tuple(self._party(role) for role in command.roles)).encode())

    def _party(self, role: RemotePartyRole | int) -> cs02a.RemoteParty:
        cells = tuple(
            cs02a.CellContents(cell.key_usage, cell.cell_usage, named_by(certificate), certificate.key_id)
            for cell, certificate in self._store.cells().items()
            if cell.role == role
        )
        if not cells:
            return cs02a.RemoteParty(role, CredentialStatus.TRUST_ANCHOR_NOT_FOUND)
        return cs02a.RemoteParty(role, CredentialStatus.SUCCESS, self._store.floor(role) or 0, cells)

    # --- CS02b -------------------------------------------------------------------------------------------------

    def _replace(self, message: Message) -> Answer:
        command = cs02b.Command.decode(message.payload)
        self._check_control(message, command)
        when = command.execution_time
        if when is not None and (when == cs02b.CANCEL or when > self._wall.utc()):
            self._schedule(message, when)
            return Answer(cs02b.Response().encode(), dated=True)
        self._storage.delete(self._cell(message.message_code))
        return Answer(cs02b.Response(self._execute(message, command)).encode(), dated=True)

    def _check_control(self, message: Message, command: cs02b.Command) -> None:
        """Raise GbcsRefused for a command that contradicts itself or reaches for what its mode may not change."""
        control, mode = command.control, cs02b.mode_of(message.message_code)
        role = AUTHORISING_ROLES[message.message_code]
        cell = control.authorising_cell
        if mode is None or control.mode != mode:
            raise GbcsRefused("mode and message code differ")
        if control.counter != message.counter:
            raise GbcsRefused("counters of payload and header differ")
        if cell is not None and cell.role != role:
            raise GbcsRefused("the authorising cell is not that of the mode", Grounds.NO_AUTHORITY, message)
        changed = [replacement.cell.role for replacement in command.replacements]
        changed += [change.role for change in control.other_changes or ()]
        if not all(role in TARGETS[mode] for role in changed):
            raise GbcsRefused(f"a cell that {mode.name} may not change", Grounds.NO_AUTHORITY, message)

    def _execute(self, message: Message, command: cs02b.Command) -> Outcome:
        """Replace what can be replaced, all of it at once with the counters."""
        old = dict(self._store.cells())
        checked = list(self._check(command))
        new = {each.cell: each.certificate for each in checked if each.certificate is not None}
        with self._storage.transaction():
            self._store.replace(new)
            changes = self._set_counters(message, command.control, new)
        for each in checked:
            self._application.note(
                "credential-replaced" if each.certificate is not None else "credential-refused",
                cell=f"{each.cell.role:02X}/{each.cell.key_usage:02X}/{each.cell.cell_usage:02X}",
                status=int(each.status),
            )
        outcomes = tuple(_outcome(each, old.get(each.cell)) for each in checked)
        return Outcome(message.counter, command.control.mode, changes, outcomes)

    def _set_counters(self, message: Message, control: cs02b.Control, new: Cells) -> tuple[CounterChange, ...]:
        """Set the floors the command names, if it has replaced anything; return them."""
        changes = list(control.other_changes or ())
        if control.floor is not None:
            role = AUTHORISING_ROLES[message.message_code]
            changes.insert(0, CounterChange(role, control.floor, control.specialist_floors))
        if not new:
            return ()
        for change in changes:
            self._store.set_floor(change.role, change.floor)
            for specialist in change.specialist_floors or ():
                self._store.set_specialist_floor(change.role, specialist.usage, specialist.floor)
        return tuple(changes)

    # --- certificates ------------------------------------------------------------------------------------------

    def _check(self, command: cs02b.Command) -> Iterator[_Checked]:
        at = None if self._ignores_dates(command) else self._wall.utc()
        path, root = _readable(command.path), self._store.root
        for replacement in command.replacements:
            cell = replacement.cell
            if cell not in self._store.cells():
                yield _Checked(cell, CredentialStatus.TRUST_ANCHOR_NOT_FOUND, None)
            elif root is None:
                yield _Checked(cell, CredentialStatus.NO_TRUST_ANCHOR, None)
            else:
                try:
                    certificate = Certificate(replacement.certificate)
                    self._check_certificate(certificate, cell, path, root, at, command.control.mode)
                except DecodeError:
                    yield _Checked(cell, CredentialStatus.BAD_CERTIFICATE, None)
                else:
                    root = certificate if cell.key_usage == KeyUsage.KEY_CERT_SIGN else root
                    yield _Checked(cell, CredentialStatus.SUCCESS, certificate)

    def _ignores_dates(self, command: cs02b.Command) -> bool:
        return command.control.time_checks is cs02b.TimeChecks.DISAPPLY or not self._settings.check_validity

    @staticmethod
    def _check_certificate(
        certificate: Certificate,
        cell: CellIdentifier,
        path: tuple[Certificate, ...],
        root: Certificate,
        at: int | None,
        mode: Mode | int,
    ) -> None:
        """Raise DecodeError unless the certificate may stand in the cell."""
        usage = _USAGE_NAMES.get(KeyUsage(cell.key_usage)) if cell.key_usage in _USAGE_NAMES else None
        if usage is None:
            raise IntegrityError("a key usage that no certificate has")
        check_remote_party(certificate, cell.role, usage)
        if usage != CERTIFICATE_SIGNING:
            check_path(certificate, path, root, at)
            return
        certificate.verify_issued_by(certificate)
        if mode != Mode.ANY_BY_CONTINGENCY:
            check_path(_link_to(certificate, path), path, root, at)

    # --- dated -------------------------------------------------------------------------------------------------

    def _schedule(self, message: Message, when: int) -> None:
        cell = self._cell(message.message_code)
        if when != cs02b.CANCEL:
            self._storage.put(cell, message.encode())
            self._application.note("credentials-scheduled", at=when)
            self._storage.afterwards(lambda: self._arm(message.message_code, when))
        elif self._storage.get(cell) is not None:
            self._storage.delete(cell)
            self._application.note("credentials-cancelled")

    def _arm(self, message_code: int, when: int) -> None:
        delay = max(when - self._wall.utc(), 0)
        self._after(f"credentials {message_code:04x}", delay, lambda: self._due(message_code))

    def _due(self, message_code: int) -> None:
        """Execute the dated command of a mode if its time has come by the device's own clock."""
        held = next((each for each in self._dated() if each[1].message_code == message_code), None)
        if held is None:
            return
        cell, message, when = held
        if when > self._wall.utc():
            self._arm(message_code, when)
            return
        with self._storage.transaction():
            self._storage.delete(cell)
            role = AUTHORISING_ROLES[message_code]
            if not any(party.cell_role is role for party in self._store.parties(message.originator)):
                self._application.note("credentials-dropped", reason="the originator is no longer known")
                return
            outcome = self._execute(message, cs02b.Command.decode(message.payload))
            self._tell(message.originator, when, outcome)

    def _tell(self, target: Eui64, when: int, outcome: Outcome) -> None:
        good = all(cell.status == CredentialStatus.SUCCESS for cell in outcome.cells)
        code = AlertCode.FUTURE_DATED_COMMAND_DONE if good else AlertCode.FUTURE_DATED_COMMAND_FAILED
        payload = cs02b.Alert(code, when, outcome).encode()
        self._application.alert(cs02b.alert_message_code_of(outcome.mode), target, lambda _: payload)

    def _dated(self) -> Iterator[tuple[str, Message, int]]:
        """Yield cell, command and date of what is stored."""
        for code in cs02b.MESSAGE_CODES.values():
            octets = self._storage.get(self._cell(code))
            if octets is not None:
                message = Message.decode(octets)
                when = cs02b.Command.decode(message.payload).execution_time
                yield self._cell(code), message, when or 0

    def _cell(self, message_code: int) -> str:
        return f"gbcs/{self._entity.eui}/dated/{message_code:04x}"


def _outcome(checked: _Checked, old: Certificate | None) -> CellOutcome:
    """Return what is told of one cell; a failed one has its old values twice."""
    before = _told(old)
    after = before if checked.certificate is None else _told(checked.certificate)
    return CellOutcome(checked.cell, checked.status, *before, *after)


def _told(certificate: Certificate | None) -> tuple[Eui64, bytes]:
    return (Eui64(0), _NO_KEY) if certificate is None else (named_by(certificate), certificate.key_id)


def _readable(path: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    """Return those of the certificates that are some; what the others were for fails later."""
    found = []
    for octets in path:
        try:
            found.append(Certificate(octets))
        except DecodeError:
            continue
    return tuple(found)


def _link_to(root: Certificate, path: tuple[Certificate, ...]) -> Certificate:
    """Return the certificate by which the old root vouches for a new one; IntegrityError if there is none."""
    numbers = root.public_key.public_numbers()
    for certificate in path:
        if certificate.subject == root.subject and certificate.public_key.public_numbers() == numbers:
            return certificate
    raise IntegrityError("a new root that the old one does not vouch for", data=root.der)
