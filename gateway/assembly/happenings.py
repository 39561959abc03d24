"""Wait for what the timeline says."""

import asyncio
from collections.abc import Mapping

from protocols.errors import HanlabError
from protocols.interfaces import Clock, Rank

Fields = Mapping[str, str | int | bool | None]


class DidNotHappenError(HanlabError):
    """What a story waited for did not happen in time."""


class Happenings:
    """Hears the timeline; `event(...)` waits for a line of it, one that stands there already included."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: list[tuple[str, str, Fields]] = []
        self._waiting: list[tuple[str, str, Fields, asyncio.Future[None]]] = []

    def noted(self, now: int, actor: str, event: str, fields: Fields) -> None:
        self._heard.append((actor, event, fields))
        for wanted_actor, wanted_event, wanted, future in self._waiting:
            if not future.done() and (actor, event) == (wanted_actor, wanted_event) and _includes(fields, wanted):
                future.set_result(None)

    async def event(self, actor: str, event: str, *, within: int, **fields: str | int | bool | None) -> None:
        """Wait until `actor` notes `event` with these fields; DidNotHappenError after `within` ns."""
        if any((a, e) == (actor, event) and _includes(f, fields) for a, e, f in self._heard):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = (actor, event, fields, future)
        self._waiting.append(waiting)
        deadline = self._clock.now() + within
        timer = self._clock.call_at(deadline, self._give_up, future, actor, event, rank=Rank.COROUTINE)
        try:
            await future
        finally:
            timer.cancel()
            self._waiting.remove(waiting)

    def _give_up(self, future: "asyncio.Future[None]", actor: str, event: str) -> None:
        if not future.done():
            future.set_exception(DidNotHappenError(f"{actor}: {event!r} did not happen in time"))


def _includes(fields: Fields, wanted: Fields) -> bool:
    return all(fields.get(name) == value for name, value in wanted.items())
