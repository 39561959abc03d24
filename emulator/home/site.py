"""Where a home stands and what its rooms do to radio. All of it may be left out: then a place is only a name."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emulator.air.disturbance import Bursts, Jammer
from emulator.air.propagation import Floor, Obstacle, PathLoss, Point, Wall
from protocols.interfaces import SECOND

Pair = tuple[float, float]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Model):
    """Metres from the home's origin; z is the height."""

    x: float
    y: float
    z: float = 1.0

    @property
    def point(self) -> Point:
        return Point(self.x, self.y, self.z)


class WallDescription(_Model):
    """An upright wall in plan: begin and end as [x, y] in metres."""

    begin: Pair
    end: Pair
    loss: float = Field(default=8.0, ge=0.0)  # dB; plasterboard 3, brick 8, reinforced concrete 15 and more [I]
    bottom: float = -1000.0
    top: float = 1000.0


class FloorDescription(_Model):
    height: float
    loss: float = Field(default=15.0, ge=0.0)  # dB [I]


class Propagation(_Model):
    """The log-distance model: loss at a metre in dB, exponent of open rooms, deviation of shadowing in dB."""

    at_one_metre: float = PathLoss().at_one_metre
    exponent: float = Field(default=PathLoss().exponent, ge=1.0, le=6.0)
    shadowing: float = Field(default=0.0, ge=0.0, le=20.0)

    @property
    def path(self) -> PathLoss:
        return PathLoss(self.at_one_metre, self.exponent, self.shadowing)


class BurstsDescription(_Model):
    """Interference by chance, in seconds: mean pause, longest burst."""

    every: float = Field(default=60.0, gt=0.001)
    longest: float = Field(default=2.0, gt=0.001)

    @property
    def bursts(self) -> Bursts:
        return Bursts(round(self.every * SECOND), round(self.longest * SECOND))


class JammerDescription(_Model):
    """A source of noise at a place, on some channels. Times in seconds after the run began."""

    name: str = Field(pattern="^[a-z][a-z0-9-]*$")
    place: str
    channels: tuple[int, ...] = Field(min_length=1)
    power: float = 10.0  # dBm
    start: float = Field(ge=0.0)
    duration: float = Field(gt=0.0)
    every: float | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not all(11 <= channel <= 26 for channel in self.channels):
            raise ValueError("channels are 11 to 26")
        if self.every is not None and self.every <= self.duration:
            raise ValueError("a jammer that comes again must first go")
        return self

    def jammer(self, home: str, now: int) -> Jammer:
        """Return the jammer of a run that begins at `now` (ns), heard by nobody yet."""
        every = None if self.every is None else round(self.every * SECOND)
        start, duration = now + round(self.start * SECOND), round(self.duration * SECOND)
        return Jammer(f"{home}/{self.name}", self.channels, start, duration, every)


class Backhaul(_Model):
    """The point-to-point link between partner bridges.

    Bridges with one partner share its channel. With `sensed` they hear when it is taken, and take nothing from each
    other; without they are hidden nodes to each other and collide at their partner.
    """

    rssi: int = Field(default=-50, ge=-100, le=0)  # dBm
    loss: float | None = Field(default=None, ge=0.0, lt=1.0)  # of each frame; that of the home if left out
    sensed: bool = True  # [I]


class SiteDescription(_Model):
    """Places with coordinates, what stands between them, and what disturbs.

    Without `places` those in one place hear each other at one level and nobody else does. Homes that name one `band`
    hear each other as far as `origin`, walls and channels let them.
    """

    band: str | None = Field(default=None, min_length=1)
    origin: Place = Place(x=0.0, y=0.0, z=0.0)
    places: dict[str, Place] = Field(default_factory=dict)
    walls: tuple[WallDescription, ...] = ()
    floors: tuple[FloorDescription, ...] = ()
    propagation: Propagation = Propagation()
    bursts: BurstsDescription | None = None
    jammers: tuple[JammerDescription, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.places and (self.band is not None or self.walls or self.floors):
            raise ValueError("band, walls and floors need places with coordinates")
        for jammer in self.jammers:
            if self.places and jammer.place not in self.places:
                raise ValueError(f"jammer {jammer.name}: place {jammer.place!r} is not among the places")
        return self

    def point(self, place: str) -> Point:
        """Return where a place is, in metres from the band's origin."""
        return self.places[place].point.moved(self.origin.point)

    @property
    def obstacles(self) -> list[Obstacle]:
        """Walls and floors, in metres from the band's origin."""
        walls = [Wall(wall.begin, wall.end, wall.loss, wall.bottom, wall.top) for wall in self.walls]
        floors = [Floor(floor.height, floor.loss) for floor in self.floors]
        by = self.origin.point
        return [*(wall.moved(by) for wall in walls), *(floor.moved(by) for floor in floors)]
