"""The ACB replaces its credentials on a device (CS02b, ACB by ACB), and the device's power goes before one of its puts.

Everything is real but the time: the command travels over WAN, hub, air and tunnel, the device writes its storage cell
by cell. What holds afterwards is read from the device's cells and tried with a command under the old and the new keys.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from emulator.parts.trust_anchors import named_by
from emulator.storage import MemoryStorage
from gateway.assembly.brokered_home import BrokeredHome
from gateway.assembly.parties import SUPPLIER
from protocols.errors import InputError, IntegrityError, UsageError
from protocols.gbcs import security
from protocols.gbcs.cells import CellIdentifier, KeyUsage
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.smki import Certificate, Credentials, RemotePartyRole
from protocols.gbcs.use_cases import cs02b, cs08, ecs52, gcs38
from protocols.gbcs.use_cases.cs02b import Control, Mode, Replacement
from protocols.interfaces import MINUTE, SECOND

_ACB = RemotePartyRole.ACCESS_CONTROL_BROKER
CELLS = (CellIdentifier(_ACB, KeyUsage.DIGITAL_SIGNATURE), CellIdentifier(_ACB, KeyUsage.KEY_AGREEMENT))
COUNTER = 1300
_OFF = 10 * SECOND  # without power
_WAIT = 2 * MINUTE  # for an answer of a device that is awake
_SLEEPY_WAIT = 35 * MINUTE  # longer than it sleeps


class Holds(Enum):
    """Which credentials of the ACB a device holds."""

    OLD = "old"
    NEW = "new"
    MIXED = "a mixture"


class Step(NamedTuple):
    """One thing that happened: when (ns), to whom, what."""

    time: int
    who: str
    what: str


class Cell(NamedTuple):
    """What one trust anchor cell holds."""

    cell: CellIdentifier
    certificate: Certificate
    holds: str  # "old", "new", or "-" for a cell of another party

    @property
    def entity(self) -> str:
        """Whom the certificate names; zeros for an authority."""
        return str(named_by(self.certificate))


class Replaced(NamedTuple):
    """The whole story. `puts` are the names of the cells written, in order, up to the cut."""

    device: str
    command: bytes
    steps: tuple[Step, ...]
    puts: tuple[str, ...]
    before: tuple[Cell, ...]
    after: tuple[Cell, ...]
    responses: tuple[Message, ...]
    old_keys_answered: bool
    new_keys_answered: bool
    keys: Keystore  # what the messages are verified with

    @property
    def holds(self) -> Holds:
        """What the cells say."""
        found = {cell.holds for cell in self.after} - {"-"}
        return Holds(found.pop()) if len(found) == 1 else Holds.MIXED

    @property
    def consistent(self) -> bool:
        """Whether the device holds one set, obeys that set alone, and told of a replacement exactly if it made one."""
        new = self.holds is Holds.NEW
        answered = (self.old_keys_answered, self.new_keys_answered) == (not new, new)
        return self.holds is not Holds.MIXED and answered and bool(self.responses) is new


class _PowerCutError(Exception):
    """Comes out of the put that does not happen any more."""


class CredentialReplacement:
    """One run. `cut_before`: number of the put, from 1, before which the power goes; None for none."""

    def __init__(self, device: str, cut_before: int | None = None, *, home: str = "home-1", seed: int = 1) -> None:
        self._bench, self._cut = BrokeredHome(home, device, seed), cut_before
        self._steps, self._puts = list[Step](), list[str]()
        self._wait = _WAIT if self._bench.target.tunnelled else _SLEEPY_WAIT
        storage = self._bench.device.entity.storage.below
        if not isinstance(storage, MemoryStorage):
            raise UsageError("the power is cut between two puts of a storage in memory only")
        self._storage = storage

    def run(self) -> Replaced:
        """Return what happened; InputError for a put that the replacement does not come to."""
        bench = self._bench
        bench.heard, bench.arrived = self._heard, self._arrived
        before, command = tuple(self._cells()), self._command()
        self._say("ACB", f"sends CS02b, {len(command)} octets")
        self._storage.before_put = self._before_put
        bench.send(command)
        self._live_through()
        self._storage.before_put = None
        if self._cut is not None and len(self._puts) < self._cut:
            raise InputError(f"{bench.target.name} makes {len(self._puts)} puts, none is number {self._cut}")
        old, new = self._reads(bench.old, 2000), self._reads(bench.new, 2001)
        responses = dict.fromkeys(each for each in bench.up if each.cra is Cra.RESPONSE and _is_ours(each))
        return Replaced(
            bench.target.name, command, tuple(self._steps), tuple(self._puts), before, tuple(self._cells()),
            tuple(responses), old, new, self._keys(),
        )  # fmt: skip

    # --- the device's puts -------------------------------------------------------------------------------------

    def _before_put(self, cell: str) -> None:
        self._puts.append(cell)
        if len(self._puts) == self._cut:
            raise _PowerCutError(cell)
        self._say(self._bench.target.name, f"put {len(self._puts)}: {cell}")

    def _live_through(self) -> None:
        bench, until = self._bench, self._bench.clock.now() + self._wait
        try:
            bench.run(until - bench.clock.now())
        except _PowerCutError as cut:
            self._storage.before_put = None
            self._say(bench.target.name, f"POWER CUT before put {self._cut}: {cut}")
            bench.device.power_off()
            bench.run(_OFF)
            self._say(bench.target.name, "has power again")
            bench.device.power_on()
            bench.run(self._wait)

    # --- commands ----------------------------------------------------------------------------------------------

    def _command(self) -> bytes:
        new = dict(zip(CELLS, (self._bench.new.ds_certificate, self._bench.new.ka_certificate), strict=True))
        replacements = tuple(Replacement(certificate.der, cell) for cell, certificate in new.items())
        control = Control(Mode.ACB_BY_ACB, COUNTER, floor=COUNTER)
        payload = cs02b.Command(control, replacements, (self._bench.issuing.der,)).encode()
        return self._bench.command(cs02b.MESSAGE_CODES[Mode.ACB_BY_ACB], payload, COUNTER, self._bench.old)

    def _reads(self, broker: Credentials, counter: int) -> bool:
        """Return whether a read of the firmware version under one set of keys is answered."""
        bench = self._bench
        match bench.target.description.kind:
            case "esme":
                code, payload = ecs52.MESSAGE_CODE, ecs52.Command(counter).encode()
            case "gsme":
                code, payload = gcs38.MESSAGE_CODE, gcs38.Command().encode()
            case _:
                code, payload = cs08.MESSAGE_CODE, cs08.Command().encode()
        name = "old" if broker is bench.old else "new"
        self._say("ACB", f"reads the firmware version under its {name} keys")
        bench.send(bench.command(code, payload, counter, broker, user=SUPPLIER))
        bench.run(self._wait)
        return any(each.cra is Cra.RESPONSE and each.counter == counter for each in bench.up)

    # --- what is told ------------------------------------------------------------------------------------------

    def _arrived(self, message: Message) -> None:
        if message.originator == self._bench.target.eui and message.cra is Cra.RESPONSE:
            self._say("ACB", f"hears the response to {message.message_code:04X}{self._verdict(message)}")

    def _verdict(self, message: Message) -> str:
        if not message.signature:
            return ""
        try:
            security.verify_signature(message, self._bench.certificate.public_key)
        except IntegrityError:
            return ", signature INVALID"
        outcome = cs02b.Response.decode(message.payload).outcome
        statuses = () if outcome is None else (f"{int(cell.status)}" for cell in outcome.cells)
        return f", signature valid, status of the cells {' '.join(statuses)}"

    def _heard(self, actor: str, event: str, fields: dict[str, str | int | bool | None]) -> None:
        name = actor.rpartition("/")[2]
        if name == self._bench.target.name and event.startswith(("credential", "command")):
            self._say(name, " ".join((event, *(f"{key} {value}" for key, value in fields.items()))))

    def _keys(self) -> Keystore:
        keys = Keystore()
        keys.add(self._bench.device.entity.credentials, private=False)
        keys.add(self._bench.old, private=True)
        return keys

    def _say(self, who: str, what: str) -> None:
        self._steps.append(Step(self._bench.clock.now(), who, what))

    def _cells(self) -> Iterator[Cell]:
        sets = {"old": self._bench.old, "new": self._bench.new}
        held = self._bench.device.entity.anchors.cells()
        for cell in sorted(held, key=_order):
            names = [name for name, own in sets.items() if held[cell] in (own.ds_certificate, own.ka_certificate)]
            yield Cell(cell, held[cell], names[0] if names else "-")


def _is_ours(message: Message) -> bool:
    return message.message_code == cs02b.MESSAGE_CODES[Mode.ACB_BY_ACB]


def _order(cell: CellIdentifier) -> tuple[int, int, int]:
    return cell.role, cell.key_usage, cell.cell_usage
