"""Devices that activate an image themselves when the hub says so: PPMID and Alt HAN bridges (service request 11.4)."""

from emulator.parts.han_application import PREPAYMENT_TERMINAL
from emulator.parts.updatable import UpdatableDevice
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import cs08, cs09

_BEGUN = "activation/begun"


class SelfActivatingDevice(UpdatableDevice):
    """Checks product, hardware and digest of an image, restarts into it at the upgrade time, tells of it by CS09."""

    shown = PREPAYMENT_TERMINAL

    def _server_activates(self, version: int) -> None:
        if self.store.pending_version == version:
            self.storage.put(_BEGUN, self.firmware_version.to_bytes(4, "big"))
            self.activate()

    def activate(self) -> None:
        """Restart into the waiting image; the end is told after the restart."""
        self.restart_after(self.settings.reboot)

    def _run(self) -> None:
        held = self.storage.get(_BEGUN)
        if held is not None:
            version = self.store.activate()
            self.note("activated", from_version=held.hex().upper(), to_version=f"{version:08X}")
            self.activated(version)
            self.storage.delete(_BEGUN)
        super()._run()

    def activated(self, version: int) -> None:
        """Tell the access control broker that `version` runs."""
        broker = self.entity.anchors.eui(RemotePartyRole.ACCESS_CONTROL_BROKER)
        alert = cs09.Alert(self.wall.utc(), version)
        self.send_alert(cs09.MESSAGE_CODE, broker, lambda _: alert.encode())

    def command(self, message: Message, octets: bytes) -> None:
        if message.message_code == cs08.MESSAGE_CODE:
            cs08.Command.decode(message.payload)
            response = cs08.Response(self.firmware_version)
            self.send_gbcs(self.entity.respond(message, response.encode(), signed=False))
        else:
            super().command(message, octets)
