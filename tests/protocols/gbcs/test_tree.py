"""Payload trees: any octets come back, hostile ones too, and wrong JSON is named."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.gbcs import der, document
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.lengths import encode_length
from protocols.gbcs.tree import OCTETS, from_tree, to_tree

DEVICE, BROKER = Eui64(0x00DB1234567890A4), Eui64(0x90B3D51F30000002)
HEADS = (
    b"",
    b"\x01\x09",
    b"\xd9\x20\0\0\0\0",
    b"\xda\x20\0\0\0\0\0",
    b"\x0f\x20\0\0\0\0\x02",
    b"\x30\x0a",
    b"\x02\x02",
)
ALERT = Message(
    Cra.ALERT, 5, DEVICE, BROKER, message_code=0x012B, payload=bytes.fromhex("3005020300 8F8B"), signature=bytes(64)
)


def elements(depth: int) -> st.SearchStrategy[bytes]:
    """Draw DER elements, of known and unknown tags, some with longer lengths than necessary."""
    tags = st.sampled_from((0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x17, 0x18, 0x80, 0x9E))
    leaves = st.builds(wrap, tags, st.binary(max_size=20), st.booleans())
    if not depth:
        return leaves
    inner = st.lists(elements(depth - 1), max_size=3).map(b"".join)
    return leaves | st.builds(wrap, st.sampled_from((0x30, 0x31, 0xA0, 0xA3)), inner, st.booleans())


def wrap(tag: int, content: bytes, longer: bool) -> bytes:
    length = b"\x82" + len(content).to_bytes(2, "big") if longer else encode_length(len(content))
    return bytes((tag,)) + length + content


@settings(deadline=None, database=None)
@given(st.sampled_from(HEADS), st.binary(max_size=60), st.booleans())
def test_any_octets_come_back(head: bytes, tail: bytes, alert: bool) -> None:
    tree = to_tree(head + tail, alert=alert)
    assert from_tree(json.loads(json.dumps(tree))) == head + tail


@settings(deadline=None, database=None)
@given(elements(3))
def test_any_der_is_understood_and_comes_back(payload: bytes) -> None:
    tree = to_tree(payload)
    assert tree["form"] == "DER" or payload.startswith(b"\x01\x09")
    assert from_tree(json.loads(json.dumps(tree))) == payload


def test_values_are_shown_where_they_are_exact() -> None:
    def value(payload: bytes) -> object:
        node: Any = to_tree(payload)["value"]
        shown: object = node.get("value", node.get("octets"))
        return shown

    assert value(der.integer(0x8F8B)) == 0x8F8B
    assert value(der.integer(-1)) == -1
    assert value(bytes.fromhex("02020005")) == "0005"
    assert value(der.object_identifier("2.5.4.45")) == "2.5.4.45"
    assert value(der.object_identifier("1.2.826.0.1.8641679.1.2.1.4")) == "1.2.826.0.1.8641679.1.2.1.4"
    assert value(der.generalized_time(0)) == "19700101000000Z"
    assert value(der.octet_string(b"\x01")) == "01"


def test_a_node_stands_at_its_offset_in_the_message() -> None:
    tree: Any = document.describe(ALERT, "here", None)["payload"]
    assert tree["at"] == 34
    assert tree["value"]["items"][0] == {"at": 36, "tag": "INTEGER", "value": 0x8F8B}


def test_nesting_without_end_stays_octets() -> None:
    nested = b""
    for _ in range(200):
        nested = der.sequence(nested)
    array = b"\x0f\x20\0\0\0\0" + b"\x01\x01" * 5000 + b"\x00"
    for payload in (nested, array):
        tree = to_tree(payload)
        assert tree["form"] == OCTETS
        assert from_tree(tree) == payload


WRONG: list[tuple[object, str]] = [
    (None, "payload: not a JSON object"),
    ({"form": "XML"}, "payload.form: 'XML' is unknown"),
    ({"form": "octets", "octets": "0g"}, "payload.octets: not hexadecimal"),
    ({"form": "DER", "value": {"tag": "SEQUENCE", "items": [{"tag": "INTEGER"}]}}, r"items\[0\].octets: a text"),
    ({"form": "DER", "value": {"tag": "INTEGER", "value": "5"}}, "value.value: an integer is missing"),
    ({"form": "DER", "value": {"tag": "OBJECT IDENTIFIER", "value": "x"}}, "not a OBJECT IDENTIFIER"),
    ({"form": "DER", "value": {"tag": "NULL", "octets": "", "length_octets": 9}}, "length_octets: 9"),
    ({"form": "DER", "value": {"tag": "nothing", "octets": ""}}, "value.tag: not hexadecimal"),
    (
        {"form": "GBZ components", "components": [{"control": 256, "cluster": "0019", "content": ""}]},
        "256 does not fit 8 bits",
    ),
    (
        {"form": "DLMS data-notification", "invoke_id": "20", "date_time": "", "data": []},
        "invoke_id: 1 octets instead of 4",
    ),
    (
        {"form": "DLMS data-notification", "invoke_id": "20000000", "date_time": "", "data": [{"type": "set"}]},
        "'set' is unknown",
    ),
    (
        {
            "form": "DLMS data-notification",
            "invoke_id": "20000000",
            "date_time": "",
            "data": [{"type": "unsigned", "value": 256}],
        },
        "does not fit a unsigned",
    ),
]


@pytest.mark.parametrize(("tree", "complaint"), WRONG, ids=[complaint for _, complaint in WRONG])
def test_a_wrong_tree_is_refused_with_the_name_of_the_field(tree: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        from_tree(tree)


def test_a_tree_deeper_than_any_payload_is_refused() -> None:
    node: dict[str, object] = {"tag": "SEQUENCE", "items": []}
    data: dict[str, object] = {"type": "array", "items": []}
    for _ in range(40):
        node, data = {"tag": "SEQUENCE", "items": [node]}, {"type": "array", "items": [data]}
    notification = {"form": "DLMS data-notification", "invoke_id": "20000000", "date_time": "", "data": [data]}
    for tree in ({"form": "DER", "value": node}, notification):
        with pytest.raises(InputError, match="deep"):
            from_tree(tree)


@settings(deadline=None, database=None)
@given(st.binary(max_size=80), st.data())
def test_a_described_message_comes_back_whatever_its_payload(payload: bytes, data: st.DataObject) -> None:
    cra = data.draw(st.sampled_from(Cra))
    message = Message(cra, 1 << 63, DEVICE, BROKER, message_code=0x0012, payload=payload, signature=b"", mac=bytes(12))
    described = json.loads(json.dumps(document.describe(message, "here", None)))
    assert document.restore(described) == message.encode()


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("cra", "question", "cra"),
        ("counter", -1, "counter"),
        ("counter", 1 << 64, "counter"),
        ("counter", True, "counter"),
        ("originator", "00db", "not an EUI-64"),
        ("message_code", "1", "message_code"),
        ("date_time", "00", "date_time"),
        ("signature_octets", "00", "signature_octets"),
        ("signature_octets", None, "shape of signature and MAC"),
        ("mac_octets", "00", "mac_octets"),
        ("certificate", "3082000100", "supplementary fields"),
        ("supplementary_counter", 5, "supplementary fields"),
        ("payload", [], "payload"),
        ("error", "truncated", "unreadable"),
    ],
)
def test_a_wrong_description_is_refused_with_the_name_of_the_field(field: str, value: object, complaint: str) -> None:
    described = dict(document.describe(ALERT, "here", None)) | {field: value}
    with pytest.raises(InputError, match=complaint):
        document.restore(described)


def test_a_lost_certificate_is_not_swallowed() -> None:
    described = dict(document.describe(ALERT, "here", None))
    described |= {"supplementary_party": str(BROKER), "supplementary_counter": 1, "certificate": "00"}
    with pytest.raises(InputError, match="no message"):
        document.restore(described)


def test_noise_is_no_message() -> None:
    with pytest.raises(DecodeError):
        Message.decode(b"\x30\x05")
