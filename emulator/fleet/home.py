"""One home of a fleet: a hub, its meters and bridges, and the mains of the premises."""

from collections.abc import Sequence

from emulator.fleet.bridge import LeanBridge
from emulator.fleet.hub import LeanHub
from emulator.fleet.meter import LeanMeter
from emulator.power import Mains, Supply
from protocols.interfaces import Clock


class LeanFeed:
    """What the hub lives on: it goes with the mains, and with the ESME's DC output."""

    def __init__(self, clock: Clock) -> None:
        self.mains, self.dc_out, self.hub = Mains(clock), Supply(), Supply()
        self.mains.supply.attach(self._changed)
        self.dc_out.attach(self._changed)

    def _changed(self, _: bool) -> None:
        self.hub.switch(self.mains.supply.on and self.dc_out.on)


class LeanHome:
    """name: as in the timeline. The first meter is the ESME that feeds the hub."""

    def __init__(
        self, name: str, clock: Clock, feed: LeanFeed, hub: LeanHub, meters: Sequence[LeanMeter],
        bridges: Sequence[LeanBridge] = (),
    ) -> None:  # fmt: skip
        self.name, self.hub, self.meters, self.bridges = name, hub, tuple(meters), tuple(bridges)
        self._clock, self._feed = clock, feed
        hub.attach([*meters, *bridges])

    @property
    def esme(self) -> LeanMeter:
        return self.meters[0]

    def cut_mains(self, duration: int) -> None:
        """Take the mains away now for `duration` ns; the ESME tells of it when they are back."""
        lost = self._clock.now()
        self.esme.note("supply-interrupted")
        self._feed.mains.cut(duration)
        self._clock.call_at(lost + duration, self._restored, lost)

    def _restored(self, lost: int) -> None:
        self.esme.note("supply-restored", duration=self._clock.now() - lost)
        self.esme.mains_restored(lost, self._clock.now())
