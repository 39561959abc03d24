"""Devices that activate an image themselves when the hub says so: PPMID and Alt HAN bridges (service request 11.4)."""

from typing import Unpack

from emulator.parts.gbcs_application import Answer
from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.han_application import PREPAYMENT_TERMINAL
from emulator.parts.updatable import DeviceParts, UpdatableDevice
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import cs08, cs09
from protocols.gbcs.use_cases.cs09 import ActivationCode

_BEGUN = "activation/begun"


class SelfActivatingDevice(UpdatableDevice):
    """Checks product, hardware and digest of an image, restarts into it at the upgrade time, tells of it by CS09."""

    gbcs_kind = DeviceKind.PPMID
    shown = PREPAYMENT_TERMINAL

    def __init__(self, **parts: Unpack[DeviceParts]) -> None:
        super().__init__(**parts)
        self.gbcs.on(cs08.MESSAGE_CODE, self._cs08)

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
            self._finish(held)
        super()._run()

    def _finish(self, held: bytes) -> None:
        wanted = self.store.pending_version_or_none
        with self.storage.transaction():
            good = self.boot_pending()
            if good:
                self.note("activated", from_version=held.hex().upper(), to_version=f"{self.firmware_version:08X}")
                self.activated(self.firmware_version)
            else:
                self.activation_failed(self.firmware_version if wanted is None else wanted)
            self.storage.delete(_BEGUN)

    def activated(self, version: int) -> None:
        """Tell the access control broker that `version` runs."""
        self._tell(version, ActivationCode.ACTIVATED)

    def activation_failed(self, version: int) -> None:
        """Tell the access control broker that `version` does not run."""
        self._tell(version, ActivationCode.FAILED)

    def _tell(self, version: int, code: ActivationCode) -> None:
        broker = self.entity.anchors.eui(RemotePartyRole.ACCESS_CONTROL_BROKER)
        alert = cs09.Alert(self.wall.utc(), version, code)
        self.send_alert(cs09.MESSAGE_CODE, broker, lambda _: alert.encode())

    def _cs08(self, message: Message) -> Answer:
        cs08.Command.decode(message.payload)
        return Answer(cs08.Response(self.firmware_version).encode())
