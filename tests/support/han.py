"""A HAN on simulated air for tests: nodes, what they reported, and every frame of the capture."""

from dataclasses import dataclass, field
from pathlib import Path

from emulator.air.medium import Medium, Tap
from emulator.air.radio import SimulatedRadio
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.interfaces import (
    SECOND,
    ApsData,
    Delivered,
    DeliveryStatus,
    Discovered,
    Handle,
    HanEvent,
    Joined,
    LinkKey,
    Received,
    SimpleDescriptor,
)
from protocols.pcapng import PcapngWriter
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole, StackSettings

START = 1_772_442_000 * SECOND  # 2026-03-02T09:00:00Z
PROFILE = 0x0109
ENDPOINT = SimpleDescriptor(1, PROFILE, 0x0506, 0, (0x0704, 0x0000), (0x0019,))


@dataclass
class FrameLog:
    """A capture in memory."""

    frames: list[tuple[str, int, bytes]] = field(default_factory=list)

    def tap(self, network: str) -> Tap:
        return lambda time_ns, octets_with_fcs: self.frames.append((network, time_ns, octets_with_fcs))

    def write(self, folder: Path) -> Path:
        """Write the frames as a capture file, one interface a network."""
        path = folder / "capture.pcapng"
        with path.open("wb") as file:
            writer, interfaces = PcapngWriter(file), dict[str, int]()
            for network, time, octets in self.frames:
                if network not in interfaces:
                    interfaces[network] = writer.interface(network)
                writer.frame(interfaces[network], time, octets)
        return path


class Member:
    """A node and what it reported."""

    def __init__(self, node: Node, radios: list[SimulatedRadio], key: LinkKey, storage: MemoryStorage) -> None:
        self.name, self.node, self.radios, self.key, self.storage = node.name, node, radios, key, storage
        self.events: list[HanEvent] = []
        node.attach(self.events.append)
        node.register([ENDPOINT])

    @property
    def eui(self) -> Eui64:
        return self.node.eui

    @property
    def messages(self) -> list[bytes]:
        """Payloads received, in order."""
        return [event.aps.payload for event in self.events if isinstance(event, Received)]

    def outcome(self, handle: Handle) -> DeliveryStatus | None:
        """Return how the message `handle` ended, None if it has not."""
        for event in self.events:
            if isinstance(event, Delivered) and event.handle == handle:
                return event.status
        return None

    def discovered(self, handle: Handle) -> Discovered | None:
        for event in self.events:
            if isinstance(event, Discovered) and event.handle == handle:
                return event
        return None

    def send(self, to: "Member", payload: bytes, *, secured: bool = True, acknowledged: bool = True) -> Handle:
        data = ApsData(PROFILE, 0x0704, 1, 1, payload)
        return self.node.send(to.eui, data, secured=secured, acknowledged=acknowledged)


class Han:
    """One medium with a hub and whatever is added."""

    def __init__(self, seed: int = 1, settings: StackSettings | None = None) -> None:
        self.clock = VirtualClock(START)
        self.entropy = SeededEntropy(seed)
        self.log = FrameLog()
        self.medium = Medium(self.clock, self.entropy, self.log)
        self.settings = settings or StackSettings()
        self.keys: list[tuple[str, bytes]] = []
        self.members: dict[str, Member] = {}

    def add(self, name: str, role: NodeRole, *networks: str, settings: StackSettings | None = None) -> Member:
        """Add a node with a radio in each of `networks`, linked to nobody."""
        eui = Eui64(0x00DB_1234_5678_9000 + len(self.members))
        radios = [self.medium.radio(network, name) for network in networks or ("han",)]
        storage = MemoryStorage()
        node = Node(
            role,
            eui,
            radios,
            self.clock,
            storage,
            self.entropy,
            settings or self.settings,
            key_log=lambda label, key: self.keys.append((label, key)),
            name=name,
        )
        key = LinkKey(self.entropy.random(f"install code {name}").randbytes(16))
        member = self.members[name] = Member(node, radios, key, storage)
        return member

    def hub(self, pan_id: int = 0x1A62, channel: int = 15, network: str = "han") -> Member:
        hub = self.add("hub", NodeRole.COORDINATOR, network)
        hub.node.form(pan_id, channel)
        return hub

    def link(self, a: Member, b: Member, loss: float = 0.0, rssi: int = -60) -> None:
        """Link every pair of radios of the two that share a network."""
        for one in a.radios:
            for other in b.radios:
                if one.network is other.network:
                    self.medium.link(one, other, rssi=rssi, loss=loss)

    def start(self, *names: str, seconds: int = 600) -> None:
        """Allow and begin the joining of `names`."""
        hub = self.members["hub"].node
        for name in names:
            member = self.members[name]
            hub.allow_join(member.eui, member.key, seconds)
            member.node.join(member.key, (11, 15))

    def run(self, seconds: float) -> None:
        self.clock.run_for(round(seconds * SECOND))

    def join(self, *names: str, within: int = 120) -> None:
        """Join `names` and wait until all have; fails the test if one has not in time."""
        self.start(*names)
        for _ in range(within):
            self.run(1)
            if all(self.has_joined(name) for name in names):
                return
        missing = [name for name in names if not self.has_joined(name)]
        raise AssertionError(f"not joined within {within} s: {missing}")

    def capture(self, folder: Path) -> tuple[Path, str]:
        """Write the frames as a capture file; return it and Wireshark's key table."""
        rows = dict.fromkeys((f'"{key.hex(":")}","Normal","{label}"' for label, key in self.keys))
        return self.log.write(folder), "\n".join(rows)

    def has_joined(self, name: str) -> bool:
        member, hub = self.members[name], self.members["hub"]
        return Joined(hub.eui) in member.events and Joined(member.eui) in hub.events


def home_with_bridges(seed: int = 1, loss: float = 0.0, settings: StackSettings | None = None) -> Han:
    """A hub with an ESME and bridge B1 in reach; over the backhaul B2 with an IHD and B4 with a sleepy GSME."""
    han = Han(seed, settings)
    hub = han.hub()
    esme = han.add("esme", NodeRole.ROUTER)
    b1 = han.add("b1", NodeRole.ROUTER, "han", "backhaul")
    b2 = han.add("b2", NodeRole.ROUTER, "far 2", "backhaul")
    b4 = han.add("b4", NodeRole.ROUTER, "far 4", "backhaul")
    ihd = han.add("ihd", NodeRole.END_DEVICE, "far 2")
    gsme = han.add("gsme", NodeRole.SLEEPY_END_DEVICE, "far 4")
    for a, b in ((hub, esme), (hub, b1), (esme, b1), (b1, b2), (b1, b4), (b2, ihd), (b4, gsme)):
        han.link(a, b, loss)
    return han


FAR = ("esme", "b1", "b2", "b4", "ihd", "gsme")
