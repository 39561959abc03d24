"""HCALCS: switches a load on the supplier's behalf; firmware by 11.1 and CS06, version read by CS08."""

from typing import Unpack

from emulator.parts.command_activated import CommandActivatedDevice
from emulator.parts.gbcs_application import Answer
from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.han_application import LOAD_CONTROL_DEVICE
from emulator.parts.updatable import DeviceParts
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs08


class Hcalcs(CommandActivatedDevice):
    """A load switch. It opens when the power goes and stays open until told."""

    gbcs_kind = DeviceKind.HCALCS
    shown = LOAD_CONTROL_DEVICE
    load_on = False

    def __init__(self, **parts: Unpack[DeviceParts]) -> None:
        super().__init__(**parts)
        self.gbcs.on(cs08.MESSAGE_CODE, self._cs08)

    def switch_load(self, on: bool) -> None:
        self.load_on = on and self.powered

    def power_off(self) -> None:
        self.load_on = False
        super().power_off()

    def _cs08(self, message: Message) -> Answer:
        cs08.Command.decode(message.payload)
        return Answer(cs08.Response(self.firmware_version).encode())
