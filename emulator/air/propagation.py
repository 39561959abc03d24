"""How much of a signal arrives: distance, walls and floors between two points."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import dist, log10
from typing import NamedTuple


class Point(NamedTuple):
    """A place in metres; z is the height."""

    x: float
    y: float
    z: float = 1.0

    def moved(self, by: "Point") -> "Point":
        return Point(self.x + by.x, self.y + by.y, self.z + by.z)


class Wall(NamedTuple):
    """An upright wall from `begin` to `end` in plan."""

    begin: tuple[float, float]
    end: tuple[float, float]
    loss: float  # dB of a signal that goes through
    bottom: float = -1000.0  # m
    top: float = 1000.0  # m

    def between(self, a: Point, b: Point) -> bool:
        """Return whether the straight way from `a` to `b` goes through."""
        along, across = self._cut(a, b)
        if not (0.0 <= along <= 1.0 and 0.0 <= across <= 1.0):
            return False
        return self.bottom <= a.z + along * (b.z - a.z) <= self.top

    def _cut(self, a: Point, b: Point) -> tuple[float, float]:
        """Return where the lines meet, as shares of the way and of the wall; outside 0 to 1 if they are parallel."""
        way = (b.x - a.x, b.y - a.y)
        wall = (self.end[0] - self.begin[0], self.end[1] - self.begin[1])
        apart = (self.begin[0] - a.x, self.begin[1] - a.y)
        across = way[0] * wall[1] - way[1] * wall[0]
        if not across:
            return -1.0, -1.0
        share = (apart[0] * wall[1] - apart[1] * wall[0]) / across
        return share, (apart[0] * way[1] - apart[1] * way[0]) / across

    def moved(self, by: Point) -> "Wall":
        begin, end = ((x + by.x, y + by.y) for x, y in (self.begin, self.end))
        return Wall(begin, end, self.loss, self.bottom + by.z, self.top + by.z)


class Floor(NamedTuple):
    """A level floor without end at one height."""

    height: float  # m
    loss: float  # dB

    def between(self, a: Point, b: Point) -> bool:
        return min(a.z, b.z) < self.height <= max(a.z, b.z)

    def moved(self, by: Point) -> "Floor":
        return Floor(self.height + by.z, self.loss)


Obstacle = Wall | Floor


@dataclass(frozen=True, slots=True)
class PathLoss:
    """The log-distance model. What stands in the way is counted by itself, so the exponent is that of open rooms."""

    at_one_metre: float = 40.2  # dB, free space at 2.45 GHz
    exponent: float = 2.5  # [I]
    shadowing: float = 0.0  # dB, standard deviation of what the model does not know, drawn once a pair

    def loss(self, a: Point, b: Point, obstacles: Iterable[Obstacle]) -> float:
        """Return the loss from `a` to `b` in dB; less than a metre counts as one."""
        loss = self.at_one_metre + 10 * self.exponent * log10(max(1.0, dist(a, b)))
        return loss + sum(obstacle.loss for obstacle in obstacles if obstacle.between(a, b))
