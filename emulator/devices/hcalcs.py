"""HCALCS: switches a load on the supplier's behalf; firmware by 11.1 and CS06, version read by CS08."""

from emulator.parts.command_activated import CommandActivatedDevice
from emulator.parts.han_application import LOAD_CONTROL_DEVICE
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs08


class Hcalcs(CommandActivatedDevice):
    """A load switch. It opens when the power goes and stays open until told."""

    shown = LOAD_CONTROL_DEVICE
    load_on = False

    def switch_load(self, on: bool) -> None:
        self.load_on = on and self.powered

    def power_off(self) -> None:
        self.load_on = False
        super().power_off()

    def command(self, message: Message, octets: bytes) -> None:
        if message.message_code == cs08.MESSAGE_CODE:
            cs08.Command.decode(message.payload)
            response = cs08.Response(self.firmware_version)
            self.send_gbcs(self.entity.respond(message, response.encode(), signed=False))
        else:
            super().command(message, octets)
