"""ECS61a at an ESME: the switches it controls, first its own, then the HCALCS that follow it."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from emulator.parts.gbcs_application import Answer, GbcsApplication
from emulator.parts.load_control import OnTime
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ecs61a

_DAY = 24 * 60  # minutes
_NOBODY = Eui64(0)


class Controlled(NamedTuple):
    """One switch and what the meter knows of it."""

    hcalcs: Eui64 | None  # None: the meter's own
    on: tuple[OnTime, ...]
    closed: bool


def serve_switches(application: GbcsApplication, switches: Callable[[], tuple[Controlled, ...]]) -> None:
    """Serve ECS61a of the first five; places that no switch has are empty and open [I]."""

    def read(message: Message) -> Answer:
        ecs61a.Command.decode(message.payload)
        found = switches()[: ecs61a.SWITCHES]
        empty = ecs61a.SWITCHES - len(found)
        names = (f"{'ALCS' if each.hcalcs is None else 'HCALCS'} {number}" for number, each in enumerate(found, 1))
        response = ecs61a.Response(
            (*(name.encode() for name in names), *(b"",) * empty),
            (*(each.hcalcs or _NOBODY for each in found), *(_NOBODY,) * empty),
            (),
            tuple(_entries(found)),
            (*(each.closed for each in found), *(False,) * empty),
            counter=message.counter,
        )
        return Answer(response.encode())

    application.on(ecs61a.MESSAGE_CODE, read)


def _entries(switches: tuple[Controlled, ...]) -> Iterator[ecs61a.Entry]:
    index = 0
    for number, switch in enumerate(switches, 1):
        for on in switch.on:
            for closes, minute in ((True, on.begin), (False, on.begin + on.length)):
                index += 1
                hour, rest = divmod(minute % _DAY, 60)
                yield ecs61a.Entry(index, number, closes, bytes((hour, rest, 0, 0)))
