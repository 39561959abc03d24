"""The hub's side of the tunnel that a gas meter opens: its queue is fetched by GET, what it brings comes by PUT."""

from collections.abc import Callable

from emulator.devices.communications_hub.device_log import DeviceLog
from emulator.devices.communications_hub.han import Han, Token
from emulator.devices.communications_hub.message_queue import MessageQueue, Waiting
from emulator.parts.tunnel_client import NOTIFICATION_FLAGS, Flag, Transfer
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import Delivered, DeliveryStatus, Storage
from protocols.zcl import data_types, foundation
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
from protocols.zcl.foundation import AttributeRead, ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import ZclFrame, ZclStatus

METERING = 0x0702
_NO_TUNNEL = 0xFFFF
_LAST = "gas-tunnel/last"
_MOST_REMAINING = 0xFF


class GasTunnels:
    """up(device, octets) takes each GBCS message; firmware_waits(device) tells whether an image does."""

    def __init__(
        self,
        han: Han,
        log: DeviceLog,
        queue: MessageQueue,
        storage: Storage,
        *,
        up: Callable[[Eui64, bytes], None],
        opened: Callable[[Eui64], None],
        firmware_waits: Callable[[Eui64], bool],
    ) -> None:
        self._han, self._log, self._queue, self._storage = han, log, queue, storage
        self._up, self._opened, self._firmware_waits = up, opened, firmware_waits
        self._tunnels: dict[Eui64, int] = {}
        self._underway: dict[Token, Waiting] = {}  # fetched, not acknowledged

    def serves(self, device: Eui64) -> bool:
        """Return whether the device is one that fetches."""
        entry = self._log.get(device)
        return entry is not None and entry.type.fetches

    def forget(self, device: Eui64) -> None:
        """Close the tunnel of a device that has left the log."""
        self._tunnels.pop(device, None)

    def flags(self, device: Eui64) -> int:
        """Return FunctionalNotificationFlags for the device, 32 bits."""
        waits = self._queue.first(device) is not None
        return self._firmware_waits(device) << Flag.NEW_FIRMWARE | waits << Flag.TUNNEL_MESSAGE_PENDING

    # --- from the HAN ------------------------------------------------------------------------------------------

    def read(self, device: Eui64, endpoint: int, octets: bytes) -> None:
        """Answer a read of the notification flags; the meter is the server of the cluster."""
        try:
            frame = ZclFrame.decode(octets)
            command = foundation.decode(frame)
        except DecodeError:
            return
        if not isinstance(command, ReadAttributes):
            return
        records = tuple(
            AttributeRead(wanted, ZclStatus.SUCCESS, data_types.BITMAP32, self.flags(device))
            if wanted == NOTIFICATION_FLAGS
            else AttributeRead(wanted, ZclStatus.UNSUPPORTED_ATTRIBUTE)
            for wanted in command.attributes
        )
        answer = foundation.encode(ReadAttributesResponse(records), frame.transaction, from_server=False)
        self._han.send(device, METERING, endpoint, answer)

    def received(self, device: Eui64, endpoint: int, octets: bytes) -> None:
        """Take a frame of the cluster; what is no tunneling command of a client is dropped."""
        try:
            frame = ZclFrame.decode(octets)
            if not frame.cluster_specific or frame.from_server:
                return
            command = tunneling.decode(frame)
        except DecodeError:
            return
        if isinstance(command, RequestTunnel):
            self._requested(device, endpoint, frame, command)
        elif isinstance(command, CloseTunnel) and command.tunnel == self._tunnels.get(device):
            del self._tunnels[device]
        elif isinstance(command, TransferData):
            self._data(device, endpoint, frame, command)

    def delivered(self, token: Token, event: Delivered) -> None:
        message = self._underway.pop(token, None)
        if message is None:
            return
        if event.status is DeliveryStatus.OK:
            self._queue.done(message)
        else:
            self._queue.put_back([message])

    # --- the tunnel --------------------------------------------------------------------------------------------

    def _requested(self, device: Eui64, endpoint: int, frame: ZclFrame, request: RequestTunnel) -> None:
        status, number = TunnelStatus.SUCCESS, _NO_TUNNEL
        if request.protocol != tunneling.PROTOCOL_GBCS:
            status = TunnelStatus.PROTOCOL_NOT_SUPPORTED
        elif request.flow_control:
            status = TunnelStatus.FLOW_CONTROL_NOT_SUPPORTED
        else:
            number = self._tunnels[device] = self._next_number()
        response = RequestTunnelResponse(number, status)
        self._reply(device, endpoint, tunneling.encode(response, frame.transaction, from_server=True))
        if status is TunnelStatus.SUCCESS:
            self._opened(device)

    def _next_number(self) -> int:
        """Return a tunnel id that differs from the last one, also over a reboot."""
        held = self._storage.get(_LAST)
        number = (int.from_bytes(held or b"\xff\xff", "big") + 1) % _NO_TUNNEL
        self._storage.put(_LAST, number.to_bytes(2, "big"))
        return number

    def _data(self, device: Eui64, endpoint: int, frame: ZclFrame, transfer: TransferData) -> None:
        if transfer.tunnel != self._tunnels.get(device):
            error = TransferDataError(transfer.tunnel, TransferStatus.NO_SUCH_TUNNEL)
            self._reply(device, endpoint, tunneling.encode(error, frame.transaction, from_server=True))
        elif transfer.data[:1] == bytes((Transfer.GET,)):
            self._fetched(device, endpoint, transfer.tunnel, frame.transaction)
        elif transfer.data[:1] == bytes((Transfer.PUT,)) and len(transfer.data) > 1:
            self._up(device, transfer.data[1:])

    def _fetched(self, device: Eui64, endpoint: int, tunnel: int, transaction: int) -> None:
        """Give the oldest message, and how many remain after it."""
        message = self._queue.first(device)
        octets = b""
        if message is not None:
            self._queue.take(message)
            octets = message.octets
        remaining = min(self._queue.waiting(device), _MOST_REMAINING)
        data = bytes((Transfer.GET_RESPONSE, remaining)) + octets
        token = self._reply(
            device, endpoint, tunneling.encode(TransferData(tunnel, data), transaction, from_server=True)
        )
        if message is not None:
            self._underway[token] = message

    def _reply(self, device: Eui64, endpoint: int, frame: bytes) -> Token:
        return self._han.send(device, tunneling.CLUSTER, endpoint, frame)
