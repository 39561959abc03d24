"""Finds the encrypted parts of a payload's tree and puts the plaintext beside them.

The node of an encrypted part gets `decrypted`: a DLMS data node, or hexadecimal in a ZigBee component, whose attributes
then stand in `decrypted_records`. They are ignored on the way back.
"""

from collections.abc import Iterator

from protocols.errors import DecodeError
from protocols.gbcs import tree_zcl
from protocols.gbcs.json_fields import Json, hexadecimal
from protocols.gbcs.tree_dlms import decode_data

_ENCRYPTED = 0x02  # control bit of a component
_SECURITY_HEADER = "3100000000"
_SHORTEST = 2 * 17  # digits
_OPTIONS = 5  # items of the protection options


def encrypted_nodes(tree: dict[str, Json]) -> list[dict[str, Json]]:
    """Return the nodes that hold something encrypted, in order."""
    return list(_found(tree))


def malformed_nodes(tree: dict[str, Json]) -> list[dict[str, Json]]:
    """Return the ZigBee components that say they are encrypted and are not of the form of it."""
    components = tree.get("components")
    nodes = [node for node in components if isinstance(node, dict)] if isinstance(components, list) else []
    return [
        node for node in nodes
        if isinstance(node["control"], int) and node["control"] & _ENCRYPTED and "sealed" not in node
    ]  # fmt: skip


def sealed_octets(node: dict[str, Json]) -> bytes:
    """Return security header, ciphertext and tag of such a node."""
    return bytes.fromhex(str(node["sealed"] if "sealed" in node else node["octets"]))


def show_plaintext(node: dict[str, Json], plaintext: bytes) -> None:
    """Put the plaintext into the node."""
    shown: Json = hexadecimal(plaintext)
    if "sealed" in node:
        node.update(_records(node, plaintext))
    else:
        try:
            shown = decode_data(plaintext)
        except DecodeError:
            shown = hexadecimal(plaintext)
    node["decrypted"] = shown


def _records(node: dict[str, Json], plaintext: bytes) -> dict[str, Json]:
    """Return the attributes that a decrypted component holds, without offsets."""
    control, command = node["frame_control"], node["command"]
    if not isinstance(control, int) or not isinstance(command, int):
        return {}
    records = tree_zcl.records(int(str(node["cluster"]), 16), control, command, plaintext, 0)
    return {"decrypted_records": records} if records else {}


def _found(node: Json) -> Iterator[dict[str, Json]]:
    if isinstance(node, list):
        for before, item in zip([None, *node], node, strict=False):
            if isinstance(item, dict) and _is_sealed(item) and _is_parameters(before):
                yield item
            else:
                yield from _found(item)
    elif isinstance(node, dict):
        if "sealed" in node:
            yield node
        for below in node.values():
            if isinstance(below, list | dict):
                yield from _found(below)


def _is_sealed(node: dict[str, Json]) -> bool:
    octets = node.get("octets")
    sealed = isinstance(octets, str) and octets.startswith(_SECURITY_HEADER) and len(octets) >= _SHORTEST
    return sealed and node.get("type") == "octet-string"


def _is_parameters(node: Json) -> bool:
    """Tell the protection parameters: an array of one structure of an enum and a structure of five."""
    if not isinstance(node, dict) or node.get("type") != "array":
        return False
    match node.get("items"):
        case [{"type": "structure", "items": [{"type": "enum"}, {"type": "structure", "items": list(options)}]}]:
            return len(options) == _OPTIONS
    return False
