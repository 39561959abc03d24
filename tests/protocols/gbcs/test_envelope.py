"""The envelope: round trip, noise, and the strictness of every fixed value and length."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError, TruncatedError, UsageError
from protocols.gbcs.envelope import Category, Cra, Message
from tests.support.codec_property import assert_codec, uint16, uint64

DEVICE, BROKER, SUPPLIER = Eui64(0x00DB1234567890A4), Eui64(0x90B3D51F30000002), Eui64(0x90B3D51F30010000)
COMMAND = Message(
    Cra.COMMAND,
    0x514,
    BROKER,
    DEVICE,
    message_code=0x0129,
    supplementary_party=SUPPLIER,
    supplementary_counter=0x3E8,
    payload=b"\x05\x00",
    signature=b"",
    mac=bytes(12),
)
ALERT = Message(Cra.ALERT, 7, DEVICE, BROKER, message_code=0x012B, payload=bytes(300), signature=bytes(64))

euis = st.builds(Eui64, uint64)
certificates = st.binary(min_size=256, max_size=400).map(lambda body: b"\x30\x82" + len(body).to_bytes(2, "big") + body)
supplements: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"supplementary_party": euis}),
    st.fixed_dictionaries({"supplementary_party": euis, "supplementary_counter": uint64}),
    st.fixed_dictionaries(
        {"supplementary_party": euis, "supplementary_counter": uint64, "supplementary_originator_counter": uint64}
    ),
    st.fixed_dictionaries({"supplementary_party": euis, "supplementary_counter": uint64, "certificate": certificates}),
)
signatures = st.binary(min_size=64, max_size=64)
macs = st.binary(min_size=12, max_size=12)
protections = st.one_of(
    st.tuples(st.just(Cra.COMMAND), st.none(), st.none()),
    st.tuples(st.just(Cra.COMMAND), signatures, st.none() | macs),
    st.tuples(st.sampled_from((Cra.RESPONSE, Cra.ALERT)), signatures, st.none()),
    st.tuples(st.sampled_from(Cra), st.just(b""), macs),
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    cra, signature, mac = draw(protections)
    plain = Message(
        cra,
        draw(uint64),
        draw(euis),
        draw(euis),
        draw(st.just(b"") | st.binary(min_size=12, max_size=12)),
        draw(uint16),
        payload=draw(st.binary(max_size=300)),
        signature=signature,
        mac=mac,
    )
    return replace(plain, **draw(supplements))


def test_every_message_survives_the_wire_and_noise_is_harmless() -> None:
    headed = st.sampled_from((b"", b"\xdf\x09\x01", b"\xdd\0\0\0\0\0\0\x46\x11\0\0\0\0\xdf\x09"))
    assert_codec(
        messages(), Message.encode, Message.decode, noise=st.builds(bytes.__add__, headed, st.binary(max_size=120))
    )


def test_lengths_grow_from_one_octet_to_three() -> None:
    for length in (0, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000):
        message = replace(COMMAND, payload=bytes(length))
        assert Message.decode(message.encode()) == message


@pytest.mark.parametrize(
    ("offset", "octet"),
    [
        (1, 0x01),  # a transaction identifier in the MAC header
        (6, 0x01),  # key information
        (7, 0x45),  # announced length
        (8, 0x31),  # encrypted too
        (12, 0x01),  # invocation counter
        (13, 0xDD),  # tag of the grouping header
        (14, 0x08),  # length of the transaction identifier
        (15, 0x00),  # CRA flag
        (15, 0x04),
        (24, 0x09),  # length of the originator
        (33, 0x07),  # length of the target
        (42, 0x0B),  # length of the date-time
        (43, 0x13),  # length of the other information
        (62, 0x03),  # length of the payload
        (65, 0x01),  # length of the signature
    ],
)
def test_a_wrong_fixed_octet_is_refused(offset: int, octet: int) -> None:
    octets = bytearray(COMMAND.encode())
    octets[offset] = octet
    with pytest.raises(DecodeError):
        Message.decode(bytes(octets))


def test_a_length_longer_than_necessary_is_refused() -> None:
    octets = COMMAND.encode()
    with pytest.raises(DecodeError, match="longer than necessary"):
        Message.decode(octets[:7] + b"\x81" + octets[7:])
    with pytest.raises(DecodeError, match="longer than necessary"):
        Message.decode(ALERT.encode().replace(b"\x82\x01\x2c", b"\x83\x00\x01\x2c"))


def test_a_message_cut_anywhere_is_refused() -> None:
    for octets in (ALERT.encode(), COMMAND.encode()):
        for cut in range(len(octets)):
            with pytest.raises(DecodeError):
                Message.decode(octets[:cut])


def test_something_left_over_is_refused() -> None:
    for message in (ALERT, COMMAND):
        with pytest.raises(DecodeError):
            Message.decode(message.encode() + b"\x00")


def test_no_octets_at_all_are_a_truncated_message() -> None:
    with pytest.raises(TruncatedError):
        Message.decode(b"")


def test_a_block_of_a_longer_message_is_named() -> None:
    with pytest.raises(DecodeError, match="block of a longer message"):
        Message.decode(bytes.fromhex("DD0901000000000000051408"))


def test_an_unsigned_alert_is_refused() -> None:
    unsigned = replace(ALERT, signature=b"")
    assert unsigned.category is Category.UNPROTECTED
    with pytest.raises(DecodeError, match="shape of signature and MAC"):
        Message.decode(unsigned.grouping_octets())
    with pytest.raises(DecodeError, match="shape of signature and MAC"):
        Message.decode(replace(ALERT, signature=None).grouping_octets())
    with pytest.raises(UsageError):
        unsigned.encode()


@pytest.mark.parametrize("length", [1, 3, 9, 11, 17, 19, 25, 27])
def test_other_information_of_an_odd_length_is_refused(length: int) -> None:
    head, tail = COMMAND.encode()[13:43], b"\x02\x05\x00"
    octets = head + bytes((length,)) + bytes(length) + tail
    with pytest.raises(DecodeError, match=f"other information of {length} octets"):
        Message.decode(octets)
