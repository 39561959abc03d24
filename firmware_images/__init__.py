"""The products of the emulated devices, as `manifest.yaml` lists them."""

from functools import cache
from importlib.resources import files
from string import hexdigits
from typing import NamedTuple

import yaml

from protocols.errors import InputError
from protocols.ota.image import HardwareRange, Kind, hardware_version

FORMAT = 1


class Product(NamedTuple):
    """One make of device: what its images must name, and the versions that exist of it."""

    kind: Kind
    manufacturer: int  # 16 bits
    model: int  # 32 bits: model (16), hardware version (8), hardware revision (8)
    image_type: int  # 16 bits
    versions: tuple[int, ...]  # 32 bits each, in order of release; the first is installed at the factory
    secmp0007_since: int | None = None  # of a hub: its first version that serves PPMID and HCALCS too

    @property
    def hardware_version(self) -> int:
        """16 bits: version, revision."""
        return hardware_version(self.model)

    @property
    def hardware_range(self) -> HardwareRange:
        return HardwareRange(self.hardware_version, self.hardware_version)

    @property
    def model_text(self) -> str:
        return f"{self.model:08X}"


@cache
def products() -> tuple[Product, ...]:
    """Return the shipped products, in the order of the manifest."""
    return parse_manifest((files(__name__) / "manifest.yaml").read_text(encoding="utf-8"))


def product(kind: Kind) -> Product:
    """Return the shipped product of `kind`."""
    return next(product for product in products() if product.kind is kind)


def parse_manifest(text: str) -> tuple[Product, ...]:
    """Read a manifest; InputError names the product and field that is wrong."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"manifest: not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"manifest: format {FORMAT} expected")
    rows = document.get("products")
    if not isinstance(rows, list):
        raise InputError("manifest: a list of products expected")
    return tuple(_product(row, number) for number, row in enumerate(rows, start=1))


def _product(row: object, number: int) -> Product:
    where = f"manifest: product {number}"
    if not isinstance(row, dict):
        raise InputError(f"{where}: a mapping expected")
    try:
        kind = Kind(row.get("kind"))
    except ValueError as error:
        raise InputError(f"{where}: unknown kind {row.get('kind')!r}") from error
    versions = row.get("versions")
    if not isinstance(versions, list) or not versions:
        raise InputError(f"{where}: versions: a list expected")
    since = row.get("secmp0007_since")
    return Product(
        kind,
        _number(row.get("manufacturer"), 4, f"{where}: manufacturer"),
        _number(row.get("model"), 8, f"{where}: model"),
        _number(row.get("image_type"), 4, f"{where}: image_type"),
        tuple(_number(version, 8, f"{where}: versions") for version in versions),
        None if since is None else _number(since, 8, f"{where}: secmp0007_since"),
    )


def _number(value: object, digits: int, where: str) -> int:
    if not isinstance(value, str) or len(value) != digits or any(c not in hexdigits for c in value):
        raise InputError(f"{where}: {digits} hexadecimal digits in quotes expected, not {value!r}")
    return int(value, 16)
