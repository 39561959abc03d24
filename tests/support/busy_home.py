"""A home at its busiest, whose devices may lose their power between any two changes of their storage."""

from collections.abc import Callable, Iterator

from emulator.parts.journal import Journal
from emulator.storage import MemoryStorage
from gateway.assembly.images import Releases
from gateway.assembly.parties import SUPPLIER, WAN_PROVIDER
from protocols.addresses import Eui64
from protocols.crypto.mmo import aes_mmo
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs06, cs08, cs09, ecs52
from protocols.gbcs.use_cases.ccs01 import LogDeviceType
from protocols.interfaces import SECOND, Rank
from protocols.ota.image import FirmwareImage, Kind
from tests.support.broker import Broker
from tests.support.keyed_home import KeyedHome

NAMES = ("ihd", "gsme", "hcalcs", "ppmid", "bridge-1", "bridge-3")
ALL = ("hub", "esme", *NAMES)
SETTLED = 4 * 3600  # seconds in which everything repeats until it has worked
QUIET = 3600  # of these at the end without a cut, so that whoever was cut last is back, too


class BusyHome:
    """Everybody joins, and while the ESME, the PPMID and a bridge take images the log changes and versions are read."""

    def __init__(self, victim: str | None = None, fatal: int = 0, off: int = 60) -> None:
        """The victim loses its power before change number `fatal` of its storages, for `off` seconds."""
        self._victim, self._fatal, self._off = victim, fatal, off
        self.changes: dict[str, list[str]] = {name: [] for name in ALL}  # cells in order of their changes
        self.cut_at: str | None = None  # the cell that was to be changed
        self._over = False  # whether cuts are
        self.home = KeyedHome(*NAMES, later=("esme", *NAMES))
        for name in ALL:
            for storage in self.storages(name):
                storage.before_change = self._hook(name)
        self.broker = Broker(self.home)
        self.images = Releases(self.home.entropy, self.home.credentials(SUPPLIER), self.home.credentials(WAN_PROVIDER))

    # --- power -------------------------------------------------------------------------------------------------

    def storages(self, name: str) -> list[MemoryStorage]:
        """Return what a device, or the hub, and its node keep."""
        if name == "hub":
            held = [self.home.home.hub._storage, self.home.hub._storage]
        else:
            device = self.home.device(name).device
            held = [device.storage, device.node._storage]  # type: ignore[attr-defined]
        below = [each.below if isinstance(each, Journal) else each for each in held]
        return [storage for storage in below if isinstance(storage, MemoryStorage)]

    def _hook(self, name: str) -> Callable[[str], None]:
        def before(cell: str) -> None:
            if self._over:
                return
            number = len(self.changes[name])
            self.changes[name].append(cell)
            if (name, number) == (self._victim, self._fatal) and self.cut_at is None:
                self.cut_at = cell
                self._cut(name)

        return before

    def _cut(self, name: str) -> None:
        """From this very change on nothing is kept and nothing leaves; the power comes back later."""
        clock = self.home.clock
        for storage in self.storages(name):
            storage.without_power = True
        if name == "hub":
            self.home.home.wan.hub.silent = True
        clock.call_at(clock.now(), self._off_now, name, rank=Rank.RADIO)
        clock.call_at(clock.now() + self._off * SECOND, self._on_again, name)

    def _off_now(self, name: str) -> None:
        hub = self.home.home.hub
        hub.power_off() if name == "hub" else self.home.device(name).device.power_off()

    def _on_again(self, name: str) -> None:
        for storage in self.storages(name):
            storage.without_power = False
        if name == "hub":
            self.home.home.wan.hub.silent = False
            self.home.home.hub.power_on()
            return
        device = self.home.device(name)
        device.device.power_on()
        state = device.device.node._on().state
        if state.network is None and state.joining is None:  # who installs it sees that it does not look for a network
            device.device.node.join(device.key, (self.home.home.description.channel,))

    # --- the busy time -----------------------------------------------------------------------------------------

    def live(self) -> "BusyHome":
        """Let all of it happen, and give it time to settle."""
        home = self.home
        for device in home.home.devices:
            home.home.switch_on(device)
        home.run_till(lambda: all(home.keyed(device) for device in home.home.devices), within=3600)
        home.run(60)
        self._updates()
        home.run(20)
        self._log_changes()
        self._reads()
        home.run_till(self._activatable, within=2 * 3600, step=5)
        self.activate("esme", Kind.ESME)
        home.run(SETTLED - QUIET)
        self._over = True
        home.run(QUIET)
        return self

    def _updates(self) -> None:
        for name, kind, type_code in (("esme", Kind.ESME, 0), ("ppmid", Kind.PPMID, 132)):
            self.broker.deliver(self.image(kind).encode(), self.home.device(name).eui, type_code)

    def _log_changes(self) -> None:
        """A device is added that never comes, and removed again."""
        stranger = Eui64(0x00DB1234567811AA)
        self.broker.add(stranger, bytes(range(16)), LogDeviceType.CAD)
        self.broker.remove(stranger)

    def _reads(self) -> None:
        for name in ("bridge-1", "bridge-3", "hcalcs"):
            self._command(self.home.device(name).eui, cs08.MESSAGE_CODE, lambda counter: cs08.Command().encode())
        self._command(self.home.device("esme").eui, ecs52.MESSAGE_CODE, lambda counter: ecs52.Command(counter).encode())

    def _command(self, device: Eui64, code: int, payload: Callable[[int], bytes]) -> None:
        counter = self.broker.next_counter
        self.broker.command(device, code, payload(counter), counter)

    def image(self, kind: Kind) -> FirmwareImage:
        return self.images.release(kind, 1)

    def _activatable(self) -> bool:
        return self.home.updatable("esme").store.pending is not None and self.home.node("esme").powered

    def activate(self, name: str, kind: Kind) -> None:
        """Send CS06, signed by the supplier, to a device that has the image."""
        device, counter = self.home.device(name).eui, self.broker.next_counter
        payload = cs06.Command(self.image(kind).hash, counter).encode()
        self.broker.signed(device, cs06.MESSAGE_CODE, payload, counter)

    # --- what must hold ----------------------------------------------------------------------------------------

    def faults(self) -> Iterator[str]:
        """Tell whatever is not as it would be without the cut."""
        yield from self._membership()
        yield from self._firmware()
        yield from self._answers()
        yield from self._storages()

    def _membership(self) -> Iterator[str]:
        running = self.home.home.hub._running
        if running is None:
            yield "the hub is off"
            return
        for device in self.home.home.devices:
            entry, key = running.log.get(device.eui), self.home.hub._on().state.peer(device.eui).key
            if not self.home.keyed(device):
                yield f"{device.name} and hub share no established key"
            elif entry is None or not entry.joined:
                yield f"{device.name} is not in the log as joined"
            elif key is None or entry.key_hash != aes_mmo(key):
                yield f"the log has another key of {device.name}"
        if len(running.log) != len(self.home.home.devices):
            yield f"{len(running.log)} devices in the log"
        told = {key.device: key.key_hash for key in self.broker.backup().keys}
        if told != {entry.device: entry.key_hash for entry in running.log.entries()}:
            yield "the last CS14 tells another log"

    def _firmware(self) -> Iterator[str]:
        for name, kind in (("esme", Kind.ESME), ("ppmid", Kind.PPMID)):
            device, version = self.home.updatable(name), self.image(kind).header.file_version
            if device.firmware_version != version:
                yield f"{name} runs {device.firmware_version:08X}"
            if device.store.pending is not None or device.store.partial is not None:
                yield f"{name} keeps an image that runs already"
            codes = [alert.code for alert in self.broker.transfers() if alert.device == device.node.eui]
            if 0 not in codes:
                yield f"the hub told {codes} of the image for {name}"

    def _answers(self) -> Iterator[str]:
        by_originator = {
            (message.originator, message.message_code)
            for code in (cs08.MESSAGE_CODE, ecs52.MESSAGE_CODE, cs06.MESSAGE_CODE, cs09.MESSAGE_CODE)
            for message in self.broker.messages(code)
        }
        wanted = [(name, cs08.MESSAGE_CODE) for name in ("bridge-1", "bridge-3", "hcalcs")]
        wanted += [("esme", ecs52.MESSAGE_CODE), ("esme", cs06.MESSAGE_CODE), ("ppmid", cs09.MESSAGE_CODE)]
        for name, code in wanted:
            if (self.home.device(name).eui, code) not in by_originator:
                yield f"no message {code:04X} of {name}"
        seen: dict[tuple[Eui64, int], bytes] = {}
        for octets in self.broker.alerts():
            message = Message.decode(octets)
            if seen.setdefault((message.originator, message.counter), octets) != octets:
                yield f"{message.originator} used alert counter {message.counter} twice"

    def _storages(self) -> Iterator[str]:
        for name in ALL:
            for storage in self.storages(name):
                if "journal" in storage.cells():
                    yield f"{name} has an unfinished journal"
        hub = self.home.home.hub._running
        if hub is not None:
            for block in hub._firmware._blocks.blocks():
                contents = hub._firmware._blocks.contents(block)
                if contents is not None and contents.open_recipients:
                    yield f"block {block} waits for {contents.open_recipients}"
