"""What meters and their partners said to each other by commands of Smart Energy: prices, texts, loads, top-ups."""

from typing import Final, NamedTuple

from gateway.campaigns.evidence.dissector import ApsMessage
from protocols.addresses import Eui64
from protocols.zcl.clusters import drlc, messaging, prepayment, price
from protocols.zcl.command_set import Command, CommandSet
from protocols.zcl.frame import ZclFrame

_SETS: Final[dict[int, CommandSet]] = {
    price.CLUSTER: price.COMMANDS,
    drlc.CLUSTER: drlc.COMMANDS,
    messaging.CLUSTER: messaging.COMMANDS,
    prepayment.CLUSTER: prepayment.COMMANDS,
}


class EnergyCommand(NamedTuple):
    """A command of one of these clusters, its first sighting."""

    frame: int
    time: int  # ns UTC
    source: Eui64
    destination: Eui64
    command: Command


class EnergyLog:
    """Takes every application message that is a command of a cluster."""

    def __init__(self) -> None:
        self.found: list[EnergyCommand] = []

    def take(self, message: ApsMessage, frame: ZclFrame) -> None:
        """Keep it if it is one of these; DecodeError for one that does not hold what its number says."""
        commands = _SETS.get(message.cluster)
        if commands is None or message.source is None or message.destination is None or frame.manufacturer is not None:
            return
        if frame.command in (commands.from_server if frame.from_server else commands.from_client):
            command = commands.decode(frame)
            self.found.append(EnergyCommand(message.frame, message.time, message.source, message.destination, command))
