"""The air of a run: radio networks, who hears whom, collisions, loss and the capture."""

from typing import Protocol

from emulator.air.radio import Link, SimulatedRadio, Transmission
from emulator.air.timing import CCA, TURNAROUND
from protocols.errors import UsageError
from protocols.interfaces import Clock, Entropy

NOISE_FLOOR = -100  # dBm


class Capture(Protocol):
    """Takes every frame of every radio network once, acknowledgements and collided frames included."""

    def frame(self, network: str, time_ns: int, octets_with_fcs: bytes) -> None:
        """`time_ns` is the end of the frame; calls come in order of time."""
        ...


class Medium:
    """Radio networks by name, e.g. `"home-1 2.4 GHz"`, `"home-1 backhaul"`; none hears another."""

    def __init__(self, clock: Clock, entropy: Entropy, capture: Capture | None = None) -> None:
        self.clock, self.entropy, self.capture = clock, entropy, capture
        self._networks: dict[str, RadioNetwork] = {}

    def radio(self, network: str, name: str) -> SimulatedRadio:
        """Make the radio `name` of `network`, linked to nobody yet. Raises UsageError if the name is taken."""
        air = self._networks.get(network)
        if air is None:
            air = self._networks[network] = RadioNetwork(network, self)
        if name in air.radios:
            raise UsageError(f"radio {name!r} of {network!r} exists already")
        radio = air.radios[name] = SimulatedRadio(
            name, air, self.clock, self.entropy.random(f"csma {network} {name}"), self.capture
        )
        return radio

    def link(self, a: SimulatedRadio, b: SimulatedRadio, rssi: int = -60, loss: float = 0.0) -> None:
        """Let `a` and `b` hear each other at `rssi` dBm, a frame lost with probability `loss`; again changes it."""
        if a.network is not b.network or a is b:
            raise UsageError(f"no link between {a.name!r} of {a.network.name!r} and {b.name!r} of {b.network.name!r}")
        a.links[b] = self._direction(a, b, rssi, loss)
        b.links[a] = self._direction(b, a, rssi, loss)

    def unlink(self, a: SimulatedRadio, b: SimulatedRadio) -> None:
        """Take `a` and `b` out of each other's range."""
        a.links.pop(b, None)
        b.links.pop(a, None)

    def _direction(self, sender: SimulatedRadio, receiver: SimulatedRadio, rssi: int, loss: float) -> Link:
        known = sender.links.get(receiver)
        if known is not None:  # the stream of losses goes on
            return Link(receiver, rssi, loss, known.random)
        purpose = f"loss {sender.network.name} {sender.name} to {receiver.name}"
        return Link(receiver, rssi, loss, self.entropy.random(purpose))


class RadioNetwork:
    """One shared medium: what is on the air, and what ended within a channel assessment."""

    __slots__ = ("medium", "name", "on_air", "radios")

    def __init__(self, name: str, medium: Medium) -> None:
        self.name, self.medium = name, medium
        self.radios: dict[str, SimulatedRadio] = {}
        self.on_air: list[Transmission] = []

    def begin(self, new: Transmission) -> None:
        """Put a transmission on the air, its start at most a turnaround ahead, and note what it overlaps."""
        over = new.start - TURNAROUND - CCA
        self.on_air = [other for other in self.on_air if other.end >= over and other is not new]
        for other in self.on_air:
            if other.channel == new.channel and other.end > new.start and new.end > other.start:
                new.overlaps.append(other)
                other.overlaps.append(new)
        self.on_air.append(new)

    def energy(self, radio: SimulatedRadio, channel: int, now: int) -> int:
        """Return the strongest signal that `radio` hears on `channel`, in dBm."""
        strongest = NOISE_FLOOR
        for other in self.on_air:
            if other.channel == channel and other.start <= now < other.end:
                link = other.radio.links.get(radio)
                if link is not None and link.rssi > strongest:
                    strongest = link.rssi
        return strongest
