"""Which devices of a home are to be joined to each other: what an installer does once everybody is in the network.

Displays and switches are joined to the ESME that feeds the hub, and displays to the GPF, which mirrors the gas meter
once there is one; the gas meter is joined to the GPF, and a PPMID and a gas meter to each other. Bridges are joined to
nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple

from emulator.home.description import HomeDescription
from protocols.gbcs.codes import DeviceType

GPF = "gpf"  # the partner that is not a device of the description
TYPE_2 = ("ihd", "cad")
DISPLAYS = ("ppmid", *TYPE_2)


_T = DeviceType
GBCS_TYPES = {
    "esme": _T.ESME, "gsme": _T.GSME, "hcalcs": _T.HCALCS, "ppmid": _T.PPMID, "ihd": _T.TYPE_2, "cad": _T.TYPE_2,
}  # fmt: skip
"""The type in a device log, by kind of a device that may be joined."""


class Join(NamedTuple):
    """One command: `device` is to join `other`; names of devices, or `GPF`."""

    device: str
    other: str


def joins(home: HomeDescription) -> Iterator[Join]:
    """Return the joins of a home in the order of the commands: who responds in a key establishment is told first."""
    meter = next(device.name for device in home.devices if device.powers_hub)
    gas = [device.name for device in home.devices if device.kind == "gsme"]
    for device in home.devices:
        if device.kind in ("hcalcs", "ppmid"):
            yield Join(device.name, meter)
        if device.kind in ("hcalcs", *DISPLAYS):
            yield Join(meter, device.name)
        if device.kind in DISPLAYS:
            yield Join(GPF, device.name)
        if device.kind == "ppmid":
            for name in gas:
                yield from (Join(device.name, name), Join(name, device.name))
    yield from (Join(name, GPF) for name in gas)
