"""Hosts of an RCP in one process: a scripted one, and a `RadioLink` so that our own stack can be the host."""

from collections.abc import Callable, Collection

from emulator.air.radio import SimulatedRadio
from emulator.clock import VirtualClock
from emulator.dongle.rcp import Rcp
from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import Handle, RadioListener, TransmitStatus
from protocols.mac.frame import fcs
from protocols.octets import Reader
from protocols.spinel.frame import PropertyValue, SpinelFrame
from protocols.spinel.hdlc import Deframer, enclose
from protocols.spinel.numbers import Command, Property, Status
from protocols.spinel.packed import read_packed
from protocols.spinel.stream import FrameHeard, FrameToSend
from protocols.spinel.values import Value, read_value, write_value

DONGLE = Eui64(0x00DB_1234_5678_9900)


class Host:
    """Sends requests to an RCP and keeps every frame it answers, with its time."""

    def __init__(self, radio: SimulatedRadio, clock: VirtualClock) -> None:
        self.clock = clock
        self.told: list[tuple[int, SpinelFrame]] = []
        self.listener: Callable[[SpinelFrame], None] = lambda frame: None
        self._deframer = Deframer()
        self.rcp = Rcp(radio, clock, self._take, DONGLE, "TEST-RCP/1")

    def _take(self, octets: bytes) -> None:
        assert octets[:1] == octets[-1:] == b"\x7e"  # one whole frame a write
        (body,) = self._deframer.feed(octets)
        frame = SpinelFrame.decode(body)
        self.told.append((self.clock.now(), frame))
        self.listener(frame)

    @property
    def frames(self) -> list[SpinelFrame]:
        return [frame for _, frame in self.told]

    def request(self, command: Command, payload: bytes = b"", tid: int = 1) -> None:
        self.rcp.feed(enclose(SpinelFrame(tid, command, payload).encode()))

    def get(self, number: int, tid: int = 1) -> Value:
        """Return the value of a property; LAST_STATUS if the RCP refuses."""
        self.request(Command.PROP_VALUE_GET, PropertyValue(number).encode(), tid)
        return self.answer(tid)

    def set(self, number: int, value: Value, tid: int = 1) -> Value:
        self.request(Command.PROP_VALUE_SET, PropertyValue(number, write_value(number, value)).encode(), tid)
        return self.answer(tid)

    def answer(self, tid: int) -> Value:
        """Return the value in the last frame, which must answer `tid`."""
        frame = self.frames[-1]
        assert (frame.tid, frame.command) == (tid, Command.PROP_VALUE_IS)
        number, octets = PropertyValue.decode(frame.payload)
        return Status(read_packed(Reader(octets))) if number == Property.LAST_STATUS else read_value(number, octets)

    def send(self, frame: bytes, channel: int, tid: int, retries: int = 3) -> None:
        request = FrameToSend(frame + fcs(frame), channel, retries=retries)
        self.request(Command.PROP_VALUE_SET, PropertyValue(Property.STREAM_RAW, request.encode()).encode(), tid)

    def bring_up(self, *, eui: Eui64, short: int, pan_id: int, channel: int) -> None:
        """Do what hosts do to start a network."""
        self.request(Command.RESET, b"\x02", tid=0)
        for number, value in (
            (Property.PHY_ENABLED, True),
            (Property.PHY_CHAN, channel),
            (Property.PHY_TX_POWER, 5),
            (Property.MAC_15_4_LADDR, eui),
            (Property.MAC_15_4_SADDR, short),
            (Property.MAC_15_4_PANID, pan_id),
            (Property.MAC_RX_ON_WHEN_IDLE_MODE, True),
            (Property.MAC_RAW_STREAM_ENABLED, True),
        ):
            assert self.set(number, value) == value

    @property
    def heard(self) -> list[FrameHeard]:
        return [FrameHeard.decode(value) for value in self._unsolicited(Property.STREAM_RAW)]

    def _unsolicited(self, number: int) -> list[bytes]:
        values = [PropertyValue.decode(f.payload) for f in self.frames if not f.tid and f.command == 6]
        return [value.value for value in values if value.property == number]

    def outcome(self, tid: int) -> Status | None:
        """Return the LAST_STATUS that answered `tid` last."""
        for frame in reversed(self.frames):
            if frame.tid == tid and frame.payload[:1] == b"\0":
                return Status(frame.payload[1])
        return None


class SpinelRadio:
    """`protocols.interfaces.RadioLink` over an RCP: the side of a host whose radio is a dongle."""

    def __init__(self, radio: SimulatedRadio, clock: VirtualClock) -> None:
        self._host = Host(radio, clock)
        self._host.listener = self._take
        self._listener: RadioListener | None = None
        self._channel, self._handles, self._tid = 11, 0, 0
        self._under_way: dict[int, Handle] = {}

    def attach(self, listener: RadioListener) -> None:
        self._listener = listener
        self._under_way.clear()
        self._host.request(Command.RESET, b"\x02", tid=0)

    def configure(
        self, *, eui: Eui64, short: ShortAddress, pan_id: int, channel: int, receiver_on: bool, coordinator: bool
    ) -> None:
        self._channel = channel
        for number, value in (
            (Property.PHY_ENABLED, True),
            (Property.PHY_CHAN, channel),
            (Property.MAC_15_4_LADDR, eui),
            (Property.MAC_15_4_SADDR, int(short)),
            (Property.MAC_15_4_PANID, pan_id),
            (Property.MAC_RX_ON_WHEN_IDLE_MODE, receiver_on),
            (Property.MAC_RAW_STREAM_ENABLED, True),
            (Property.MAC_SRC_MATCH_ENABLED, True),
        ):
            self._host.set(number, value, tid=15)

    def transmit(self, frame: bytes, *, csma: bool = True, retries: int = 3) -> Handle:
        self._handles += 1
        self._tid = self._tid % 14 + 1
        self._under_way[self._tid] = Handle(self._handles)
        self._host.send(frame, self._channel, self._tid, retries)
        return Handle(self._handles)

    def set_pending(self, addresses: Collection[Eui64 | ShortAddress]) -> None:
        shorts = tuple(sorted(int(a) for a in addresses if not isinstance(a, Eui64)))
        longs = tuple(sorted(int(a) for a in addresses if isinstance(a, Eui64)))
        self._host.set(Property.MAC_SRC_MATCH_SHORT_ADDRESSES, shorts, tid=15)
        self._host.set(Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES, longs, tid=15)

    def energy_scan(self, channel: int) -> int:
        level = self._host.get(Property.PHY_RSSI, tid=15)
        assert isinstance(level, int)
        return level

    def _take(self, frame: SpinelFrame) -> None:
        number, value = PropertyValue.decode(frame.payload)
        if self._listener is None:
            return
        if number == Property.STREAM_RAW:
            heard = FrameHeard.decode(value)
            self._listener.received(heard.frame[:-2], heard.rssi, heard.lqi, heard.timestamp * 1000)
        elif number == Property.LAST_STATUS and frame.tid in self._under_way:
            outcome = {Status.OK: TransmitStatus.OK, Status.NO_ACK: TransmitStatus.NO_ACK}
            status = outcome.get(Status(value[0]), TransmitStatus.CHANNEL_ACCESS_FAILURE)
            self._listener.transmitted(self._under_way.pop(frame.tid), status, False)
