"""`hanlab inventory`: the Smart Metering Inventory shown, checked, exported, and taken into a DSP."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.dsp.records import Device

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_SOURCE = typer.Argument(metavar="SOURCE", help="A run's folder, a store's file or its URL.")
_JSON = typer.Option("--json", help="A JSON object a device, in one list.")
_COLUMNS = ("device", "type", "variant", "status", "firmware", "hub", "MPxN")


@app.command()
def show(source: Annotated[str, _SOURCE], as_json: Annotated[bool, _JSON] = False) -> None:
    """List the devices, a bridge by the name of its kind."""
    from gateway.dsp.rows import to_values

    devices = _devices(source)
    if as_json:
        print(json.dumps([to_values(device) for device in devices], indent=1))
        return
    lines = [_COLUMNS, *(_cells(device) for device in devices)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_COLUMNS))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@app.command()
def export(
    source: Annotated[str, _SOURCE],
    out: Annotated[Path | None, typer.Option(help="File to write; the terminal without it.")] = None,
) -> None:
    """Write the devices as CSV."""
    from gateway.cli.texts import write_text
    from gateway.dsp.csv_files import write_devices

    write_text(out, write_devices(_devices(source)))


@app.command()
def check(path: Annotated[Path, typer.Argument(metavar="FILE", help="Devices as CSV.")]) -> None:
    """Read devices as the DSP would; a wrong file is refused by line and column."""
    from gateway.cli.texts import read_text
    from gateway.dsp.csv_files import read_devices

    devices = read_devices(read_text(path), str(path))
    print(f"{len(devices):,} devices of {len({device.type for device in devices})} types")


@app.command("import")
def take(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Devices as CSV, as export writes them.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of `hanlab dsp init` or `hanlab demo`.")],
    store: Annotated[str | None, typer.Option(metavar="URL", help="sqlite:///FILE or postgresql://...")] = None,
) -> None:
    """Put new devices into a DSP's inventory while it is not served: all or none."""
    from gateway.cli.dsp import dsp_of
    from gateway.cli.texts import read_text
    from gateway.dsp.csv_files import read_devices
    from gateway.northbound.served import ServedDsp
    from gateway.store import Store

    devices = read_devices(read_text(path), str(path))
    dsp = dsp_of(folder)
    opened = Store(store or f"sqlite:///{folder / 'store.db'}", served=True)
    try:
        served = ServedDsp(dsp, opened, time.time_ns, lambda line, frame: None)
        served.administer(dsp.add_devices(devices, time.time_ns()))
    finally:
        opened.close()
    print(f"{len(devices):,} devices of {len({device.type for device in devices})} types")


def _devices(source: str) -> "list[Device]":
    from gateway.campaigns.sources import read_source
    from gateway.dsp.records import Device
    from gateway.dsp.rows import from_values

    return [from_values(Device, row) for row in read_source(source).rows(Device.TABLE)]


def _cells(device: "Device") -> tuple[str, ...]:
    from gateway.dsp.rows import version_text

    hub = None if device.hub is None else device.hub.hyphenated
    told = (device.variant, device.status, version_text(device.firmware_version), hub, device.mpxn)
    return (device.device.hyphenated, str(device.type), *(str(cell) if cell is not None else "-" for cell in told))
