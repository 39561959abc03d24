"""Attribute reports of a device: to what its clusters are bound, in the intervals it was configured for."""

from dataclasses import dataclass

from emulator.parts.cluster_server import ClusterServer
from emulator.parts.han_application import HanApplication
from emulator.parts.timers import Timers
from protocols.interfaces import SECOND, ApsData, Clock, SimpleDescriptor, Storage
from protocols.octets import Reader
from protocols.stack.node import Node
from protocols.zcl.attribute_server import Configuration
from protocols.zcl.protection import needs_link_key

_LOOK = "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingSettings:
    look_every: int = 5 * SECOND  # ns between two looks at attributes that are reported on change


class Reporting:
    """Drives the `AttributeServer` of every cluster of an application; the configurations outlive power cuts."""

    def __init__(
        self,
        application: HanApplication,
        node: Node,
        clock: Clock,
        storage: Storage,
        settings: ReportingSettings | None = None,
    ) -> None:
        self._application, self._node, self._clock, self._storage = application, node, clock, storage
        self._settings = settings if settings is not None else ReportingSettings()
        self._timers = Timers(clock)
        application.configured = self._configured

    def start(self) -> None:
        """Go on with what was configured before the power went."""
        now = self._clock.now()
        for _, server in self._application.served:
            octets = self._storage.get(_cell(server))
            if octets is not None:
                for identifier, configuration in _decode(octets).items():
                    server.attributes.configure(identifier, configuration, now)
        self._arm()

    def stop(self) -> None:
        self._timers.clear()

    def look(self) -> None:
        """Report what is due; call it when an attribute has changed that shall not wait for the next look."""
        if self._node.joined:
            for server in dict.fromkeys(server for _, server in self._application.served):
                while (report := server.attributes.due(self._clock.now())) is not None:
                    self._send(server, report)
        self._arm()

    def _configured(self, server: ClusterServer) -> None:
        self._storage.put(_cell(server), _encode(server.attributes.configurations))
        self._arm()

    def _arm(self) -> None:
        now, every = self._clock.now(), self._settings.look_every
        deadlines = [server.attributes.deadline(now, every) for _, server in self._application.served]
        due = min((each for each in deadlines if each is not None), default=None)
        if due is None:
            self._timers.cancel(_LOOK)
        else:
            self._timers.at(_LOOK, due if self._node.joined else now + every, self.look)

    def _send(self, server: ClusterServer, report: bytes) -> None:
        for endpoint, each in self._application.served:
            if each is server:
                self._send_from(endpoint, server.cluster, report)

    def _send_from(self, endpoint: SimpleDescriptor, cluster: int, report: bytes) -> None:
        secured = needs_link_key(endpoint.profile, cluster)
        for row in self._node.bound(endpoint.endpoint, cluster):
            if row.destination is not None:
                aps = ApsData(endpoint.profile, cluster, endpoint.endpoint, row.destination_endpoint, report)
                self._node.send(row.destination, aps, secured=secured, acknowledged=True)


def _cell(server: ClusterServer) -> str:
    return f"reporting/{server.name}{server.cluster:04x}{'' if server.from_server else '/client'}"


def _encode(configurations: dict[int, Configuration]) -> bytes:
    return b"".join(identifier.to_bytes(2, "little") + each.encode() for identifier, each in configurations.items())


def _decode(octets: bytes) -> dict[int, Configuration]:
    reader, found = Reader(octets), dict[int, Configuration]()
    while reader.remaining:
        identifier = reader.uint(2)
        found[identifier] = Configuration.read(reader)
    return found
