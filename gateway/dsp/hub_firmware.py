"""Firmware of hubs: the CSP brings it and tells what runs; the inventory follows and the suppliers hear (N63)."""

from gateway.dsp.answers import Answers
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Alert, Decision, Signature
from gateway.dsp.rows import append, version_text
from protocols.duis.alerts import CommsHubFirmwareActivation
from protocols.duis.inventory import DeviceType
from protocols.wan.smwan import HubFirmwareActivated

_CODE = "N63"


class HubFirmware:
    def __init__(self, inventory: Inventory, answers: Answers) -> None:
        self._inventory, self._answers = inventory, answers

    def activated(self, turn: Turn, told: HubFirmwareActivated) -> bool:
        """Record the version of CHF and GPF, which are one, and tell the suppliers; False if there is no such hub.

        A version that is not on the products list suspends the hub, as any device's does.
        """
        hub = self._inventory.device(told.hub)
        if hub is None or hub.type is not DeviceType.CHF:
            return False
        payload = CommsHubFirmwareActivation(device_id=hub.device, firmware_version=version_text(told.version) or "")
        for supplier in self._inventory.responsible_suppliers(hub):
            append(turn, Alert(turn.now, _CODE, hub.device, Decision.DELIVERED, supplier, Signature.NONE, None))
            self._answers.dcc_alert(turn, supplier, _CODE, payload)
            turn.note(
                "alert", code=_CODE, origin=str(hub.device), decision=str(Decision.DELIVERED),
                signature=str(Signature.NONE), recipient=str(supplier),
            )  # fmt: skip
        for device in self._inventory.on_hub(hub.device):
            if device.type in (DeviceType.CHF, DeviceType.GPF):
                self._inventory.version_reported(turn, device, told.version, _CODE)
        return True
