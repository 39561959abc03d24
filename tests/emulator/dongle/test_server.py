"""The dongle's line: pace, hosts that come and go, and hosts that do not read. No sockets: transports are recorded."""

import asyncio
from collections.abc import Callable

from emulator.air.medium import Medium
from emulator.clock import VirtualClock, run
from emulator.dongle.rcp import Rcp
from emulator.dongle.server import BAUD, UNREAD_LIMIT, Line
from emulator.entropy import SeededEntropy
from emulator.real_clock import RealTimeClock
from protocols.interfaces import SECOND
from protocols.spinel.frame import PropertyValue, SpinelFrame
from protocols.spinel.hdlc import enclose
from protocols.spinel.numbers import Command, Property
from tests.support.spinel_host import DONGLE


def request(command: Command, number: Property, value: bytes = b"", tid: int = 1) -> bytes:
    return enclose(SpinelFrame(tid, command, PropertyValue(number, value).encode()).encode())


GET_VERSION = request(Command.PROP_VALUE_GET, Property.PROTOCOL_VERSION)
ENABLE = request(Command.PROP_VALUE_SET, Property.PHY_ENABLED, b"\x01", tid=2)


class Transport(asyncio.WriteTransport):
    """Keeps what is written, with its time."""

    def __init__(self, real: VirtualClock) -> None:
        super().__init__()
        self.real, self.unread, self.closed = real, 0, False
        self.written: list[tuple[int, bytes]] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append((self.real.now(), bytes(data)))

    def get_write_buffer_size(self) -> int:
        return self.unread

    def close(self) -> None:
        self.closed = True


class Bench:
    def __init__(self) -> None:
        self.real = VirtualClock()
        self.clock = RealTimeClock(1_000 * SECOND)
        self.told: list[str] = []
        self.line = Line(self.clock, self.told.append)
        self.radio = Medium(self.clock, SeededEntropy(1)).radio("air", "dongle")
        self.line.rcp = Rcp(self.radio, self.clock, self.line.write, DONGLE, "TEST/1")

    def live(self, story: Callable[[], None]) -> None:
        async def main() -> None:
            story()
            await self.real.sleep(SECOND)

        run(self.real, main)


def test_frames_leave_whole_and_at_the_lines_pace() -> None:
    bench = Bench()
    transport = Transport(bench.real)

    def story() -> None:
        bench.line.connect(transport, "host")
        bench.line.take(GET_VERSION + ENABLE)

    bench.live(story)
    answers = [frame for _, frame in transport.written]
    assert [frame[1] & 15 for frame in answers] == [1, 2]
    assert all(frame[0] == frame[-1] == 0x7E for frame in answers)
    due = 0.0
    for time, frame in transport.written:
        due += len(frame) * 10 / BAUD
        assert abs(time / SECOND - due) < 1e-6
    assert bench.told == ["host connected: host"]


def test_the_newest_host_has_the_dongle_as_after_power_on() -> None:
    bench = Bench()
    old, new = Transport(bench.real), Transport(bench.real)
    on: list[bool] = []

    def story() -> None:
        bench.line.connect(old, "old")
        bench.line.take(ENABLE)
        on.append(bench.radio.receiver_on)
        bench.line.connect(new, "new")
        on.append(bench.radio.receiver_on)
        bench.line.disconnect(old)  # its end is noticed later, and is nobody's loss
        bench.line.take(GET_VERSION)

    bench.live(story)
    assert on == [True, False]
    assert old.closed
    assert old.written == []
    assert len(new.written) == 1
    assert bench.told[-1] == "host connected: new"


def test_a_host_that_goes_switches_the_radio_off() -> None:
    bench = Bench()
    transport = Transport(bench.real)

    def story() -> None:
        bench.line.connect(transport, "host")
        bench.line.take(ENABLE)
        bench.line.disconnect(transport)

    bench.live(story)
    assert not bench.radio.receiver_on
    assert transport.written == []
    assert bench.told[-1] == "host disconnected"


def test_frames_that_nobody_reads_are_dropped_and_counted() -> None:
    bench = Bench()
    transport = Transport(bench.real)

    def story() -> None:
        bench.line.connect(transport)
        transport.unread = UNREAD_LIMIT + 1
        bench.line.take(GET_VERSION)
        transport.unread = 0
        bench.line.take(GET_VERSION * 10_000)  # more than the line sends in a second

    bench.live(story)
    assert bench.line.dropped > 1
    assert bench.line.dropped + len(transport.written) == 10_001
    assert bench.told == []
