"""Joins between devices: what a meter answers to CS03 is what was on the air, and nobody talks without one.

How a join goes on the HAN is told by `emulator/parts/partner_keys.py`; here it is looked for in the capture alone.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.campaigns.evidence.dissector import PartnerKey
from gateway.campaigns.evidence.link_keys import Pair, PairUse
from gateway.campaigns.verify.air import Carried
from gateway.campaigns.verify.check import Check, conclude, count
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.link_keys import exchange_faults, exchanges
from protocols.addresses import Eui64
from protocols.duis.bodies import JoinServiceNonCritical
from protocols.errors import DecodeError
from protocols.gbcs.codes import JoinCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs03, cs04
from protocols.gbcs.use_cases.cs04 import UnjoinCode
from protocols.interfaces import SECOND

KEYED = (cs03.MESSAGE_CODE_A1, cs03.MESSAGE_CODE_B)
"""The commands after which an ESME has a link key with the other device."""
_UNJOINS = (cs04.MESSAGE_CODE_AC, cs04.MESSAGE_CODE_B)
_ON_ITS_WAY = 30 * SECOND  # what was sent before an answer may still be in the air


class Join(NamedTuple):
    """A CS03 or CS04 and its answer, in the device's tunnel."""

    message_code: int
    device: Eui64
    other: Eui64
    asked: int  # ns UTC
    answered: int
    code: int
    certificate: bytes | None = None  # of the other device, that the command brought

    @property
    def by_certificates(self) -> bool:
        return self.message_code == cs03.MESSAGE_CODE_A1

    @property
    def pair(self) -> Pair:
        return Pair.of(self.device, self.other)


def joins(evidence: Evidence) -> list[Join]:
    """Return the joins of ESMEs with what they share a link key with, those that failed included."""
    return [each for each in exchanged(evidence, KEYED) if evidence.types.get(each.device) in (None, "ESME")]


def exchanged(evidence: Evidence, codes: tuple[int, ...]) -> Iterator[Join]:
    """Yield the joins or unjoins with one of these message codes that were answered, in order of the answers."""
    asked = {(sent.device, _counter(sent)): sent for sent in evidence.air.sent_down(*codes)}
    for answer in evidence.air.sent_up(*codes):
        command = asked.get((answer.device, _counter(answer)))
        if command is None or command.judged is None or answer.judged is None:
            continue
        sent, came = command.judged.message.payload, answer.judged.message.payload
        try:
            unjoin = command.code in _UNJOINS
            said = cs04.Command.decode(sent) if unjoin else cs03.Command.decode(sent)
            code = cs04.Response.decode(came).code if unjoin else cs03.Response.decode(came).code
        except DecodeError:
            continue
        certificate = said.certificate if isinstance(said, cs03.Command) else None
        yield Join(command.code, command.device, said.device, command.time, answer.time, int(code), certificate)


def _counter(carried: Carried) -> int | None:
    return None if carried.judged is None else carried.judged.message.counter


# --- keys ------------------------------------------------------------------------------------------------------------


def check_keys(evidence: Evidence) -> Iterator[Check]:
    """JOIN-1: what a meter says it is joined to has a link key with it, made on the air between command and answer."""
    facts, faults = list[str](), list[str]()
    for join in joins(evidence):
        if join.code != JoinCode.SUCCESS:
            continue
        name = f"{evidence.name(join.device)} and {evidence.name(join.other)}"
        wrong = list(_key_faults(evidence, join))
        faults += [f"{name}: {what}" for what in wrong]
        if not wrong:
            agreed = ", another agreed on by certificates" if join.by_certificates else ""
            facts.append(f"{name}: a key from the hub for both{agreed}")
    yield conclude("JOIN-1", "joined devices made a key", facts=facts, faults=faults, missing="no join of a meter")


def _key_faults(evidence: Evidence, join: Join) -> Iterator[str]:
    seen = [key for key in evidence.air.link_keys.pairs.keys if join.asked <= key.time <= join.answered]
    if not any(key.key is None and (key.device, key.partner) == (join.device, join.other) for key in seen):
        yield "the meter asked the hub for no key"
    here = _given(seen, join.device, join.other)
    if not here or here != _given(seen, join.other, join.device):
        yield "the hub gave them no key in common"
    if not join.by_certificates:
        return
    said = evidence.air.link_keys.pairs.messages.get(join.pair, [])
    made = [each for each in exchanges(said) if each.whole and join.asked <= each.ended <= join.answered]
    if not any(each.device == join.device for each in made):
        yield "success without key establishment"
    for exchange in made:
        yield from exchange_faults(exchange, evidence.files.authorities)


def _given(keys: list[PartnerKey], device: Eui64, partner: Eui64) -> set[bytes]:
    return {key.key for key in keys if key.key is not None and (key.device, key.partner) == (device, partner)}


# --- uses ------------------------------------------------------------------------------------------------------------


def check_nobody_else(evidence: Evidence) -> Iterator[Check]:
    """JOIN-2: two devices talk only while they are joined, under the key of that join.

    By method B a display is not told that it was unjoined: it goes on asking, and is not answered.
    """
    found = [join for join in joins(evidence) if join.code == JoinCode.SUCCESS]
    ended = [each for each in exchanged(evidence, _UNJOINS) if each.code == UnjoinCode.SUCCESS]
    from_hub = {key.key for key in evidence.air.link_keys.pairs.keys if key.key is not None}
    messages, faults = dict[Pair, int](), list[str]()
    for use in evidence.air.link_keys.pairs.uses:
        name = " and ".join(evidence.name(device) for device in use.pair)
        before = [join for join in found if join.pair == use.pair and join.asked <= use.first]
        if not before:
            faults.append(f"frame {use.first_frame}: {name} are not joined")
            continue
        wrong = _use_fault(use, before[-1], ended, from_hub)
        if wrong:
            faults.append(f"frame {use.first_frame}: {name} {wrong}")
        messages[use.pair] = messages.get(use.pair, 0) + use.messages
    facts = [f"{count(sum(messages.values()), 'message')} of {count(len(messages), 'joined pair')}"] if messages else []
    silent = [each for each in ended if each.pair in messages]
    facts += [f"{count(len(silent), 'unjoined device')} silent from then on"] if silent else []
    yield conclude(
        "JOIN-2", "only joined devices talk", facts=facts, faults=faults, missing="no two devices talked"
    )  # fmt: skip


def _use_fault(use: PairUse, join: Join, ended: list[Join], from_hub: set[bytes]) -> str:
    if join.by_certificates == (use.key in from_hub):
        return "talk under a key of the hub" if join.by_certificates else "talk under a key that is not the hub's"
    if use.sender != join.device and not join.by_certificates:
        return ""
    ends = [each.answered for each in ended if each.pair == use.pair and each.answered > join.answered]
    return "talk after they were unjoined" if ends and use.last > min(ends) + _ON_ITS_WAY else ""


# --- the mirror ------------------------------------------------------------------------------------------------------


def check_mirror_readers(evidence: Evidence) -> Iterator[Check]:
    """JOIN-5: the gas meter's mirror is read by displays alone that its GPF was joined to by 8.7.2."""
    joined = _joined_to_gpf(evidence)
    mirrors = {reading.reader for reading in evidence.air.readings if reading.reported}
    reads, faults = dict[Eui64, int](), list[str]()
    for reading in evidence.air.readings:
        if reading.reported or reading.meter not in mirrors or not reading.values:
            continue
        since = joined.get((reading.meter, reading.reader))
        if since is None or since > reading.time:
            faults.append(f"frame {reading.frame}: {evidence.name(reading.reader)} reads and is not joined to the GPF")
        else:
            reads[reading.reader] = reads.get(reading.reader, 0) + 1
    facts = [f"{evidence.name(reader)}: {count(number, 'reading')}" for reader, number in reads.items()]
    yield conclude("JOIN-5", "who reads the mirror", facts=facts, faults=faults, missing="nobody read a mirror")


def _joined_to_gpf(evidence: Evidence) -> dict[tuple[Eui64, Eui64], int]:
    """Return when the first 8.7.2 that succeeded was sent, by GPF and the device it was joined to."""
    good = set()
    for mail, octets in evidence.users.device_answers():
        try:
            message = Message.decode(octets)
            success = cs03.Response.decode(message.payload).code == JoinCode.SUCCESS
        except DecodeError:
            continue
        if success and message.message_code == cs03.MESSAGE_CODE_B:
            good.add((str(mail.response.request_id), message.originator))
    found: dict[tuple[Eui64, Eui64], int] = {}
    for exchange in evidence.users.of_service("8.7.2"):
        body = exchange.request.body
        answered = (str(exchange.request.request_id), exchange.target) in good
        if answered and isinstance(body, JoinServiceNonCritical):
            found.setdefault((exchange.target, body.other_device_id), exchange.time)
    return found
