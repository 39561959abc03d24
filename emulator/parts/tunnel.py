"""The device's side of the Tunneling cluster (0x0704): it serves one tunnel, which the hub asks for."""

from collections.abc import Callable
from dataclasses import dataclass

from emulator.parts.han_application import TUNNELING, HanApplication
from emulator.parts.journal import Journal
from emulator.parts.outbox import Outbox
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import MINUTE, SECOND, DeliveryStatus, Received
from protocols.zcl.clusters import tunneling
from protocols.zcl.clusters.tunneling import (
    CloseTunnel,
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TransferStatus,
    TunnelStatus,
)
from protocols.zcl.foundation import default_response_to
from protocols.zcl.frame import ZclFrame, ZclStatus

_RESEND, _UNHEARD = "tunnel resend", "tunnel unheard"
_LAST_ID = "tunnel/last-id"
_NO_TUNNEL = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelSettings:
    """Times in ns. The pause after a message that was not acknowledged doubles, from the first to the longest."""

    resend_after: int = 10 * SECOND
    longest_pause: int = 5 * MINUTE
    unheard_after: int = 20 * MINUTE  # with something to send and no tunnel; longer than a hub is dark; doubled [I]
    maximum_incoming: int = tunneling.MAXIMUM_TRANSFER  # octets


class TunnelServer:
    """Serves the tunnel and empties the outbox through it.

    `post` queues a message; each is sent again until the APS acknowledgement came, in order, one at a time. A hub that
    answers NO_SUCH_TUNNEL gets the message once more in its next tunnel. `received` takes what comes through the
    tunnel, `delivered` each message that left.
    """

    def __init__(
        self,
        application: HanApplication,
        timers: Timers,
        storage: Journal,
        *,
        received: Callable[[bytes], None],
        delivered: Callable[[bytes], None],
        unheard: Callable[[], object] = lambda: None,
        settings: TunnelSettings | None = None,
    ) -> None:
        """unheard: called when something waits and no tunnel came: the hub does not know that the device is there."""
        self.settings = settings if settings is not None else TunnelSettings()
        self._application, self._timers, self._storage = application, timers, storage
        self._received, self._delivered, self._unheard = received, delivered, unheard
        self._patience = self.settings.unheard_after
        self._outbox = Outbox(storage)
        self._transaction = 0
        self._hub: tuple[Eui64, int] | None = None  # who opened the tunnel, its endpoint
        self._tunnel = _NO_TUNNEL
        self._sending: int | None = None  # number of the message under way
        self._last: bytes | None = None  # left in this tunnel
        self._pause = self.settings.resend_after
        application.on(TUNNELING, self._frame)

    @property
    def open(self) -> bool:
        return self._hub is not None

    @property
    def waiting(self) -> int:
        """Messages in the outbox."""
        return len(self._outbox)

    def post(self, message: bytes) -> None:
        self._outbox.put(message)
        self._storage.afterwards(self._flush)

    def start(self) -> None:
        """Begin with what was left from before: the device has (again) a network."""
        self._flush()

    def reset(self) -> None:
        """Forget the tunnel, not the outbox: the power went."""
        self._hub, self._tunnel, self._sending, self._last = None, _NO_TUNNEL, None, None
        self._pause = self.settings.resend_after
        self._outbox.reload()

    # --- from the hub ------------------------------------------------------------------------------------------

    def _frame(self, event: Received) -> None:
        """Take a frame of the cluster; one without APS security is dropped."""
        if not event.secured:
            return
        try:
            frame = ZclFrame.decode(event.aps.payload)
            command = tunneling.decode(frame) if frame.cluster_specific else None
        except DecodeError:
            return
        match command:
            case RequestTunnel():
                self._requested(event, frame, command)
            case CloseTunnel(tunnel):
                self._closed(tunnel)
            case TransferData(tunnel, data):
                self._data(event, frame, tunnel, data)
            case TransferDataError(tunnel, status):
                self._refused(tunnel, status)
            case _:
                pass

    def _requested(self, event: Received, frame: ZclFrame, request: RequestTunnel) -> None:
        status = TunnelStatus.SUCCESS
        if request.protocol != tunneling.PROTOCOL_GBCS:
            status = TunnelStatus.PROTOCOL_NOT_SUPPORTED
        elif request.flow_control:
            status = TunnelStatus.FLOW_CONTROL_NOT_SUPPORTED
        else:
            self._hub, self._tunnel = (event.who, event.aps.source_endpoint), self._next_tunnel()
            self._sending, self._last, self._pause = None, None, self.settings.resend_after
            self._patience = self.settings.unheard_after
            self._timers.cancel(_UNHEARD)
        tunnel = self._tunnel if status is TunnelStatus.SUCCESS else _NO_TUNNEL
        answer = RequestTunnelResponse(tunnel, status, self.settings.maximum_incoming)
        self._reply(event, tunneling.encode(answer, frame.transaction, from_server=True))
        if status is TunnelStatus.SUCCESS:
            self._flush()

    def _next_tunnel(self) -> int:
        """Return a tunnel id that differs from the last one, also over a reboot."""
        held = self._storage.get(_LAST_ID)
        tunnel = (int.from_bytes(held or b"\xff\xff", "big") + 1) % _NO_TUNNEL
        self._storage.put(_LAST_ID, tunnel.to_bytes(2, "big"))
        return tunnel

    def _closed(self, tunnel: int) -> None:
        if tunnel == self._tunnel:
            self._timers.cancel(_RESEND)
            self.reset()

    def _data(self, event: Received, frame: ZclFrame, tunnel: int, data: bytes) -> None:
        if tunnel != self._tunnel or self._hub is None or self._hub[0] != event.who:
            error = TransferDataError(tunnel, TransferStatus.NO_SUCH_TUNNEL)
            self._reply(event, tunneling.encode(error, frame.transaction, from_server=True))
            return
        if not frame.default_response_disabled:
            self._reply(event, default_response_to(frame, ZclStatus.SUCCESS))
        self._received(data)

    def _refused(self, tunnel: int, status: int) -> None:
        """Put what left last back to the front: the hub lost the tunnel and asks for a new one."""
        if tunnel != self._tunnel or status != TransferStatus.NO_SUCH_TUNNEL:
            return
        last = self._last
        self._timers.cancel(_RESEND)
        self.reset()
        if last is not None:
            self._outbox.put_first(last)

    def _reply(self, event: Received, frame: bytes) -> None:
        self._application.send(event.who, TUNNELING, event.aps.source_endpoint, frame)

    # --- to the hub --------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Send the oldest message unless one is under way."""
        first = self._outbox.first()
        if self._hub is None and first is not None:
            self._timers.after(_UNHEARD, self._patience, self._call_again)
        if self._hub is None or self._sending is not None or first is None:
            return
        number, message = first
        self._sending = number
        self._transaction = (self._transaction + 1) & 0xFF
        who, endpoint = self._hub
        data = tunneling.encode(TransferData(self._tunnel, message), self._transaction, from_server=True)
        tunnel = self._tunnel

        def done(status: DeliveryStatus) -> None:
            self._done(tunnel, number, message, status)

        self._application.send(who, TUNNELING, endpoint, data, done=done)

    def _call_again(self) -> None:
        """Something waits and no tunnel came: the hub has not heard that the device is there."""
        if self._hub is None:
            self._patience *= 2
            self._timers.after(_UNHEARD, self._patience, self._call_again)
            self._unheard()

    def _done(self, tunnel: int, number: int, message: bytes, status: DeliveryStatus) -> None:
        if tunnel != self._tunnel or self._sending != number:
            return
        self._sending = None
        if status is not DeliveryStatus.OK:
            self._timers.after(_RESEND, self._pause, self._flush)
            self._pause = min(2 * self._pause, self.settings.longest_pause)
            return
        self._last, self._pause = message, self.settings.resend_after
        self._outbox.remove(number)
        self._delivered(message)
        self._flush()
