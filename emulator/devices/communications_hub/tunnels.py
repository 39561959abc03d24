"""The hub's tunnels to devices (cluster 0x0704), it being the client, and what waits for them.

When a tunnel is asked for, and again: GBCS 10.2.2. A message leaves the queue for good only when its transfer was
acknowledged and not answered with NO_SUCH_TUNNEL shortly after.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.device_log import DeviceLog
from emulator.devices.communications_hub.han import PROFILE, Han, Token
from emulator.devices.communications_hub.message_queue import MessageQueue, Waiting
from emulator.devices.communications_hub.settings import HubSettings
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import Delivered, DeliveryStatus, Discovered, MatchDescriptor, Storage, Timer
from protocols.zcl.clusters import tunneling
from protocols.zcl.clusters.tunneling import (
    CloseTunnel,
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TransferStatus,
    TunnelClosureNotification,
    TunnelStatus,
)
from protocols.zcl.frame import ZclFrame

_CELL = "tunnel/"


class _Asking(Enum):
    """What is under way to get a tunnel."""

    NOTHING = auto()
    DISCOVERING = auto()
    REQUESTING = auto()
    RESTING = auto()  # until the next attempt
    BUSY = auto()  # resting because the device said so


@dataclass(slots=True)
class _Tunnel:
    device: Eui64
    endpoint: int | None = None  # where the device serves tunnels
    number: int | None = None  # of the open tunnel
    before: int | None = None  # of the one before: the device may still send through it
    asking: _Asking = _Asking.NOTHING
    token: Token | None = None  # of the query or request under way
    timer: Timer | None = None  # of `asking`, or the refresh of an open tunnel
    failures: int = 0
    closed_old: bool = False  # after NO_MORE_TUNNEL_IDS
    sending: Waiting | None = None  # until its transfer is acknowledged
    sending_token: Token | None = None
    held_back: bool = False  # a transfer failed, the next one waits
    doubted: list[Waiting] = field(default_factory=list)  # acknowledged a moment ago


class Tunnels:
    """up(device, octets) takes each GBCS message that comes out of a tunnel; opened(device) tells of a new tunnel."""

    def __init__(
        self,
        han: Han,
        log: DeviceLog,
        queue: MessageQueue,
        alarms: Alarms,
        storage: Storage,
        settings: HubSettings,
        *,
        up: Callable[[Eui64, bytes], None],
        opened: Callable[[Eui64], None],
    ) -> None:
        self._han, self._log, self._queue, self._alarms = han, log, queue, alarms
        self._storage, self._settings = storage, settings
        self._up, self._opened = up, opened
        self._tunnels: dict[Eui64, _Tunnel] = {}
        self._underway: dict[Token, _Tunnel] = {}  # frames whose delivery is not known yet
        self._transaction = 0

    # --- from the hub ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask every joined device for a tunnel: at power-on."""
        for entry in self._log.entries():
            if entry.joined and self._han.ready(entry.device):
                self.joined(entry.device)

    def joined(self, device: Eui64) -> None:
        """Ask `device` for a tunnel if its type has one; it has just joined, come back, or the hub has."""
        entry = self._log.get(device)
        if entry is None or not entry.type.tunnel:
            return
        tunnel = self._tunnel(device)
        self._lose(tunnel)
        tunnel.failures = 0
        self._discover(tunnel)

    def forget(self, device: Eui64) -> None:
        """Drop the tunnel of a device that has left the log."""
        tunnel = self._tunnels.pop(device, None)
        if tunnel is not None:
            self._set_timer(tunnel, None)
            tunnel.asking, tunnel.number, tunnel.doubted, tunnel.sending = _Asking.NOTHING, None, [], None
        self._storage.delete(f"{_CELL}{device}")

    def pump(self, device: Eui64) -> None:
        """Send what waits for `device`, or ask for the tunnel it takes."""
        entry = self._log.get(device)
        if entry is None or not entry.type.tunnel or self._queue.first(device) is None:
            return
        tunnel = self._tunnel(device)
        if tunnel.number is not None:
            self._transfer(tunnel, tunnel.number)
        elif tunnel.asking in (_Asking.NOTHING, _Asking.RESTING) and entry.joined and self._han.ready(device):
            self._discover(tunnel)

    def endpoint(self, device: Eui64) -> int | None:
        """Return the endpoint where `device` serves tunnels, if known."""
        tunnel = self._tunnels.get(device)
        return None if tunnel is None else tunnel.endpoint

    # --- from the HAN ------------------------------------------------------------------------------------------

    def discovered(self, token: Token, event: Discovered) -> None:
        tunnel = self._tunnels.get(event.who)
        if tunnel is None or tunnel.asking is not _Asking.DISCOVERING or tunnel.token != token:
            return
        if event.endpoints:
            tunnel.endpoint = event.endpoints[0]
            self._request(tunnel, tunnel.endpoint)
        else:
            self._rest(tunnel)

    def delivered(self, token: Token, event: Delivered) -> None:
        tunnel = self._underway.pop(token, None)
        if tunnel is None:
            return
        if tunnel.sending_token == token:
            self._transferred(tunnel, event.status)
        elif tunnel.token == token and tunnel.asking is _Asking.REQUESTING and event.status is not DeliveryStatus.OK:
            self._rest(tunnel)

    def received(self, device: Eui64, endpoint: int, octets: bytes) -> None:
        """Take a frame of the cluster; what is no tunneling command of a server is dropped."""
        tunnel = self._tunnels.get(device)
        if tunnel is None:
            return
        try:
            frame = ZclFrame.decode(octets)
            if not frame.cluster_specific or not frame.from_server:
                return
            command = tunneling.decode(frame)
        except DecodeError:
            return
        if isinstance(command, TransferData):
            self._data(tunnel, endpoint, command)
        elif isinstance(command, RequestTunnelResponse):
            self._answered(tunnel, command)
        elif isinstance(command, TransferDataError):
            self._refused(tunnel, command)
        elif isinstance(command, TunnelClosureNotification) and command.tunnel == tunnel.number:
            self._again(tunnel)

    # --- asking ------------------------------------------------------------------------------------------------

    def _discover(self, tunnel: _Tunnel) -> None:
        self._set_timer(tunnel, None)
        tunnel.asking = _Asking.DISCOVERING
        tunnel.token = self._han.discover(tunnel.device, MatchDescriptor(PROFILE, (tunneling.CLUSTER,)))

    def _request(self, tunnel: _Tunnel, endpoint: int) -> None:
        tunnel.asking = _Asking.REQUESTING
        tunnel.token = self._send(tunnel, endpoint, RequestTunnel())
        self._set_timer(tunnel, self._alarms.after(self._settings.tunnel_answer_wait, self._unanswered, tunnel))

    def _unanswered(self, tunnel: _Tunnel) -> None:
        if tunnel.asking is _Asking.REQUESTING:
            self._rest(tunnel)

    def _answered(self, tunnel: _Tunnel, response: RequestTunnelResponse) -> None:
        if tunnel.asking is not _Asking.REQUESTING:
            return
        if response.status == TunnelStatus.SUCCESS:
            self._open(tunnel, response.tunnel)
        elif response.status == TunnelStatus.NO_MORE_TUNNEL_IDS and not tunnel.closed_old:
            self._close_old(tunnel)
        else:
            self._rest_busy(tunnel)

    def _open(self, tunnel: _Tunnel, number: int) -> None:
        if tunnel.number not in (None, number):
            tunnel.before = tunnel.number
        tunnel.number, tunnel.asking, tunnel.token = number, _Asking.NOTHING, None
        tunnel.failures, tunnel.closed_old, tunnel.held_back = 0, False, False
        self._storage.put(f"{_CELL}{tunnel.device}", number.to_bytes(2, "big"))
        self._set_timer(tunnel, self._alarms.after(self._settings.tunnel_refresh, self._refresh, tunnel))
        self._opened(tunnel.device)
        self.pump(tunnel.device)

    def _refresh(self, tunnel: _Tunnel) -> None:
        if tunnel.endpoint is not None:
            self._request(tunnel, tunnel.endpoint)

    def _close_old(self, tunnel: _Tunnel) -> None:
        tunnel.closed_old = True
        if tunnel.endpoint is None:
            return
        for number in (tunnel.before, tunnel.number):
            if number is not None:
                self._send(tunnel, tunnel.endpoint, CloseTunnel(number))
        tunnel.before = tunnel.number = None
        self._request(tunnel, tunnel.endpoint)

    def _rest(self, tunnel: _Tunnel) -> None:
        pause = self._settings.tunnel_backoff << min(tunnel.failures, 16)
        tunnel.failures += 1
        tunnel.asking, tunnel.token = _Asking.RESTING, None
        pause = min(pause, self._settings.tunnel_backoff_most)
        self._set_timer(tunnel, self._alarms.after(pause, self._discover, tunnel))

    def _rest_busy(self, tunnel: _Tunnel) -> None:
        tunnel.asking, tunnel.token, tunnel.closed_old = _Asking.BUSY, None, False
        self._set_timer(tunnel, self._alarms.after(self._settings.tunnel_busy_wait, self._discover, tunnel))

    def _again(self, tunnel: _Tunnel) -> None:
        """The device has no such tunnel (any more): ask for another, unless that is under way."""
        self._lose(tunnel)
        if tunnel.asking not in (_Asking.DISCOVERING, _Asking.REQUESTING):
            self._discover(tunnel)

    def _lose(self, tunnel: _Tunnel) -> None:
        """Put back what may not have arrived; the number stays good for what the device still sends."""
        if tunnel.number is not None:
            tunnel.before, tunnel.number = tunnel.number, None
        unsure = tunnel.doubted + ([tunnel.sending] if tunnel.sending is not None else [])
        tunnel.doubted, tunnel.sending, tunnel.sending_token = [], None, None
        self._queue.put_back(unsure)

    # --- transfers ---------------------------------------------------------------------------------------------

    def _transfer(self, tunnel: _Tunnel, number: int) -> None:
        message = self._queue.first(tunnel.device)
        if message is None or tunnel.endpoint is None or tunnel.sending is not None or tunnel.held_back:
            return
        self._queue.take(message)
        tunnel.sending = message
        tunnel.sending_token = self._send(tunnel, tunnel.endpoint, TransferData(number, message.octets))

    def _transferred(self, tunnel: _Tunnel, status: DeliveryStatus) -> None:
        message, tunnel.sending, tunnel.sending_token = tunnel.sending, None, None
        if message is None:
            return
        if status is DeliveryStatus.OK:
            tunnel.doubted.append(message)
            self._alarms.after(self._settings.transfer_doubt, self._settled, tunnel, message)
            self.pump(tunnel.device)
            return
        self._queue.put_back([message])
        tunnel.held_back = True
        self._alarms.after(self._settings.transfer_retry, self._retry, tunnel)

    def _retry(self, tunnel: _Tunnel) -> None:
        tunnel.held_back = False
        self.pump(tunnel.device)

    def _settled(self, tunnel: _Tunnel, message: Waiting) -> None:
        if message in tunnel.doubted:
            tunnel.doubted.remove(message)
            self._queue.done(message)

    def _refused(self, tunnel: _Tunnel, error: TransferDataError) -> None:
        if error.tunnel == tunnel.number and error.status == TransferStatus.NO_SUCH_TUNNEL:
            self._again(tunnel)

    def _data(self, tunnel: _Tunnel, endpoint: int, transfer: TransferData) -> None:
        if transfer.tunnel not in (tunnel.number, tunnel.before):
            self._send(tunnel, endpoint, TransferDataError(transfer.tunnel, TransferStatus.NO_SUCH_TUNNEL))
            return
        if transfer.data:
            self._up(tunnel.device, transfer.data)

    def _send(self, tunnel: _Tunnel, endpoint: int, command: tunneling.TunnelingCommand) -> Token:
        self._transaction = (self._transaction + 1) & 0xFF
        frame = tunneling.encode(command, self._transaction, from_server=False)
        token = self._han.send(tunnel.device, tunneling.CLUSTER, endpoint, frame)
        self._underway[token] = tunnel
        return token

    def _tunnel(self, device: Eui64) -> _Tunnel:
        tunnel = self._tunnels.get(device)
        if tunnel is None:
            tunnel = self._tunnels[device] = _Tunnel(device)
            if (number := self._storage.get(f"{_CELL}{device}")) is not None:
                tunnel.before = int.from_bytes(number, "big")
        return tunnel

    @staticmethod
    def _set_timer(tunnel: _Tunnel, timer: Timer | None) -> None:
        if tunnel.timer is not None:
            tunnel.timer.cancel()
        tunnel.timer = timer
