"""Clocks that take turns. Homes that cannot hear one another need no common order of events, only a common end."""

from collections.abc import Callable, Sequence

from emulator.clock import VirtualClock
from protocols.errors import UsageError
from protocols.interfaces import MINUTE
from protocols.stack.hooks import nobody

TURN = 20 * MINUTE
"""ns that one clock runs before the next has its turn.

While it runs, the objects of its home stay in the processor's caches; fetching them is paid once a turn. Measured with
1,000 homes of 5 devices, a report a minute each: 0.7 of the speed of ten homes with turns of 1 minute, 0.95 with 5,
0.98 with 10, and from 20 on no difference that can be measured. A longer one would only keep more of a capture back.
"""


class Turns:
    """Clocks brought forward one after another, a turn each. Nothing of one may reach another within a turn.

    For what never meets, any turn will do. Were there a way from one to another, or to something above them, its least
    delay would be the longest turn: what is sent in one turn is due in the next, and is handed over between, at `edge`.
    """

    __slots__ = ("_clocks", "_edge", "_turn", "now")

    def __init__(
        self, clocks: Sequence[VirtualClock], turn: int = TURN, edge: Callable[[int], object] = nobody
    ) -> None:
        """turn: ns. edge: called when all clocks have come to one time, with that time."""
        if turn <= 0:
            raise UsageError(f"a turn of {turn} ns: it must be longer than nothing")
        self._clocks, self._turn, self._edge = tuple(clocks), turn, edge
        self.now = max((clock.now() for clock in clocks), default=0)  # ns, of all clocks

    def run_until(self, when: int) -> None:
        """Bring all clocks to `when`. If a callback raises, those before it are up to a turn ahead of those after."""
        while self.now < when:
            until = min(self.now + self._turn, when)
            for clock in self._clocks:
                clock.run_until(until)
            self.now = until
            self._edge(until)
