"""The way of each OTA frame over the air, hop by hop, with tries and acknowledgements; and how busy the air was."""

from bisect import bisect_left, bisect_right

from gateway.campaigns.evidence.watching import ApsSighting, Watcher
from protocols.addresses import Eui64
from protocols.mac.frame import FrameType, MacFrame
from protocols.pcapng import CapturedFrame
from protocols.zcl.clusters import ota

OCTET_TIME = 32_000  # ns at 250 kbit/s
PREAMBLE_OCTETS = 6  # preamble, start of frame, length
ACK_WITHIN = 1_500_000  # ns from the end of a frame to the end of its acknowledgement: 864 us and room
POLLED_WITHIN = 25_000_000  # ns from a data request to the frame that it fetched
_DATA_REQUEST = b"\x04"  # MAC command


def airtime(octets: int) -> int:
    """Return how long a frame of `octets`, FCS included, is on the air, ns."""
    return (octets + PREAMBLE_OCTETS) * OCTET_TIME


class Hop:
    """A frame between two neighbours, all its tries."""

    __slots__ = ("acknowledged", "asks", "began", "destination", "last", "network", "receiver", "sender", "tries")

    def __init__(self, sighting: ApsSighting) -> None:
        captured, mac, euis = sighting.captured, sighting.mac, sighting.space.euis
        self.network = captured.network
        self.destination = mac.destination
        self.sender, self.receiver = euis.get(_short(mac.source)), euis.get(_short(mac.destination))
        self.began = captured.time - airtime(len(captured.octets))  # ns, start of the first try
        self.last = captured.time  # ns, end of the last try
        self.tries = 1
        self.asks = mac.ack_request
        self.acknowledged: int | None = None  # ns, end of the acknowledgement

    @property
    def done(self) -> bool:
        """Whether the receiver has the frame, as far as can be seen."""
        return self.acknowledged is not None or not self.asks

    @property
    def ended(self) -> int:
        return self.last if self.acknowledged is None else self.acknowledged


class Passage:
    """One OTA frame from originator to destination."""

    __slots__ = ("destination", "frame", "hops", "source")

    def __init__(self, sighting: ApsSighting) -> None:
        self.frame = sighting.captured.number  # first sighting
        self.source, self.destination = sighting.nwk.source, sighting.nwk.destination  # short addresses
        self.hops = [Hop(sighting)]

    @property
    def began(self) -> int:
        """When the first try of the first hop began, ns."""
        return self.hops[0].began

    @property
    def arrived(self) -> int | None:
        """When the destination had the frame, ns; None if it did not get it."""
        last = self.hops[-1]
        return last.ended if last.done and last.destination == self.destination else None

    @property
    def tries(self) -> int:
        return sum(hop.tries for hop in self.hops)


class HopLog(Watcher):
    """Keeps the passages of all OTA frames by the number of their first sighting."""

    def __init__(self) -> None:
        self.passages: dict[int, Passage] = {}
        self._latest: dict[tuple[int, int, int, int], Passage] = {}  # by space, source, destination, APS counter
        self._content: dict[int, bytes] = {}  # of the latest passages, by first frame
        self._expecting: dict[str, tuple[int, Hop]] = {}  # by network: MAC sequence and hop that wait
        self._busy: dict[str, tuple[list[int], list[int]]] = {}  # by network: ends of frames, airtime up to there
        self._heard: dict[tuple[str, int], list[int]] = {}  # by network and short address: when it sent
        self._polls: dict[tuple[str, int], list[int]] = {}  # the data requests among them

    # --- Watcher -----------------------------------------------------------------------------------------------

    def mac(self, captured: CapturedFrame, frame: MacFrame) -> None:
        ends, sums = self._busy.setdefault(captured.network, ([], [0]))
        ends.append(captured.time)
        sums.append(sums[-1] + airtime(len(captured.octets)))
        if frame.frame_type == FrameType.ACKNOWLEDGEMENT:
            self._acknowledge(captured, frame.sequence)
        elif frame.source is not None:
            sender = (captured.network, _short(frame.source))
            self._heard.setdefault(sender, []).append(captured.time)
            if frame.frame_type == FrameType.COMMAND and frame.payload[:1] == _DATA_REQUEST:
                self._polls.setdefault(sender, []).append(captured.time)

    def aps(self, sighting: ApsSighting) -> None:
        if sighting.aps.cluster != ota.CLUSTER:
            return
        captured, mac = sighting.captured, sighting.mac
        key = (sighting.space.number, sighting.nwk.source, sighting.nwk.destination, sighting.aps.counter)
        passage = self._latest.get(key)
        if passage is None or self._content[passage.frame] != sighting.octets:
            if passage is not None:
                del self._content[passage.frame]
            passage = self._latest[key] = self.passages[captured.number] = Passage(sighting)
            self._content[captured.number] = sighting.octets
            hop = passage.hops[0]
        else:
            hop = self._continued(passage, sighting)
        self._expecting[captured.network] = (mac.sequence, hop)

    def _continued(self, passage: Passage, sighting: ApsSighting) -> Hop:
        captured, euis = sighting.captured, sighting.space.euis
        sender = euis.get(_short(sighting.mac.source))
        for hop in passage.hops:
            same = (hop.network, hop.sender, hop.destination) == (captured.network, sender, sighting.mac.destination)
            if same:
                hop.tries += 1
                hop.last = captured.time
                return hop
        passage.hops.append(Hop(sighting))
        return passage.hops[-1]

    def _acknowledge(self, captured: CapturedFrame, sequence: int) -> None:
        waiting = self._expecting.get(captured.network)
        if waiting is not None and waiting[0] == sequence and captured.time - waiting[1].last <= ACK_WITHIN:
            waiting[1].acknowledged = captured.time

    # --- questions ---------------------------------------------------------------------------------------------

    def busy(self, network: str, begin: int, end: int) -> float:
        """Return the share of the time that frames were on the air of `network`."""
        ends, sums = self._busy.get(network, ([], [0]))
        taken = sums[bisect_right(ends, end)] - sums[bisect_right(ends, begin)]
        return taken / (end - begin) if end > begin else 0.0

    def polls(self, network: str, address: int) -> list[int]:
        """Return when a node asked its parent for frames, ns."""
        return self._polls.get((network, address), [])

    def polled(self, hop: Hop) -> bool:
        """Whether the receiver fetched the frame of a hop from its parent."""
        polls = self._polls.get((hop.network, _short(hop.destination)), [])
        before = bisect_right(polls, hop.began)
        return before > 0 and hop.began - polls[before - 1] <= POLLED_WITHIN

    def silence(self, network: str, address: int, around: int) -> int:
        """Return how long a node sent nothing around the time `around`, acknowledgements not counted, ns."""
        heard = self._heard.get((network, address), [])
        after = bisect_left(heard, around)
        begin = heard[after - 1] if after else self._edge(network, 0)
        return (heard[after] if after < len(heard) else self._edge(network, -1)) - begin

    def _edge(self, network: str, index: int) -> int:
        ends = self._busy.get(network, ([0], [0]))[0]
        return ends[index] if ends else 0


def _short(address: "int | Eui64 | None") -> int:
    return -1 if address is None else int(address)
