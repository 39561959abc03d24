"""Home 1 on the air, its devices in the network but not joined to each other; CS03 and CS04 come over the WAN."""

from emulator.home.pairs import GBCS_TYPES
from emulator.parts.journal import Journal
from emulator.parts.key_establishment import SuiteCredentials
from emulator.parts.partner_exchanges import PartnerExchanges
from emulator.storage import MemoryStorage
from gateway.assembly.parties import ACB, SUPPLIER
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.codes import DeviceType, JoinCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs03, cs04
from protocols.gbcs.use_cases.cs03 import MethodAndRole
from protocols.interfaces import SECOND, Rank
from tests.support.broker import Broker
from tests.support.keyed_home import KeyedHome

A1, A2, B, C = cs03.MESSAGE_CODE_A1, cs03.MESSAGE_CODE_A2, cs03.MESSAGE_CODE_B, cs03.MESSAGE_CODE_C
METHODS = {A1: MethodAndRole.A_INITIATOR, A2: MethodAndRole.A_RESPONDER, B: MethodAndRole.B, C: MethodAndRole.C}
_TRUSTS_SUPPLIER = ("esme", "gsme", "hcalcs")


class JoiningHome(KeyedHome):
    """Everybody has a key with the hub, and the tunnels are open."""

    def __init__(self, *names: str, loss: float = 0.0) -> None:
        super().__init__(*names, loss=loss, joined=False)
        self.run_till_keyed(within=900)
        self.run(30)
        self.broker = Broker(self)

    # --- commands ----------------------------------------------------------------------------------------------

    def join(self, name: str, code: int, other: str, certificate: bytes | None = None) -> JoinCode | int | None:
        """Send CS03 to a device and return the code of its answer; None if none comes in two minutes."""
        return self.answered(self.send_join(name, code, other, certificate))

    def send_join(self, name: str, code: int, other: str, certificate: bytes | None = None) -> Message:
        """Send CS03; return the command, for `answered`."""
        kind = DeviceType.GPF if other == "gpf" else GBCS_TYPES[self.device(other).description.kind]
        payload = cs03.Command(METHODS[code], self.eui(other), kind, certificate).encode()
        return self._command(name, code, payload, signed=code != B)

    def unjoin(self, name: str, other: str, *, loose: bool = False) -> int:
        """Send CS04 to a device and return the code of its answer. loose: of method B."""
        code = cs04.MESSAGE_CODE_B if loose else cs04.MESSAGE_CODE_AC
        answer = self._answer(self._command(name, code, cs04.Command(self.eui(other)).encode(), signed=not loose))
        assert answer is not None
        return cs04.Response.decode(answer.payload).code

    def answered(self, command: Message, within: float = 120) -> JoinCode | int | None:
        """Return the code that answers a CS03, its signature verified where the standard wants one."""
        answer = self._answer(command, within)
        if answer is None:
            return None
        if command.message_code != B:
            security.verify_signature(answer, self.credentials(answer.originator).ds_certificate.public_key)
        return cs03.Response.decode(answer.payload).code

    def eui(self, name: str) -> Eui64:
        return self.home.gpf if name == "gpf" else self.device(name).eui

    def _command(self, name: str, code: int, payload: bytes, *, signed: bool) -> Message:
        counter, target = self.broker.next_counter, self.eui(name)
        by = SUPPLIER if name in _TRUSTS_SUPPLIER else ACB
        if signed:
            self.broker.signed(target, code, payload, counter, by=by)
        else:
            self.broker.command(target, code, payload, counter)
            by = ACB
        return Message(Cra.COMMAND, counter, by, target, message_code=code, payload=payload)

    def answers(self, command: Message) -> list[Message]:
        """Return what came up in answer to a command."""
        found = self.broker.messages(command.message_code)
        return [m for m in found if m.cra is Cra.RESPONSE and m.counter == command.counter]

    def _answer(self, command: Message, within: float = 120) -> Message | None:
        for _ in range(round(within)):
            if self.answers(command):
                return self.answers(command)[0]
            self.run(1)
        return None

    # --- the devices -------------------------------------------------------------------------------------------

    def exchanges(self, name: str) -> PartnerExchanges:
        """Return the key establishment of a device with others than the hub."""
        keys = self.updatable(name).keys
        assert keys is not None
        return keys.partners

    def recertify(self, name: str, credentials: SuiteCredentials) -> None:
        """Give a device other certificates for exchanges with other devices; those with the hub are over."""
        self.exchanges(name)._initiator._credentials = credentials
        self.exchanges(name)._responder._credentials = credentials

    def reads(self, name: str) -> int:
        """Return how often a display has shown the electricity meter."""
        return len([line for line in self.notes.of("shown", f"home-1/{name}") if line["of"] == "electricity"])

    def gas_reads(self, name: str) -> int:
        """Return how often a display has shown a reading of the gas meter."""
        return len([line for line in self.notes.of("shown", f"home-1/{name}") if "gas_l" in line])


class PowerCut:
    """A device loses its power before change number `fatal` of its storages from now on, for a minute."""

    def __init__(self, home: JoiningHome, name: str, fatal: int) -> None:
        self._home, self._device, self._left = home, home.updatable(name), fatal
        self.cell = ""  # that was to be changed
        held = (self._device.storage, self._device.node._storage)
        below = [each.below if isinstance(each, Journal) else each for each in held]
        self._storages = [each for each in below if isinstance(each, MemoryStorage)]
        for storage in self._storages:
            storage.before_change = self._before

    def stop(self) -> None:
        """Let it happen no more."""
        for storage in self._storages:
            storage.before_change = None

    @property
    def happened(self) -> bool:
        return bool(self.cell)

    def _before(self, cell: str) -> None:
        self._left -= 1
        if self._left != -1:
            return
        self.cell, clock = cell, self._home.clock
        for storage in self._storages:
            storage.without_power = True
        clock.call_at(clock.now(), self._device.power_off, rank=Rank.RADIO)
        clock.call_at(clock.now() + 60 * SECOND, self._on_again)

    def _on_again(self) -> None:
        for storage in self._storages:
            storage.without_power = False
        self._device.power_on()
