"""One capture of homes that take turns: its frames in order of time."""

from operator import itemgetter

from emulator.air.medium import Capture, Tap

_time = itemgetter(1)


class Merged:
    """`emulator.air.medium.Capture` that keeps the frames of a turn and passes them on in order of time.

    Frames that end at the same nanosecond stand in the order of their homes, however long the turns are.
    """

    __slots__ = ("_capture", "_kept")

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._kept: list[tuple[Tap, int, bytes]] = []

    def tap(self, network: str) -> Tap:
        keep, tap = self._kept.append, self._capture.tap(network)
        return lambda time_ns, octets_with_fcs: keep((tap, time_ns, octets_with_fcs))

    def pass_on(self, until: int) -> None:
        """All homes have come to `until`: no earlier frame will come."""
        self._kept.sort(key=_time)
        for tap, time_ns, octets_with_fcs in self._kept:
            tap(time_ns, octets_with_fcs)
        self._kept.clear()
