"""The attribute server: values, reports and discovery; noise gets an answer or our own error."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DecodeError, UsageError
from protocols.interfaces import MINUTE, SECOND
from protocols.zcl import data_types, foundation
from protocols.zcl.attribute_server import Attribute, AttributeServer, Configuration
from protocols.zcl.data_types import Value
from protocols.zcl.frame import ZclFrame, ZclStatus


class Cluster:
    """A table of three: a read-only text, a number that can be written, and a flag that is not reported."""

    def __init__(self) -> None:
        self.number = 7
        self.flag = 0
        self.server = AttributeServer(
            {
                0x0004: Attribute(data_types.CHARACTER_STRING, lambda: b"hanlab"),
                0x0001: Attribute(data_types.UINT16, lambda: self.number, self.set_number),
                0x0010: Attribute(data_types.BOOLEAN, lambda: self.flag, self.set_flag, reportable=False),
            },
            received=(2, 0, 1),
            generated=(5,),
        )

    def set_number(self, value: Value) -> int:
        if not isinstance(value, int) or value > 1000:
            return ZclStatus.INVALID_VALUE
        self.number = value
        return ZclStatus.SUCCESS

    def set_flag(self, value: Value) -> int:
        self.flag = int(value or 0)
        return ZclStatus.SUCCESS

    def ask(self, command: int, payload: str, control: int = 0, now: int = 0) -> str | None:
        """Return command and payload of the answer."""
        answer = self.server.frame(bytes((control, 9, command)) + bytes.fromhex(payload), now)
        if answer is None:
            return None
        assert answer[:2] == b"\x18\x09"
        return f"{answer[2]:02x} {answer[3:].hex()}".strip()


def test_read() -> None:
    cluster = Cluster()
    assert cluster.ask(0x00, "010004000200") == "01 " + "0100002107000400004206" + b"hanlab".hex() + "020086"
    answer = cluster.server.frame(bytes.fromhex("0009000100"), 0)
    assert answer is not None
    decoded = foundation.decode(ZclFrame.decode(answer))
    assert decoded == foundation.ReadAttributesResponse((foundation.AttributeRead(1, 0, data_types.UINT16, 7),))


def test_write() -> None:
    cluster = Cluster()
    assert cluster.ask(0x02, "0100210800") == "04 00"
    assert cluster.ask(0x02, "0100210900" + "04004201aa" + "02002000" + "01002001" + "0100210010") == (
        "04 " + "880400" + "860200" + "8d0100" + "870100"
    )
    assert cluster.number == 9


def test_an_undivided_write_is_all_or_nothing() -> None:
    cluster = Cluster()
    assert cluster.ask(0x03, "0100210900" + "04004201aa") == "04 880400"
    assert cluster.number == 7
    assert cluster.ask(0x03, "0100210900" + "10001001") == "04 00"
    assert (cluster.number, cluster.flag) == (9, 1)


def test_a_write_without_response_gets_none() -> None:
    cluster = Cluster()
    assert cluster.ask(0x05, "0100210900" + "04004201aa") is None
    assert cluster.number == 9


def test_reports_come_in_time_and_on_change() -> None:
    cluster = Cluster()
    assert cluster.ask(0x06, "00010021" + "0a00" + "3c00" + "0300", now=0) == "07 00"
    assert (
        cluster.ask(0x08, "000100" + "000400" + "000200") == "09 " + "00000100210a003c000300" + "8b000400" + "86000200"
    )
    server = cluster.server
    cluster.number = 9
    assert server.due(20 * SECOND) is None  # too small a change
    cluster.number = 10
    assert server.due(5 * SECOND) is None  # too soon
    assert server.due(20 * SECOND) == bytes.fromhex("18010a" + "0100210a00")
    assert server.deadline(20 * SECOND, 5 * SECOND) == 30 * SECOND  # when a change may be told
    assert server.deadline(78 * SECOND, 5 * SECOND) == 80 * SECOND
    assert server.due(79 * SECOND) is None
    assert server.due(80 * SECOND) == bytes.fromhex("18020a" + "0100210a00")
    assert cluster.ask(0x06, "00010021" + "0000" + "ffff" + "0000") == "07 00"
    assert (server.due(MINUTE * 60), server.deadline(0, SECOND)) == (None, None)


def test_reporting_that_cannot_be_is_refused() -> None:
    cluster = Cluster()
    bad_type, unknown, never, upside_down = (
        "00010020000010" + "0001",
        "00020020000010" + "0001",
        "0010001000001000",
        ("0001002110000500" + "0100"),
    )
    assert cluster.ask(0x06, bad_type) == "07 8d000100"
    assert cluster.ask(0x06, unknown) == "07 86000200"
    assert cluster.ask(0x06, never) == "07 8c001000"
    assert cluster.ask(0x06, upside_down) == "07 87000100"
    assert cluster.server.deadline(0, SECOND) is None


def test_discovery() -> None:
    cluster = Cluster()
    assert cluster.ask(0x0C, "0000ff") == "0d 01" + "010021" + "040042" + "100010"
    assert cluster.ask(0x0C, "020001") == "0d 00" + "040042"
    assert cluster.ask(0x15, "0000ff") == "16 01" + "01002107" + "04004205" + "10001003"
    assert cluster.ask(0x11, "00ff") == "12 01000102"
    assert cluster.ask(0x11, "0101") == "12 0001"
    assert cluster.ask(0x13, "00ff") == "14 0105"


def test_what_cannot_be_served_gets_a_default_response() -> None:
    cluster = Cluster()
    assert cluster.ask(0x0E, "00") == "0b 0e82"
    assert cluster.ask(0x02, "0100") == "0b 0280"
    assert cluster.ask(0x0B, "0000") is None
    assert cluster.ask(0x00, "0100", control=0x08) is None  # for the client's side
    with pytest.raises(UsageError):
        cluster.server.frame(b"\x01\x01\x00", 0)
    with pytest.raises(DecodeError):
        cluster.server.frame(b"\x01", 0)


def test_manufacturer_specific_commands_are_for_the_manufacturers_table() -> None:
    cluster = Cluster()
    answer = cluster.server.frame(bytes.fromhex("04 1d12 09 00 0100".replace(" ", "")), 0)
    assert answer == bytes.fromhex("1c1d12090b0082")
    own = AttributeServer({1: Attribute(data_types.UINT8, lambda: 3)}, manufacturer=0x121D)
    assert own.frame(bytes.fromhex("041d1209000100"), 0) == bytes.fromhex("1c1d120901" + "0100002003")


@settings(max_examples=300, deadline=None, database=None)
@given(st.binary(max_size=60), st.integers(0, 2**40))
def test_noise_gets_an_answer_or_our_own_error(noise: bytes, now: int) -> None:
    cluster = Cluster()
    try:
        answer = cluster.server.frame(noise, now)
    except (DecodeError, UsageError):
        return
    assert answer is None or len(answer) <= 3 + 2 + 70 + 20
    assert answer is None or ZclFrame.decode(answer).from_server


@settings(max_examples=100, deadline=None, database=None)
@given(
    st.integers(0, 60),
    st.integers(1, 120),
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 200)), max_size=40),
)
def test_reports_keep_their_intervals(minimum: int, more: int, change: int, steps: list[tuple[int, int]]) -> None:
    """However the value moves: never two reports within the minimum, never longer than the maximum without one."""
    cluster, maximum = Cluster(), minimum + more
    cluster.server.configure(1, Configuration(data_types.UINT16, minimum, maximum, change), 0)
    reported, now = [0], 0
    for pause, value in steps:
        for _ in range(pause):
            now += 1
            if cluster.server.due(now * SECOND) is not None:
                reported.append(now)
        cluster.number = value
    gaps = [later - earlier for earlier, later in pairwise(reported)]
    assert all(minimum <= gap <= maximum for gap in gaps)
    assert now - reported[-1] <= maximum
