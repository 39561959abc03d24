"""`hanlab dsp`: an estate to start from, and the DSP as a process with a store on disk."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from protocols.errors import InputError

if TYPE_CHECKING:  # imported when there is something to serve
    from gateway.dsp.machine import Dsp

app = typer.Typer(
    help="Make an estate to start from, and serve a DSP on it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SOCKET = "dsp.sock"  # in the folder, unless another is named

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of `hanlab dsp init` or `hanlab demo`.")]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder, or one of an earlier run.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same keys and devices.")] = 1,
) -> None:
    """Make an estate: two homes whose devices have joined, users, products list, registration data, and test keys."""
    from gateway.assembly.lab import Lab

    with Lab(folder, seed=seed) as lab:
        lab.run(lab.everybody_joins)
        images = lab.world.images.write(folder / "images")
    print(f"{folder}: two homes in store.db, test keys in keystore, {images} images in images")
    print(f"next: hanlab dsp serve {folder} --test-keys")


@app.command()
def serve(
    folder: Folder,
    socket: Annotated[Path | None, typer.Option(help=f"Unix socket to serve at; DIR/{SOCKET} if left out.")] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="sqlite:///FILE or postgresql://...")] = None,
    tracked: Annotated[Path | None, typer.Option(metavar="FILE", help="List of ESME to suppress AD1 for.")] = None,
    test_keys: Annotated[bool, typer.Option("--test-keys", help="Serve although keys follow from a seed.")] = False,
) -> None:
    """Serve a DSP on lines at a Unix socket until interrupted. What it acknowledged survives whatever ends it."""
    from gateway.northbound import folder as served_folder
    from gateway.northbound.process import serve as serve_until_ended
    from gateway.store import Store

    if served_folder.has_test_keys(folder) and not test_keys:
        raise InputError(f"{folder}: its keys follow from a seed, so that anybody has them; --test-keys serves them")
    path = socket or folder / SOCKET
    dsp = dsp_of(folder, tracked)
    opened = Store(store or f"sqlite:///{folder / 'store.db'}", served=True)
    try:
        serve_until_ended(dsp, opened, path, time.time_ns, lambda: print(f"serving at {path}; Ctrl-C ends", flush=True))
    finally:
        opened.close()


def dsp_of(folder: Path, tracked: Path | None = None) -> "Dsp":
    """Return the DSP of a folder's keys, not yet restored from its store."""
    from gateway.assembly.system_entropy import SystemEntropy
    from gateway.dsp.machine import Dsp
    from gateway.dsp.settings import DspSettings
    from gateway.dsp.tracked_file import read_tracked
    from gateway.northbound.folder import identity, repository
    from protocols.gbcs.smki import RemotePartyRole

    settings = DspSettings()
    broker = identity(folder, None, RemotePartyRole.ACCESS_CONTROL_BROKER)
    dsp = Dsp(settings, broker.credentials, repository(folder), SystemEntropy(), xml=broker.xml)
    if tracked is not None:
        dsp.swap_tracked(read_tracked(tracked, settings.tracked_bad_share))
    return dsp
