"""Block transfer: overhead and fields as documented, any split comes back, contradictions are refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.gbcs import document
from protocols.gbcs.blocks import LARGEST, OVERHEAD, Block, Joiner, Route, is_block, split
from protocols.gbcs.envelope import Cra, Message
from tests.support.codec_property import assert_codec, uint16, uint64
from tests.support.vectors import rtds_names, rtds_octets

RECOVERY, ESME = Eui64(0x90B3D51F30000001), Eui64(0x00DB1234567890A0)
MESSAGE = Message(
    Cra.COMMAND, 7000, RECOVERY, ESME, message_code=0x0108, payload=bytes(range(256)) * 15, signature=bytes(64)
)
OCTETS = MESSAGE.encode()

euis = st.builds(Eui64, uint64)
routes = st.builds(Route, st.sampled_from(Cra), uint64, euis, euis, uint16)
blocks = st.builds(
    Block, routes, uint16, uint16, st.binary(max_size=300), st.booleans(), st.booleans(), st.integers(0, 63)
)


def test_a_block_is_a_codec() -> None:
    assert_codec(blocks, Block.encode, Block.decode)


def test_a_block_has_the_documented_octets() -> None:
    block = Block(Route.of(MESSAGE), 3, 2, b"\xab\xcd", last=True, streaming=False, window=5)
    expected = (
        "DD 09 01 0000000000001B58 08 90B3D51F30000001 08 00DB1234567890A0 00 02 0108 00 0E"
        "1100000000 E0 85 0003 0002 02 ABCD"
    )
    assert block.encode() == bytes.fromhex(expected)
    assert is_block(block.encode())
    assert replace(block, last=False, streaming=True).encode()[-8:-7] == b"\x45"


def test_the_overhead_of_a_full_block_is_51_octets() -> None:
    whole = Block(Route.of(MESSAGE), 1, 0, bytes(256)).encode()
    assert len(whole) - 256 == OVERHEAD == 51


def test_a_message_that_fits_goes_in_one_piece() -> None:
    short = replace(MESSAGE, payload=bytes(LARGEST - 101)).encode()
    assert len(short) == LARGEST
    assert split(short) == [short]
    assert not is_block(short)
    assert [len(part) for part in split(short + b"\0", LARGEST + 1)] == [LARGEST + 1]


def test_a_long_message_goes_in_blocks_of_at_most_1200_octets() -> None:
    parts = split(OCTETS)
    decoded = [Block.decode(part) for part in parts]
    assert [len(part) for part in parts] == [LARGEST] * 3 + [OVERHEAD + len(OCTETS) - 3 * (LARGEST - OVERHEAD)]
    assert [block.number for block in decoded] == [1, 2, 3, 4]
    assert [block.last for block in decoded] == [False, False, False, True]
    assert [block.streaming for block in decoded] == [True, True, True, False]
    assert {block.route for block in decoded} == {Route.of(MESSAGE)}


@pytest.mark.judge("rtds")
def test_the_long_reference_messages_come_back_from_their_blocks() -> None:
    long = [octets for octets in map(rtds_octets, rtds_names()) if len(octets) > LARGEST]
    assert max(len(octets) for octets in long) == 3986
    for octets in long:
        joiner = Joiner()
        assert [joiner.receive(part) for part in split(octets)][-1] == octets


@settings(deadline=None, database=None)
@given(st.integers(70, 1500), st.data())
def test_blocks_in_any_order_and_doubled_are_joined_once(largest: int, data: st.DataObject) -> None:
    parts = split(OCTETS, largest)
    order = data.draw(st.permutations(range(len(parts))))
    joiner = Joiner()
    for index in order[:-1]:
        for _ in range(2):
            assert joiner.receive(parts[index]) is None
    joined = joiner.receive(parts[order[-1]])
    assert joined == OCTETS
    assert joiner.routes == []


def test_two_messages_are_joined_side_by_side() -> None:
    other = replace(MESSAGE, counter=7001).encode()
    joiner, whole = Joiner(), list[bytes | None]()
    for pair in zip(split(OCTETS), split(other), strict=True):
        whole += [joiner.receive(part) for part in pair]
    assert whole[-2:] == [OCTETS, other]
    assert whole[:-2] == [None] * 6


def test_an_acknowledgement_names_the_blocks_up_to_the_first_gap() -> None:
    parts, joiner = split(OCTETS), Joiner()
    route = Route.of(MESSAGE)
    back = Route(Cra.RESPONSE, 7000, ESME, RECOVERY, 0x0108)
    for index in (0, 1, 3):
        joiner.receive(parts[index])
    acknowledgement = Block.decode(joiner.acknowledgement(route, back))
    assert (acknowledgement.acknowledged, acknowledgement.data, acknowledgement.route) == (2, b"", back)
    assert joiner.receive(acknowledgement.encode()) is None
    assert joiner.routes == [route]
    joiner.forget(route)
    assert Block.decode(joiner.acknowledgement(route, back)).acknowledged == 0


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"data": b"other"}, "block 2 contradicts an earlier one"),
        ({"last": True}, "block 2 contradicts an earlier one"),
        ({"number": 0}, "block 0 contradicts"),
        ({"number": 9, "last": False}, "after the last one, 4"),
        ({"number": 3, "last": True}, "block 4 after the last one, 3"),
        ({"number": 5, "last": True}, "block 5 after the last one"),
        ({"number": 3, "data": bytes(70_000)}, "more than 65536 octets"),
    ],
)
def test_a_contradiction_drops_what_was_held(change: dict[str, int | bytes | bool], complaint: str) -> None:
    parts, joiner = split(OCTETS), Joiner()
    for index in (1, 3):
        joiner.receive(parts[index])
    wrong = replace(Block.decode(parts[1]), **change)  # type: ignore[arg-type]
    with pytest.raises(DecodeError, match=complaint):
        joiner.receive(wrong.encode())
    assert joiner.routes == []


def test_blocks_of_another_message_than_they_were_routed_as_are_refused() -> None:
    route = replace(Route.of(MESSAGE), target=RECOVERY)
    joiner = Joiner()
    with pytest.raises(DecodeError, match="not the one its blocks were routed as"):
        joiner.receive(Block(route, 1, 0, OCTETS, last=True).encode())
    with pytest.raises(DecodeError):
        joiner.receive(Block(route, 1, 0, b"nonsense", last=True).encode())


def test_a_block_too_small_for_data_is_our_own_mistake() -> None:
    for largest in (OVERHEAD, 1):
        with pytest.raises(UsageError):
            split(OCTETS, largest)


def test_a_block_comes_back_from_its_description() -> None:
    for part in split(OCTETS):
        assert document.restore(document.describe_block(Block.decode(part), "here")) == part
