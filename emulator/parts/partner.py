"""A device of the same HAN that another one speaks to directly, under a link key the trust centre gives to both."""

from collections.abc import Callable

from emulator.parts.han_application import HanApplication
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.interfaces import MINUTE, Discovered, MatchDescriptor
from protocols.stack.node import Node
from protocols.zcl.protection import SMART_ENERGY

RETRY = 5 * MINUTE  # [I]


class Partner:
    """Gets the key, finds the endpoint with the wanted server, and tries again until it has both."""

    def __init__(
        self, node: Node, application: HanApplication, timers: Timers, who: Eui64, cluster: int,
        ready: Callable[[], object],
    ) -> None:  # fmt: skip
        """cluster: whose server is looked for. ready: hears that `endpoint` is known now."""
        self._node, self._application, self._timers = node, application, timers
        self.who, self._cluster, self._ready = who, cluster, ready
        self.endpoint: int | None = None
        self.others: tuple[int, ...] = ()  # further endpoints with that server
        self._timer = f"partner {who} {cluster}"

    def connect(self, *, anew: bool = False) -> None:
        """Begin: the device has (again) a network. `anew`: with another key, since the one there does not serve."""
        self.endpoint = None
        self._timers.after(self._timer, RETRY, self.connect)
        if not self._node.joined:
            return
        if self._node.key_established(self.who) and not anew:
            self._keyed(True)
        else:
            self._node.request_partner_key(self.who, self._keyed)

    def reset(self) -> None:
        self.endpoint = None

    def _keyed(self, came: bool) -> None:
        if came and self._node.powered:
            self._application.discover(self.who, MatchDescriptor(SMART_ENERGY, (self._cluster,)), self._discovered)

    def _discovered(self, event: Discovered) -> None:
        if event.answered and event.endpoints:
            self._timers.cancel(self._timer)
            self.endpoint, *others = event.endpoints
            self.others = tuple(others)
            self._ready()
