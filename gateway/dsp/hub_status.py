"""Service requests 8.14.1 to 8.14.4: what a user tells of a Communications Hub it installed or sends back."""

from gateway.dsp.effects import Turn
from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Device
from gateway.dsp.services import (
    HUB_EXPECTED,
    HUB_MPXN_UNKNOWN,
    HUB_OTHER_DEVICE,
    HUB_STATUS,
    HUB_UNKNOWN,
    RefusedError,
)
from gateway.dsp.statuses import GONE
from gateway.dsp.validation import Validation
from protocols.addresses import Eui64
from protocols.duis.bodies import (
    ChfFaultReturn,
    ChfNoFaultReturn,
    ChfStatusUpdate,
)
from protocols.duis.codes import ACCEPTED
from protocols.duis.inventory import DeviceType


class HubStatus:
    """Statuses of the inventory do not follow: those of a hub change by 8.4 alone."""

    def __init__(self, inventory: Inventory, validation: Validation) -> None:
        self._inventory, self._validation = inventory, validation

    def update(self, turn: Turn, user: Eui64, body: ChfStatusUpdate, cause: str) -> str:
        """Record where a hub was installed, or that it goes back; return the response code. Raises RefusedError."""
        hub = self._hub(user, body.device_id)
        turn_notes = {"hub": str(hub.device), "update": type(body).ELEMENT}
        if isinstance(body, ChfFaultReturn | ChfNoFaultReturn):
            if isinstance(body, ChfFaultReturn) and self._inventory.device(body.other_device_id) is None:
                raise RefusedError(HUB_OTHER_DEVICE, f"{body.other_device_id} is not in the inventory")
            turn.note("hub-return", **turn_notes, type=body.return_type)
            return ACCEPTED
        if hub.status in GONE:
            raise RefusedError(HUB_STATUS, f"{hub.device} is {hub.status}")
        if self._inventory.premises.get(body.mpxn) is None:
            return HUB_MPXN_UNKNOWN
        self._inventory.change(turn, hub, cause, mpxn=body.mpxn)
        turn.note("hub-installed", **turn_notes, type=body.install_type)
        return ACCEPTED

    def _hub(self, user: Eui64, eui: Eui64) -> Device:
        hub = self._inventory.device(eui)
        if hub is None:
            raise RefusedError(HUB_UNKNOWN, f"{eui} is not in the inventory")
        if hub.type is not DeviceType.CHF:
            raise RefusedError(HUB_EXPECTED, f"{eui} is a {hub.type}")
        if not self._validation.authorised(user, hub):
            raise RefusedError("E4", f"{user} has no rights on {eui}")
        return hub
