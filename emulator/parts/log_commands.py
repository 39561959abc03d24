"""ECS23 and ECS23b, ECS35a, b and e at an ESME: its average voltages and its logs, read between two times."""

from emulator.parts.event_log import EventLog
from emulator.parts.gbcs_application import Answer, GbcsApplication
from emulator.parts.gbcs_entity import GbcsRefused, Grounds
from emulator.parts.voltage_log import VoltageLog
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ecs23, ecs35
from protocols.interfaces import SECOND

_TENTHS = 10  # in a volt


def serve_logs(application: GbcsApplication, log: EventLog) -> None:
    def read(message: Message) -> Answer:
        asked = ecs35.Command.decode(message.payload)
        if ecs35.MESSAGE_CODES[asked.log] != message.message_code:
            raise GbcsRefused("another log not supported", Grounds.NOT_SUPPORTED, message)
        entries = tuple(e for e in log.entries(asked.log) if asked.begin <= e.time - e.time % SECOND <= asked.end)
        return Answer(ecs35.Response(asked.log, entries, counter=message.counter).encode())

    for code in ecs35.MESSAGE_CODES.values():
        application.on(code, read)


def serve_voltages(application: GbcsApplication, log: VoltageLog | None) -> None:
    """Serve ECS23 and, for a polyphase meter, ECS23b; a meter that measures no voltage supports neither."""

    def read(message: Message) -> Answer:
        asked = ecs23.Command.decode(message.payload)
        if log is None or asked.phases > log.phases or ecs23.MESSAGE_CODES[asked.phases] != message.message_code:
            raise GbcsRefused(f"the voltage of {asked.phases} phases not supported", Grounds.NOT_SUPPORTED, message)
        phases = tuple(_phase(log, phase, asked) for phase in range(1, asked.phases + 1))
        return Answer(ecs23.Response(phases, counter=message.counter).encode(), dated=True)

    for code in ecs23.MESSAGE_CODES.values():
        application.on(code, read)


def _phase(log: VoltageLog, phase: int, asked: ecs23.Command) -> ecs23.Phase:
    under, over = log.counters(phase)
    averages = tuple(
        ecs23.Average(entry.end, (entry.average + _TENTHS // 2) // _TENTHS)
        for entry in log.entries(phase, asked.begin, asked.end)
    )
    return ecs23.Phase(under, over, averages, log.settings.period // SECOND)
