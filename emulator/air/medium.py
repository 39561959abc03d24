"""The air of a run: bands, radio networks, who hears whom, and the capture."""

from collections.abc import Callable, Iterable
from typing import Protocol

from emulator.air.band import AirSettings, Band, Stand
from emulator.air.disturbance import Bursts, BurstTimes, Jammer
from emulator.air.link import Link, Losses, purpose
from emulator.air.propagation import Obstacle, PathLoss, Point
from emulator.air.radio import SimulatedRadio
from emulator.air.signal import NOISE_FLOOR
from protocols.errors import UsageError
from protocols.interfaces import Clock, Entropy

__all__ = ["NOISE_FLOOR", "Capture", "Medium", "RadioNetwork", "Tap"]

_SETTINGS, _PATH = AirSettings(), PathLoss()
POWER = 8.0  # dBm, of a radio of the HAN [I]


Tap = Callable[[int, bytes], object]


class Capture(Protocol):
    """Takes every frame of every radio network once, acknowledgements and collided frames included."""

    def tap(self, network: str) -> Tap:
        """Return what takes the frames of `network`: the end of each in ns, its octets with FCS; in order of time."""
        ...


class RadioNetwork:
    """The radios that a capture shows as one interface, all in one band."""

    __slots__ = ("band", "name", "radios")

    def __init__(self, name: str, band: Band) -> None:
        self.name, self.band = name, band
        self.radios: dict[str, SimulatedRadio] = {}


class Medium:
    """Radio networks by name, e.g. `"home-1 2.4 GHz"`, `"home-1 backhaul"`; those of different bands never meet."""

    __slots__ = ("_bands", "_networks", "capture", "clock", "entropy", "settings")

    def __init__(
        self, clock: Clock, entropy: Entropy, capture: Capture | None = None, settings: AirSettings = _SETTINGS
    ) -> None:
        self.clock, self.entropy, self.capture, self.settings = clock, entropy, capture, settings
        self._networks: dict[str, RadioNetwork] = {}
        self._bands: dict[str, Band] = {}

    def band(self, name: str) -> Band:
        """Return the band `name`, made when first named."""
        band = self._bands.get(name)
        if band is None:
            band = self._bands[name] = Band(name, self.settings)
        return band

    def radio(self, network: str, name: str, *, band: str | None = None) -> SimulatedRadio:
        """Make the radio `name` of `network`, linked to nobody yet.

        band: that the network is in, its own by default. Raises UsageError if the name is taken, or for another band.
        """
        air = self._networks.get(network)
        if air is None:
            air = self._networks[network] = RadioNetwork(network, self.band(network if band is None else band))
        elif band not in (None, air.band.name):
            raise UsageError(f"{network!r} is in the band {air.band.name!r}, not in {band!r}")
        if name in air.radios:
            raise UsageError(f"radio {name!r} of {network!r} exists already")
        random = self.entropy.random(f"csma {network} {name}")
        tap = None if self.capture is None else self.capture.tap(network)
        radio = air.radios[name] = SimulatedRadio(name, air, air.band, self.clock, random, tap)
        radio.losses = Losses(self.entropy, radio)
        return radio

    # --- links as given ----------------------------------------------------------------------------------------

    def link(
        self, a: SimulatedRadio, b: SimulatedRadio, rssi: int = -60, loss: float = 0.0, bursts: Bursts | None = None
    ) -> None:
        """Let `a` and `b` hear each other at `rssi` dBm, a frame lost with probability `loss`; again changes it."""
        self.reach(a, b, rssi, loss, bursts)
        self.reach(b, a, rssi, loss, bursts)

    def reach(
        self,
        sender: SimulatedRadio,
        receiver: SimulatedRadio,
        rssi: int = -60,
        loss: float = 0.0,
        bursts: Bursts | None = None,
    ) -> None:
        """Let `receiver` hear `sender`, which says nothing of the other direction."""
        if sender.band is not receiver.band or sender is receiver:
            ends = f"{sender.name!r} of {sender.network.name!r} and {receiver.name!r} of {receiver.network.name!r}"
            raise UsageError(f"no link between {ends}")
        times = None
        if bursts is not None:
            random = self.entropy.random(f"bursts {purpose(sender, receiver)}")
            times = BurstTimes(bursts, random, self.clock.now())
        sender.connect(receiver, Link(receiver, rssi, loss, sender.losses, times))

    def unlink(self, a: SimulatedRadio, b: SimulatedRadio) -> None:
        """Take `a` and `b` out of each other's range."""
        a.connect(b, None)
        b.connect(a, None)

    # --- links as places give them -----------------------------------------------------------------------------

    def obstruct(self, band: str, obstacles: Iterable[Obstacle]) -> None:
        """Add walls and floors to a band; radios that stand there already hear each other anew."""
        air = self.band(band)
        air.obstacles += obstacles
        for radio in air.standing:
            self._relink(radio)

    def stand(
        self,
        radio: SimulatedRadio,
        at: Point,
        power: float = POWER,
        *,
        path: PathLoss = _PATH,
        loss: float = 0.0,
        bursts: Bursts | None = None,
    ) -> None:
        """Put `radio` at a place: it and all that stand in its band hear each other as far as their signals reach.

        power: dBm it sends with. loss, bursts: of what it hears. Again moves it.
        """
        radio.band.standing[radio] = Stand(at, power, path, loss, bursts)
        self._relink(radio)

    def _relink(self, radio: SimulatedRadio) -> None:
        for jammer, stand in radio.band.sources:
            self._reach_of_jammer(jammer, stand, radio)
        for other in radio.band.standing:
            if other is not radio:
                self._direct(radio, other)
                self._direct(other, radio)

    def _direct(self, sender: SimulatedRadio, receiver: SimulatedRadio) -> None:
        """Link one direction, or cut it if the signal is too weak; between two homes the worse model counts."""
        ends, band = sender.band.standing, sender.band
        here, there = ends[sender], ends[receiver]
        models = (here.path, there.path)
        loss = max(model.loss(here.at, there.at, band.obstacles) for model in models)
        rssi = round(here.power - loss - self._shadow(sender, receiver, max(m.shadowing for m in models)))
        if rssi < self.settings.weakest:
            sender.connect(receiver, None)
        else:
            self.reach(sender, receiver, rssi, max(here.loss, there.loss), there.bursts)

    def _shadow(self, a: SimulatedRadio, b: SimulatedRadio, deviation: float) -> float:
        """Draw what the model does not know of a pair, in dB: nearly normal, the same in both directions."""
        if not deviation:
            return 0.0
        one, other = sorted((f"{a.network.name} {a.name}", f"{b.network.name} {b.name}"))
        random = self.entropy.random(f"shadowing {one} and {other}")
        return deviation * (sum(random.random() for _ in range(12)) - 6.0)

    # --- jammers -----------------------------------------------------------------------------------------------

    def jam(self, band: str, jammer: Jammer) -> None:
        """Let a jammer work in a band; its `levels` say who hears it."""
        air = self.band(band)
        air.settle(self.clock.now())
        air.jammers.append(jammer)

    def stand_jammer(self, band: str, jammer: Jammer, at: Point, power: float, path: PathLoss = _PATH) -> None:
        """Let a jammer of `power` dBm work at a place: all that stand in the band hear it as far as it reaches."""
        air = self.band(band)
        air.sources.append((jammer, Stand(at, power, path, 0.0, None)))
        for radio in air.standing:
            self._reach_of_jammer(*air.sources[-1], radio)
        self.jam(band, jammer)

    def _reach_of_jammer(self, jammer: Jammer, stand: Stand, radio: SimulatedRadio) -> None:
        band = radio.band
        level = stand.power - stand.path.loss(stand.at, band.standing[radio].at, band.obstacles)
        jammer.levels.pop(radio, None)
        if level >= self.settings.weakest:
            jammer.levels[radio] = level
