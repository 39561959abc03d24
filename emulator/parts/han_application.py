"""What a device runs on its node: its endpoints, and the dispatch of what arrives by endpoint and cluster."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from emulator.parts.cluster_server import ClusterServer, refusal
from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.interfaces import (
    ApsData,
    Clock,
    Delivered,
    DeliveryStatus,
    Discovered,
    Handle,
    HanEvent,
    HanPort,
    Joined,
    Left,
    Received,
    Rejoined,
    SimpleDescriptor,
    ZdpQuery,
)
from protocols.zcl.attribute_server import CONFIGURE
from protocols.zcl.frame import ZclFrame
from protocols.zcl.protection import SMART_ENERGY, needs_link_key

BASIC = 0x0000
IDENTIFY = 0x0003
TIME = 0x000A
OTA_UPGRADE = 0x0019
KEEP_ALIVE = 0x0025
PRICE = 0x0700
LOAD_CONTROL = 0x0701
METERING = 0x0702
MESSAGING = 0x0703
TUNNELING = 0x0704
PREPAYMENT = 0x0705
KEY_ESTABLISHMENT = 0x0800

_SHORTEST = 3  # octets of a ZCL frame
_CLUSTER_SPECIFIC, _FROM_SERVER = 0x01, 0x08  # bits of its frame control


class DeviceId(NamedTuple):
    """A Zigbee device id of the profile and the endpoint that shows it."""

    device: int  # 16 bits
    endpoint: int  # 8 bits


METERING_DEVICE = DeviceId(0x0501, 1)
SECOND_ELEMENT = DeviceId(0x0501, 3)  # of a twin element meter [I]; endpoint 2 is that of foreign hosts
IN_HOME_DISPLAY = DeviceId(0x0502, 1)
LOAD_CONTROL_DEVICE = DeviceId(0x0504, 1)
PREPAYMENT_TERMINAL = DeviceId(0x0506, 1)


def descriptor(shown: DeviceId, *, servers: tuple[int, ...] = (), clients: tuple[int, ...] = ()) -> SimpleDescriptor:
    """Return the descriptor of a Smart Energy endpoint; every one serves Basic and Identify."""
    return SimpleDescriptor(shown.endpoint, SMART_ENERGY, shown.device, 0, (BASIC, IDENTIFY, *servers), clients)


class Carrier(Protocol):
    """One endpoint as the parts of a device use it."""

    endpoint: SimpleDescriptor
    secured: bool  # frames go and come under the link key
    profile: int  # 16 bits

    def on(self, cluster: int, handler: Callable[[Received], None]) -> None: ...

    def send(
        self,
        to: Eui64,
        cluster: int,
        endpoint: int,
        frame: bytes,
        *,
        acknowledged: bool = True,
        done: Callable[[DeliveryStatus], None] | None = None,
    ) -> None: ...

    def discover(self, who: Eui64, query: ZdpQuery, done: Callable[[Discovered], None]) -> None: ...


class HanApplication:
    """Joins the endpoints of a device to a `HanPort`; it is itself the `Carrier` of the Smart Energy one.

    `joined(trust_centre)` is called when the node has (again) a network. Frames go to the server of their cluster or to
    its handler; a frame without the link key that its cluster needs is answered FAILURE (ZSE 5.4.6).
    """

    secured = True
    profile = SMART_ENERGY

    def __init__(
        self, node: HanPort, clock: Clock, endpoint: SimpleDescriptor, joined: Callable[[Eui64], None]
    ) -> None:
        self.endpoint = endpoint
        self.configured: Callable[[ClusterServer], object] = lambda _: None  # hears whose reports were configured
        self._node, self._clock, self._joined = node, clock, joined
        self._left: Callable[[], None] = lambda: None
        self._networked: list[Callable[[Eui64], object]] = []
        self.heard: Callable[[Received], object] = lambda event: None  # of every frame, before its cluster's handler
        self._endpoints = [endpoint]
        self._profiles = {endpoint.endpoint: endpoint.profile}
        self._handlers: dict[tuple[int, int], Callable[[Received], None]] = {}  # by endpoint and cluster
        self._servers: dict[tuple[int, int, bool], ClusterServer] = {}  # and by whether it is the server's side
        self._deliveries: dict[Handle, Callable[[DeliveryStatus], None]] = {}
        self._queries: dict[Handle, Callable[[Discovered], None]] = {}

    def attach(self) -> None:
        """Take over the node's events and show the endpoints."""
        self._node.attach(self._event)
        self._node.register(tuple(self._endpoints))

    def gate(self, joined: Callable[[Eui64], None], left: Callable[[], None]) -> Callable[[Eui64], None]:
        """Have `joined` hear of a network in place of who did, who is returned; `left` hears that it is gone."""
        before, self._joined, self._left = self._joined, joined, left
        return before

    def on_network(self, networked: Callable[[Eui64], object]) -> None:
        """Have `networked` hear of each network and its trust centre, before there is a key for it."""
        self._networked.append(networked)

    def show(self, endpoint: SimpleDescriptor) -> None:
        """Show another Smart Energy endpoint of the same number from now on."""
        self._endpoints[self._endpoints.index(self.endpoint)] = endpoint
        self.endpoint = endpoint
        self._node.register(tuple(self._endpoints))

    def add(self, endpoint: SimpleDescriptor) -> None:
        """Have one more endpoint; before `attach`."""
        self._endpoints.append(endpoint)
        self._profiles[endpoint.endpoint] = endpoint.profile

    def on(self, cluster: int, handler: Callable[[Received], None], endpoint: int | None = None) -> None:
        """Hand frames of `cluster` for `endpoint`, the Smart Energy one by default, to `handler`."""
        self._handlers[self.endpoint.endpoint if endpoint is None else endpoint, cluster] = handler

    def serve(self, server: ClusterServer, endpoint: int | None = None) -> None:
        """Serve a cluster on one endpoint, or on all that list it, those of foreign hosts too.

        Answers go under the protection and profile of the question. Raises UsageError if no such endpoint lists it.
        """
        cluster, found = server.cluster, False
        for each in self._endpoints:
            if endpoint not in (None, each.endpoint):
                continue
            if cluster in (each.input_clusters if server.from_server else each.output_clusters):
                self._servers[each.endpoint, cluster, server.from_server] = server
                found = True
        if not found:
            raise UsageError(f"no endpoint lists cluster {cluster:#06x}")

    @property
    def served(self) -> list[tuple[SimpleDescriptor, ClusterServer]]:
        """What `serve` was given, by endpoint."""
        endpoints = {each.endpoint: each for each in self._endpoints}
        return [(endpoints[number], server) for (number, _, _), server in self._servers.items()]

    def send(
        self,
        to: Eui64,
        cluster: int,
        endpoint: int,
        frame: bytes,
        *,
        acknowledged: bool = True,
        done: Callable[[DeliveryStatus], None] | None = None,
    ) -> None:
        """Send a ZCL frame under the link key; `done` hears how it went."""
        self.send_from(self.endpoint, to, cluster, endpoint, frame, secured=True, acknowledged=acknowledged, done=done)

    def send_from(
        self,
        source: SimpleDescriptor,
        to: Eui64,
        cluster: int,
        endpoint: int,
        frame: bytes,
        *,
        secured: bool,
        acknowledged: bool,
        done: Callable[[DeliveryStatus], None] | None,
    ) -> None:
        """Send a ZCL frame from the endpoint `source`."""
        aps = ApsData(source.profile, cluster, source.endpoint, endpoint, frame)
        handle = self._node.send(to, aps, secured=secured, acknowledged=acknowledged)
        if done is not None:
            self._deliveries[handle] = done

    def discover(self, who: Eui64, query: ZdpQuery, done: Callable[[Discovered], None]) -> None:
        self._queries[self._node.discover(who, query)] = done

    def forget(self) -> None:
        """Drop what is under way: the power went."""
        self._deliveries.clear()
        self._queries.clear()

    def _event(self, event: HanEvent) -> None:
        match event:
            case Received():
                self.heard(event)
                self._received(event)
            case Delivered(handle, status):
                done = self._deliveries.pop(handle, None)
                if done is not None:
                    done(status)
            case Discovered(handle):
                answered = self._queries.pop(handle, None)
                if answered is not None:
                    answered(event)
            case Joined(who) | Rejoined(who):
                for networked in self._networked:
                    networked(who)
                self._joined(who)
            case Left():
                self._left()
            case _:
                pass

    def _received(self, event: Received) -> None:
        aps = event.aps
        handler = self._handlers.get((aps.destination_endpoint, aps.cluster))
        protected = event.secured or not needs_link_key(self._profiles.get(aps.destination_endpoint, 0), aps.cluster)
        if not protected and not event.broadcast:
            self._answer(event, refusal(event))
        elif protected and self._serve(event, handled=handler is not None):
            return
        elif handler is not None:
            handler(event)

    def _serve(self, event: Received, *, handled: bool) -> bool:
        """Have a server take the frame; return whether it was for one."""
        _, cluster, _, endpoint, octets = event.aps
        if len(octets) < _SHORTEST:
            return False
        server = self._servers.get((endpoint, cluster, not octets[0] & _FROM_SERVER))
        if server is None or (handled and octets[0] & _CLUSTER_SPECIFIC and not server.commands):
            return False
        try:
            frame = ZclFrame.decode(octets)
        except DecodeError:
            return False
        if not server.takes(frame, handled=handled):
            return False
        self._answer(event, server.answer(frame, event, self._clock.now()))
        if frame.command == CONFIGURE and not frame.cluster_specific:
            self.configured(server)
        return True

    def _answer(self, event: Received, frame: bytes | None) -> None:
        if frame is not None:
            profile, cluster, asked_by, asked, _ = event.aps
            aps = ApsData(profile, cluster, asked, asked_by, frame)
            self._node.send(event.who, aps, secured=event.secured, acknowledged=True)
