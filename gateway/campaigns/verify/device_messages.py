"""Joins by certificates (CS03C), and what two devices so joined say to each other through the hub.

Their MACs nobody outside can check, since devices keep their private keys to themselves; whose certificates they hold
and what passed the tunnels of both is on the air.
"""

from collections.abc import Iterator

from gateway.campaigns.evidence.link_keys import Pair
from gateway.campaigns.verify.air import Carried
from gateway.campaigns.verify.check import Check, conclude, count
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.joins import Join, exchanged
from protocols.addresses import Eui64
from protocols.gbcs.codes import JoinCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import KEY_AGREEMENT
from protocols.gbcs.use_cases import cs03


def check_certificates(evidence: Evidence) -> Iterator[Check]:
    """JOIN-6: CS03C brings each side the other's certificate, and only devices so joined speak GBCS with each other."""
    found = [each for each in exchanged(evidence, (cs03.MESSAGE_CODE_C,)) if each.code == JoinCode.SUCCESS]
    faults = [
        f"{evidence.name(join.device)} took a certificate that is not of {evidence.name(join.other)}"
        for join in found
        if join.certificate != _certificate(evidence, join.other)
    ]
    facts = [
        f"{evidence.name(pair.one)} and {evidence.name(pair.other)} hold each other's certificate"
        for pair in dict.fromkeys(join.pair for join in found)
        if {join.device for join in found if join.pair == pair} == set(pair)
    ]
    sent, handed_on = list[Message](), 0
    for carried, message in _between_devices(evidence):
        wrong = _fault(carried, message, found, sent)
        if wrong:
            names = f"{evidence.name(message.originator)} to {evidence.name(message.target)}"
            faults.append(f"frame {carried.frame}: {message.message_code:04X} of {names} {wrong}")
        elif carried.upward:
            sent.append(message)
        else:
            handed_on += 1
    if handed_on:
        facts.append(f"{count(handed_on, 'message')} between them handed on by the hub as sent")
    missing = "no join by certificates from both sides"
    yield conclude("JOIN-6", "devices joined by certificates", facts=facts, faults=faults, missing=missing)


def _certificate(evidence: Evidence, device: Eui64) -> bytes | None:
    held = evidence.files.certificates.certificate(device, KEY_AGREEMENT)
    return None if held is None else held.der


def _between_devices(evidence: Evidence) -> Iterator[tuple[Carried, Message]]:
    """Yield what tunnels carried of one device for another."""
    devices = {carried.device for carried in evidence.air.carried}
    for carried in evidence.air.carried:
        message = None if carried.judged is None else carried.judged.message
        if message is not None and message.originator in devices and message.target in devices:
            yield carried, message


def _fault(carried: Carried, message: Message, joins: list[Join], sent: list[Message]) -> str:
    pair = Pair.of(message.originator, message.target)
    joined = {join.device for join in joins if join.pair == pair and join.answered <= carried.time}
    if joined != set(pair):
        return "without a join of both"
    if carried.device != (message.originator if carried.upward else message.target):
        return "in the tunnel of another"
    return "was never sent" if not carried.upward and message not in sent else ""
