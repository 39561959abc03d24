"""Rules of MAC, NWK and APS frames: counters, repetitions, acknowledgements."""

from bisect import bisect_left
from collections import Counter

from gateway.campaigns.evidence.addresses import AddressSpace
from gateway.campaigns.evidence.hops import ACK_WITHIN, airtime
from gateway.campaigns.evidence.watching import ApsSighting, Watcher
from gateway.campaigns.lint.findings import LintSettings, Report
from protocols.addresses import Eui64
from protocols.aps.frame import FrameType as ApsFrameType
from protocols.interfaces import SECOND
from protocols.mac.frame import FrameType, MacFrame
from protocols.pcapng import CapturedFrame

_SAME_WITHIN = SECOND  # a repetition of a MAC frame follows at once
_THERE = SECOND // 2  # a node heard this long before and after was there
_ANSWERS_WITHIN = 20 * SECOND  # an APS acknowledgement, of a sleepy end device too
_LONGEST = 2 * airtime(127)  # ns: what ends later cannot have overlapped
_KEPT = 256  # APS frames of a pair that may still be relayed or repeated


class _Sent:
    """A MAC frame with its repetitions."""

    __slots__ = ("acknowledged", "destination", "ends", "frames", "octets")

    def __init__(self, captured: CapturedFrame, frame: MacFrame) -> None:
        self.octets = captured.octets
        self.destination = -1 if frame.destination is None else int(frame.destination)
        self.frames = [captured.number]
        self.ends = [captured.time]
        self.acknowledged = False


class _Waiting:
    """An APS frame that asks for an acknowledgement."""

    __slots__ = ("acknowledged", "destination", "frames", "hop", "last", "network")

    def __init__(self, destination: int) -> None:
        self.destination = destination
        self.frames: list[int] = []
        self.acknowledged = False
        self.hop: _Sent | None = None  # of the last sighting that went to the destination itself
        self.network, self.last = "", 0


class FrameRules(Watcher):
    """Watches a dissection; `finish` adds what only the end shows."""

    def __init__(self, report: Report, settings: LintSettings) -> None:
        self._report, self._settings = report, settings
        self._latest: dict[tuple[str, int], _Sent] = {}  # by network and sender
        self._expecting: dict[str, tuple[int, _Sent]] = {}  # by network: sequence and frame
        self._unacknowledged: list[tuple[str, _Sent]] = []
        self._heard: dict[tuple[str, int], list[int]] = {}
        self._answered: Counter[tuple[str, int]] = Counter()  # acknowledged frames by network and receiver
        self._spans: dict[str, tuple[list[int], list[int]]] = {}  # by network: ends and starts of all frames
        self._nwk: dict[tuple[str, int, int, Eui64], tuple[int, bytes, int]] = {}  # counter, octets, frame
        self._aps: dict[tuple[Eui64 | None, bytes | None, int], tuple[int, dict[int, bytes]]] = {}
        self._waiting: dict[tuple[int, int, int, int, int], _Waiting] = {}
        self._end = 0

    # --- MAC ---------------------------------------------------------------------------------------------------

    def mac(self, captured: CapturedFrame, frame: MacFrame) -> None:
        self._end = captured.time
        network = captured.network
        ends, starts = self._spans.setdefault(network, ([], []))
        ends.append(captured.time)
        starts.append(captured.time - airtime(len(captured.octets)))
        if frame.frame_type == FrameType.ACKNOWLEDGEMENT:
            self._acknowledged(captured, frame.sequence)
            return
        if frame.source is None:
            return
        key = (network, int(frame.source))
        self._heard.setdefault(key, []).append(captured.time)
        before = self._latest.get(key)
        if before is not None and before.octets == captured.octets and captured.time - before.ends[-1] <= _SAME_WITHIN:
            self._repeated(before, captured)
        else:
            before = self._latest[key] = _Sent(captured, frame)
            if frame.ack_request:
                self._unacknowledged.append((network, before))
        if frame.ack_request:
            self._expecting[network] = (frame.sequence, before)

    def _repeated(self, sent: _Sent, captured: CapturedFrame) -> None:
        sent.frames.append(captured.number)
        sent.ends.append(captured.time)
        tries, most = len(sent.frames) - 1, self._settings.mac_retries
        self._report.check("mac-retries", tries <= most, (captured.number,), f"repetition {tries}, {most} allowed")

    def _acknowledged(self, captured: CapturedFrame, sequence: int) -> None:
        waiting = self._expecting.get(captured.network)
        if waiting is None or waiting[0] != sequence or captured.time - waiting[1].ends[-1] > ACK_WITHIN:
            return
        sent = waiting[1]
        if not sent.acknowledged:
            sent.acknowledged = True
            self._report.checked["mac-ack"] += 1
            if self._unacknowledged and self._unacknowledged[-1][1] is sent:
                self._unacknowledged.pop()
        receiver = (captured.network, sent.destination)
        self._answered[receiver] += 1
        self._heard.setdefault(receiver, []).append(captured.time)

    def _there(self, network: str, address: int, begin: int, end: int) -> bool:
        """Whether a node was heard shortly before and shortly after."""
        heard = self._heard.get((network, address), [])
        first, behind = bisect_left(heard, begin), bisect_left(heard, end)
        before = first > 0 and begin - heard[first - 1] <= _THERE
        return before and behind < len(heard) and heard[behind] - end <= _THERE

    # --- NWK ---------------------------------------------------------------------------------------------------

    def nwk(self, captured: CapturedFrame, space: AddressSpace, key_sequence: int, hop: Eui64, counter: int) -> None:
        key = (captured.network, space.number, key_sequence, hop)  # the radios of a bridge each have a queue
        before = self._nwk.get(key)
        if before is not None and before[0] == counter and before[1] == captured.octets:
            return  # the MAC repeats it
        good = before is None or counter > before[0]
        last, frame = (0, 0) if before is None else (before[0], before[2])
        self._report.check("nwk-counter", good, (frame, captured.number), f"{hop} sent counter {counter} after {last}")
        if good:
            self._nwk[key] = (counter, captured.octets, captured.number)

    # --- APS ---------------------------------------------------------------------------------------------------

    def aps(self, sighting: ApsSighting) -> None:
        if sighting.counter is not None:
            self._aps_counter(sighting, sighting.counter)
        header = sighting.aps
        if header.frame_type == ApsFrameType.ACKNOWLEDGEMENT:
            key = (sighting.space.number, sighting.nwk.destination, sighting.nwk.source, header.cluster, header.counter)
            waiting = self._waiting.get(key)
            if waiting is not None and not waiting.acknowledged:
                waiting.acknowledged = True
                self._report.checked["aps-ack"] += 1
        elif header.frame_type == ApsFrameType.DATA and header.ack_request:
            self._wait(sighting)

    def _aps_counter(self, sighting: ApsSighting, counter: int) -> None:
        control = sighting.octets[len(sighting.aps.encode())]
        key = (sighting.source, sighting.key, control >> 3 & 3)
        last, kept = self._aps.get(key, (-1, {}))
        if kept.get(counter) == sighting.octets:
            return  # a relay or a repetition
        good, number = counter > last, sighting.captured.number
        what = f"{sighting.source} sent counter {counter} after {last}"
        self._report.check("aps-counter", good, (number,), what)
        kept[counter] = sighting.octets
        if len(kept) > _KEPT:
            del kept[next(iter(kept))]
        self._aps[key] = (max(last, counter), kept)

    def _wait(self, sighting: ApsSighting) -> None:
        nwk, header, captured = sighting.nwk, sighting.aps, sighting.captured
        key = (sighting.space.number, nwk.source, nwk.destination, header.cluster, header.counter)
        waiting = self._waiting.get(key)
        if waiting is None or captured.time - waiting.last > _ANSWERS_WITHIN:
            self._settle(waiting)
            waiting = self._waiting[key] = _Waiting(nwk.destination)
        waiting.last = captured.time
        if sighting.mac.destination == nwk.destination and sighting.mac.source is not None:
            waiting.frames.append(captured.number)
            waiting.network = captured.network
            waiting.hop = self._latest.get((captured.network, int(sighting.mac.source)))

    def _settle(self, waiting: _Waiting | None) -> None:
        """Judge an APS frame that was delivered and never acknowledged."""
        if waiting is None or waiting.acknowledged or waiting.hop is None or not waiting.hop.acknowledged:
            return
        at = waiting.last
        if self._end - at < _ANSWERS_WITHIN or not self._there(waiting.network, waiting.destination, at, at + SECOND):
            return
        what = f"no APS acknowledgement of {waiting.destination:04x}"
        self._report.check("aps-ack", False, tuple(waiting.frames), what)

    def _collided(self, network: str, end: int, sent: _Sent) -> bool:
        """Whether another frame was on the air during a try that ended at `end`, or its acknowledgement."""
        ends, starts = self._spans[network]
        begin = end - airtime(len(sent.octets))
        at = bisect_left(ends, begin)
        while at < len(ends) and ends[at] < end + _LONGEST:
            if ends[at] > begin and starts[at] < end + ACK_WITHIN and ends[at] != end:
                return True
            at += 1
        return False

    # --- the end -----------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Judge what was never acknowledged, now that it is known who was there."""
        missing: dict[tuple[str, int], list[int]] = {}
        for network, sent in self._unacknowledged:
            there = self._there(network, sent.destination, sent.ends[0], sent.ends[-1] + ACK_WITHIN)
            if there and not sent.acknowledged and not any(self._collided(network, end, sent) for end in sent.ends):
                missing.setdefault((network, sent.destination), []).append(sent.frames[0])
        for (network, address), frames in missing.items():
            whole = len(frames) + self._answered[network, address]
            good = len(frames) <= whole * self._settings.unacknowledged
            what = f"{address:04x} on {network} acknowledged {whole - len(frames)} of {whole} frames"
            self._report.check("mac-ack", good, tuple(frames), what)
        for waiting in self._waiting.values():
            self._settle(waiting)
