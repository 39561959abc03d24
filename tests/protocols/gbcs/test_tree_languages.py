"""Trees of everything DLMS and ZigBee payloads may hold, beyond what the reference messages show."""

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.gbcs.tree import OCTETS, from_tree, to_tree
from protocols.gbcs.tree_dlms_types import meaning
from tests.support.codec_property import uint8, uint16, uint32

Octets = st.SearchStrategy[bytes]


def counted(items: list[bytes]) -> bytes:
    return length(len(items)) + b"".join(items)


def length(number: int) -> bytes:
    return bytes((number,)) if number < 0x80 else bytes((0x81, number)) if number < 0x100 else b"\x82" + bytes(
        (number >> 8, number & 0xFF)
    )  # fmt: skip


def fixed(tag: int, size: int) -> Octets:
    return st.binary(min_size=size, max_size=size).map(lambda octets: bytes((tag,)) + octets)


FIXED = {
    0x00: 0, 0x03: 1, 0x05: 4, 0x06: 4, 0x0D: 1, 0x0F: 1, 0x10: 2, 0x11: 1, 0x12: 2, 0x14: 8, 0x15: 8, 0x16: 1, 0x17: 4,
    0x18: 8, 0x19: 12, 0x1A: 5, 0x1B: 4, 0xFF: 0,
}  # fmt: skip
strings: Octets = st.builds(
    lambda tag, body: bytes((tag,)) + length(len(body)) + body,
    st.sampled_from((0x09, 0x0A, 0x0C)),
    st.binary(max_size=140),
)
bit_strings: Octets = st.integers(0, 20).flatmap(
    lambda bits: fixed(0x04, (bits + 7) // 8).map(lambda octets: b"\x04" + bytes((bits,)) + octets[1:])
)
scalars: Octets = st.one_of(*(fixed(tag, size) for tag, size in FIXED.items()), strings, bit_strings)
descriptions: Octets = st.recursive(
    st.sampled_from(sorted(FIXED)).map(lambda tag: bytes((tag,))),
    lambda inner: (
        st.builds(lambda count, one: b"\x01" + count + one, fixed(0, 2).map(lambda o: o[1:]), inner)
        | st.lists(inner, max_size=3).map(lambda items: b"\x02" + bytes((len(items),)) + b"".join(items))
    ),
    max_leaves=4,
)
compact_arrays: Octets = st.builds(
    lambda description, body: b"\x13" + description + length(len(body)) + body, descriptions, st.binary(max_size=40)
)
data: Octets = st.recursive(
    scalars | compact_arrays,
    lambda inner: st.builds(
        lambda tag, items: bytes((tag,)) + counted(items), st.sampled_from((1, 2)), st.lists(inner, max_size=4)
    ),
    max_leaves=8,
)
descriptors: Octets = st.binary(min_size=9, max_size=9)
plain_requests: Octets = st.builds(
    lambda choice, where: bytes((choice,)) + where, st.sampled_from((1, 2, 3)), descriptors
)
selections: Octets = st.builds(
    lambda choice, where, selector, parameters: bytes((choice,)) + where + bytes((selector,)) + parameters,
    st.sampled_from((4, 5)),
    descriptors,
    uint8,
    data,
)
requests = plain_requests | selections
results: Octets = st.builds(lambda choice, result: bytes((choice, result)), st.integers(1, 3), uint8)
heads: Octets = st.builds(
    lambda counter, time: b"\x20" + counter + length(len(time)) + time,
    st.binary(min_size=3, max_size=3), st.just(b"") | st.binary(min_size=12, max_size=12),
)  # fmt: skip
apdus: Octets = st.one_of(
    st.builds(lambda head, asked, given: b"\xd9" + head + counted(asked) + counted(given), heads,
              st.lists(requests, max_size=3), st.lists(data, max_size=3)),
    st.builds(lambda head, given, listed: b"\xda" + head + b"\0" + counted(given) + counted(listed), heads,
              st.lists(data, max_size=3),
              st.lists(results, max_size=3)),
    st.builds(lambda head, given: b"\x0f" + head + given, heads, data),
)  # fmt: skip


@settings(deadline=None, database=None, max_examples=300)
@given(apdus)
def test_every_dlms_apdu_is_understood_and_comes_back(payload: bytes) -> None:
    tree = to_tree(payload)
    assert tree["form"] != OCTETS
    assert from_tree(json.loads(json.dumps(tree))) == payload


class Frame(NamedTuple):
    control: int
    cluster: int
    header: bytes
    body: bytes


frames = st.builds(
    Frame,
    st.sampled_from((0x00, 0x10, 0x02, 0x12)),
    uint16,
    st.binary(min_size=3, max_size=3),
    st.binary(max_size=30),
)


def component(frame: Frame, *, last: bool) -> bytes:
    encrypted = frame.control & 0x02
    content = b"\0\0" if encrypted else b""
    content += b"\x1c\x37\x4a\x80" if frame.control & 0x10 else b""
    content += frame.header
    if frame.header[0] & 0x04:  # manufacturer specific: two octets more in the header
        content += b"\x34\x12"
    body = frame.body
    content += (len(body) + 17).to_bytes(2, "big") + b"\x31\0\0\0\0" + body + bytes(12) if encrypted else body
    return bytes((frame.control | last,)) + frame.cluster.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


@settings(deadline=None, database=None, max_examples=200)
@given(st.lists(frames, min_size=1, max_size=4), st.booleans(), uint16, uint32)
def test_every_zigbee_payload_is_understood_and_comes_back(
    listed: list[Frame], alert: bool, code: int, time: int
) -> None:
    parts = [component(frame, last=index == len(listed)) for index, frame in enumerate(listed, 1)]
    head = b"\x01\x09" + bytes((len(parts),))
    head += code.to_bytes(2, "big") + time.to_bytes(4, "big") if alert else b""
    payload = head + b"".join(parts)
    tree: Any = to_tree(payload, alert=alert)
    assert tree["form"] == ("GBZ alert" if alert else "GBZ components")
    assert len(tree["components"]) == len(parts)
    for node, (control, _, header, _) in zip(tree["components"], listed, strict=True):
        assert node["frame_control"] == header[0]
        assert ("sealed" in node) == bool(control & 0x02)
        assert ("from_time" in node) == bool(control & 0x10)
        assert ("manufacturer" in node) == bool(header[0] & 0x04)
    assert from_tree(json.loads(json.dumps(tree))) == payload


def test_an_alert_whose_content_is_something_else_keeps_it_whole() -> None:
    for content in ("0005", "0920" + "A1" * 32, "00", "", "010702000108", "FF0702000308000A"):
        tree = to_tree(bytes.fromhex("01090181A01C374A80" + content), alert=True)
        assert tree["content"] == content
        assert from_tree(tree).hex().upper() == "01090181A01C374A80" + content


def test_a_component_that_does_not_fit_its_control_keeps_its_content() -> None:
    for control, content in (("03", "0000080006"), ("11", "1C37"), ("01", "0800"), ("03", "00000800060002FFFF")):
        payload = bytes.fromhex(f"010901{control}0702{len(content) // 2:04X}{content}")
        tree: Any = to_tree(payload)
        assert tree["components"][0]["content"] == content
        assert from_tree(tree) == payload


@pytest.mark.parametrize(
    ("octets", "kind", "expected"),
    [
        ("07DF0101FF000000008000FF", "octet-string", "2015-01-01 00:00:00"),
        ("07DE0C1F03173200008000FF", "octet-string", "2014-12-31 23:50:00"),
        ("FFFFFEFDFFFFFFFFFF8000FF", "octet-string", "*-*-* *:*:*"),
        ("0000000000000000008000FF", "octet-string", "now"),
        ("FFFFFFFFFFFFFFFFFF8000FF", "octet-string", "never"),
        ("07DF0D01FF000000008000FF", "octet-string", None),
        ("07DF0101FF180000008000FF", "octet-string", None),
        ("07DF0101FF", "date", "2015-01-01"),
        ("17320000", "time", "23:50:00"),
        ("48656C6C6F", "visible-string", "'Hello'"),
        ("48656C6C6F", "octet-string", "'Hello'"),
        ("4865", "octet-string", None),
        ("4865", "utf8-string", "'He'"),
        ("00010203", "octet-string", None),
        ("", "visible-string", None),
    ],
)
def test_dates_and_texts_are_read_for_people(octets: str, kind: str, expected: str | None) -> None:
    assert meaning(kind, bytes.fromhex(octets)) == expected


WRONG = [
    ({"type": "date-time", "octets": "00"}, "1 octets instead of 12"),
    ({"type": "compact-array", "octets": "00"}, "description: a text is missing"),
    ({"type": "bcd", "octets": "0000"}, "2 octets instead of 1"),
]


@pytest.mark.parametrize(("node", "complaint"), WRONG, ids=[complaint for _, complaint in WRONG])
def test_a_wrong_node_is_refused_by_field(node: dict[str, str], complaint: str) -> None:
    tree = {"form": "DLMS data-notification", "invoke_id": "20000000", "date_time": "", "data": [node]}
    with pytest.raises(InputError, match=complaint):
        from_tree(tree)


def test_object_identifiers_of_certificates_are_named() -> None:
    tree: Any = to_tree(bytes.fromhex("0603550403"))
    assert tree["value"]["meaning"] == "common name"
    assert from_tree(tree) == bytes.fromhex("0603550403")
