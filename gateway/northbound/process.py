"""A process that serves one DSP, from start to signal."""

import asyncio
import gc
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gateway.northbound.served import Machine, ServedDsp, TurnStore
from gateway.northbound.server import LineServer


def serve(dsp: Machine, store: TurnStore, path: Path, now: Callable[[], int], opened: Callable[[], None]) -> None:
    """Serve at a socket until SIGTERM, or SIGINT, which raises KeyboardInterrupt. opened: called once it is there."""

    async def run() -> None:
        server = LineServer(lambda release: ServedDsp(dsp, store, now, release), now)
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        gc.collect()
        gc.freeze()  # what was loaded stays: the collector need not look at it again and again
        await server.run(path, opened)

    try:
        with suppress(asyncio.CancelledError):
            asyncio.run(run())
    finally:
        path.unlink(missing_ok=True)
