"""What an answer of a device means, by message code: how it is read, and what follows from it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.dsp import broker_credentials
from gateway.dsp.activation import Activations
from gateway.dsp.broker_credentials import BrokerCredentials
from gateway.dsp.departures import Departures
from gateway.dsp.device_logs import DeviceLogs
from gateway.dsp.effects import Turn
from gateway.dsp.joins import JOIN_CODES, Joins
from gateway.dsp.reads import REGISTER_CODES, Reads
from gateway.dsp.records import Command
from protocols.gbcs.use_cases import ccs01, ccs02, ccs03, cs02b, cs03, cs04, cs06, cs08, ecs52, ecs70, gcs28, gcs38


class AnswerKind(NamedTuple):
    decode: Callable[[bytes], Any]  # DecodeError for a payload that does not fit
    follow: Callable[[Turn, Command, Any], None]


def _nothing(_turn: Turn, _command: Command, _answer: object) -> None:
    """What only the user needs."""


def _octets(payload: bytes) -> bytes:
    """Take a payload as it is: it is for the user alone."""
    return payload


def answer_kinds(
    activations: Activations,
    device_logs: DeviceLogs,
    reads: Reads,
    joins: Joins,
    departures: Departures,
    credentials: BrokerCredentials,
) -> Mapping[int, AnswerKind]:
    """Return the kinds by message code."""

    def logged(turn: Turn, command: Command, answer: ccs01.Response | ccs02.Response) -> None:
        device_logs.answered(turn, command, success=answer.success)

    def version(turn: Turn, command: Command, answer: ecs52.Response | gcs38.Response) -> None:
        reads.version_read(turn, command, answer.firmware_version)

    def small_version(turn: Turn, command: Command, answer: cs08.Response) -> None:
        read = answer.code == cs08.ReadCode.READ
        reads.version_read(turn, command, answer.firmware_version if read else None)

    def clock(turn: Turn, command: Command, answer: ecs70.Response | gcs28.Response) -> None:
        joins.clock_set(turn, command, success=answer.success)

    def replacement(turn: Turn, command: Command, answer: cs02b.Response) -> None:
        follow = credentials.answered if command.service == broker_credentials.SERVICE else departures.opted_out
        follow(turn, command, answer)

    return {
        cs06.MESSAGE_CODE: AnswerKind(cs06.Response.decode, activations.answered),
        ecs52.MESSAGE_CODE: AnswerKind(ecs52.Response.decode, version),
        gcs38.MESSAGE_CODE: AnswerKind(gcs38.Response.decode, version),
        cs08.MESSAGE_CODE: AnswerKind(cs08.Response.decode, small_version),
        ccs01.MESSAGE_CODE: AnswerKind(ccs01.Response.decode, logged),
        ccs02.MESSAGE_CODE: AnswerKind(ccs02.Response.decode, logged),
        ccs03.MESSAGE_CODE: AnswerKind(ccs03.Response.decode, device_logs.restored),
        **dict.fromkeys(JOIN_CODES, AnswerKind(cs03.Response.decode, joins.joined)),
        **dict.fromkeys(
            (cs04.MESSAGE_CODE_AC, cs04.MESSAGE_CODE_B), AnswerKind(cs04.Response.decode, _nothing)
        ),
        ecs70.MESSAGE_CODE: AnswerKind(ecs70.Response.decode, clock),
        gcs28.MESSAGE_CODE: AnswerKind(gcs28.Response.decode, clock),
        broker_credentials.MESSAGE_CODE: AnswerKind(cs02b.Response.decode, replacement),
        **dict.fromkeys(REGISTER_CODES, AnswerKind(_octets, _nothing)),
    }  # fmt: skip
