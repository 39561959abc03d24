"""What stands on a node."""

from collections.abc import Callable, Sequence

from protocols.interfaces import HanEvent, SimpleDescriptor
from protocols.stack.hooks import nobody
from protocols.stack.keys import PartnerKeyListener


class Application:
    """The endpoints of a node, and who hears its events. It stays through power cuts."""

    __slots__ = ("endpoint_numbers", "endpoints", "listener", "partners")

    def __init__(self) -> None:
        self.endpoints: tuple[SimpleDescriptor, ...] = ()
        self.endpoint_numbers: tuple[int, ...] = ()
        self.listener: Callable[[HanEvent], object] = nobody
        self.partners: PartnerKeyListener | None = None  # None: keys with everybody are taken

    def register(self, endpoints: Sequence[SimpleDescriptor]) -> None:
        self.endpoints = tuple(endpoints)
        self.endpoint_numbers = tuple([each.endpoint for each in endpoints])
