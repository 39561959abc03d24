"""Devices that are joined to each other before a run begins: what CS03 would have left in their storages."""

from collections.abc import Callable, Mapping
from typing import Protocol

from emulator.home.description import HomeDescription
from emulator.home.pairs import GBCS_TYPES, GPF, TYPE_2, joins
from emulator.parts.joined_devices import JoinedLog
from emulator.parts.updatable import UpdatableDevice
from protocols.addresses import Eui64
from protocols.gbcs.codes import DeviceType
from protocols.gbcs.device_log import LogEntry
from protocols.interfaces import LinkKey, Random
from protocols.stack.node import Node


class _Built(Protocol):
    node: Node


def join_beforehand(
    home: HomeDescription,
    built: Mapping[str, _Built],
    gpf: JoinedLog,
    keys: Random,
    certificate: Callable[[Eui64], bytes],
) -> None:
    """Put log entries and link keys into the storages of devices that are not switched on yet.

    built: by name. gpf: the log of the hub's GPF. keys: where the link keys come from. certificate(device): DER, for
    key agreement.
    """
    logs = {name: one.joins.log for name, one in built.items() if isinstance(one, UpdatableDevice)} | {GPF: gpf}
    hub = home.hub.gpf
    for name, other in joins(home):
        if other == GPF:
            logs[name].put(LogEntry(hub, DeviceType.GPF))
            continue
        described = home.device(other)
        by_method_c = name != GPF and {home.device(name).kind, described.kind} == {"gsme", "ppmid"}
        held = certificate(described.eui) if by_method_c else b""
        logs[name].put(LogEntry(described.eui, GBCS_TYPES[described.kind]), held)
        if name != GPF and home.device(name).powers_hub:
            _share_key(built[name].node, built[other].node, LinkKey(keys.randbytes(16)), described.kind)


def _share_key(meter: Node, other: Node, key: LinkKey, kind: str) -> None:
    for one, partner in ((meter, other.eui), (other, meter.eui)):
        one.install_partner_key(partner, key)
        if kind not in TYPE_2:  # by method A: both have agreed on it
            one.install_link_key(partner, key)
