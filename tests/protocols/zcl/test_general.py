"""The form of the general commands: what the attribute server says and takes, cut short and made longer."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DecodeError
from protocols.zcl.frame import ZclFrame
from protocols.zcl.general import check
from tests.protocols.zcl.test_attribute_server import Cluster

ASKED = (
    "00 0100", "02 01002109000400420161", "03 0100210900", "05 0100210900", "06 000100210a003c000300", "06 0101003c00",
    "06 00040042000010000001000000", "08 000100000400000200", "0c 0000ff", "11 00ff", "13 00ff", "15 0000ff",
)  # fmt: skip


def frame_of(text: str, control: int = 0) -> ZclFrame:
    octets = bytes.fromhex(text)
    return ZclFrame(control, 9, octets[0], octets[1:])


@pytest.mark.parametrize("text", [each for each in ASKED if not each.startswith("06 0004")])
def test_a_question_and_its_answer_have_their_form(text: str) -> None:
    cluster = Cluster()
    cluster.ask(0x06, "00010021" + "0a00" + "3c00" + "0300")
    check(frame_of(text))
    answer = cluster.server.answer(frame_of(text), 0)
    if answer is not None:
        check(ZclFrame.decode(answer))


@pytest.mark.parametrize("text", ["02 010021", "04 8801", "06 0001002100", "07 860001", "0c 0000", "0d 010100"])
def test_one_that_stops_early_has_not(text: str) -> None:
    with pytest.raises(DecodeError):
        check(frame_of(text))


@pytest.mark.parametrize("text", ["0c 0000ff00", "11 00ff01", "15 0000ffff"])
def test_nor_one_with_something_behind_it(text: str) -> None:
    with pytest.raises(DecodeError, match="behind"):
        check(frame_of(text))


def test_a_command_that_is_none_is_told() -> None:
    with pytest.raises(DecodeError, match="no global ZCL command 0x30"):
        check(frame_of("30"))
    check(frame_of("0e 0000"))  # within structures: not looked at


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 0x20), st.binary(max_size=40), st.integers(0, 2**40))
def test_noise_raises_our_own_error_and_what_is_answered_has_a_form(command: int, noise: bytes, now: int) -> None:
    frame = ZclFrame(0, 1, command, noise)
    with suppress(DecodeError):
        check(frame)
    answer = Cluster().server.answer(frame, now)
    if answer is not None:
        check(ZclFrame.decode(answer))
