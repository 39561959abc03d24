"""How well the hub hears its devices, for CCS04 and CCS06. Kept while the hub has power."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.device_log import LogEntry
from emulator.devices.communications_hub.han import Han, Token
from protocols.addresses import Eui64
from protocols.gbcs.device_log import DeviceState
from protocols.gbcs.times import dlms_date_time
from protocols.interfaces import ActiveEndpoints, Discovered, Received, WallClock

_NEVER = bytes.fromhex("FFFFFFFFFFFFFFFFFF8000FF")  # a DLMS date-time that is not specified
_UNKNOWN_RSSI = 127  # dBm; the port tells none
_JOINED, _NOT_JOINED = 0xC8, 0x00  # C8 is what the reference messages have
_MOST = 0xFF


@dataclass(slots=True)
class _Heard:
    frames: int = 0
    lqi: int = 0  # sum
    most: int = 0
    least: int = _MOST
    last: int | None = None  # ns since 1970 UTC
    failures: int = 0  # of the calls of CCS06
    successes: int = 0


@dataclass(slots=True)
class _Call:
    """A round of queries that is under way."""

    done: Callable[[], None]
    open: dict[Token, Eui64] = field(default_factory=dict)  # who has not answered


class Survey:
    def __init__(self, han: Han, alarms: Alarms, wall: WallClock, wait: int) -> None:
        """wait: ns until a device that does not answer is given up."""
        self._han, self._alarms, self._wall, self._wait = han, alarms, wall, wait
        self._heard: dict[Eui64, _Heard] = {}
        self._calls: list[_Call] = []

    # --- what is heard -----------------------------------------------------------------------------------------

    def received(self, event: Received) -> None:
        heard = self._of(event.who)
        heard.frames, heard.lqi = heard.frames + 1, heard.lqi + event.lqi
        heard.most, heard.least = max(heard.most, event.lqi), min(heard.least, event.lqi)
        heard.last = self._wall.utc()

    def _count(self, device: Eui64, *, good: bool) -> None:
        heard = self._of(device)
        if good:
            heard.successes = min(heard.successes + 1, _MOST)
        else:
            heard.failures = min(heard.failures + 1, _MOST)

    def _of(self, device: Eui64) -> _Heard:
        return self._heard.setdefault(device, _Heard())

    # --- CCS04 -------------------------------------------------------------------------------------------------

    def state(self, entry: LogEntry) -> DeviceState:
        """Return what is told of a device of the log. Zigbee versions and hops are not known here: 1."""
        heard = self._of(entry.device)
        average = heard.lqi // heard.frames if heard.frames else 0
        return DeviceState(
            device=entry.device,
            status=_JOINED if entry.joined else _NOT_JOINED,
            max_rssi=_UNKNOWN_RSSI,
            average_rssi=_UNKNOWN_RSSI,
            min_rssi=_UNKNOWN_RSSI,
            max_lqi=heard.most,
            average_lqi=average,
            min_lqi=heard.least if heard.frames else 0,
            last_communication=_NEVER if heard.last is None else dlms_date_time(heard.last),
            hops=1,
            failures=heard.failures,
            successes=heard.successes,
            application_version=1,
            stack_version=1,
        )

    # --- CCS06 -------------------------------------------------------------------------------------------------

    def call(self, devices: Sequence[Eui64], done: Callable[[], None]) -> None:
        """Ask every device for its endpoints, and call `done` when all have answered or the wait is over."""
        call = _Call(done, {self._han.discover(device, ActiveEndpoints()): device for device in devices})
        self._calls.append(call)
        self._alarms.after(self._wait if call.open else 0, self._over, call)

    def discovered(self, token: Token, event: Discovered) -> None:
        for call in list(self._calls):
            if token in call.open:
                del call.open[token]
                self._count(event.who, good=event.answered)
                if not call.open:
                    self._over(call)

    def _over(self, call: _Call) -> None:
        if call in self._calls:
            self._calls.remove(call)
            for device in call.open.values():
                self._count(device, good=False)
            call.done()
