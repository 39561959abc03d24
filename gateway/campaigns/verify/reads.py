"""Reads by 11.2: the unknown remote party pattern of CS08, and answers passed on unchanged."""

from collections.abc import Iterator

from gateway.campaigns.verify.air import Carried
from gateway.campaigns.verify.check import Check, conclude, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import Verdict, mac_verdict, version_read
from gateway.campaigns.verify.messages import Exchange
from protocols.duis.inventory import DeviceType
from protocols.gbcs.use_cases import cs08

BY_CS08 = (DeviceType.PPMID, DeviceType.HCALCS)


def _reads(evidence: Evidence) -> list[Exchange]:
    """Return the accepted 11.2 to devices that are read by CS08; a bridge on a replaced hub is another matter."""
    found = evidence.users.of_service("11.2")
    return [
        exchange
        for exchange in found
        if exchange.accepted
        and evidence.types.get(exchange.target) in BY_CS08
        and not evidence.stranded(exchange.target, exchange.time)
    ]


def check_unknown_remote_party(evidence: Evidence) -> Iterator[Check]:
    """MP170-C14: CS08 on the air comes from the ACB for the user that asked; both ways the MAC is good."""
    facts, faults = list[str](), list[str]()
    commands = list(evidence.air.sent_down(cs08.MESSAGE_CODE))
    for exchange in _reads(evidence):
        command = next((c for c in commands if _belongs(c, exchange)), None)
        label = f"{exchange.place} to {evidence.name(exchange.target)}"
        if command is None:
            faults.append(f"{label}: no CS08 for its user and counter on the air")
            continue
        commands.remove(command)
        wrong = _command_fault(evidence, command)
        answer = _answer(evidence, command)
        wrong = wrong or ("no answer on the air" if answer is None else _answer_fault(evidence, command, answer))
        shown = f"CS08 of the ACB for ..{str(exchange.request.request_id.originator)[-8:]}, MACs valid"
        (faults if wrong else facts).append(f"{label}: {wrong or shown} (frame {command.frame})")
    faults += [f"CS08 at {utc(c.time)} (frame {c.frame}) belongs to no accepted 11.2" for c in commands]
    missing = "no 11.2 to a PPMID, bridge or HCALCS"
    yield conclude("MP170-C14", "11.2 by the URP pattern", facts=facts, faults=faults, missing=missing)


def _belongs(carried: Carried, exchange: Exchange) -> bool:
    if carried.judged is None or carried.device != exchange.target:
        return False
    message, request_id = carried.judged.message, exchange.request.request_id
    asked = (message.supplementary_party, message.supplementary_counter)
    return asked == (request_id.originator, request_id.counter)


def _command_fault(evidence: Evidence, command: Carried) -> str:
    if command.judged is None:
        return "not a GBCS message"
    message = command.judged.message
    if message.originator != evidence.broker:
        return f"originator {message.originator}, not the ACB"
    if message.target != command.device:
        return f"target {message.target} in the tunnel of {command.device}"
    return _mac_fault(evidence, command)


def _answer_fault(evidence: Evidence, command: Carried, answer: Carried) -> str:
    if command.judged is None or answer.judged is None:
        return "not a GBCS message"
    asked, told = command.judged.message, answer.judged.message
    if (told.originator, told.target) != (command.device, evidence.broker):
        return f"answer from {told.originator} to {told.target}"
    if (told.supplementary_party, told.supplementary_counter) != (
        asked.supplementary_party,
        asked.supplementary_counter,
    ):
        return "answer without the user of the command"
    return _mac_fault(evidence, answer)


def _mac_fault(evidence: Evidence, carried: Carried) -> str:
    if carried.judged is None:
        return "not a GBCS message"
    files = evidence.files
    verdict = mac_verdict(carried.judged.message, evidence.broker, files.organisations, files.certificates)
    return "" if verdict is Verdict.VALID else f"MAC of frame {carried.frame} {verdict}"


def _answer(evidence: Evidence, command: Carried) -> Carried | None:
    counter = None if command.judged is None else command.judged.message.counter
    for answer in evidence.air.sent_up(cs08.MESSAGE_CODE, device=command.device):
        if answer.judged is not None and answer.judged.message.counter == counter:
            return answer
    return None


def check_answers_relayed(evidence: Evidence) -> Iterator[Check]:
    """SM7-R8: the user gets the answer of the device octet for octet as it was on the air."""
    facts, faults = list[str](), list[str]()
    aired = {c.octets: c for c in evidence.air.sent_up(cs08.MESSAGE_CODE)}
    for exchange in _reads(evidence):
        label = f"{exchange.place} to {evidence.name(exchange.target)}"
        answered = evidence.users.answer_of_device(exchange)
        if answered is None:
            faults.append(f"{label}: no answer in the mailbox")
            continue
        mail, octets = answered
        carried = aired.get(octets)
        version = None if carried is None or carried.judged is None else version_read(carried.judged.message)
        if carried is None or carried.device != exchange.target:
            faults.append(f"{label}: {mail.place} is not what the device sent")
        elif version is None or mail.response.response_code != "I0":
            faults.append(f"{label}: {mail.place} is a failed read")
        else:
            facts.append(f"{label}: {mail.place} equals frame {carried.frame}, version {version:08X}")
    missing = "no 11.2 to a PPMID, bridge or HCALCS"
    yield conclude("SM7-R8", "answers to 11.2 relayed", facts=facts, faults=faults, missing=missing)
