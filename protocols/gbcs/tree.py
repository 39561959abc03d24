"""Any payload as a tree of plain JSON values, and the same octets back from it.

The root says its `form`: DER, one of the DLMS APDUs, ZigBee components or alert, or bare octets for what is none of
them. A tree is only given out if it makes the payload again, so nothing is ever lost.
"""

from protocols.errors import DecodeError, InputError
from protocols.gbcs import tree_der, tree_dlms, tree_gbz
from protocols.gbcs.json_fields import Fields, Json, hexadecimal

READINGS = ("at", "meaning", "class_name", "obis", "cluster_name", "command_name", "elements", "records", "decrypted",
            "decrypted_records")  # fmt: skip
"""The fields of nodes that say again what others hold, for people; a tree without them gives the same octets."""

DER = "DER"
OCTETS = "octets"


def to_tree(payload: bytes, base: int = 0, *, alert: bool = False) -> dict[str, Json]:
    """Return the tree of a payload that stands at octet `base` of its message; `alert` for that of an alert."""
    try:
        tree = _parsed(payload, base, alert=alert)
        if from_tree(tree) == payload:
            return tree
    except DecodeError:
        pass
    return {"at": base, "form": OCTETS, "octets": hexadecimal(payload)}


def _parsed(payload: bytes, base: int, *, alert: bool) -> dict[str, Json]:
    if payload.startswith(tree_gbz.PROFILE):
        return tree_gbz.decode(payload, base, alert=alert)
    if payload[:1] and payload[0] in tree_dlms.FORMS:
        return tree_dlms.decode(payload, base)
    return {"at": base, "form": DER, "value": tree_der.decode(payload, base)}


def from_tree(tree: object, where: str = "payload") -> bytes:
    """Return the payload of a tree; InputError that names the field for one that is not well made."""
    root = Fields(tree, where)
    form = root.text("form")
    if form == DER:
        return tree_der.encode(root.object("value"))
    if form in tree_dlms.FORMS.values():
        return tree_dlms.encode(root)
    if form in tree_gbz.FORMS:
        return tree_gbz.encode(root)
    if form == OCTETS:
        return root.octets("octets")
    raise InputError(f"{where}.form: {form!r} is unknown")
