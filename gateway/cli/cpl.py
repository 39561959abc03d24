"""`hanlab cpl`: the products list as CSV, checked and exported."""

import json
from pathlib import Path
from typing import Annotated

import typer

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
