"""ECS17b and GCS13a at a meter: its total registers, sealed for who asked."""

from collections.abc import Callable

from emulator.parts.gbcs_application import Answer, GbcsApplication
from protocols.errors import DecodeError
from protocols.gbcs.encryption import Protected
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ecs17b, gcs13a
from protocols.zcl.clusters.metering import Unit

_THOUSAND = 1000  # litres in a cubic metre
_MOST = 0xFFFF_FFFF  # registers of 32 bits go round


def serve_electricity(
    application: GbcsApplication, total: Callable[[], int], second: Callable[[], int] | None = None
) -> None:
    """Serve ECS17b; total(): active import, Wh; second(): of the second element. Reactive import is not measured: 0."""

    def read(message: Message) -> Answer:
        command = ecs17b.Command.decode(message.payload)
        asked = (command.counter, command.originator, command.target)
        if asked != (message.counter, message.originator, message.target):
            raise DecodeError("the transaction of the payload is not that of the message", data=message.payload)
        secondary = None if second is None else second() & _MOST
        plaintext = ecs17b.Registers(total() & _MOST, 0, secondary).encode()
        envelope, sealed = application.entity.seal(message, plaintext)
        response = ecs17b.Response(Protected.of(envelope, sealed), counter=message.counter)
        return Answer(response.encode(), envelope=envelope)

    application.on(ecs17b.MESSAGE_CODE, read)


def serve_gas(application: GbcsApplication, total: Callable[[], int]) -> None:
    """Serve GCS13a; total(): litres."""

    def read(message: Message) -> Answer:
        gcs13a.Command.decode(message.payload)
        plaintext = gcs13a.Registers(_THOUSAND, 1, Unit.CUBIC_METRES, total()).encode()
        envelope, sealed = application.entity.seal(message, plaintext)
        return Answer(gcs13a.Response(sealed).encode(), envelope=envelope)

    application.on(gcs13a.MESSAGE_CODE, read)
