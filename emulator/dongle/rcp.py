"""A Spinel radio co-processor on the emulated air: octets of its host in, octets to its host out.

It is a radio with the MAC's reflexes (CSMA-CA, retries, acknowledgements, address filter) and knows nothing of Zigbee.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from emulator.air.medium import NOISE_FLOOR
from emulator.air.radio import SimulatedRadio
from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.errors import DecodeError, UsageError
from protocols.interfaces import MICROSECOND, MILLISECOND, Clock, Handle, Timer, TransmitStatus
from protocols.mac.frame import BROADCAST_PAN, FCS_SIZE, MAXIMUM_SIZE, MacFrame, fcs
from protocols.spinel.frame import PropertyValue, SpinelFrame, last_status, value_is
from protocols.spinel.hdlc import Deframer, enclose
from protocols.spinel.numbers import Capability, Command, Property, ScanState, Status
from protocols.spinel.stream import FrameHeard, FrameToSend
from protocols.spinel.values import Value, read_value, write_value

CHANNELS: Final = tuple(range(11, 27))
RX_SENSITIVITY: Final = -100  # dBm
_SCAN_SAMPLE = MILLISECOND

_OUTCOME: Final = {
    TransmitStatus.OK: Status.OK,
    TransmitStatus.NO_ACK: Status.NO_ACK,
    TransmitStatus.CHANNEL_ACCESS_FAILURE: Status.CCA_FAILURE,
}

_WRITABLE: Final[dict[int, Value]] = {  # and what they are after a reset
    Property.PHY_ENABLED: False,
    Property.PHY_CHAN: 11,
    Property.PHY_TX_POWER: 0,
    Property.MAC_SCAN_STATE: ScanState.IDLE,
    Property.MAC_SCAN_MASK: CHANNELS,
    Property.MAC_SCAN_PERIOD: 100,  # ms a channel
    Property.MAC_15_4_LADDR: Eui64(0),
    Property.MAC_15_4_SADDR: int(NO_SHORT_ADDRESS),
    Property.MAC_15_4_PANID: BROADCAST_PAN,
    Property.MAC_RAW_STREAM_ENABLED: False,
    Property.MAC_RX_ON_WHEN_IDLE_MODE: True,
    Property.MAC_SRC_MATCH_ENABLED: False,
    Property.MAC_SRC_MATCH_SHORT_ADDRESSES: (),
    Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES: (),
}
_CONSTANT: Final[dict[int, Value]] = {
    Property.PROTOCOL_VERSION: (4, 3),
    Property.INTERFACE_TYPE: 3,
    Property.CAPS: (Capability.IEEE_802_15_4_2450MHZ, Capability.CONFIG_RADIO, Capability.MAC_RAW),
    Property.PHY_CHAN_SUPPORTED: CHANNELS,
    Property.PHY_RX_SENSITIVITY: RX_SENSITIVITY,
    Property.RCP_API_VERSION: 11,
    Property.RCP_MIN_HOST_API_VERSION: 4,
}


class RcpStatistics(NamedTuple):
    """Counts since the RCP was made."""

    sent: int  # frames the host had sent, whatever became of them
    not_acknowledged: int
    heard: int  # frames handed to the host
    bad_frames: int  # of the serial line, dropped


class Rcp:
    """One radio co-processor. `write` takes one complete serial frame at a time, flags included.

    It is plugged in when made, and silent until its host speaks. `unplug` switches the radio off.
    """

    def __init__(
        self, radio: SimulatedRadio, clock: Clock, write: Callable[[bytes], None], hardware_address: Eui64, version: str
    ) -> None:
        """hardware_address: what the dongle has of its own; a host may set another one. version: shown to the host."""
        self._radio, self._clock, self._write = radio, clock, write
        self._constant = _CONSTANT | {Property.HWADDR: hardware_address, Property.NCP_VERSION: version}
        self._deframer = Deframer()
        self._values: dict[int, Value] = dict(_WRITABLE)
        self._under_way: dict[Handle, int] = {}  # what is being sent: the request's TID
        self._scan: Timer | None = None
        self._sent = self._not_acknowledged = self._heard = 0
        self._reset()

    @property
    def statistics(self) -> RcpStatistics:
        return RcpStatistics(self._sent, self._not_acknowledged, self._heard, self._deframer.bad)

    def plug(self) -> None:
        """Begin anew with another host connection: all is as after power-on."""
        self._deframer = Deframer()
        self._reset()

    def unplug(self) -> None:
        """Switch the radio off and forget the host's settings."""
        self._reset()

    def _reset(self) -> None:
        self._values = dict(_WRITABLE)
        self._under_way.clear()
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None
        self._radio.attach(self)
        self._apply()

    # --- from the host -----------------------------------------------------------------------------------------

    def feed(self, octets: bytes) -> None:
        """Take octets of the serial line, cut anywhere; bad frames are counted and dropped."""
        for body in self._deframer.feed(octets):
            try:
                frame = SpinelFrame.decode(body)
            except DecodeError:
                self._deframer.bad += 1
                continue
            self._take(frame)

    def _take(self, frame: SpinelFrame) -> None:
        tid = frame.tid
        if frame.interface:
            self._answer(last_status(Status.INVALID_INTERFACE, tid))
        elif frame.command == Command.RESET:
            self._reset()
            self._answer(last_status(Status.RESET_SOFTWARE))
        elif frame.command == Command.NOOP:
            self._answer(last_status(Status.OK, tid))
        elif frame.command in (Command.PROP_VALUE_GET, Command.PROP_VALUE_SET):
            try:
                wanted = PropertyValue.decode(frame.payload)
                if frame.command == Command.PROP_VALUE_GET:
                    self._get(wanted.property, tid)
                else:
                    self._set(wanted, tid)
            except DecodeError:
                self._answer(last_status(Status.PARSE_ERROR, tid))
        elif frame.command in (Command.PROP_VALUE_INSERT, Command.PROP_VALUE_REMOVE):
            self._change_list(frame)
        else:
            self._answer(last_status(Status.INVALID_COMMAND, tid))

    def _answer(self, frame: SpinelFrame) -> None:
        self._write(enclose(frame.encode()))

    def _get(self, number: int, tid: int) -> None:
        value = self._values.get(number, self._constant.get(number))
        if number == Property.PHY_RSSI:
            value = self._radio.energy_scan(self._radio.channel)
        if value is None:
            self._answer(last_status(Status.PROP_NOT_FOUND, tid))
        else:
            self._answer(value_is(number, write_value(number, value), tid))

    def _set(self, wanted: PropertyValue, tid: int) -> None:
        number = wanted.property
        if number == Property.STREAM_RAW:
            self._transmit(FrameToSend.decode(wanted.value), tid)
        elif number in self._values:
            value = read_value(number, wanted.value)
            status = self._refusal(number, value)
            if status is not None:
                self._answer(last_status(status, tid))
                return
            self._values[number] = value
            self._apply()
            self._answer(value_is(number, wanted.value, tid))
            if number == Property.MAC_SCAN_STATE:
                self._begin_scan()
        elif number in self._constant or number == Property.PHY_RSSI:
            self._answer(last_status(Status.INVALID_COMMAND_FOR_PROP, tid))
        else:
            self._answer(last_status(Status.PROP_NOT_FOUND, tid))

    def _refusal(self, number: int, value: Value) -> Status | None:
        """Return why a value cannot be set, None if it can."""
        if number == Property.PHY_CHAN and value not in CHANNELS:
            return Status.INVALID_ARGUMENT
        if number == Property.MAC_SCAN_MASK and not set(_numbers(value)) <= set(CHANNELS):
            return Status.INVALID_ARGUMENT
        if number == Property.MAC_SCAN_STATE:
            if value not in (ScanState.IDLE, ScanState.ENERGY):
                return Status.INVALID_ARGUMENT
            if value == ScanState.ENERGY and not self._values[Property.PHY_ENABLED]:
                return Status.INVALID_STATE
        return None

    def _change_list(self, frame: SpinelFrame) -> None:
        """Insert into, or remove from, one of the lists of source matching."""
        tid = frame.tid
        try:
            number, octets = PropertyValue.decode(frame.payload)
            if number not in (Property.MAC_SRC_MATCH_SHORT_ADDRESSES, Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES):
                self._answer(last_status(Status.INVALID_COMMAND_FOR_PROP, tid))
                return
            changed = _numbers(read_value(number, octets))
        except DecodeError:
            self._answer(last_status(Status.PARSE_ERROR, tid))
            return
        held = tuple(each for each in _numbers(self._values[number]) if each not in changed)
        insert = frame.command == Command.PROP_VALUE_INSERT
        self._values[number] = held + changed if insert else held
        self._apply()
        told = Command.PROP_VALUE_INSERTED if insert else Command.PROP_VALUE_REMOVED
        self._answer(SpinelFrame(tid, told, frame.payload))

    # --- radio -------------------------------------------------------------------------------------------------

    def _apply(self) -> None:
        """Set the radio as the properties say."""
        values = self._values
        short = ShortAddress(_number(values[Property.MAC_15_4_SADDR]))
        self._radio.configure(
            eui=Eui64(_number(values[Property.MAC_15_4_LADDR])),
            short=short,
            pan_id=_number(values[Property.MAC_15_4_PANID]),
            channel=_number(values[Property.PHY_CHAN]),
            receiver_on=bool(values[Property.PHY_ENABLED] and values[Property.MAC_RX_ON_WHEN_IDLE_MODE]),
            coordinator=short == 0,
        )
        self._radio.source_match = bool(values[Property.MAC_SRC_MATCH_ENABLED])
        pending: list[Eui64 | ShortAddress] = []
        pending += map(ShortAddress, _numbers(values[Property.MAC_SRC_MATCH_SHORT_ADDRESSES]))
        pending += map(Eui64, _numbers(values[Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES]))
        self._radio.set_pending(pending)

    def _transmit(self, request: FrameToSend, tid: int) -> None:
        """Send a frame; the host hears of the end of its transmission, retries included. DecodeError: no MAC frame."""
        if not self._values[Property.PHY_ENABLED]:
            self._answer(last_status(Status.INVALID_STATE, tid))
            return
        if request.channel != self._values[Property.PHY_CHAN]:
            self._answer(last_status(Status.INVALID_ARGUMENT, tid))
            return
        frame = request.frame[:-FCS_SIZE]
        MacFrame.decode(frame)
        if len(request.frame) > MAXIMUM_SIZE:
            self._answer(last_status(Status.INVALID_ARGUMENT, tid))
            return
        handle = self._radio.transmit(frame, csma=request.csma, retries=request.retries)
        self._sent += 1
        self._under_way[handle] = tid

    def transmitted(self, handle: Handle, status: TransmitStatus, pending: bool) -> None:
        tid = self._under_way.pop(handle, None)
        if tid is None:
            return
        self._not_acknowledged += status is TransmitStatus.NO_ACK
        if tid:
            self._answer(last_status(_OUTCOME[status], tid))

    def received(self, frame: bytes, rssi: int, lqi: int, timestamp: int) -> None:
        if not self._values[Property.MAC_RAW_STREAM_ENABLED]:
            return
        self._heard += 1
        channel, when = self._radio.channel, timestamp // MICROSECOND
        heard = FrameHeard(frame + fcs(frame), rssi, NOISE_FLOOR, 0, channel, lqi, when)
        self._answer(value_is(Property.STREAM_RAW, heard.encode()))

    # --- energy scan -------------------------------------------------------------------------------------------

    def _begin_scan(self) -> None:
        """Measure each channel of the mask for the period, tell the strongest signal of each, then be idle again."""
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None
        if self._values[Property.MAC_SCAN_STATE] == ScanState.ENERGY:
            self._measure(list(_numbers(self._values[Property.MAC_SCAN_MASK])), 0, NOISE_FLOOR)

    def _measure(self, channels: list[int], elapsed: int, strongest: int) -> None:
        self._scan = None
        if not channels:
            self._values[Property.MAC_SCAN_STATE] = ScanState.IDLE
            self._answer(value_is(Property.MAC_SCAN_STATE, write_value(Property.MAC_SCAN_STATE, ScanState.IDLE)))
            return
        strongest = max(strongest, self._radio.energy_scan(channels[0]))
        if elapsed < _number(self._values[Property.MAC_SCAN_PERIOD]) * MILLISECOND:
            due = self._clock.now() + _SCAN_SAMPLE
            self._scan = self._clock.call_at(due, self._measure, channels, elapsed + _SCAN_SAMPLE, strongest)
            return
        result = write_value(Property.MAC_ENERGY_SCAN_RESULT, (channels[0], strongest))
        self._answer(value_is(Property.MAC_ENERGY_SCAN_RESULT, result))
        self._measure(channels[1:], 0, NOISE_FLOOR)


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise UsageError(f"{value!r} is not a number")
    return value


def _numbers(value: Value) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        raise UsageError(f"{value!r} is not a list")
    return value
