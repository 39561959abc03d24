"""A small network whose frames are built by hand into a capture: hub, router, and a device behind the router."""

import io
from itertools import count

from protocols.addresses import BROADCAST_ALL, BROADCAST_RX_ON, COORDINATOR, Eui64, ShortAddress
from protocols.aps import commands as aps_commands
from protocols.aps.frame import ApsHeader, DeliveryMode, Fragmentation, FrameType, acknowledgement_of, data_header
from protocols.aps.security import ApsSecurity, KeyId
from protocols.interfaces import MILLISECOND, SECOND
from protocols.mac import commands as mac_commands
from protocols.mac.commands import Capability
from protocols.mac.frame import MacFrame, acknowledgement, data_frame, fcs
from protocols.nwk.frame import NwkHeader
from protocols.nwk.security import NwkSecurity
from protocols.pcapng import PcapngWriter, key_row
from protocols.zdp import messages as zdp

HUB, ROUTER, DEVICE = (Eui64(0x00DB1234567890A0 + number) for number in range(3))
SHORT = {HUB: COORDINATOR, ROUTER: ShortAddress(0x1111), DEVICE: ShortAddress(0x2222)}
PAN = 0x1A2B
NETWORK_KEY, LINK_KEY = bytes(range(0x40, 0x50)), bytes(range(0x80, 0x90))
ROUTER_LINK_KEY = bytes(range(0xA0, 0xB0))
START = 1_772_442_000 * SECOND
KEYS = (
    key_row(NETWORK_KEY, "nwk home-1")
    + key_row(ROUTER_LINK_KEY, f"link {ROUTER}")
    + key_row(LINK_KEY, f"link {DEVICE}")
)
SE = 0x0109


class HandBuilt:
    """Writes frames to `.capture`, 10 ms apart. Counters go on from frame to frame."""

    def __init__(self, network: str = "home-1 2.4 GHz", network_key: bytes = NETWORK_KEY) -> None:
        self._file = io.BytesIO()
        self.writer = PcapngWriter(self._file)
        self.interface = self.writer.interface(network)
        self.frames = 0
        self.times = count(START, 10 * MILLISECOND)
        self.mac_sequence, self.nwk_sequence = count(1), count(1)
        self.counters = {eui: count(1000 * index) for index, eui in enumerate(SHORT, 1)}
        self.network, self.link = NwkSecurity(network_key, 0), ApsSecurity(LINK_KEY)

    @property
    def capture(self) -> bytes:
        return self._file.getvalue()

    def put(self, octets: bytes, *, good_fcs: bool = True) -> int:
        """Write one frame given without FCS; return its number."""
        check = fcs(octets) if good_fcs else bytes(octet ^ 0xFF for octet in fcs(octets))
        self.writer.frame(self.interface, next(self.times), octets + check)
        self.frames += 1
        return self.frames

    def command(self, frame: MacFrame) -> None:
        self.put(frame.encode())
        if frame.ack_request:
            self.put(acknowledgement(frame.sequence, pending=False))

    def associate(self, device: Eui64 = DEVICE, parent: Eui64 = ROUTER) -> None:
        """Association request, poll and response between extended addresses."""
        sequence = next(self.mac_sequence)
        request = mac_commands.AssociationRequest(Capability(full_function_device=True))
        self.command(MacFrame(3, sequence, PAN, SHORT[parent], 0xFFFF, device, request.encode(), True))
        poll = mac_commands.DataRequest().encode()
        self.command(MacFrame(3, next(self.mac_sequence), PAN, SHORT[parent], PAN, device, poll, True))
        response = mac_commands.AssociationResponse(SHORT[device], 0).encode()
        self.command(MacFrame(3, next(self.mac_sequence), PAN, device, PAN, parent, response, True))

    def hop(self, sender: Eui64, receiver: ShortAddress, header: NwkHeader, payload: bytes) -> int:
        """Send one NWK frame over one hop, protected by `sender` if the header says so."""
        octets = header.encode() + payload
        if header.security:
            octets = self.network.protect(header.encode(), sender, next(self.counters[sender]), payload)
        sequence, unicast = next(self.mac_sequence) & 0xFF, receiver < 0xFFF0
        return self.put(data_frame(sequence, PAN, receiver, SHORT[sender], octets, ack_request=unicast))

    def path(self, source: Eui64, destination: Eui64) -> list[tuple[Eui64, Eui64]]:
        """Return the hops: the device is reached through the router."""
        if {source, destination} == {HUB, DEVICE}:
            return [(source, ROUTER), (ROUTER, destination)]
        return [(source, destination)]

    def send(
        self, source: Eui64, destination: Eui64, payload: bytes, *, source_ieee: bool = False, first_hop: bool = True
    ) -> list[int]:
        """Send one APS frame over all its hops; return the frame numbers."""
        sequence, ieee = next(self.nwk_sequence) & 0xFF, source if source_ieee else None
        hops = self.path(source, destination)
        return [
            self.hop(
                sender,
                SHORT[receiver],
                NwkHeader(0, SHORT[destination], SHORT[source], 30 - at, sequence, source_ieee=ieee),
                payload,
            )
            for at, (sender, receiver) in enumerate(hops)
            if first_hop or at
        ]

    def announce(
        self, device: Eui64 = DEVICE, *, relays: bool = True, first_hop: bool = True, ieee: bool = True
    ) -> None:
        """Broadcast Device_annce and its relay by the router."""
        cluster, payload = zdp.encode(zdp.DeviceAnnounce(SHORT[device], device, Capability(True)), 1)
        aps = ApsHeader(0, 0, cluster, 0, 0, 1, delivery_mode=DeliveryMode.BROADCAST).encode() + payload
        sequence, source_ieee = next(self.nwk_sequence), device if ieee else None
        for at, sender in enumerate([device, ROUTER]):
            if (first_hop if at == 0 else relays) and (at == 0 or sender != device):
                header = NwkHeader(0, BROADCAST_RX_ON, SHORT[device], 30 - at, sequence, source_ieee=source_ieee)
                self.hop(sender, BROADCAST_ALL, header, aps)

    def zcl(
        self,
        source: Eui64,
        destination: Eui64,
        cluster: int,
        payload: bytes,
        counter: int,
        *,
        extended: bool = False,
        acknowledged: bool = False,
        key: ApsSecurity | None = None,
    ) -> list[int]:
        """Send a ZCL frame under the link key, with an APS acknowledgement if asked."""
        octets = data_header(1, cluster, SE, 1, counter, security=True, ack_request=acknowledged)
        security = key or self.link
        sealed = security.protect(octets, source, next(self.counters[source]), payload, extended_nonce=extended)
        numbers = self.send(source, destination, sealed)
        if acknowledged:
            header = ApsHeader(0, 1, cluster, SE, 1, counter, True, True)
            self.acknowledge(destination, source, header)
        return numbers

    def acknowledge(self, source: Eui64, destination: Eui64, header: ApsHeader) -> None:
        first = header.fragmentation != Fragmentation.OTHER
        octets = acknowledgement_of(header, 0 if first else header.block_number, security=True).encode()
        sealed = self.link.protect(octets, source, next(self.counters[source]), b"")
        self.send(source, destination, sealed)

    def fragments(
        self, source: Eui64, destination: Eui64, cluster: int, payload: bytes, counter: int, size: int = 61
    ) -> list[int]:
        """Send a ZCL frame in fragments, each acknowledged by itself."""
        blocks = [payload[at : at + size] for at in range(0, len(payload), size)]
        numbers = []
        for index, block in enumerate(blocks):
            first = index == 0
            kind, number = (Fragmentation.FIRST, len(blocks)) if first else (Fragmentation.OTHER, index)
            header = ApsHeader(0, 1, cluster, SE, 1, counter, True, True, 0, False, kind, number)
            sealed = self.link.protect(header.encode(), source, next(self.counters[source]), block)
            numbers += self.send(source, destination, sealed)
            self.acknowledge(destination, source, header)
        return numbers

    def aps_command(
        self, source: Eui64, destination: Eui64, command: aps_commands.ApsCommand, security: ApsSecurity | None
    ) -> None:
        """Send an APS command over all hops, under the link key with extended nonce if `security` is given."""
        octets = self.sealed_command(source, command, security, KeyId.LINK)
        self.send(source, destination, octets)

    def sealed_command(
        self, source: Eui64, command: aps_commands.ApsCommand, security: ApsSecurity | None, key_id: KeyId
    ) -> bytes:
        header = ApsHeader(FrameType.COMMAND, 0, 0, 0, 0, 9, security is not None).encode()
        if security is None:
            return header + command.encode()
        counter = next(self.counters[source])
        return security.protect(header, source, counter, command.encode(), key_id=key_id, extended_nonce=True)

    def transport_network_key(self) -> None:
        """Tunnel the network key to the router, which hands it to the device without NWK security."""
        command = aps_commands.TransportNetworkKey(NETWORK_KEY, 0, DEVICE, HUB)
        inner = self.sealed_command(HUB, command, self.link, KeyId.KEY_TRANSPORT)
        self.aps_command(HUB, ROUTER, aps_commands.Tunnel(DEVICE, inner), None)
        header = NwkHeader(0, SHORT[DEVICE], SHORT[ROUTER], 1, next(self.nwk_sequence), security=False)
        self.hop(ROUTER, SHORT[DEVICE], header, inner)
