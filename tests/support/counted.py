"""What a capture holds, counted by cluster and command as Wireshark reads it."""

from collections import Counter
from pathlib import Path
from typing import Final

from tests.support.tshark import fields

CLUSTERS: Final = {
    0x0000: ("Basic", "zbee_zcl_general.basic.cmd"),
    0x0003: ("Identify", "zbee_zcl_general.identify.cmd"),
    0x000A: ("Time", None),
    0x0019: ("OTA", "zbee_zcl_general.ota.cmd"),
    0x0025: ("Keep-Alive", None),
    0x0700: ("Price", "zbee_zcl_se.price.cmd"),
    0x0701: ("Load Control", "zbee_zcl_se.drlc.cmd"),
    0x0702: ("Metering", "zbee_zcl_se.met.cmd"),
    0x0703: ("Messaging", "zbee_zcl_se.msg.cmd"),
    0x0704: ("Tunneling", "zbee_zcl_se.tun.cmd"),
    0x0705: ("Prepayment", "zbee_zcl_se.pp.cmd"),
    0x0707: ("Calendar", "zbee_zcl_se.calendar.cmd"),
    0x0708: ("Device Management", "zbee_zcl_se.device_management.cmd"),
    0x0800: ("Key Establishment", "zbee_zcl_se.ke.cmd"),
}
_ONE_WAY: Final = ("zbee_zcl_general.basic.cmd",)  # Wireshark knows no command of their servers
_GENERAL: Final = {
    0x00: "read", 0x01: "read response", 0x02: "write", 0x03: "write undivided", 0x04: "write response",
    0x05: "write no response", 0x06: "configure reporting", 0x07: "configure reporting response",
    0x08: "read reporting", 0x09: "read reporting response", 0x0A: "report", 0x0B: "default response",
    0x0C: "discover", 0x0D: "discover response", 0x11: "discover received", 0x12: "discover received response",
    0x13: "discover generated", 0x14: "discover generated response", 0x15: "discover extended",
    0x16: "discover extended response",
}  # fmt: skip
_STATUSES: Final = {"OTA": "zbee_zcl_general.ota.status", "Key Establishment": "zbee_zcl_se.ke.terminate.status"}
_PREFIXES: Final = [prefix for _, prefix in CLUSTERS.values() if prefix is not None]
_TO = [f"{prefix}.srv_rx.id" for prefix in _PREFIXES]
_FROM = [f"{prefix}.srv_tx.id" for prefix in _PREFIXES if prefix not in _ONE_WAY]
_LAYERS: Final = {
    "wpan.cmd": "MAC", "zbee_nwk.cmd.id": "NWK", "zbee_aps.cmd.id": "APS", "zbee_aps.zdp_cluster": "ZDP",
}  # fmt: skip


def counted(capture: Path, keys: Path | str) -> tuple[int, Counter[str]]:
    """Return the number of frames, and the frames by command.

    Commands are named e.g. `OTA from server 05`, `OTA to server 03`, `Basic read response`, `NWK 08`, `ZDP 8031`, and
    a status that is not success beside its command: `status of OTA 06: 96`.
    """
    names = ["zbee_aps.cluster", "zbee_zcl.cmd.id", *_STATUSES.values(), *_TO, *_FROM, *_LAYERS]
    rows, found = fields(capture, keys, names), Counter[str]()
    for row in rows:
        cluster, general, rest = row[0], row[1], row[2 + len(_STATUSES) :]
        statuses = dict(zip(_STATUSES, row[2:], strict=False))
        to, sent, layers = rest[: len(_TO)], rest[len(_TO) : -len(_LAYERS)], rest[-len(_LAYERS) :]
        for name, value in zip(_LAYERS.values(), layers, strict=True):
            for each in filter(None, value.split(",")):
                found[f"{name} {int(each, 0):0{4 if name == 'ZDP' else 2}x}"] += 1
        label, _ = CLUSTERS.get(int(cluster, 0), (cluster, None)) if cluster else ("", None)
        if not label:
            continue
        if general:
            number = int(general.split(",")[0], 0)
            found[f"{label} {_GENERAL.get(number, f'general {number:02x}')}"] += 1
        for way, values in (("to", to), ("from", sent)):
            for each in filter(None, values):
                command = int(each.split(",")[0], 0)
                found[f"{label} {way} server {command:02x}"] += 1
                if status := int(statuses.get(label) or "0", 0):
                    found[f"status of {label} {command:02x}: {status:02x}"] += 1
    return len(rows), found


def by_cluster(found: Counter[str]) -> Counter[str]:
    """Return the frames by cluster."""
    labels = [label for label, _ in CLUSTERS.values()]
    return Counter({label: sum(n for name, n in found.items() if name.startswith(f"{label} ")) for label in labels})
