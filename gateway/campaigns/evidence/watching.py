"""How to see every frame that the dissector opens, relays and repetitions included."""

from typing import NamedTuple

from gateway.campaigns.evidence.addresses import AddressSpace
from protocols.addresses import Eui64
from protocols.aps.frame import ApsHeader
from protocols.mac.frame import MacFrame
from protocols.nwk.frame import NwkHeader
from protocols.pcapng import CapturedFrame


class ApsSighting(NamedTuple):
    """An APS frame, opened, on one hop of its way."""

    captured: CapturedFrame
    mac: MacFrame
    space: AddressSpace
    nwk: NwkHeader
    aps: ApsHeader
    source: Eui64 | None  # of the APS frame
    destination: Eui64 | None  # None: broadcast, or not known
    counter: int | None  # 32 bits, of APS security
    octets: bytes  # of the APS frame, as sent
    key: bytes | None  # the link key that opened it


class Watcher:
    """Base of those who watch; each method is called for good frames only, in order of time."""

    def mac(self, captured: CapturedFrame, frame: MacFrame) -> None:
        """See a frame with a good FCS, acknowledgements too."""

    def nwk(self, captured: CapturedFrame, space: AddressSpace, key_sequence: int, hop: Eui64, counter: int) -> None:
        """See a NWK frame that a network key opened. hop: who sent it, relays too. counter: 32 bits."""

    def aps(self, sighting: ApsSighting) -> None:
        """See an APS frame of any type."""
