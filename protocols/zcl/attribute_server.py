"""A cluster's attributes served to others: every general command of ZCL 07-5123-08 2.5 over one table.

Pure: frames and the time in, frames out. The caller sends what `frame` and `due` return, and delivers reports to what
the cluster is bound to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from protocols.errors import DecodeError, UsageError
from protocols.interfaces import SECOND
from protocols.octets import Reader
from protocols.zcl.data_types import Value, is_analogue, read_value, write_value
from protocols.zcl.frame import GLOBAL_FROM_CLIENT, GLOBAL_FROM_SERVER, ZclFrame, ZclStatus

_RESPONSE_BITS = 0x10  # disable default response
_NO_REPORTS = 0xFFFF  # maximum interval that ends reporting
_READABLE, _WRITABLE, _REPORTABLE = 1, 2, 4  # of the extended discovery
_ROOM = 70  # octets of payload of a response or report [I]

READ, READ_RESPONSE, WRITE, WRITE_UNDIVIDED, WRITE_RESPONSE, WRITE_NO_RESPONSE = range(6)
CONFIGURE, CONFIGURE_RESPONSE, READ_CONFIGURATION, READ_CONFIGURATION_RESPONSE, REPORT, DEFAULT = range(6, 12)
DISCOVER, DISCOVER_RESPONSE = 0x0C, 0x0D
DISCOVER_RECEIVED, DISCOVER_GENERATED, DISCOVER_EXTENDED = 0x11, 0x13, 0x15  # their responses are one more


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `read` gives its value; `write` takes a new one and returns the status; None: read-only."""

    data_type: int  # 8 bits
    read: Callable[[], Value]
    write: Callable[[Value], int] | None = None
    reportable: bool = True


def constant(data_type: int, value: Value) -> Attribute:
    """Return an attribute that never changes and so is not reported."""
    return Attribute(data_type, lambda: value, reportable=False)


class Configuration(NamedTuple):
    """How an attribute is reported."""

    data_type: int
    minimum: int  # s
    maximum: int  # s; 0: changes only
    change: Value = None  # analogue types: least change that is reported

    def encode(self) -> bytes:
        """Return the octets as Configure Reporting has them behind the attribute id."""
        head = bytes((self.data_type, *self.minimum.to_bytes(2, "little"), *self.maximum.to_bytes(2, "little")))
        return head + write_value(self.data_type, self.change) if is_analogue(self.data_type) else head

    @classmethod
    def read(cls, reader: Reader) -> Self:
        data_type, minimum, maximum = reader.uint8(), reader.uint(2), reader.uint(2)
        return cls(data_type, minimum, maximum, read_value(reader, data_type) if is_analogue(data_type) else None)


class _Reported:
    __slots__ = ("at", "configuration", "value")

    def __init__(self, configuration: Configuration, value: Value, at: int) -> None:
        self.configuration, self.value, self.at = configuration, value, at


class AttributeServer:
    """The attributes of one cluster on one side (server or client)."""

    def __init__(
        self,
        attributes: Mapping[int, Attribute],
        *,
        from_server: bool = True,
        received: Sequence[int] = (),
        generated: Sequence[int] = (),
        manufacturer: int | None = None,
    ) -> None:
        """`received`, `generated`: ids of the cluster's own commands. `from_server`: this is the server's side."""
        self._attributes = dict(sorted(attributes.items()))
        self._from_server, self._manufacturer = from_server, manufacturer
        self._commands = {DISCOVER_RECEIVED: sorted(received), DISCOVER_GENERATED: sorted(generated)}
        self._reported: dict[int, _Reported] = {}
        self._transaction = 0
        self._handlers: Final[dict[int, Callable[[ZclFrame, int], bytes | None]]] = {
            READ: self._read,
            WRITE: self._write,
            WRITE_UNDIVIDED: self._write_undivided,
            WRITE_NO_RESPONSE: self._write_silently,
            CONFIGURE: self._configure,
            READ_CONFIGURATION: self._read_configuration,
            DISCOVER: self._discover,
            DISCOVER_EXTENDED: self._discover,
            DISCOVER_RECEIVED: self._discover_commands,
            DISCOVER_GENERATED: self._discover_commands,
        }

    def frame(self, octets: bytes, now: int) -> bytes | None:
        """Return the answer to a general command, a whole ZCL frame; None if none is due.

        Raises DecodeError for octets without a ZCL header, UsageError for a cluster-specific command.
        """
        return self.answer(ZclFrame.decode(octets), now)

    def answer(self, frame: ZclFrame, now: int) -> bytes | None:
        """As `frame`, of a frame that is decoded."""
        if frame.cluster_specific:
            raise UsageError("a cluster-specific command is not for the attribute server")
        if frame.from_server == self._from_server:
            return None  # meant for the other side
        if frame.manufacturer != self._manufacturer:
            return self._default(frame, ZclStatus.UNSUP_GENERAL_COMMAND)
        handler = self._handlers.get(frame.command)
        if handler is None:
            return None if frame.command in ANSWERS else self._default(frame, ZclStatus.UNSUP_GENERAL_COMMAND)
        try:
            return handler(frame, now)
        except DecodeError:
            return self._default(frame, ZclStatus.MALFORMED_COMMAND)

    def _default(self, frame: ZclFrame, status: int) -> bytes | None:
        if status == ZclStatus.SUCCESS and frame.default_response_disabled:
            return None
        return self._answer(frame, DEFAULT, bytes((frame.command, status)))

    def _answer(self, frame: ZclFrame, command: int, payload: bytes) -> bytes:
        control = (GLOBAL_FROM_SERVER if self._from_server else GLOBAL_FROM_CLIENT) | _RESPONSE_BITS
        return ZclFrame(control, frame.transaction, command, payload, frame.manufacturer).encode()

    # --- values ------------------------------------------------------------------------------------------------

    def _read(self, frame: ZclFrame, now: int) -> bytes:
        reader, payload = Reader(frame.payload), b""
        while reader.remaining:
            record = self._read_record(reader.uint(2))
            if len(payload) + len(record) > _ROOM:
                break  # what is left is asked for again
            payload += record
        return self._answer(frame, READ_RESPONSE, payload)

    def _read_record(self, identifier: int) -> bytes:
        attribute = self._attributes.get(identifier)
        head = identifier.to_bytes(2, "little")
        if attribute is None:
            return head + bytes((ZclStatus.UNSUPPORTED_ATTRIBUTE,))
        value = write_value(attribute.data_type, attribute.read())
        return head + bytes((ZclStatus.SUCCESS, attribute.data_type)) + value

    def _records(self, frame: ZclFrame) -> list[tuple[int, int, Value]]:
        """Return identifier, type and value of each attribute to be written."""
        reader, records = Reader(frame.payload), list[tuple[int, int, Value]]()
        while reader.remaining:
            identifier, data_type = reader.uint(2), reader.uint8()
            records.append((identifier, data_type, read_value(reader, data_type)))
        return records

    def _may_write(self, identifier: int, data_type: int) -> int:
        attribute = self._attributes.get(identifier)
        if attribute is None:
            return ZclStatus.UNSUPPORTED_ATTRIBUTE
        if attribute.data_type != data_type:
            return ZclStatus.INVALID_DATA_TYPE
        return ZclStatus.READ_ONLY if attribute.write is None else ZclStatus.SUCCESS

    def _put(self, identifier: int, data_type: int, value: Value) -> int:
        status = self._may_write(identifier, data_type)
        write = None if status else self._attributes[identifier].write
        return status if write is None else write(value)

    def _write(self, frame: ZclFrame, now: int) -> bytes:
        results = [(each[0], self._put(*each)) for each in self._records(frame)]
        return self._answer(frame, WRITE_RESPONSE, _failures(results))

    def _write_undivided(self, frame: ZclFrame, now: int) -> bytes:
        """All or nothing, as far as the types and rights tell."""
        records = self._records(frame)
        results = [(identifier, self._may_write(identifier, data_type)) for identifier, data_type, _ in records]
        if not any(status for _, status in results):
            results = [(each[0], self._put(*each)) for each in records]
        return self._answer(frame, WRITE_RESPONSE, _failures(results))

    def _write_silently(self, frame: ZclFrame, now: int) -> None:
        for record in self._records(frame):
            self._put(*record)

    # --- reporting ---------------------------------------------------------------------------------------------

    def _configure(self, frame: ZclFrame, now: int) -> bytes:
        reader, results = Reader(frame.payload), list[tuple[int, int, int]]()
        wanted: list[tuple[int, Configuration | None]] = []
        while reader.remaining:
            direction, identifier = reader.uint8(), reader.uint(2)
            if direction:
                reader.uint(2)  # the time-out of reports to come in: none are taken
                results.append((ZclStatus.UNSUPPORTED_ATTRIBUTE, direction, identifier))
                continue
            asked = Configuration.read(reader)
            status = self._may_report(identifier, asked)
            results.append((status, direction, identifier))
            if not status:
                wanted.append((identifier, None if asked.maximum == _NO_REPORTS else asked))
        for identifier, configuration in wanted:
            self.configure(identifier, configuration, now)
        return self._answer(frame, CONFIGURE_RESPONSE, _configuration_results(results))

    def _may_report(self, identifier: int, asked: Configuration) -> int:
        attribute = self._attributes.get(identifier)
        if attribute is None:
            return ZclStatus.UNSUPPORTED_ATTRIBUTE
        if attribute.data_type != asked.data_type:
            return ZclStatus.INVALID_DATA_TYPE
        if not attribute.reportable:
            return ZclStatus.UNREPORTABLE_ATTRIBUTE
        return ZclStatus.INVALID_VALUE if 0 < asked.maximum < asked.minimum else ZclStatus.SUCCESS

    def configure(self, identifier: int, configuration: Configuration | None, now: int) -> None:
        """Report the attribute from now on, or no more with None; one that is not there is not reported."""
        if configuration is None:
            self._reported.pop(identifier, None)
        elif identifier in self._attributes:
            self._reported[identifier] = _Reported(configuration, self._attributes[identifier].read(), now)

    def _read_configuration(self, frame: ZclFrame, now: int) -> bytes:
        reader, payload = Reader(frame.payload), b""
        while reader.remaining:
            direction, identifier = reader.uint8(), reader.uint(2)
            head = bytes((direction, *identifier.to_bytes(2, "little")))
            reported = None if direction else self._reported.get(identifier)
            if reported is not None:
                payload += bytes((ZclStatus.SUCCESS,)) + head + reported.configuration.encode()
            else:
                known = identifier in self._attributes
                status = ZclStatus.NOT_FOUND if known else ZclStatus.UNSUPPORTED_ATTRIBUTE
                payload += bytes((status,)) + head
        return self._answer(frame, READ_CONFIGURATION_RESPONSE, payload)

    def due(self, now: int) -> bytes | None:
        """Return a report (a ZCL frame) of all attributes whose time or change has come; None if there are none."""
        payload = b""
        for identifier, reported in self._reported.items():
            value = self._attributes[identifier].read()
            if not _is_due(reported, value, now):
                continue
            data_type = reported.configuration.data_type
            record = identifier.to_bytes(2, "little") + bytes((data_type,)) + write_value(data_type, value)
            if len(payload) + len(record) <= _ROOM or not payload:
                payload += record
                reported.value, reported.at = value, now
        if not payload:
            return None
        self._transaction = (self._transaction + 1) & 0xFF
        control = (GLOBAL_FROM_SERVER if self._from_server else GLOBAL_FROM_CLIENT) | _RESPONSE_BITS
        return ZclFrame(control, self._transaction, REPORT, payload, self._manufacturer).encode()

    def deadline(self, now: int, look_every: int) -> int | None:
        """Return when `due` is to be asked next, None if nothing is reported.

        Periodic reports have their time; for changes it looks every `look_every` ns once the minimum interval is over.
        """
        times = []
        for reported in self._reported.values():
            _, minimum, maximum, _ = reported.configuration
            if maximum:
                times.append(reported.at + maximum * SECOND)
            if minimum < maximum or not maximum:
                times.append(max(reported.at + minimum * SECOND, now + look_every))
        return min(times, default=None)

    @property
    def configurations(self) -> dict[int, Configuration]:
        """How each attribute that is reported is reported."""
        return {identifier: reported.configuration for identifier, reported in self._reported.items()}

    # --- discovery ---------------------------------------------------------------------------------------------

    def _discover(self, frame: ZclFrame, now: int) -> bytes:
        reader = Reader(frame.payload)
        start, most = reader.uint(2), reader.uint8()
        extended = frame.command == DISCOVER_EXTENDED
        found = [identifier for identifier in self._attributes if identifier >= start]
        given = found[: min(most, (_ROOM - 1) // (4 if extended else 3))]
        payload = bytes((len(given) == len(found),))
        for identifier in given:
            attribute = self._attributes[identifier]
            payload += identifier.to_bytes(2, "little") + bytes((attribute.data_type,))
            if extended:
                writable = 0 if attribute.write is None else _WRITABLE
                payload += bytes((_READABLE | writable | (_REPORTABLE if attribute.reportable else 0),))
        return self._answer(frame, frame.command + 1, payload)

    def _discover_commands(self, frame: ZclFrame, now: int) -> bytes:
        reader = Reader(frame.payload)
        start, most = reader.uint8(), reader.uint8()
        found = [command for command in self._commands[frame.command] if command >= start]
        given = found[: min(most, _ROOM - 1)]
        return self._answer(frame, frame.command + 1, bytes((len(given) == len(found), *given)))


ANSWERS: Final = (READ_RESPONSE, WRITE_RESPONSE, CONFIGURE_RESPONSE, READ_CONFIGURATION_RESPONSE, REPORT, DEFAULT,
                   DISCOVER_RESPONSE, 0x12, 0x14, 0x16)  # fmt: skip


def _failures(results: Sequence[tuple[int, int]]) -> bytes:
    """Return the payload of a write response: those that failed, or one SUCCESS."""
    failed = [bytes((status, *identifier.to_bytes(2, "little"))) for identifier, status in results if status]
    return b"".join(failed) or bytes((ZclStatus.SUCCESS,))


def _configuration_results(results: Sequence[tuple[int, int, int]]) -> bytes:
    failed = [bytes((status, way, *identifier.to_bytes(2, "little"))) for status, way, identifier in results if status]
    return b"".join(failed) or bytes((ZclStatus.SUCCESS,))


def _is_due(reported: _Reported, value: Value, now: int) -> bool:
    configuration, since = reported.configuration, now - reported.at
    if configuration.maximum and since >= configuration.maximum * SECOND:
        return True
    if value == reported.value or since < configuration.minimum * SECOND:
        return False
    if isinstance(configuration.change, int) and isinstance(value, int) and isinstance(reported.value, int):
        return abs(value - reported.value) >= configuration.change
    return True
