"""What of a message departs from the standard although it can be read, and which of that is refused when strict.

Refused: a payload in none of the three languages, something encrypted that has not the form of it. Tolerated, because
messages of the reference data or of real devices do it: the rest.
"""

from collections.abc import Iterator
from typing import NamedTuple

from protocols.errors import DecodeError
from protocols.gbcs import tree
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.json_fields import Json
from protocols.gbcs.lengths import encode_length
from protocols.gbcs.payloads import decode_payload
from protocols.gbcs.tree_encrypted import malformed_nodes
from protocols.gbcs.use_cases import alert_code_of
from protocols.gbcs.use_cases.table import USE_CASES

_INVOKE_ID_PREFIX = 0x20
_COUNTER_BITS = (1 << 24) - 1


class Deviation(NamedTuple):
    """One departure: what, and at which octet of the message."""

    what: str
    offset: int
    refused: bool = False  # by a strict reader

    def __str__(self) -> str:
        return f"{self.what} at octet {self.offset}"


def deviations(message: Message, payload: dict[str, Json], offset: int) -> list[Deviation]:
    """Return every departure, in order of what they are.

    payload: the tree of the payload. offset: where the payload stands in the message.
    """
    return [*_of_language(payload, offset), *_of_use_case(message, offset), *_of_dlms(message, payload, offset),
            *_of_lengths(payload), *_of_encryption(payload)]  # fmt: skip


def _of_language(payload: dict[str, Json], offset: int) -> Iterator[Deviation]:
    if payload["form"] == tree.OCTETS:
        yield Deviation("a payload that is neither DER nor DLMS nor GBZ", offset, refused=True)


def _of_use_case(message: Message, offset: int) -> Iterator[Deviation]:
    if message.message_code not in USE_CASES:
        at = offset - len(encode_length(len(message.payload))) - len(message.other_information())
        yield Deviation(f"message code {message.message_code:04X} of no known use case", at)
    try:
        decode_payload(message)
    except DecodeError as error:
        yield Deviation(f"a payload other than its use case has ({error.what})", offset + error.offset)
    if message.cra is Cra.ALERT:
        try:
            alert_code_of(message)
        except DecodeError as error:
            yield Deviation(error.what, offset)


def _of_dlms(message: Message, payload: dict[str, Json], offset: int) -> Iterator[Deviation]:
    invoke_id = payload.get("invoke_id")
    expected = f"{_INVOKE_ID_PREFIX:02X}{message.counter & _COUNTER_BITS:06X}"
    if invoke_id not in (None, expected):
        yield Deviation(f"invoke id {invoke_id} instead of {expected}", offset + 1)


def _of_lengths(node: Json) -> Iterator[Deviation]:
    if isinstance(node, dict):
        at = node.get("at")
        if "length_octets" in node and isinstance(at, int):
            yield Deviation("a length longer than necessary", at + 1)
        for below in node.values():
            yield from _of_lengths(below)
    elif isinstance(node, list):
        for item in node:
            yield from _of_lengths(item)


def _of_encryption(payload: dict[str, Json]) -> Iterator[Deviation]:
    for node in malformed_nodes(payload):
        at = node["at"]
        yield Deviation("an encrypted component without its form", at if isinstance(at, int) else 0, refused=True)
