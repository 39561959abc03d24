"""Serves the bench's DSP in processes that are there to be killed. Run as a program it imports once and forks them.

Reads a JSON object a line from standard input and forks a process that serves; writes `pid N`, then the process `ready`
and, where it was told to stop at a phase of a message, `reached` once it stands there. It then waits to be killed.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from gateway.dsp.machine import Dsp
from gateway.northbound.served import ServedDsp
from gateway.northbound.server import LineServer
from gateway.store import Outgoing, Received, Store
from protocols.wan.line import Frame
from tests.support.dsp_bench import Bench


class Phase(StrEnum):
    """Where a message stands when the process is killed."""

    RECEIVED = "received"  # read from the line
    HANDLED = "handled"  # the DSP has made its turn of it
    IN_COMMIT = "in commit"  # its rows are written, their transaction is open
    COMMITTED = "committed"
    RELEASED = "released"  # acknowledged, its messages sent


BETWEEN = (Phase.RECEIVED, Phase.HANDLED, Phase.IN_COMMIT, Phase.COMMITTED)


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


class PausingDsp(ServedDsp):
    """Stops for ever at one phase of the first message that is not sent again from before."""

    stop: str = ""  # the phase
    engine: Engine  # of the store
    before: tuple[str, int] = ("", 0)  # line and number of the last message to an earlier process

    def take(self, line: str, number: int, octets: bytes) -> None:
        self._pause(Phase.RECEIVED, line, number)
        super().take(line, number, octets)

    def _handle(self) -> None:
        super()._handle()
        for message in self._received:
            self._pause(Phase.HANDLED, message.line, message.message_id)

    def _commit(self) -> None:
        under_way = list(self._received)
        for message in under_way:
            if self._is_place(Phase.IN_COMMIT, message.line, message.message_id):
                event.listen(self.engine, "commit", lambda _: self._stand())
        super()._commit()
        for message in under_way:
            self._pause(Phase.COMMITTED, message.line, message.message_id)

    def _let_go(self, received: list[Received], outgoing: list[Outgoing]) -> None:
        super()._let_go(received, outgoing)
        for message in received:
            self._pause(Phase.RELEASED, message.line, message.message_id)

    def _pause(self, phase: Phase, line: str, number: int) -> None:
        if self._is_place(phase, line, number):
            self._stand()

    def _is_place(self, phase: Phase, line: str, number: int) -> bool:
        return self.stop == phase and self.before != (line, number)

    def _stand(self) -> None:
        say("reached")
        while True:
            signal.pause()


class AcknowledgingFirst(PausingDsp):
    """The planted defect: it acknowledges and sends, and commits afterwards."""

    def flush(self) -> None:
        self._handle()
        self._let_go(self._received, self._outgoing)
        self._commit()
        self._begin_group()


KINDS: dict[str, type[PausingDsp]] = {"honest": PausingDsp, "acknowledging first": AcknowledgingFirst}


def serve(dsp: Dsp, order: dict[str, Any]) -> None:
    """Serve until killed."""
    store = Store(order["url"], served=True)
    kind = KINDS[order["kind"]]

    def now() -> int:
        return int(order["now"])

    def make(release: Callable[[str, Frame], None]) -> ServedDsp:
        served = kind(dsp, store, now, release)
        served.engine = store._engine
        served.stop, served.before = order["stop"], (order["before"][0], order["before"][1])
        return served

    async def run() -> None:
        await LineServer(make, now).run(Path(order["socket"]), lambda: say("ready"))

    asyncio.run(run())


def main() -> None:
    """Fork a process for each order; the one before has been killed and is waited for."""
    dsp = Bench().dsp
    child = 0
    for text in sys.stdin:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if child == 0:
            try:
                serve(dsp, json.loads(text))
            finally:
                os._exit(70)
        say(f"pid {child}")


if __name__ == "__main__":
    main()
