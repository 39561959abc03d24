"""`hanlab dongle`."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from emulator.entropy import SeededEntropy, SystemEntropy
from emulator.home import find_home
from gateway.assembly.dongle import Address, DongleService, run, write_keys
from protocols.errors import InputError
from protocols.interfaces import Entropy

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="Virtual dongles for host stacks outside.")

_SEED = 1


@app.callback()
def dongle() -> None:
    """Virtual dongles for host stacks outside."""


@app.command()
def serve(
    home: Annotated[
        str, typer.Option(metavar="HOME", help="YAML file or shipped home, e.g. zoh-home; the dongle is its hub.")
    ],
    rcp: Annotated[str, typer.Option(help="Where: tcp://127.0.0.1:PORT (0 takes a free one), or pty.")],
    speed: Annotated[float, typer.Option(help="How many seconds of the home pass in a second.")] = 1.0,
    capture: Annotated[Path | None, typer.Option(help="Write the air's frames here (pcapng), keys beside.")] = None,
    test_keys: Annotated[bool, typer.Option("--test-keys", help="Repeatable keys, the same at every start.")] = False,
    expose: Annotated[bool, typer.Option("--expose", help="Let the address be another than loopback.")] = False,
) -> None:
    """Offer a radio of the emulated air as a Spinel RCP. A host such as zigbee-on-host is then the coordinator."""
    if not 0 < speed <= 1000:
        raise InputError(f"--speed: above 0 and at most 1000, not {speed:g}")
    address = Address.parse(rcp, exposed=expose)
    entropy: Entropy = SeededEntropy(_SEED) if test_keys else SystemEntropy()
    with ExitStack() as files:
        try:
            file = None if capture is None else files.enter_context(capture.open("wb"))
        except OSError as wrong:
            raise InputError(f"--capture: {capture}: {wrong.strerror}") from wrong
        service = DongleService(find_home(home), entropy, start=time.time_ns(), speed=speed, capture=file, tell=_tell)
        try:
            run(service, address, _read_commands)
        except KeyboardInterrupt:
            _tell(service.report())
            raise typer.Exit(130) from None
        finally:
            if capture is not None:
                write_keys(service, capture)


def _tell(text: str) -> None:
    print(text, flush=True)


def _read_commands(take: Callable[[str], None]) -> None:
    """Hand over the lines of standard input as they come."""

    def read() -> None:
        for line in sys.stdin:
            take(line)

    threading.Thread(target=read, name="commands", daemon=True).start()
