"""What the parts of a meter or display share: who they are on the HAN and what they keep."""

from typing import NamedTuple

from emulator.parts.gbcs_application import Note
from emulator.parts.han_application import HanApplication
from emulator.parts.journal import Journal
from emulator.parts.partner_keys import PartnerKeys
from emulator.parts.timers import Timers
from emulator.parts.zcl_client import ZclClient
from protocols.interfaces import AdjustableClock, Clock
from protocols.stack.node import Node


class MeterParts(NamedTuple):
    node: Node
    application: HanApplication
    client: ZclClient
    timers: Timers
    clock: Clock
    wall: AdjustableClock
    storage: Journal
    note: Note
    partners: PartnerKeys
