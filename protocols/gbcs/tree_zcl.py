"""What the ZCL frame of a component says: names of cluster and command, and the attributes of the general commands.

It stands beside the payload in the tree for people to read and is ignored on the way back. What does not fit is not
shown.
"""

from collections.abc import Iterator

from protocols.errors import DecodeError
from protocols.gbcs.json_fields import Json, hexadecimal
from protocols.gbcs.zcl_names import CLUSTERS, GENERAL_COMMANDS, STATUSES, SUCCESS, Cluster
from protocols.octets import Reader
from protocols.zcl import data_types

_FRAME_TYPE, _FROM_SERVER, _MANUFACTURER_SPECIFIC = 0x03, 0x08, 0x04  # frame control bits
_GENERAL, _CLUSTER_SPECIFIC = 0, 1
_READ, _READ_RESPONSE, _WRITES, _WRITE_RESPONSE = 0x00, 0x01, (0x02, 0x03, 0x05, 0x0A), 0x04
_DEFAULT_RESPONSE = 0x0B
_UNKNOWN = Cluster("unknown")


def names(cluster: int, frame_control: int, command: int) -> dict[str, Json]:
    """Return `cluster_name` and `command_name`, as far as they are known; a manufacturer's own have none."""
    found = CLUSTERS.get(cluster, _UNKNOWN)
    name = None if frame_control & _MANUFACTURER_SPECIFIC else _command(found, frame_control, command)
    named = {"cluster_name": found.name if cluster in CLUSTERS else None, "command_name": name}
    return {key: value for key, value in named.items() if value is not None}


def records(cluster: int, frame_control: int, command: int, payload: bytes, base: int) -> list[Json]:
    """Return the attributes or the status of a general command, none for other commands and for what does not fit.

    base: the offset of the payload in the whole message.
    """
    if frame_control & (_FRAME_TYPE | _MANUFACTURER_SPECIFIC) != _GENERAL:
        return []
    known = CLUSTERS.get(cluster, _UNKNOWN)
    try:
        if command == _DEFAULT_RESPONSE:
            return [_default_response(known, frame_control, Reader(payload), base)]
        return list(_records(known, command, Reader(payload), base))
    except DecodeError:
        return []


def _command(cluster: Cluster, frame_control: int, command: int) -> str | None:
    if frame_control & _FRAME_TYPE == _GENERAL:
        return GENERAL_COMMANDS.get(command)
    if frame_control & _FRAME_TYPE != _CLUSTER_SPECIFIC:
        return None
    return (cluster.from_server if frame_control & _FROM_SERVER else cluster.to_server).get(command)


def _default_response(cluster: Cluster, frame_control: int, reader: Reader, base: int) -> Json:
    answered, status = reader.uint8(), reader.uint8()
    reader.finish()
    node: dict[str, Json] = {"at": base, "label": "answer", "command": answered, **_status(status)}
    name = (cluster.to_server if frame_control & _FROM_SERVER else cluster.from_server).get(answered)
    return node if name is None else node | {"meaning": name}


def _records(cluster: Cluster, command: int, reader: Reader, base: int) -> Iterator[Json]:
    if command == _WRITE_RESPONSE and reader.remaining == 1:
        yield {"at": base, "label": "all attributes", **_status(reader.uint8())}
    while command in (_READ, _READ_RESPONSE, *_WRITES, _WRITE_RESPONSE) and reader.remaining:
        at = base + reader.offset
        status = reader.uint8() if command == _WRITE_RESPONSE else None
        attribute = reader.uint(2)
        node: dict[str, Json] = {"at": at, "label": "attribute", "attribute": f"{attribute:04X}"}
        if attribute in cluster.attributes:
            node["meaning"] = cluster.attributes[attribute]
        if command == _READ_RESPONSE:
            status = reader.uint8()
        if status is not None:
            node |= _status(status)
        if command in _WRITES or (command == _READ_RESPONSE and status == SUCCESS):
            node |= _value(reader)
        yield node


def _status(status: int) -> dict[str, Json]:
    return {"status": f"{status:02X}", "status_name": STATUSES.get(status, "unknown")}


def _value(reader: Reader) -> dict[str, Json]:
    kind = reader.uint8()
    value = data_types.read_value(reader, kind)
    shown: Json = hexadecimal(value) if isinstance(value, bytes) else value
    return {"data_type": f"{kind:02X}", "value": "none" if shown is None else shown}
