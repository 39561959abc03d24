"""Messages longer than a transfer: they go out as blocks and are joined again where they arrive."""

from collections.abc import Callable
from functools import partial

from emulator.parts.gbcs_application import Note
from protocols.errors import DecodeError
from protocols.gbcs.blocks import Block, Joiner, Route, is_block
from protocols.interfaces import MINUTE

KEPT = 10 * MINUTE
"""ns that a message may take from one block to the next."""
MOST = 8
"""Messages that may be under way at once; one more displaces the one that was begun first. [inferred]"""


class Assembly:
    """Joins what comes through a tunnel. What is not whole dies with the power; its sender has to send it again.

    after(name, delay, callback): a timer that dies with the power.
    """

    def __init__(self, after: Callable[[str, int, Callable[[], None]], object], note: Note) -> None:
        self._after, self._note = after, note
        self._joiner = Joiner()
        self._blocks: dict[Route, int] = {}  # of messages under way: the number of the latest block
        self._number = 0

    def take(self, octets: bytes) -> bytes | None:
        """Return the message that `octets` are or complete, None before it is whole."""
        if not is_block(octets):
            return octets
        try:
            route = Block.decode(octets).route
            whole = self._joiner.receive(octets)
        except DecodeError as error:
            self._note("block-refused", reason=error.what)
            whole = None
        else:
            self._wait_for_more(route)
        self._blocks = {route: number for route, number in self._blocks.items() if route in self._joiner.routes}
        return whole

    def reset(self) -> None:
        """Drop what is not whole: the power went."""
        self._joiner, self._blocks = Joiner(), {}

    def _wait_for_more(self, route: Route) -> None:
        if len(self._joiner.routes) > MOST:
            self._drop(self._joiner.routes[0])
        self._number += 1
        self._blocks[route] = self._number
        name = f"blocks {route.originator} {route.counter} {route.cra}"
        self._after(name, KEPT, partial(self._give_up, route, self._number))

    def _give_up(self, route: Route, number: int) -> None:
        """Drop a message of which no block has come since that number."""
        if self._blocks.get(route) == number:
            self._drop(route)

    def _drop(self, route: Route) -> None:
        self._joiner.forget(route)
        self._blocks.pop(route, None)
        self._note("blocks-dropped", counter=route.counter)
