"""Link keys in use: under which a device joined, how it agreed with the hub on another, what went under which."""

from typing import Final, NamedTuple

from gateway.campaigns.evidence.dissector import ApsMessage, KeyTransport
from protocols.addresses import Eui64
from protocols.zcl.clusters import key_establishment
from protocols.zcl.clusters.key_establishment import KeyEstablishmentCommand
from protocols.zcl.frame import ZclFrame

SMART_ENERGY: Final = 0x0109
NETWORK_KEY_SUFFICES: Final = frozenset({0x0000, 0x0001, 0x0003, 0x0009, 0x000A, 0x0025, key_establishment.CLUSTER})
"""Clusters of Smart Energy without a link key: Basic, Power Configuration, Identify, Alarms, Time, Keep-Alive.

Source: ZSE 07-5356 5.4.6; for Alarms and Time the sources disagree.
"""


class KeyMessage(NamedTuple):
    """A message of key establishment between a device and the coordinator, first sighting."""

    frame: int
    time: int  # ns UTC
    device: Eui64
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


class LinkKeys(NamedTuple):
    """In order of time; uses in order of their first message."""

    transports: list[KeyTransport]
    messages: list[KeyMessage]
    uses: list[KeyUse]
    plain: list[PlainMessage]


class LinkKeyLog:
    """Takes every application message; `found` tells what came of it."""

    def __init__(self) -> None:
        self._messages: list[KeyMessage] = []
        self._uses: dict[tuple[Eui64, bytes], list[int]] = {}  # messages, first frame, first, last
        self._plain: list[PlainMessage] = []

    def take(self, message: ApsMessage, frame: ZclFrame) -> None:
        """Raises DecodeError for a message of key establishment that is none."""
        device = message.destination if message.from_coordinator else message.source
        if device is None or not message.with_coordinator or message.profile != SMART_ENERGY:
            return
        if message.cluster == key_establishment.CLUSTER:
            if frame.cluster_specific:
                self._exchange(message, frame, device)
        elif message.key is not None:
            use = self._uses.get((device, message.key))
            if use is None:
                self._uses[device, message.key] = [1, message.frame, message.time, message.time]
            else:
                use[0] += 1
                use[3] = message.time
        elif message.destination is not None and message.cluster not in NETWORK_KEY_SUFFICES:
            self._plain.append(PlainMessage(message.frame, device, message.cluster))

    def _exchange(self, message: ApsMessage, frame: ZclFrame, device: Eui64) -> None:
        command = key_establishment.decode(frame)
        place, said = (message.frame, message.time, device, message.source), (frame.transaction, command)
        self._messages.append(KeyMessage(*place, frame.from_server, message.secured, *said))

    def found(self, transports: list[KeyTransport]) -> LinkKeys:
        uses = [KeyUse(device, key, *use) for (device, key), use in self._uses.items()]
        return LinkKeys(transports, self._messages, uses, self._plain)
