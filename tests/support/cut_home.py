"""A home any of whose devices may lose its power between any two changes of its storage."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

from emulator.parts.journal import Journal
from emulator.storage import MemoryStorage
from gateway.assembly.images import SIZES, Releases
from gateway.assembly.parties import SUPPLIER, WAN_PROVIDER
from protocols.addresses import Eui64
from protocols.crypto.mmo import aes_mmo
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs06
from protocols.interfaces import SECOND, Rank
from protocols.ota.image import FirmwareImage, Kind
from tests.support.broker import Broker
from tests.support.keyed_home import HOME, KeyedHome

NAMES = ("ihd", "gsme", "hcalcs", "ppmid", "bridge-1", "bridge-3")
SETTLED = 4 * 3600  # seconds in which everything repeats until it has worked


class CutHome(ABC):
    """Everybody joins; what happens then, and what must have come of it, subclasses say."""

    names: Sequence[str] = NAMES  # beside hub and ESME
    described = HOME
    hub_version: str | None = None  # other than described
    sizes: Mapping[Kind, int] = SIZES  # of images

    def __init__(self, victim: str | None = None, fatal: int = 0, off: int = 60) -> None:
        """The victim loses its power before change number `fatal` of its storages, for `off` seconds."""
        self._victim, self._fatal, self._off = victim, fatal, off
        self.all = ("hub", "esme", *self.names)
        self.changes: dict[str, list[str]] = {name: [] for name in self.all}  # cells in order of their changes
        self.cut_at: str | None = None  # the cell that was to be changed
        self._back_at = 0  # when the power came back, or will
        self.home = KeyedHome(
            *self.names, later=("esme", *self.names), described=self.described, hub_version=self.hub_version
        )
        for name in self.all:
            for storage in self.storages(name):
                storage.before_change = self._hook(name)
        self.broker = Broker(self.home)
        own = self.home.credentials
        self.images = Releases(self.home.entropy, own(SUPPLIER), own(WAN_PROVIDER), self.sizes)

    @abstractmethod
    def busy(self) -> None:
        """Let it happen: everybody has joined."""

    @abstractmethod
    def outcome(self) -> Iterator[str]:
        """Tell what of it is not as it would be without the cut."""

    def live(self) -> Self:
        """Let all of it happen, and give it time to settle."""
        home = self.home
        for device in home.home.devices:
            home.home.switch_on(device)
        home.run_till(lambda: all(home.keyed(device) for device in home.home.devices), within=3600)
        home.run(60)
        self.busy()
        home.run(SETTLED)
        if self._back_at > home.clock.now() - SETTLED * SECOND:  # the cut came late
            home.run(self._off + SETTLED)
        return self

    def faults(self) -> Iterator[str]:
        """Tell whatever is not as it would be without the cut."""
        yield from self._membership()
        yield from self.outcome()
        yield from self._counters()
        yield from self._storages()

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
        self._back_at = clock.now() + self._off * SECOND
        clock.call_at(self._back_at, self._on_again, name)

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
        if not device.device.node.powered:  # it has begun an activation that was due
            return
        state = device.device.node._on().state
        if state.network is None and state.joining is None:  # who installs it sees that it does not look for a network
            device.device.node.join(device.key, (self.home.home.description.channel,))

    # --- commands ------------------------------------------------------------------------------------------------

    def command(self, device: Eui64, code: int, payload: Callable[[int], bytes]) -> None:
        counter = self.broker.next_counter
        self.broker.command(device, code, payload(counter), counter)

    def image(self, kind: Kind) -> FirmwareImage:
        return self.images.release(kind, 1)

    def activate(self, name: str, kind: Kind, at: int | None = None) -> None:
        """Send CS06, signed by the supplier, to a device that has the image; at: ns UTC."""
        counter = self.broker.next_counter
        payload = cs06.Command(self.image(kind).hash, counter, at).encode()
        self.broker.signed(self.home.device(name).eui, cs06.MESSAGE_CODE, payload, counter)

    def told(self, name: str, code: int) -> set[bytes]:
        """Return what came up of a device under a message code, each message once however often it came."""
        eui = self.home.home.chf if name == "hub" else self.home.device(name).eui
        return {each.encode() for each in self.broker.messages(code) if each.originator == eui}

    # --- what must hold ----------------------------------------------------------------------------------------

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

    def _counters(self) -> Iterator[str]:
        seen: dict[tuple[Eui64, int], bytes] = {}
        for octets in self.broker.alerts():
            message = Message.decode(octets)
            if seen.setdefault((message.originator, message.counter), octets) != octets:
                yield f"{message.originator} used alert counter {message.counter} twice"

    def _storages(self) -> Iterator[str]:
        for name in self.all:
            for storage in self.storages(name):
                if "journal" in storage.cells():
                    yield f"{name} has an unfinished journal"
        hub = self.home.home.hub._running
        if hub is not None:
            for block in hub._firmware._blocks.blocks():
                contents = hub._firmware._blocks.contents(block)
                if contents is not None and contents.open_recipients:
                    yield f"block {block} waits for {contents.open_recipients}"
