"""`hanlab supplier`: requests to a served DSP, signed with a supplier's own keys, and what comes back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.supplier_session import Session, failure
from gateway.users.user import Exchange
from protocols.addresses import Eui64
from protocols.duis.bodies import DevicePrenotification
from protocols.duis.inventory import DeviceType, PpmidVariant
from protocols.duis.times import parse_date_time
from protocols.errors import HanlabError, InputError
from protocols.ota.image import OtaHeader, split

app = typer.Typer(
    help="Send signed service requests to a served DSP, and see what comes back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Option("--estate", metavar="DIR", help="Folder with keystore and certificates.")]
Socket = Annotated[Path | None, typer.Option(help="Socket of the DSP; dsp.sock of the estate if left out.")]
User = Annotated[str | None, typer.Option("--as", metavar="EUI", help="Which supplier; the only one if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Watch = Annotated[float, typer.Option(metavar="SECONDS", help="Show what comes later, for so long.")]
Device = Annotated[str, typer.Argument(metavar="EUI", help="EUI-64 of the device.")]


@app.callback()
def options(
    context: typer.Context,
    folder: Folder = Path("run"),
    socket: Socket = None,
    user: User = None,
    as_json: AsJson = False,
    watch: Watch = 0.0,
) -> None:
    """Send signed service requests to a served DSP.

    Exit 0 if the request was accepted, 1 if it was refused, 2 for bad input, 130 if interrupted.
    """
    context.obj = {"folder": folder, "socket": socket, "user": user, "as_json": as_json, "watch": watch}


def _run(context: typer.Context, act: Any) -> None:  # noqa: ANN401 - takes a session, returns exchanges
    """Open the supplier's line, act on it, show what came, and end with the exit code."""
    try:
        with Session(**context.obj) as session:
            accepted = session.show(act(session))
    except HanlabError as error:
        raise failure(error) from None
    raise typer.Exit(0 if accepted else 1)


@app.command()
def inventory(context: typer.Context, device: Device) -> None:
    """8.2: show a device and all that share its hub."""
    eui = _eui(device)
    _run(context, lambda session: [session.supplier.read_inventory(eui)])


@app.command("pre-notify")
def pre_notify(
    context: typer.Context,
    device: Device,
    kind: Annotated[str, typer.Option("--type", metavar="TYPE", help=", ".join(DeviceType))],
    manufacturer: Annotated[str, typer.Option(help="Four hexadecimal digits.")],
    model: Annotated[str, typer.Option(help="Model and hardware, eight hexadecimal digits.")],
    version: Annotated[str, typer.Option(help="Firmware, eight hexadecimal digits.")],
    smets: Annotated[str, typer.Option(help="SMETS or CHTS version.")] = "5.0",
    variant: Annotated[str | None, typer.Option(help="ESMEVariant or PPMIDVariant.")] = None,
) -> None:
    """12.2: tell the DSP of a device to come."""
    if kind not in list(DeviceType):
        raise failure(InputError(f"--type {kind!r}: none of {', '.join(DeviceType)}"))
    if kind == DeviceType.PPMID and variant not in list(PpmidVariant):
        raise failure(InputError(f"--variant {variant!r}: none of {', '.join(PpmidVariant)}"))
    body = DevicePrenotification(
        device_id=_eui(device), device_manufacturer=manufacturer, device_model=model, device_type=DeviceType(kind),
        smets_chts_version=smets, firmware_version=version,
        esme_variant=variant if kind == DeviceType.ESME else None,
        ppmid_variant=PpmidVariant(variant) if kind == DeviceType.PPMID and variant else None,
    )  # fmt: skip
    _run(context, lambda session: [session.supplier.pre_notify(body)])


@app.command("update-firmware")
def update_firmware(
    context: typer.Context,
    devices: Annotated[list[str], typer.Argument(metavar="EUI...", help="Devices of one product.")],
    image: Annotated[Path, typer.Option(help="The OTA file; its header tells the version.")],
    ppmid: Annotated[bool, typer.Option("--ppmid/--meter", help="11.4 for PPMID and bridges, or 11.1.")] = True,
) -> None:
    """11.4 or 11.1: send an image to devices. With --watch the reports of hubs and devices are shown."""
    octets = _octets(image)
    euis = [_eui(device) for device in devices]

    def act(session: Session) -> list[object]:
        version = OtaHeader.decode(octets).file_version
        supplier = session.supplier
        send = supplier.update_ppmid_firmware if ppmid else supplier.update_firmware
        return [send(euis, octets, version)]

    _run(context, act)


@app.command()
def activate(
    context: typer.Context,
    device: Device,
    image: Annotated[Path, typer.Option(help="The OTA file that was distributed: its hash is named.")],
    at: Annotated[str | None, typer.Option(metavar="DATE-TIME", help="2026-12-01T02:00:00Z; else at once.")] = None,
    signed: Annotated[bool, typer.Option("--signed/--unsigned", help="Whether the file ends in a signature.")] = True,
) -> None:
    """11.3: have the image activated, at once or at a date; the pre-command is checked and signed with our own key."""
    image_hash, eui = _hash(image, signed=signed), _eui(device)
    when = None if at is None else _moment(at)
    _run(context, lambda session: session.critical(session.supplier.activate(eui, image_hash, when)))


@app.command()
def cancel(
    context: typer.Context,
    device: Device,
    image: Annotated[Path, typer.Option(help="The OTA file whose activation is cancelled.")],
    signed: Annotated[bool, typer.Option("--signed/--unsigned", help="Whether the file ends in a signature.")] = True,
) -> None:
    """11.3 with the date that cancels: have the device forget what it holds for later."""
    image_hash, eui = _hash(image, signed=signed), _eui(device)
    _run(context, lambda session: session.critical(session.supplier.cancel(eui, image_hash)))


@app.command("read-version")
def read_version(context: typer.Context, device: Device) -> None:
    """11.2: ask a device which firmware it runs; --watch waits for its answer."""
    eui = _eui(device)
    _run(context, lambda session: [session.supplier.read_version(eui)])


@app.command()
def join(
    context: typer.Context,
    device: Device,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="EUI-64 of the device it is to join.")],
    critical: Annotated[bool, typer.Option("--critical/--non-critical", help="8.7.1 or 8.7.2.")] = False,
) -> None:
    """8.7.2 or 8.7.1: have a device join another; the pre-command of 8.7.1 is checked and signed with our own key."""
    eui, joined = _eui(device), _eui(other)

    def act(session: Session) -> list[Exchange]:
        supplier = session.supplier
        return session.critical(supplier.join_critical(eui, joined)) if critical else [supplier.join(eui, joined)]

    _run(context, act)


@app.command()
def unjoin(
    context: typer.Context,
    device: Device,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="EUI-64 of the device it is to leave.")],
    critical: Annotated[bool, typer.Option("--critical/--non-critical", help="8.8.1 or 8.8.2.")] = False,
) -> None:
    """8.8.2 or 8.8.1: have a device leave another; the pre-command of 8.8.1 is checked and signed with our own key."""
    eui, left = _eui(device), _eui(other)

    def act(session: Session) -> list[Exchange]:
        supplier = session.supplier
        return session.critical(supplier.unjoin_critical(eui, left)) if critical else [supplier.unjoin(eui, left)]

    _run(context, act)


@app.command()
def watch(context: typer.Context) -> None:
    """Show what waits for the supplier, and what comes while --watch lasts."""
    _run(context, lambda session: [])


def _eui(text: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except InputError as error:
        raise failure(error) from None


def _moment(text: str) -> int:
    try:
        return parse_date_time(text)
    except InputError as error:
        raise failure(InputError(f"--at: {error}")) from None


def _octets(image: Path) -> bytes:
    try:
        octets = image.read_bytes()
        split(octets)
    except OSError as error:
        raise failure(InputError(f"{image}: {error.strerror or 'cannot be read'}")) from None
    except HanlabError as error:
        raise failure(InputError(f"{image}: {error}")) from None
    return octets


def _hash(image: Path, *, signed: bool) -> bytes:
    from protocols.ota.image import FirmwareImage

    octets = _octets(image)
    try:
        return FirmwareImage.decode(octets, signed=signed).hash
    except HanlabError as error:
        raise failure(InputError(f"{image}: {error}")) from None
