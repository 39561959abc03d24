"""Makes sure that the trust centre knows a node is there, after it has joined and after a restart."""

from collections.abc import Callable

from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import SECOND, Random
from protocols.stack.settings import StackSettings
from protocols.stack.state import NodeState
from protocols.stack.timers import Timers
from protocols.stack.zdp import ZdpLayer
from protocols.zdp.messages import NodeDescriptorRequest, ZdpMessage

_LATE = 2 * SECOND  # after an announcement: an answer that comes later may be that of one who did not hear it [I]


class Presence:
    """Announces the node and asks the trust centre for its node descriptor, again until it answers."""

    __slots__ = (
        "_announced_at", "_confirmed", "_pause", "_random", "_settings", "_state", "_stopped", "_timers", "_zdp",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        zdp: ZdpLayer,
        timers: Timers,
        settings: StackSettings,
        random: Random,
        confirmed: Callable[[Eui64], object],
    ) -> None:
        self._state, self._zdp, self._timers, self._settings = state, zdp, timers, settings
        self._random, self._confirmed = random, confirmed
        self._pause = settings.join_backoff
        self._stopped = False
        self._announced_at = 0

    def stop(self) -> None:
        """Another announcement takes this one's place."""
        self._stopped = True

    def announce(self) -> None:
        network = self._state.network
        if network is None or self._stopped:
            return
        self._zdp.announce()
        self._announced_at = self._timers.now()
        centre = self._state.peer(network.trust_centre)
        self._zdp.query(centre, NodeDescriptorRequest(ShortAddress(0)), self._answered)

    def _answered(self, answer: ZdpMessage | None) -> None:
        network = self._state.network
        if network is None or self._stopped:
            return
        if answer is not None:
            if self._timers.now() - self._announced_at > _LATE:
                self._zdp.announce()  # the trust centre was off, or out of reach, when the last one went out
            self._confirmed(network.trust_centre)
            return
        pause = self._pause
        self._pause = min(2 * pause, self._settings.restart_backoff_most)
        self._timers.after(pause // 2 + self._random.randrange(0, pause), self.announce)
