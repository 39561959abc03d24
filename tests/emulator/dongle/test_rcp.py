"""The virtual RCP, driven octet by octet in virtual time."""

from dataclasses import dataclass, field

import pytest

from emulator.air.medium import Medium
from emulator.air.radio import SimulatedRadio
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import MICROSECOND, MILLISECOND, SECOND, Handle, Joined, LinkKey, TransmitStatus
from protocols.mac.commands import AssociationRequest, BeaconRequest, Capability, DataRequest
from protocols.mac.frame import FrameType, MacFrame, data_frame, has_good_fcs
from protocols.spinel.frame import PropertyValue, SpinelFrame
from protocols.spinel.hdlc import enclose
from protocols.spinel.numbers import Command, Property, Status
from protocols.spinel.values import Value
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole
from tests.support.han import START
from tests.support.spinel_host import DONGLE, Host, SpinelRadio

PAN, CHANNEL = 0x1A62, 20
EUI, DEVICE, SHORT = Eui64(0x5A6F486F6E5A324D), Eui64(0x00DB1234567899A4), ShortAddress(0x1234)


@dataclass
class Device:
    """A radio of a device and what it heard."""

    radio: SimulatedRadio
    heard: list[bytes] = field(default_factory=list)
    sent: list[tuple[TransmitStatus, bool]] = field(default_factory=list)

    def received(self, frame: bytes, rssi: int, lqi: int, timestamp: int) -> None:
        self.heard.append(frame)

    def transmitted(self, handle: Handle, status: TransmitStatus, pending: bool) -> None:
        self.sent.append((status, pending))


class Bench:
    """An RCP with its host, and a device in its reach."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.medium = Medium(self.clock, SeededEntropy(1))
        dongle, radio = self.medium.radio("air", "dongle"), self.medium.radio("air", "device")
        self.medium.link(dongle, radio, rssi=-58)
        self.dongle = dongle
        self.host = Host(dongle, self.clock)
        self.device = Device(radio)
        radio.attach(self.device)
        radio.configure(eui=DEVICE, short=SHORT, pan_id=PAN, channel=CHANNEL, receiver_on=True, coordinator=False)

    def up(self) -> "Bench":
        self.host.bring_up(eui=EUI, short=0, pan_id=PAN, channel=CHANNEL)
        return self

    def run(self, duration: int = SECOND) -> None:
        self.clock.run_for(duration)


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- start -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (Property.PROTOCOL_VERSION, (4, 3)),
        (Property.NCP_VERSION, "TEST-RCP/1"),
        (Property.INTERFACE_TYPE, 3),
        (Property.RCP_API_VERSION, 11),
        (Property.RCP_MIN_HOST_API_VERSION, 4),
        (Property.HWADDR, DONGLE),
        (Property.PHY_RSSI, -100),
        (Property.PHY_RX_SENSITIVITY, -100),
        (Property.PHY_CHAN_SUPPORTED, tuple(range(11, 27))),
        (36, Status.PROP_NOT_FOUND),  # the CCA threshold is optional
    ],
)
def test_a_host_learns_what_it_has(bench: Bench, number: int, value: Value) -> None:
    assert bench.host.get(number, tid=5) == value


def test_a_reset_is_told_unsolicited_and_forgets_the_settings(bench: Bench) -> None:
    bench.up()
    bench.host.request(Command.RESET, b"\x02", tid=6)
    assert bench.host.frames[-1] == SpinelFrame(0, Command.PROP_VALUE_IS, bytes((0, Status.RESET_SOFTWARE)))
    assert bench.host.get(Property.PHY_ENABLED) is False
    assert bench.host.get(Property.MAC_15_4_PANID) == 0xFFFF
    assert not bench.dongle.receiver_on


def test_settings_are_echoed_under_their_tid(bench: Bench) -> None:
    assert bench.host.set(Property.MAC_15_4_LADDR, EUI, tid=9) == EUI
    assert bench.host.frames[-1].payload.hex() == "345a6f486f6e5a324d"


@pytest.mark.parametrize(
    ("command", "payload", "status"),
    [
        (Command.PROP_VALUE_SET, "210a", Status.INVALID_ARGUMENT),  # channel 10
        (Command.PROP_VALUE_SET, "21", Status.PARSE_ERROR),
        (Command.PROP_VALUE_SET, "2002", Status.PARSE_ERROR),  # a boolean of 2
        (Command.PROP_VALUE_SET, "0303", Status.INVALID_COMMAND_FOR_PROP),
        (Command.PROP_VALUE_SET, "2400", Status.PROP_NOT_FOUND),
        (Command.PROP_VALUE_SET, "3001", Status.INVALID_ARGUMENT),  # a beacon scan
        (Command.PROP_VALUE_SET, "3002", Status.INVALID_STATE),  # an energy scan while the radio is off
        (Command.PROP_VALUE_SET, "31ff", Status.INVALID_ARGUMENT),
        (Command.PROP_VALUE_INSERT, "2114", Status.INVALID_COMMAND_FOR_PROP),
        (Command.PROP_VALUE_INSERT, "842601", Status.PARSE_ERROR),
        (Command.PROP_VALUE_GET, "", Status.PARSE_ERROR),
        (Command.PROP_VALUE_IS, "2114", Status.INVALID_COMMAND),
        (Command.NOOP, "", Status.OK),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(
    bench: Bench, command: Command, payload: str, status: Status
) -> None:
    bench.host.request(command, bytes.fromhex(payload), tid=3)
    assert bench.host.answer(3) == status


def test_another_interface_is_refused(bench: Bench) -> None:
    bench.host.rcp.feed(enclose(SpinelFrame(2, Command.NOOP, interface=1).encode()))
    assert bench.host.answer(2) == Status.INVALID_INTERFACE


def test_bad_serial_frames_are_counted_and_not_answered(bench: Bench) -> None:
    bench.host.rcp.feed(b"\x7e\x81\x02\x01\x00\x00\x7e" + enclose(b"\x01\x02"))
    assert bench.host.frames == []
    assert bench.host.rcp.statistics.bad_frames == 2


# --- sending ---------------------------------------------------------------------------------------------------------


def test_the_outcome_comes_when_the_transmission_is_over(bench: Bench) -> None:
    bench.up()
    asked = bench.clock.now()
    bench.host.send(data_frame(1, PAN, SHORT, ShortAddress(0), b"hello", ack_request=True), CHANNEL, tid=4)
    assert bench.host.outcome(4) is None
    bench.run()
    assert bench.host.outcome(4) == Status.OK
    assert bench.host.told[-1][0] - asked > MILLISECOND
    assert [MacFrame.decode(frame).payload for frame in bench.device.heard] == [b"hello"]


def test_a_device_that_is_not_there_is_no_ack_after_the_retries(bench: Bench) -> None:
    bench.up()
    bench.device.radio.receiver_on = False
    bench.host.send(data_frame(1, PAN, SHORT, ShortAddress(0), b"x", ack_request=True), CHANNEL, tid=4, retries=2)
    bench.run()
    assert bench.host.outcome(4) == Status.NO_ACK
    assert bench.dongle.statistics.sent == 3
    assert bench.host.rcp.statistics[:2] == (1, 1)


def test_a_broadcast_is_ok_once_it_is_out(bench: Bench) -> None:
    bench.up()
    bench.device.radio.receiver_on = False
    bench.host.send(data_frame(1, PAN, ShortAddress(0xFFFF), ShortAddress(0), b"x", ack_request=False), CHANNEL, tid=4)
    bench.run()
    assert bench.host.outcome(4) == Status.OK


def test_a_busy_channel_is_a_cca_failure(bench: Bench) -> None:
    bench.up()
    noise = Device(bench.medium.radio("air", "noise"))
    noise.radio.attach(noise)
    noise.radio.configure(eui=Eui64(9), short=SHORT, pan_id=9, channel=CHANNEL, receiver_on=True, coordinator=False)
    bench.medium.link(noise.radio, bench.dongle)
    for number in range(60):
        noise.radio.transmit(data_frame(number, 9, SHORT, SHORT, bytes(110), ack_request=False), csma=False)
    bench.run(10 * MILLISECOND)
    bench.host.send(data_frame(1, PAN, SHORT, ShortAddress(0), b"x", ack_request=True), CHANNEL, tid=4)
    bench.run(100 * MILLISECOND)
    assert bench.host.outcome(4) == Status.CCA_FAILURE
    assert bench.host.get(Property.PHY_RSSI) == -60


@pytest.mark.parametrize(
    ("frame", "channel", "status"),
    [
        (data_frame(1, PAN, SHORT, ShortAddress(0), b"x", ack_request=True), CHANNEL + 1, Status.INVALID_ARGUMENT),
        (data_frame(1, PAN, SHORT, ShortAddress(0), bytes(120), ack_request=True), CHANNEL, Status.INVALID_ARGUMENT),
        (b"\x61\x88\x01", CHANNEL, Status.PARSE_ERROR),
    ],
)
def test_frames_the_air_does_not_take_are_refused(bench: Bench, frame: bytes, channel: int, status: Status) -> None:
    bench.up()
    bench.host.send(frame, channel, tid=4)
    assert bench.host.outcome(4) == status
    bench.run()
    assert bench.dongle.statistics.sent == 0


def test_nothing_is_sent_while_the_radio_is_off(bench: Bench) -> None:
    bench.host.send(data_frame(1, PAN, SHORT, ShortAddress(0), b"x", ack_request=True), CHANNEL, tid=4)
    assert bench.host.outcome(4) == Status.INVALID_STATE


def test_a_reset_ends_what_was_being_sent(bench: Bench) -> None:
    bench.up()
    bench.host.send(data_frame(1, PAN, SHORT, ShortAddress(0), b"x", ack_request=True), CHANNEL, tid=4)
    bench.host.request(Command.RESET, b"\x02")
    bench.run()
    assert bench.host.outcome(4) is None
    assert bench.device.heard == []


# --- hearing ---------------------------------------------------------------------------------------------------------


def test_frames_come_up_with_fcs_and_how_they_were_heard(bench: Bench) -> None:
    bench.up()
    frame = data_frame(7, PAN, ShortAddress(0), SHORT, b"up", ack_request=True)
    bench.device.radio.transmit(frame)
    bench.run()
    (heard,) = bench.host.heard
    assert heard.frame[:-2] == frame
    assert has_good_fcs(heard.frame)
    assert (heard.rssi, heard.noise_floor, heard.channel) == (-58, -100, CHANNEL)
    assert 0 < heard.timestamp - START // MICROSECOND < 20_000
    assert bench.device.sent == [(TransmitStatus.OK, False)]  # acknowledged by the RCP alone


@pytest.mark.parametrize(
    ("frame", "passed"),
    [
        (MacFrame(FrameType.COMMAND, 1, 0xFFFF, ShortAddress(0xFFFF), None, None, BeaconRequest().encode()), True),
        (MacFrame(FrameType.DATA, 1, PAN, ShortAddress(0xFFFF), PAN, SHORT, b"all"), True),
        (MacFrame(FrameType.DATA, 1, PAN, EUI, PAN, DEVICE, b"me", True), True),
        (MacFrame(FrameType.DATA, 1, PAN, ShortAddress(5), PAN, SHORT, b"other", True), False),
        (MacFrame(FrameType.DATA, 1, 0x2222, ShortAddress(0), 0x2222, SHORT, b"other", True), False),
    ],
)
def test_the_address_filter_is_the_radios(bench: Bench, frame: MacFrame, passed: bool) -> None:
    bench.up()
    bench.device.radio.transmit(frame.encode())
    bench.run()
    assert len(bench.host.heard) == passed


def test_nothing_comes_up_before_the_raw_stream_is_on(bench: Bench) -> None:
    bench.up().host.set(Property.MAC_RAW_STREAM_ENABLED, False)
    bench.device.radio.transmit(data_frame(7, PAN, ShortAddress(0), SHORT, b"up", ack_request=True))
    bench.run()
    assert bench.host.heard == []
    assert bench.device.sent == [(TransmitStatus.OK, False)]


def _poll(source: Eui64 | ShortAddress) -> bytes:
    return MacFrame(
        FrameType.COMMAND, 1, PAN, ShortAddress(0), PAN, source, DataRequest().encode(), ack_request=True
    ).encode()


def test_without_source_matching_every_data_request_gets_the_pending_bit(bench: Bench) -> None:
    bench.up()
    request = AssociationRequest(Capability(False, True, True)).encode()
    bench.device.radio.transmit(
        MacFrame(FrameType.COMMAND, 2, PAN, ShortAddress(0), 0xFFFF, DEVICE, request, ack_request=True).encode()
    )
    bench.device.radio.transmit(_poll(DEVICE))
    bench.device.radio.transmit(_poll(SHORT))
    bench.run()
    assert [pending for _, pending in bench.device.sent] == [False, True, True]


def test_with_source_matching_those_named_get_it(bench: Bench) -> None:
    host = bench.up().host
    host.set(Property.MAC_SRC_MATCH_ENABLED, True)
    host.request(Command.PROP_VALUE_INSERT, bytes.fromhex("8426") + SHORT.to_bytes(2, "little"))
    assert host.frames[-1].command == Command.PROP_VALUE_INSERTED
    for source in (SHORT, DEVICE):
        bench.device.radio.transmit(_poll(source))
    bench.run()
    host.request(Command.PROP_VALUE_REMOVE, bytes.fromhex("8426") + SHORT.to_bytes(2, "little"))
    assert host.frames[-1].command == Command.PROP_VALUE_REMOVED
    bench.device.radio.transmit(_poll(SHORT))
    bench.run()
    assert [pending for _, pending in bench.device.sent] == [True, False, False]


def test_an_energy_scan_tells_the_strongest_of_each_channel(bench: Bench) -> None:
    host = bench.up().host
    host.set(Property.MAC_SCAN_MASK, (19, CHANNEL))
    host.set(Property.MAC_SCAN_PERIOD, 50)
    host.set(Property.MAC_SCAN_STATE, 2, tid=8)
    before = len(host.frames)
    for number in range(20):
        bench.device.radio.transmit(data_frame(number, PAN, ShortAddress(9), SHORT, bytes(100), ack_request=False))
    bench.run()
    told = [PropertyValue.decode(frame.payload) for frame in host.frames[before:]]
    assert told == [
        (Property.MAC_ENERGY_SCAN_RESULT, bytes((19, 256 - 100))),
        (Property.MAC_ENERGY_SCAN_RESULT, bytes((CHANNEL, 256 - 58))),
        (Property.MAC_SCAN_STATE, b"\0"),
    ]


def test_an_unplugged_dongle_is_silent_and_deaf(bench: Bench) -> None:
    bench.up().host.rcp.unplug()
    bench.device.radio.transmit(data_frame(7, PAN, ShortAddress(0), SHORT, b"up", ack_request=True))
    bench.run()
    assert bench.device.sent == [(TransmitStatus.NO_ACK, False)]


# --- a whole stack as the host ---------------------------------------------------------------------------------------


def test_our_own_stack_forms_a_network_through_the_rcp(bench: Bench) -> None:
    """The radio of a coordinator is a dongle: a sleepy device joins and gets its frames by polling."""
    entropy, medium, clock = SeededEntropy(2), bench.medium, bench.clock
    dongle, radio = medium.radio("han", "dongle"), medium.radio("han", "device")
    medium.link(dongle, radio)
    hub = Node(NodeRole.COORDINATOR, EUI, (SpinelRadio(dongle, clock),), clock, MemoryStorage(), entropy)
    sleeper = Node(NodeRole.SLEEPY_END_DEVICE, DEVICE, (radio,), clock, MemoryStorage(), entropy)
    events: list[object] = []
    sleeper.attach(events.append)
    key = LinkKey(bytes(range(16)))
    hub.form(PAN, CHANNEL)
    hub.allow_join(DEVICE, key, 100)
    sleeper.join(key, (CHANNEL,))
    bench.run(60 * SECOND)
    assert events == [Joined(EUI)]
    assert sleeper.parent == EUI
