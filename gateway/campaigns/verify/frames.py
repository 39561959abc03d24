"""The capture and the users' documents as such: everything can be read."""

from collections.abc import Iterator

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from protocols.duis.inventory import DeviceType


def check_frames(evidence: Evidence) -> Iterator[Check]:
    """MP170-C10: every frame on the air is a good one and can be decrypted with the keys of the run."""
    air = evidence.air
    faults = list(air.defects)
    faults += [
        f"frame {carried.frame}: no GBCS message in the tunnel of {evidence.name(carried.device)}"
        for carried in air.carried
        if carried.judged is None and evidence.types.get(carried.device) is not DeviceType.GSME
    ]
    facts = []
    if air.frames:
        facts.append(
            f"{count(air.frames, 'frame')} on {count(len(air.networks), 'radio network')}, FCS good, none malformed"
        )
        facts.append(f"{air.protected:,} encrypted ones, all decrypted, {utc(air.first)} to {utc(air.last)}")
    if air.frames and not air.protected:
        faults.append("no frame is encrypted")
    yield conclude(
        "MP170-C10", "all frames good and decrypted", facts=facts, faults=faults, missing="the capture is empty"
    )


def check_documents(evidence: Evidence) -> Iterator[Check]:
    """X-5: every request and response is what the schema allows, and every request was answered."""
    users = evidence.users
    faults = list(users.unreadable)
    faults += [f"{exchange.place} was not answered" for exchange in users.exchanges if exchange.answer is None]
    facts = []
    if users.mail and users.exchanges:
        facts.append(f"{count(len(users.exchanges), 'request')} answered, {count(len(users.mail), 'message')} valid")
    yield conclude("X-5", "documents valid", facts=facts, faults=faults, missing="no request or no message")
