"""Messages longer than a transfer: they go out as blocks and are joined again where they arrive."""

from collections.abc import Callable
from functools import partial

from emulator.parts.gbcs_application import Note
from emulator.parts.journal import Journal
from protocols.errors import DecodeError
from protocols.gbcs.blocks import Block, Joiner, Route, is_block
from protocols.interfaces import MINUTE

KEPT = 10 * MINUTE
"""ns that a message may take from one block to the next, where the receiver is awake. [inferred]"""
MOST = 8
"""Messages that may be under way at once; one more displaces the one that was begun first. [inferred]"""
_PREFIX = "blocks/"


class Assembly:
    """Joins what comes through a tunnel, and hands it on.

    Nobody sends again what was acknowledged: blocks are kept over a power cut, a cell each, and go in the transaction
    in which their message is handed on. after(name, delay, callback): a timer that dies with the power.
    """

    def __init__(
        self,
        storage: Journal,
        after: Callable[[str, int, Callable[[], None]], object],
        note: Note,
        kept: int = KEPT,
    ) -> None:
        """kept: ns that a message may take from one block to the next."""
        self._storage, self._after, self._note, self._kept = storage, after, note, kept
        self._joiner = Joiner()
        self._blocks: dict[Route, int] = {}  # of messages under way: the number of the latest block
        self._number = 0

    def start(self) -> None:
        """Go on with what is in the storage: the power is (again) there."""
        self._joiner, self._blocks = Joiner(), {}
        for cell in self._storage.cells():
            if cell.startswith(_PREFIX):
                octets = self._storage.get(cell) or b""
                self._joiner.receive(octets)
                self._wait_for_more(Block.decode(octets).route)

    def take(self, octets: bytes, handed_to: Callable[[bytes], object]) -> None:
        """Hand on a message, or that which a block completes."""
        if not is_block(octets):
            handed_to(octets)
            return
        with self._storage.transaction():
            whole = self._joined(octets)
            if whole is not None:
                self._forget(Block.decode(octets).route)
                handed_to(whole)

    def _joined(self, octets: bytes) -> bytes | None:
        """Return the message that a block completes."""
        try:
            block = Block.decode(octets)
            whole = self._joiner.receive(octets)
        except DecodeError as error:
            self._note("block-refused", reason=error.what)
            self._sweep()
            return None
        if whole is None and block.data:
            self._storage.put(_cell(block), octets)
            self._wait_for_more(block.route)
        return whole

    def _wait_for_more(self, route: Route) -> None:
        if len(self._joiner.routes) > MOST:
            self._drop(self._joiner.routes[0])
        self._number += 1
        self._blocks[route] = self._number
        name = f"blocks {route.originator} {route.counter} {route.cra}"
        self._after(name, self._kept, partial(self._give_up, route, self._number))

    def _give_up(self, route: Route, number: int) -> None:
        """Drop a message of which no block has come since that number."""
        if self._blocks.get(route) == number:
            self._drop(route)

    def _drop(self, route: Route) -> None:
        self._forget(route)
        self._note("blocks-dropped", counter=route.counter)

    def _forget(self, route: Route) -> None:
        self._joiner.forget(route)
        self._blocks.pop(route, None)
        for cell in self._storage.cells():
            if cell.startswith(_of(route)):
                self._storage.delete(cell)

    def _sweep(self) -> None:
        """Forget messages of which a block was refused: the joiner has dropped them."""
        for route in [route for route in self._blocks if route not in self._joiner.routes]:
            self._forget(route)


def _of(route: Route) -> str:
    return f"{_PREFIX}{route.originator}/{route.cra:02x}{route.message_code:04x}{route.counter:016x}/"


def _cell(block: Block) -> str:
    return f"{_of(block.route)}{block.number:04x}"
