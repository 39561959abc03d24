"""CS02b, replace credentials of remote parties on a device (service requests 6.15.1, 6.21, 6.23, 8.5, or none).

CS02g is the same for load controllers: its modes are 10 and 11, its alert has a message code of its own.

Some devices write lengths longer than necessary here; they are accepted, ours are the shortest.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.gbcs import der, times
from protocols.gbcs.cells import CellIdentifier
from protocols.gbcs.codes import AlertCode, CredentialStatus, named
from protocols.gbcs.der import DerReader, context
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.times import Instant

ALERT_MESSAGE_CODE = 0x00CB
LOAD_CONTROLLER_ALERT_MESSAGE_CODE = 0x0124
CANCEL = times.LAST_SECOND  # as execution time it cancels what is future-dated

_KEY_ID_OCTETS = 8


class Mode(IntEnum):
    """Whose credentials are replaced, and by whom."""

    ROOT_BY_SUPPLIER = 0
    ROOT_BY_WAN_PROVIDER = 1
    SUPPLIER_BY_SUPPLIER = 2  # or by the access control broker before handover
    NETWORK_OPERATOR_BY_NETWORK_OPERATOR = 3  # or by the access control broker before handover
    ACB_BY_ACB = 4
    WAN_PROVIDER_BY_WAN_PROVIDER = 5
    TCOS_BY_TCOS = 6
    SUPPLIER_BY_TCOS = 7
    ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY = 8
    ANY_BY_CONTINGENCY = 9
    LOAD_CONTROLLER_BY_LOAD_CONTROLLER = 10
    LOAD_CONTROLLER_BY_SUPPLIER = 11


_OF_LOAD_CONTROLLERS = {Mode.LOAD_CONTROLLER_BY_LOAD_CONTROLLER: 0x0125, Mode.LOAD_CONTROLLER_BY_SUPPLIER: 0x0126}
MESSAGE_CODES = {mode: _OF_LOAD_CONTROLLERS.get(mode, 0x0100 + mode) for mode in Mode}


def mode_of(message_code: int) -> Mode | None:
    """Return the mode a message code stands for, None if it is none of CS02b and CS02g."""
    return next((mode for mode, code in MESSAGE_CODES.items() if code == message_code), None)


def alert_message_code_of(mode: Mode | int) -> int:
    """Return the message code of the alert that tells what came of a future-dated command."""
    return LOAD_CONTROLLER_ALERT_MESSAGE_CODE if mode in _OF_LOAD_CONTROLLERS else ALERT_MESSAGE_CODE


class CounterUsage(IntEnum):
    """What a specialist counter is for."""

    PREPAYMENT_TOP_UP = 0


class TimeChecks(IntEnum):
    """Whether validity dates of certificates count."""

    APPLY = 0
    DISAPPLY = 1


@dataclass(frozen=True, slots=True)
class SpecialistCounter:
    usage: CounterUsage | int
    floor: int  # 64 bits

    def encode(self) -> bytes:
        return der.sequence(der.integer(self.usage), der.integer(self.floor))

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        counter = cls(named(CounterUsage, inner.unsigned(8)), inner.unsigned(64))
        inner.finish()
        return counter


@dataclass(frozen=True, slots=True)
class CounterChange:
    """The counters of one remote party from now on: commands need higher ones."""

    role: RemotePartyRole | int
    floor: int  # 64 bits
    specialist_floors: tuple[SpecialistCounter, ...] | None = None

    def encode(self) -> bytes:
        return der.sequence(
            der.integer(self.role), der.integer(self.floor), _optional_sequence(der.SEQUENCE, self.specialist_floors)
        )

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        role, floor = named(RemotePartyRole, inner.unsigned(8)), inner.unsigned(64)
        change = cls(role, floor, inner.each(SpecialistCounter.read) if inner.more else None)
        inner.finish()
        return change


@dataclass(frozen=True, slots=True)
class Control:
    """Who authorises the replacement, and the counters it sets."""

    mode: Mode | int
    counter: int  # 64 bits, of the authorising party: the originator counter of the message
    authorising_cell: CellIdentifier | None = None
    floor: int | None = None  # 64 bits, new floor of the replaced party's counter
    specialist_floors: tuple[SpecialistCounter, ...] | None = None
    other_changes: tuple[CounterChange, ...] | None = None
    time_checks: TimeChecks = TimeChecks.APPLY
    symmetric_key: bytes | None = None

    def encode(self) -> bytes:
        parts = [der.integer(self.mode)]
        if self.symmetric_key is not None:
            parts.append(der.tlv(context(0), self.symmetric_key))
        if self.time_checks is not TimeChecks.APPLY:
            parts.append(der.integer(self.time_checks, context(1)))
        if self.authorising_cell is not None:
            parts.append(der.tlv(context(2, constructed=True), self.authorising_cell.content()))
        parts.append(der.integer(self.counter, context(3)))
        if self.floor is not None:
            parts.append(der.integer(self.floor, context(4)))
        parts.append(_optional_sequence(context(5, constructed=True), self.specialist_floors))
        parts.append(_optional_sequence(context(6, constructed=True), self.other_changes))
        return der.sequence(*parts)

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        mode = named(Mode, inner.unsigned(8))
        key = inner.content(context(0)) if inner.next_tag() == context(0) else None
        checks = _read_time_checks(inner)
        tag = context(2, constructed=True)
        cell = CellIdentifier.read(inner, tag) if inner.next_tag() == tag else None
        counter = inner.unsigned(64, context(3))
        floor = inner.unsigned(64, context(4)) if inner.next_tag() == context(4) else None
        tag = context(5, constructed=True)
        specialist = inner.each(SpecialistCounter.read, tag) if inner.next_tag() == tag else None
        tag = context(6, constructed=True)
        others = inner.each(CounterChange.read, tag) if inner.next_tag() == tag else None
        inner.finish()
        return cls(mode, counter, cell, floor, specialist, others, checks, key)


@dataclass(frozen=True, slots=True)
class Replacement:
    certificate: bytes  # DER
    cell: CellIdentifier  # where it goes

    def encode(self) -> bytes:
        return der.sequence(_one_sequence(self.certificate, "certificate"), self.cell.encode())

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        replacement = cls(inner.element(der.SEQUENCE), CellIdentifier.read(inner))
        inner.finish()
        return replacement


@dataclass(frozen=True, slots=True)
class Command:
    control: Control
    replacements: tuple[Replacement, ...]
    path: tuple[bytes, ...]  # DER certificates of issuing authorities
    execution_time: Instant | None = None  # None: at once; CANCEL: cancel what is future-dated

    def encode(self) -> bytes:
        return der.sequence(
            self.control.encode(),
            der.sequence(*(replacement.encode() for replacement in self.replacements)),
            der.sequence(*(_one_sequence(each, "path") for each in self.path)),
            b"" if self.execution_time is None else der.generalized_time(self.execution_time),
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets, long_lengths=True)
        inner = outer.sequence()
        control, replacements = Control.read(inner), inner.each(Replacement.read)
        path = inner.each(lambda reader: reader.element(der.SEQUENCE))
        command = cls(control, replacements, path, inner.generalized_time() if inner.more else None)
        inner.finish()
        outer.finish()
        return command


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """What came of one cell. Where it failed, the old values stand as new ones too."""

    cell: CellIdentifier
    status: CredentialStatus | int
    old_entity: Eui64
    old_key_id: bytes  # 8 octets
    new_entity: Eui64
    new_key_id: bytes  # 8 octets

    def encode(self) -> bytes:
        return der.sequence(
            self.cell.encode(),
            der.enumerated(self.status),
            der.octet_string(self.old_entity.big),
            der.octet_string(self.old_key_id),
            der.octet_string(self.new_entity.big),
            der.octet_string(self.new_key_id),
        )

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        outcome = cls(
            CellIdentifier.read(inner),
            named(CredentialStatus, inner.enumerated()),
            Eui64.from_big(inner.octet_string(8)),
            inner.octet_string(_KEY_ID_OCTETS),
            Eui64.from_big(inner.octet_string(8)),
            inner.octet_string(_KEY_ID_OCTETS),
        )
        inner.finish()
        return outcome


@dataclass(frozen=True, slots=True)
class Outcome:
    counter: int  # 64 bits, of the authorising party
    mode: Mode | int
    changes: tuple[CounterChange, ...]
    cells: tuple[CellOutcome, ...]

    def encode(self) -> bytes:
        return der.sequence(
            der.integer(self.counter),
            der.integer(self.mode),
            der.sequence(*(change.encode() for change in self.changes)),
            der.sequence(*(cell.encode() for cell in self.cells)),
        )

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        counter, mode = inner.unsigned(64), named(Mode, inner.unsigned(8))
        outcome = cls(counter, mode, inner.each(CounterChange.read), inner.each(CellOutcome.read))
        inner.finish()
        return outcome


@dataclass(frozen=True, slots=True)
class Response:
    outcome: Outcome | None = None  # None: future-dated or cancelled, accepted

    def encode(self) -> bytes:
        return der.sequence(der.ENCODED_NULL, b"" if self.outcome is None else self.outcome.encode())

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets, long_lengths=True)
        inner = outer.sequence()
        inner.null()
        response = cls(Outcome.read(inner) if inner.more else None)
        inner.finish()
        outer.finish()
        return response


@dataclass(frozen=True, slots=True)
class Alert:
    """What came of a future-dated replacement. Its message code: `alert_message_code_of` its mode."""

    alert_code: AlertCode | int  # FUTURE_DATED_COMMAND_DONE or FUTURE_DATED_COMMAND_FAILED
    execution_time: Instant  # of the command
    outcome: Outcome

    def encode(self) -> bytes:
        return der.sequence(
            der.integer(self.alert_code), der.generalized_time(self.execution_time), self.outcome.encode()
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets, long_lengths=True)
        inner = outer.sequence()
        code, time = named(AlertCode, inner.unsigned(16)), inner.generalized_time()
        alert = cls(code, time, Outcome.read(inner))
        inner.finish()
        outer.finish()
        return alert


def _optional_sequence(tag: int, items: tuple[SpecialistCounter, ...] | tuple[CounterChange, ...] | None) -> bytes:
    return b"" if items is None else der.tlv(tag, b"".join(item.encode() for item in items))


def _one_sequence(octets: bytes, field: str) -> bytes:
    """Return the octets of a certificate; UsageError for what is not one whole SEQUENCE, as no certificate is."""
    reader = DerReader(octets, long_lengths=True)
    try:
        reader.content(der.SEQUENCE)
        reader.finish()
    except DecodeError as error:
        raise UsageError(f"{field}: no certificate in DER ({error.what})") from None
    return octets


def _read_time_checks(reader: DerReader) -> TimeChecks:
    if reader.next_tag() != context(1):
        return TimeChecks.APPLY
    number = reader.unsigned(8, context(1))
    if number != TimeChecks.DISAPPLY:
        raise DecodeError(f"time checks {number}: only 1 is written out")
    return TimeChecks.DISAPPLY
