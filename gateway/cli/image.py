"""`hanlab image`: build, inspect and verify firmware images."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from string import hexdigits
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from gateway.cli.image_report import Report, findings, report
from protocols.errors import DecodeError, HanlabError, InputError
from protocols.ota.image import Kind, build_image, split

app = typer.Typer(
    help="Build, inspect and verify firmware images.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_LARGEST_READ = 64 * 1024 * 1024  # octets; nothing larger is a firmware image

KindText = Annotated[
    str, typer.Option("--kind", help="esme, gsme, hcalcs, ppmid, bridge1, bridge2, bridge3 or bridge4.")
]
ImageFile = Annotated[Path, typer.Argument(metavar="FILE", help="An OTA file.")]


@app.command()
def build(
    kind: KindText,
    version: Annotated[str, typer.Option(help="File version, 8 hexadecimal digits.")],
    size: Annotated[int, typer.Option(help="Octets of the whole file.")],
    manufacturer: Annotated[str, typer.Option(help="Manufacturer code, 4 hexadecimal digits.")],
    model: Annotated[str, typer.Option(help="Model (4), hardware version (2) and revision (2): 8 hexadecimal digits.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    sign_key: Annotated[Path | None, typer.Option(help="PEM file of the supplier's P-256 signing key.")] = None,
) -> None:
    """Make an image of exactly SIZE octets. The same arguments make the same octets, signature included."""
    with _one_line():
        image = build_image(
            _kind(kind),
            version=_hex("version", version, 8),
            size=size,
            manufacturer=_hex("manufacturer", manufacturer, 4),
            model=_hex("model", model, 8),
            sign=None if sign_key is None else _signer(sign_key),
        )
        _write(out, image.encode())
    print(f"{out}: {size} octets, version {image.header.file_version:08X}, hash {image.hash.hex()}")


@app.command()
def inspect(
    file: ImageFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a file says of itself: an image of hanlab, of a GB device, or any other Zigbee OTA file."""
    with _one_line(file):
        found = report(_read(file))
    print(json.dumps(found) if as_json else _text(found))


@app.command()
def verify(
    file: ImageFile,
    kind: KindText,
    cert: Annotated[Path | None, typer.Option(help="PEM file of the supplier's signing certificate.")] = None,
) -> None:
    """Check a file as a device of that kind would. Exit 0: good; 1: not; 2: no image at all."""
    with _one_line(file):
        wanted = _kind(kind)
        octets = _read(file)
        _check_size(octets, wanted)
        checks = findings(octets, wanted, None if cert is None else _certificate_key(cert))
    for check in checks:
        print(f"{check.name}: {check.result}")
    failed = [check for check in checks if check.good is False]
    if failed:
        print(f"hanlab image: {file}: {failed[0].name}: {failed[0].result}", file=sys.stderr)
        raise typer.Exit(1)


def _check_size(octets: bytes, kind: Kind) -> None:
    split(octets)
    limit = kind.size_limit
    if limit is not None and len(octets) > limit:
        raise InputError(f"{len(octets)} octets: an image for {kind.value} has at most {limit}")


@contextmanager
def _one_line(file: Path | None = None) -> Iterator[None]:
    """Turn bad input into one line and exit 2."""
    try:
        yield
    except HanlabError as error:
        where = f"{file}: " if file is not None and isinstance(error, DecodeError) else ""
        print(f"hanlab image: {where}{error}", file=sys.stderr)
        raise typer.Exit(2) from None


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise InputError(f"--kind {text}: one of {', '.join(kind.value for kind in Kind)} expected") from None


def _hex(option: str, text: str, digits: int) -> int:
    if len(text) != digits or any(character not in hexdigits for character in text):
        raise InputError(f"--{option} {text}: {digits} hexadecimal digits expected")
    return int(text, 16)


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > _LARGEST_READ:
            raise InputError(f"{file}: {file.stat().st_size} octets are no firmware image")
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error


def _write(file: Path, octets: bytes) -> None:
    """Write beside the file first, so that a failure leaves what was there."""
    beside = file.with_name(file.name + ".part")
    try:
        beside.write_bytes(octets)
        beside.replace(file)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error


def _signer(file: Path) -> Callable[[bytes], bytes]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_read(file), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(f"--sign-key {file}: no PEM private key without a password") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise InputError(f"--sign-key {file}: a P-256 key expected")

    def sign(octets: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(octets, ECDSA(SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def _certificate_key(file: Path) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificate

    from protocols.gbcs.smki import Certificate

    try:
        der = load_pem_x509_certificate(_read(file)).public_bytes(Encoding.DER)
        return Certificate(der).public_key
    except ValueError:
        raise InputError(f"--cert {file}: no PEM certificate with a P-256 key") from None


def _text(found: Report) -> str:
    """Return a report as lines of `name: value`."""
    lines = []
    for name, value in found.items():
        if isinstance(value, list):
            lines += [f"{name}: " + ", ".join(f"{key} {field}" for key, field in row.items()) for row in value]
        else:
            lines.append(f"{name}: {'-' if value is None else value}")
    return "\n".join(lines)
