"""The Communications Hub: CHF and GPF on one HAN node, with stored energy for three minutes without supply."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from emulator.devices.communications_hub.device_log import DeviceLog, LogEntry
from emulator.devices.communications_hub.han import Han
from emulator.devices.communications_hub.key_establishment import KeyParts
from emulator.devices.communications_hub.own_firmware import OwnFirmware, OwnVersion
from emulator.devices.communications_hub.running import Parts, Running, endpoints
from emulator.devices.communications_hub.settings import HubSettings, InstalledDevice
from emulator.parts.gbcs_entity import GbcsEntity
from emulator.parts.journal import Journal
from emulator.parts.key_establishment import SuiteCredentials
from emulator.power import HoldUp, Supply
from firmware_images import Product
from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.interfaces import (
    Clock,
    Entropy,
    HanEvent,
    HanPort,
    Recorder,
    Storage,
    Timer,
    WallClock,
    WanLink,
)
from protocols.ota.server import OtaServer, OtaServerSettings


class CommunicationsHub:
    """Routes GBCS between WAN and tunnels, keeps and serves firmware images, obeys the ACB, tells of power losses.

    han_ports: formed networks, each with the GPF's identifier as its address. dc_in: the supply from the ESME. The hub
    knows devices by identifier and by the type its device log gives, and by nothing else.
    """

    def __init__(
        self,
        name: str,
        han_ports: Sequence[HanPort],
        wan: WanLink,
        clock: Clock,
        wall: WallClock,
        storage: Storage,
        entropy: Entropy,
        recorder: Recorder,
        chf: GbcsEntity,
        gpf: GbcsEntity | None,
        dc_in: Supply,
        settings: HubSettings | None = None,
        ota_server_factory: Callable[[OtaServerSettings], OtaServer] = OtaServer,
        key_establishment: SuiteCredentials | None = None,
        product: Product | None = None,
        own_firmware: Callable[..., OwnFirmware] = OwnFirmware,
        own_version: Callable[..., OwnVersion] = OwnVersion,
    ) -> None:
        """key_establishment: certificates of the ports' address; None: devices live on their install-code link keys.

        product: what images for the hub itself must be made for; None: it takes none.
        """
        self.name, self.chf, self.gpf = name, chf, gpf
        self.settings = settings if settings is not None else HubSettings()
        self._clock, self._wall, self._storage = clock, wall, Journal.over(storage, chf.storage)
        self._recorder, self._ports = recorder, tuple(han_ports)
        keys = None
        if key_establishment is not None:
            keys = KeyParts(key_establishment, entropy.random(f"key establishment {chf.eui}"))
        self._own_version: OwnVersion = own_version(self._storage, self.settings, product)
        self._parts = Parts(
            self._ports, wan, clock, wall, self._storage, chf, gpf, self.settings, ota_server_factory,
            self._own_version, own_firmware, self._restart, self._note, keys,
        )  # fmt: skip
        self._running: Running | None = None
        self._booting: Timer | None = None
        self._dc_in = dc_in
        for number, port in enumerate(self._ports):
            port.attach(partial(self._event, number))
        wan.attach(self._from_wan)
        HoldUp(
            clock, dc_in, lost=self._lost, empty=self.power_off, back=self._boot,
            report_after=self.settings.loss_report_after, reserve=self.settings.hold_up,
        )  # fmt: skip

    @property
    def running(self) -> bool:
        return self._running is not None

    @property
    def firmware_version(self) -> int:
        """The hub's own, 32 bits."""
        return self._own_version.running

    @property
    def supported(self) -> dict[Eui64, tuple[int, ...]]:
        """The message codes that CHF and GPF carry out; empty without power."""
        running = self._running
        if running is None:
            return {}
        found = {self.chf.eui: running.chf.application.supported}
        if running.gpf is not None:
            found[running.gpf.application.entity.eui] = running.gpf.application.supported
        return found

    def preload(self, devices: Iterable[InstalledDevice | tuple[Eui64, int, bytes]]) -> None:
        """Put installed devices into the log; they may join for `HubSettings.installed_join_time`.

        Raises UsageError for more devices than the log holds.
        """
        log = self._running.log if self._running is not None else DeviceLog(self._storage, self.settings)
        until = self._wall.utc() + self.settings.installed_join_time
        for device, type_code, install_code in devices:
            if not log.has_room(type_code):
                raise UsageError(f"{self.name}: no room in the device log for {device}")
            entry = LogEntry(device, type_code, install_code, until)
            log.put(entry)
            if self._running is not None:
                self._running.admit(entry)

    def start(self) -> None:
        """Begin to work, on networks already formed."""
        for port in self._ports:
            port.register(endpoints(self._parts))
        self._run()

    def power_off(self) -> None:
        """Lose all that is not in the storage; what the WAN or the HAN sends meanwhile is lost."""
        if self._booting is not None:
            self._booting.cancel()
            self._booting = None
        if self._running is not None:
            self._running.stop()
            self._running = None
            Han(self._ports, self.settings.endpoint).power(on=False)

    def power_on(self) -> None:
        """Start anew from the storage, at once."""
        if self._running is None:
            self._storage.restart()
            Han(self._ports, self.settings.endpoint).power(on=True)
            self.start()

    def _restart(self) -> None:
        """Be off, and boot."""
        self.power_off()
        self._boot()

    # --- supply ------------------------------------------------------------------------------------------------

    def _lost(self, started: int) -> None:
        """Report the loss once: it has lasted three minutes. `started` in ns on the clock."""
        if self._running is not None:
            began = self._wall.utc() - (self._clock.now() - started)
            self._running.report_loss(began)
            self._note("power-loss-reported", started=began)

    def _boot(self) -> None:
        self._booting = self._clock.call_at(self._clock.now() + self.settings.boot_time, self._booted)

    def _booted(self) -> None:
        self._booting = None
        self.power_on()

    # --- volatile part -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._running = Running(self._parts)
        self._running.start()

    def _event(self, port: int, event: HanEvent) -> None:
        if self._running is not None:
            self._running.event(port, event)

    def _from_wan(self, octets: bytes) -> None:
        if self._running is not None:
            self._running.from_wan(octets)

    def _note(self, event: str, **fields: str | int | bool | None) -> None:
        self._recorder.note(self.name, event, **fields)
