"""The hub's HAN ports taken together."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from protocols.addresses import Eui64
from protocols.interfaces import ApsData, Handle, HanPort, LinkKey, TrustBackup, ZdpQuery

PROFILE = 0x0109  # Smart Energy


class Token(NamedTuple):
    """A handle together with the port that gave it."""

    port: int
    handle: Handle


@runtime_checkable
class Powered(Protocol):
    """A port whose radio stands on the hub's own supply; one on a dongle has its own."""

    def power_off(self) -> None: ...
    def power_on(self) -> None: ...


class Han:
    """Sends to each device over the port it was last heard on."""

    def __init__(self, ports: Sequence[HanPort], endpoint: int, *, established_only: bool = False) -> None:
        """established_only: devices are spoken to once a link key has been established."""
        self._ports, self._endpoint, self._established_only = tuple(ports), endpoint, established_only
        self._port_of: dict[Eui64, int] = {}

    def place(self, device: Eui64, port: int) -> None:
        """Note where `device` was heard."""
        self._port_of[device] = port

    def send(
        self,
        to: Eui64,
        cluster: int,
        endpoint: int,
        frame: bytes,
        *,
        secured: bool = True,
        acknowledged: bool = True,
        source: int | None = None,
    ) -> Token:
        """Send a ZCL frame, under the link key of `to` unless told otherwise; `source`: from another endpoint."""
        port = self._port_of.get(to, 0)
        aps = ApsData(PROFILE, cluster, self._endpoint if source is None else source, endpoint, frame)
        return Token(port, self._ports[port].send(to, aps, secured=secured, acknowledged=acknowledged))

    def discover(self, who: Eui64, query: ZdpQuery) -> Token:
        port = self._port_of.get(who, 0)
        return Token(port, self._ports[port].discover(who, query))

    def allow_join(self, who: Eui64, key: LinkKey, seconds: int) -> None:
        """Allow `who` to join at any port for `seconds`."""
        for port in self._ports:
            port.allow_join(who, key, seconds)

    def readmit(self, who: Eui64, seconds: int) -> None:
        """Allow `who` to come back for `seconds` under the link key it had, at the port where that was."""
        self._ports[self._port_of.get(who, 0)].readmit(who, seconds)

    def install_link_key(self, who: Eui64, key: LinkKey, *, proven: bool) -> None:
        self._ports[self._port_of.get(who, 0)].install_link_key(who, key, proven=proven)

    def ready(self, device: Eui64) -> bool:
        """Return whether there is a link key with `device` that serves everything."""
        return not self._established_only or self._ports[self._port_of.get(device, 0)].key_established(device)

    def remove(self, device: Eui64) -> None:
        """Take `device` out of the network it is in."""
        self._ports[self._port_of.get(device, 0)].remove(device)

    def trust(self) -> TrustBackup:
        """Return the first port's extended PAN id with the link key hashes of all ports."""
        backups = [port.export_trust() for port in self._ports]
        hashes = tuple(hashed for backup in backups for hashed in backup.hashed_link_keys)
        return TrustBackup(backups[0].extended_pan_id, hashes)

    def restore(self, backup: TrustBackup) -> None:
        """Have every port take over extended PAN id and link key hashes of the hub before."""
        for port in self._ports:
            port.restore_trust(backup)

    def power(self, on: bool) -> None:
        for port in self._ports:
            if isinstance(port, Powered):
                if on:
                    port.power_on()
                else:
                    port.power_off()
