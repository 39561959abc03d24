"""Link keys in use: under which a device joined, how it agreed with the hub on another, what went under which."""

from typing import Final, NamedTuple, TypeVar

from gateway.campaigns.evidence.dissector import ApsMessage, KeyTransport, PartnerKey
from protocols.addresses import Eui64
from protocols.zcl.clusters import key_establishment
from protocols.zcl.clusters.key_establishment import KeyEstablishmentCommand
from protocols.zcl.frame import ZclFrame

Owner = TypeVar("Owner")

SMART_ENERGY: Final = 0x0109
NETWORK_KEY_SUFFICES: Final = frozenset({0x0000, 0x0001, 0x0003, 0x0009, 0x000A, 0x0025, key_establishment.CLUSTER})
"""Clusters of Smart Energy without a link key: Basic, Power Configuration, Identify, Alarms, Time, Keep-Alive.

Source: ZSE 07-5356 5.4.6; for Alarms and Time the sources disagree.
"""


class Pair(NamedTuple):
    """Two devices, neither of which is the coordinator."""

    one: Eui64
    other: Eui64

    @classmethod
    def of(cls, one: Eui64, other: Eui64) -> "Pair":
        """Return the pair, whoever is named first."""
        return cls(min(one, other), max(one, other))


class KeyMessage(NamedTuple):
    """A message of key establishment between a device and the coordinator, or between two devices; first sighting."""

    frame: int
    time: int  # ns UTC
    device: Eui64  # of two devices the client
    sender: Eui64 | None
    from_server: bool
    secured: bool  # with a link key
    transaction: int
    command: KeyEstablishmentCommand


class KeyUse(NamedTuple):
    """Smart Energy messages between a device and the coordinator under one link key."""

    device: Eui64
    key: bytes
    messages: int
    first_frame: int
    first: int  # ns UTC
    last: int


class PlainMessage(NamedTuple):
    """A Smart Energy message to one receiver, without a link key where one is needed."""

    frame: int
    device: Eui64
    cluster: int


class PairUse(NamedTuple):
    """Smart Energy messages of one device to another under one link key."""

    sender: Eui64
    receiver: Eui64
    key: bytes
    messages: int
    first_frame: int
    first: int  # ns UTC
    last: int

    @property
    def pair(self) -> Pair:
        return Pair.of(self.sender, self.receiver)


class PairKeys(NamedTuple):
    """What two devices without the coordinator had of link keys: by pair."""

    keys: list[PartnerKey]
    messages: dict[Pair, list[KeyMessage]]
    uses: list[PairUse]


class LinkKeys(NamedTuple):
    """In order of time; uses in order of their first message."""

    transports: list[KeyTransport]
    messages: list[KeyMessage]
    uses: list[KeyUse]
    plain: list[PlainMessage]
    pairs: PairKeys


class LinkKeyLog:
    """Takes every application message; `found` tells what came of it."""

    def __init__(self) -> None:
        self._messages: list[KeyMessage] = []
        self._uses: dict[tuple[Eui64, bytes], list[int]] = {}  # messages, first frame, first, last
        self._plain: list[PlainMessage] = []
        self._pair_messages: dict[Pair, list[KeyMessage]] = {}
        self._pair_uses: dict[tuple[Eui64, Eui64, bytes], list[int]] = {}

    def take(self, message: ApsMessage, frame: ZclFrame) -> None:
        """Raises DecodeError for a message of key establishment that is none."""
        device = message.destination if message.from_coordinator else message.source
        if device is None or message.profile != SMART_ENERGY:
            return
        if not message.with_coordinator:
            self._between(message, frame)
        elif message.cluster == key_establishment.CLUSTER:
            if frame.cluster_specific:
                self._messages.append(_exchanged(message, frame, device))
        elif message.key is not None:
            _count(self._uses, (device, message.key), message)
        elif message.destination is not None and message.cluster not in NETWORK_KEY_SUFFICES:
            self._plain.append(PlainMessage(message.frame, device, message.cluster))

    def _between(self, message: ApsMessage, frame: ZclFrame) -> None:
        """Take a message between two devices."""
        source, destination = message.source, message.destination
        if source is None or destination is None:
            return
        if message.cluster == key_establishment.CLUSTER:
            if frame.cluster_specific:
                client = destination if frame.from_server else source
                said = self._pair_messages.setdefault(Pair.of(source, destination), [])
                said.append(_exchanged(message, frame, client))
        elif message.key is not None:
            _count(self._pair_uses, (source, destination, message.key), message)
        elif message.cluster not in NETWORK_KEY_SUFFICES:
            self._plain.append(PlainMessage(message.frame, source, message.cluster))

    def found(self, transports: list[KeyTransport], partner_keys: list[PartnerKey]) -> LinkKeys:
        uses = [KeyUse(device, key, *use) for (device, key), use in self._uses.items()]
        pair_uses = [PairUse(*ends, *use) for ends, use in self._pair_uses.items()]
        pairs = PairKeys(partner_keys, self._pair_messages, pair_uses)
        return LinkKeys(transports, self._messages, uses, self._plain, pairs)


def _exchanged(message: ApsMessage, frame: ZclFrame, device: Eui64) -> KeyMessage:
    command = key_establishment.decode(frame)
    place, said = (message.frame, message.time, device, message.source), (frame.transaction, command)
    return KeyMessage(*place, frame.from_server, message.secured, *said)


def _count(uses: dict[Owner, list[int]], owner: Owner, message: ApsMessage) -> None:
    """Count a message: how many, first frame, first, last."""
    use = uses.get(owner)
    if use is None:
        uses[owner] = [1, message.frame, message.time, message.time]
    else:
        use[0] += 1
        use[3] = message.time
