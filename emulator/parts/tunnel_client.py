"""The tunnel of a device that sleeps: it opens one to the hub when it wakes, fetches what waits there, brings its own.

Each transfer has one octet in front: 01 GET; 02 GET-RESPONSE, then how many messages remain, then one; 03 PUT.
Source: GBCS 10.2.2 as two hub implementations have it. Where the flag stands on the air is inferred.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from emulator.parts.han_application import TUNNELING, HanApplication
from emulator.parts.journal import Journal
from emulator.parts.outbox import Outbox
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import MINUTE, SECOND, DeliveryStatus, Discovered, MatchDescriptor, Received
from protocols.zcl.clusters import tunneling
from protocols.zcl.clusters.tunneling import (
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TunnelClosureNotification,
    TunnelStatus,
)
from protocols.zcl.frame import ZclFrame
from protocols.zcl.protection import SMART_ENERGY

NOTIFICATION_FLAGS = 0x0000
"""FunctionalNotificationFlags of the mirror, an attribute of the client of the Metering cluster."""

_WAKE, _WAIT, _DOUBT = "tunnel wake", "tunnel wait", "tunnel doubt"


class Transfer(IntEnum):
    """The octet in front of what a sleepy meter and the hub transfer."""

    GET = 0x01
    GET_RESPONSE = 0x02
    PUT = 0x03


class Flag(IntEnum):
    """Bits of FunctionalNotificationFlags."""

    NEW_FIRMWARE = 0
    TUNNEL_MESSAGE_PENDING = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelClientSettings:
    """Times in ns."""

    wake_period: int = 30 * MINUTE  # between two looks at the flag
    answer_wait: int = 20 * SECOND  # for any answer of the hub
    busy_wait: int = 3 * MINUTE  # after a tunnel response that is no success
    doubt: int = 10 * SECOND  # a transfer may still be answered with NO_SUCH_TUNNEL for so long


class TunnelClient:
    """Opens a tunnel, GETs until nothing remains, PUTs what is in the outbox.

    `post` queues a message; `received` takes what was fetched, `delivered` each message that left,
    `firmware_waits` hears that the hub has an image. What goes wrong is tried again at the next waking.
    """

    def __init__(
        self,
        application: HanApplication,
        timers: Timers,
        storage: Journal,
        *,
        received: Callable[[bytes], None],
        delivered: Callable[[bytes], None],
        firmware_waits: Callable[[], None],
        look: Callable[[Eui64, int], object],
        settings: TunnelClientSettings | None = None,
    ) -> None:
        """look(hub, its endpoint): asks for the flags at each waking, and calls `flagged` with them."""
        self.settings = settings if settings is not None else TunnelClientSettings()
        self._application, self._timers, self._storage = application, timers, storage
        self._received, self._delivered, self._firmware_waits = received, delivered, firmware_waits
        self._outbox = Outbox(storage)
        self._transaction = 0
        self._hub: Eui64 | None = None
        self._endpoint: int | None = None  # where the hub serves tunnels
        self._tunnel: int | None = None
        self._fetch = False  # something waits at the hub
        self._busy = False  # an answer is awaited
        self._last: bytes | None = None  # put last in this tunnel, perhaps into one the hub has lost
        application.on(TUNNELING, self._frame)
        self._look = look

    @property
    def open(self) -> bool:
        return self._tunnel is not None

    @property
    def waiting(self) -> int:
        """Messages in the outbox."""
        return len(self._outbox)

    def post(self, message: bytes) -> None:
        self._outbox.put(message)
        self._storage.afterwards(self._work)

    def start(self, hub: Eui64) -> None:
        """Begin with the hub: the device has (again) a network."""
        self._hub, self._tunnel, self._busy = hub, None, False
        self._wake()

    def reset(self) -> None:
        """Forget the tunnel, not the outbox: the power went."""
        self._hub = self._endpoint = self._tunnel = None
        self._fetch, self._busy, self._last = False, False, None
        self._outbox.reload()

    # --- waking ------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Look for the hub's tunnel server once, then at the flag, and do what there is to do."""
        self._timers.after(_WAKE, self.settings.wake_period, self._wake)
        hub = self._hub
        if hub is None:
            return
        self._busy = False
        if self._endpoint is None:
            query = MatchDescriptor(SMART_ENERGY, (TUNNELING,))
            self._application.discover(hub, query, self._discovered)
        else:
            self._look(hub, self._endpoint)

    def _discovered(self, event: Discovered) -> None:
        if event.answered and event.endpoints and self._hub is not None:
            self._endpoint = event.endpoints[0]
            self._look(self._hub, self._endpoint)

    def flagged(self, flags: int) -> None:
        """Do what the flags say: look for firmware, fetch messages; then bring what is in the outbox."""
        if flags >> Flag.NEW_FIRMWARE & 1:
            self._firmware_waits()
        self._fetch = bool(flags >> Flag.TUNNEL_MESSAGE_PENDING & 1)
        self._work()

    # --- working -----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Take the next step, unless one is under way or nothing is to be done."""
        first = self._outbox.first()
        if self._busy or self._hub is None or self._endpoint is None or not (self._fetch or first):
            return
        self._busy = True
        self._timers.after(_WAIT, self.settings.answer_wait, self._unanswered)
        if self._tunnel is None:
            self._send(RequestTunnel(), None)
        elif self._fetch:
            self._send(TransferData(self._tunnel, bytes((Transfer.GET,))), None)
        elif first is not None:
            number, message = first
            data = bytes((Transfer.PUT,)) + message
            self._send(TransferData(self._tunnel, data), lambda status: self._put(number, message, status))

    def _unanswered(self) -> None:
        """Leave it for the next waking."""
        self._busy = False

    def _go_on(self) -> None:
        self._busy = False
        self._timers.cancel(_WAIT)
        self._work()

    def _put(self, number: int, message: bytes, status: DeliveryStatus) -> None:
        if status is DeliveryStatus.OK and self._tunnel is not None:
            self._outbox.remove(number)
            self._last = message
            self._timers.after(_DOUBT, self.settings.doubt, self._believe)
            self._delivered(message)
            self._go_on()

    def _believe(self) -> None:
        self._last = None

    # --- from the hub ------------------------------------------------------------------------------------------

    def _frame(self, event: Received) -> None:
        """Take a frame of the cluster; one without APS security or of another node is dropped."""
        if not event.secured or event.who != self._hub:
            return
        try:
            frame = ZclFrame.decode(event.aps.payload)
            command = tunneling.decode(frame) if frame.cluster_specific else None
        except DecodeError:
            return
        match command:
            case RequestTunnelResponse():
                self._opened(command)
            case TransferData(tunnel, data) if tunnel == self._tunnel:
                self._got(data)
            case TransferDataError(tunnel, _) | TunnelClosureNotification(tunnel) if tunnel == self._tunnel:
                self._lost()
            case _:
                pass

    def _lost(self) -> None:
        """The hub has no such tunnel: what was put into it last comes first in the next one."""
        self._tunnel = None
        if self._last is not None:
            self._outbox.put_first(self._last)
            self._last = None
        self._go_on()

    def _opened(self, response: RequestTunnelResponse) -> None:
        if response.status == TunnelStatus.SUCCESS:
            self._tunnel = response.tunnel
            self._go_on()
        else:
            self._busy = False
            self._timers.after(_WAIT, self.settings.busy_wait, self._work)

    def _got(self, data: bytes) -> None:
        if len(data) < 2 or data[0] != Transfer.GET_RESPONSE:
            return
        remaining, message, self._last = data[1], data[2:], None
        self._fetch = remaining > 0
        if message:
            self._received(message)
        self._go_on()

    # --- out ---------------------------------------------------------------------------------------------------

    def _send(self, command: tunneling.TunnelingCommand, done: Callable[[DeliveryStatus], None] | None) -> None:
        if self._hub is not None and self._endpoint is not None:
            frame = tunneling.encode(command, self._next(), from_server=False)
            self._application.send(self._hub, TUNNELING, self._endpoint, frame, done=done)

    def _next(self) -> int:
        self._transaction = (self._transaction + 1) & 0xFF
        return self._transaction
