"""The firmware releases of a run: made once, signed by the supplier where their kind is, and listed on the CPL."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from firmware_images import product
from gateway.dsp.records import Product as CplEntry
from gateway.dsp.rows import Version
from protocols.duis.inventory import DeviceType
from protocols.gbcs.smki import Credentials
from protocols.interfaces import Entropy
from protocols.ota.image import FirmwareImage, Kind, build_image

KIB = 1024
FULL_SIZE = 768_000  # octets: the "750 KB" of SECMP0007
SIZES = {
    Kind.BRIDGE1: 20 * KIB,
    Kind.BRIDGE2: 48 * KIB,
    Kind.BRIDGE3: FULL_SIZE,
    Kind.BRIDGE4: 32 * KIB,
    Kind.PPMID: 64 * KIB,
    Kind.HCALCS: 24 * KIB,
    Kind.ESME: 96 * KIB,
    Kind.GSME: 96 * KIB,
    Kind.HUB: 128 * KIB,
}
SMETS_VERSION, CHTS_VERSION, GBCS_VERSION = "5.0", "1.3", "4.1"
_TYPES = {
    Kind.ESME: DeviceType.ESME,
    Kind.GSME: DeviceType.GSME,
    Kind.HCALCS: DeviceType.HCALCS,
    Kind.HUB: DeviceType.CHF,
}


class Releases:
    """Images by kind and number of the release; 0 is what a device left the factory with."""

    def __init__(
        self,
        entropy: Entropy,
        supplier: Credentials,
        wan_provider: Credentials,
        sizes: Mapping[Kind, int] = MappingProxyType(SIZES),
    ) -> None:
        """supplier: signs images of meters and HCALCS. wan_provider: those of hubs. sizes: octets of a file."""
        self._entropy, self._supplier, self._wan_provider, self._sizes = entropy, supplier, wan_provider, sizes
        self._made: dict[tuple[Kind, int], FirmwareImage] = {}

    def release(self, kind: Kind, number: int) -> FirmwareImage:
        key = kind, number
        if key not in self._made:
            self._made[key] = self._build(kind, number)
        return self._made[key]

    def _build(self, kind: Kind, number: int) -> FirmwareImage:
        made = product(kind)
        return build_image(
            kind,
            version=made.versions[number],
            size=self._sizes[kind],
            manufacturer=made.manufacturer,
            model=made.model,
            sign=self._signer(kind) if kind.signed else None,
            image_type=made.image_type,
        )

    def _signer(self, kind: Kind) -> Callable[[bytes], bytes]:
        owner = self._wan_provider if kind is Kind.HUB else self._supplier
        return lambda octets: self._entropy.sign(owner.ds_key, octets)

    def products_list(self) -> list[CplEntry]:
        """Return the CPL entries of every release of every product."""
        return [self.entry(kind, number) for kind in Kind for number in range(len(product(kind).versions))]

    def write(self, folder: Path) -> int:
        """Write every release of every product that users update as `<kind>-<version>.ota`; return how many."""
        folder.mkdir(exist_ok=True)
        releases = [
            (kind, number) for kind in Kind if kind is not Kind.HUB for number in range(len(product(kind).versions))
        ]
        for kind, number in releases:
            image = self.release(kind, number)
            (folder / f"{kind.value}-{image.header.file_version:08X}.ota").write_bytes(image.encode())
        return len(releases)

    def entry(self, kind: Kind, number: int) -> CplEntry:
        """Return the CPL entry of one release."""
        made = product(kind)
        return CplEntry(
            type=_TYPES.get(kind, DeviceType.PPMID),
            manufacturer=f"{made.manufacturer:04X}",
            model=made.model_text,
            firmware_version=Version(made.versions[number]),
            smets_version=CHTS_VERSION if kind is Kind.HUB else SMETS_VERSION,
            gbcs_version=GBCS_VERSION,
            hash=self.release(kind, number).hash,
        )


def hub_entry(manufacturer: str, model: str, version: int) -> CplEntry:
    """Return the CPL entry of a hub that is no shipped product: no image is made for it, the hash is of its name."""
    name = f"{manufacturer} {model} {version:08X}".encode()
    return CplEntry(
        type=DeviceType.CHF,
        manufacturer=manufacturer,
        model=model,
        firmware_version=Version(version),
        smets_version=CHTS_VERSION,
        gbcs_version=GBCS_VERSION,
        hash=hashlib.sha256(name).digest(),
    )
