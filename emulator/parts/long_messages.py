"""Messages longer than a transfer: they go out as blocks and are joined again where they arrive."""

from collections.abc import Callable
from functools import partial

from emulator.parts.gbcs_application import Note
from protocols.errors import DecodeError
from protocols.gbcs.blocks import Joiner, Route, is_block
from protocols.interfaces import MINUTE

KEPT = 10 * MINUTE
"""ns that a message may take to arrive in full."""


class Assembly:
    """Joins what comes through a tunnel. What is not whole dies with the power; its sender has to send it again.

    after(name, delay, callback): a timer that dies with the power; setting it again moves it.
    """

    def __init__(self, after: Callable[[str, int, Callable[[], None]], object], note: Note) -> None:
        self._after, self._note = after, note
        self._joiner = Joiner()

    def take(self, octets: bytes) -> bytes | None:
        """Return the message that `octets` are or complete, None before it is whole."""
        if not is_block(octets):
            return octets
        try:
            whole = self._joiner.receive(octets)
        except DecodeError as error:
            self._note("block-refused", reason=error.what)
            return None
        for route in self._joiner.routes:
            name = f"blocks {route.originator} {route.counter} {route.cra}"
            self._after(name, KEPT, partial(self._give_up, route))
        return whole

    def reset(self) -> None:
        """Drop what is not whole: the power went."""
        self._joiner = Joiner()

    def _give_up(self, route: Route) -> None:
        if route in self._joiner.routes:
            self._joiner.forget(route)
            self._note("blocks-dropped", counter=route.counter)
