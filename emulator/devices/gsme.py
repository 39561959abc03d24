"""GSME: the gas meter, which sleeps: it fetches its messages and its firmware when it wakes."""

from dataclasses import dataclass, field
from typing import Unpack

from emulator.consumption.flow import Flow
from emulator.parts.clock_commands import ClockCommands
from emulator.parts.command_activated import CommandActivatedDevice
from emulator.parts.gas_meter import GasMeter, GasSettings
from emulator.parts.gbcs_application import Answer
from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.han_application import METERING, METERING_DEVICE, OTA_UPGRADE, TIME, TUNNELING
from emulator.parts.register_commands import serve_gas
from emulator.parts.tunnel_client import TunnelClient, TunnelClientSettings
from emulator.parts.updatable import DeviceParts
from protocols.addresses import Eui64
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import fdra, gcs38, miiwa, pcs02
from protocols.zcl.frame import ZclStatus

_CRITICAL = 0x8F


@dataclass(frozen=True, slots=True, kw_only=True)
class GsmeSettings:
    tunnel: TunnelClientSettings = field(default_factory=TunnelClientSettings)
    metering: GasSettings = field(default_factory=GasSettings)


class Gsme(CommandActivatedDevice):
    """A gas meter; client of the tunnel, since it sleeps. Firmware by 11.1 and CS06, version read by GCS38."""

    gbcs_kind = DeviceKind.GSME
    shown = METERING_DEVICE
    servers = (METERING,)
    clients = (TIME, OTA_UPGRADE, TUNNELING)
    receipt_code = fdra.GSME_MESSAGE_CODE

    def __init__(
        self, *, gsme_settings: GsmeSettings | None = None, flow: Flow | None = None, **parts: Unpack[DeviceParts]
    ) -> None:
        """flow: the household's gas in ml an hour; by default none flows."""
        self.gsme_settings = gsme_settings if gsme_settings is not None else GsmeSettings()
        super().__init__(**parts)
        self.meter = GasMeter(
            self.meter_parts, flow, self.gsme_settings.metering, serial=self.node.eui.big,
            version=lambda: self.firmware_version, flagged=self._flagged, alert=self._tell_supplier,
        )  # fmt: skip
        self.application.serve(self.meter.server)
        self.gbcs.on(gcs38.MESSAGE_CODE, self._gcs38)
        self.messages.on(pcs02.MESSAGE_CODE, self._pcs02)
        self.clock_commands = ClockCommands(self.gbcs)
        serve_gas(self.gbcs, lambda: self.meter.registers.read().taken)

    @property
    def battery(self) -> bool:
        return True

    @property
    def blocks_kept(self) -> int:
        """A block that did not come is fetched at a later waking."""
        return 3 * self.gsme_settings.tunnel.wake_period

    def _make_tunnel(self) -> TunnelClient:
        return TunnelClient(
            self.application,
            self.timers,
            self.storage,
            received=self.gbcs_received,
            delivered=self._gbcs_delivered,
            firmware_waits=self._firmware_waits,
            look=self._look,
            settings=self.gsme_settings.tunnel,
        )

    def _run(self) -> None:
        super()._run()
        self.meter.start()

    def power_off(self) -> None:
        self.meter.stop()
        super().power_off()

    def _joined(self, hub: Eui64) -> None:
        super()._joined(hub)
        if self.powered and isinstance(self.tunnel, TunnelClient):
            self.meter.joined(hub)
            self.tunnel.start(hub)

    def _look(self, hub: Eui64, endpoint: int) -> None:
        self.meter.wake(hub, endpoint)

    def _flagged(self, flags: int) -> None:
        if isinstance(self.tunnel, TunnelClient):
            self.tunnel.flagged(flags)

    def activated(self) -> None:
        self.meter.log.add(AlertCode.FIRMWARE_CHANGED)

    def image_verified(self, version: int, file: bytes) -> None:
        super().image_verified(version, file)
        self.meter.log.add(AlertCode.FIRMWARE_VERIFIED)

    def note(self, event: str, **fields: str | int | bool | None) -> None:
        super().note(event, **fields)
        self.meter.log.tell(event, str(fields.get("reason")))

    def _firmware_waits(self) -> None:
        self.download.look()

    # --- GBCS --------------------------------------------------------------------------------------------------

    def receipt(self, code: AlertCode, now: int, image_hash: bytes, counter: int) -> bytes:
        return fdra.GsmeAlert(code, now, image_hash).encode()

    def _tell_supplier(self, code: AlertCode) -> None:
        """Queue an alert of code and time alone: those of 8Fxx are critical."""
        self.gbcs.generic_alert(code, RemotePartyRole.SUPPLIER, critical=code >> 8 == _CRITICAL)

    def _gcs38(self, message: Message) -> Answer:
        gcs38.Command.decode(message.payload)
        return Answer(gcs38.Response(self.firmware_version).encode())

    def _pcs02(self, message: Message) -> bytes:
        """Answer a PPMID that asks for emergency credit: a meter in credit mode has none."""
        pcs02.Command.decode(message.payload)
        self.note("emergency-credit-refused", by=str(message.originator))
        return pcs02.Response(ZclStatus.FAILURE).encode()

    def warn_of_integrity(self, cause: miiwa.Cause) -> None:
        """Tell the supplier that something is wrong with the meter itself (81A0)."""
        supplier, now = self.entity.anchors.eui(RemotePartyRole.SUPPLIER), self.wall.utc()
        payload = miiwa.GsmeAlert(now, cause).encode()
        self.send_alert(miiwa.GSME_MESSAGE_CODE, supplier, lambda _: payload, signed=False)
