"""`hanlab cpl`: the products list as CSV, checked, exported, and taken into a DSP."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.dsp.machine import Dsp
    from protocols.addresses import Eui64

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_JSON = typer.Option("--json", help="One JSON object.")


@app.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A products list as CSV.")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Read a list as the DSP would and tell what it holds; a wrong one is refused by line and column."""
    from gateway.cli.texts import read_text
    from gateway.dsp.csv_files import read_products
    from gateway.dsp.products import CURRENT

    listed = read_products(read_text(path), str(path))
    types = sorted({str(product.type) for product in listed})
    current = sum(product.status == CURRENT for product in listed)
    if as_json:
        print(json.dumps({"entries": len(listed), "current": current, "types": types}, indent=1))
    else:
        print(f"{len(listed):,} entries, {current:,} current; {', '.join(types) or 'no types'}")


@app.command()
def export(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A run's folder, a store's file or its URL.")],
    out: Annotated[Path | None, typer.Option(help="File to write; the terminal without it.")] = None,
) -> None:
    """Write the products list of a DSP as CSV."""
    from gateway.campaigns.sources import read_source
    from gateway.cli.texts import write_text
    from gateway.dsp.csv_files import write_products
    from gateway.dsp.records import Product
    from gateway.dsp.rows import from_values

    rows = read_source(source).rows(Product.TABLE)
    write_text(out, write_products(from_values(Product, row) for row in rows))


@app.command("import")
def take(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A products list as CSV.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of `hanlab dsp init` or `hanlab demo`.")],
    store: Annotated[str | None, typer.Option(metavar="URL", help="sqlite:///FILE or postgresql://...")] = None,
) -> None:
    """Put the entries of a list on a DSP's while it is not served: all or none. Devices are suspended and restored.

    What users are told (N28, N29) waits in the outbox until the DSP is served.
    """
    from gateway.cli.dsp import dsp_of
    from gateway.cli.texts import read_text
    from gateway.dsp.csv_files import read_products
    from gateway.northbound.served import ServedDsp
    from gateway.store import Store

    listed = read_products(read_text(path), str(path))
    dsp = dsp_of(folder)
    opened = Store(store or f"sqlite:///{folder / 'store.db'}", served=True)
    try:
        served = ServedDsp(dsp, opened, time.time_ns, lambda line, frame: None)
        before = _suspended(dsp)
        served.administer(dsp.update_products(listed, time.time_ns()))
        after = _suspended(dsp)
    finally:
        opened.close()
    print(f"{len(listed):,} entries; {len(after - before)} devices suspended, {len(before - after)} restored")


def _suspended(dsp: "Dsp") -> "set[Eui64]":
    from protocols.duis.inventory import DeviceStatus

    return {device.device for device in dsp.inventory if device.status is DeviceStatus.SUSPENDED}
