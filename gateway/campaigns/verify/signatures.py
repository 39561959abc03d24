"""The XML signatures of the users' documents, recomputed from octets and certificates."""

from collections.abc import Iterator

from gateway.campaigns.verify.check import Check, conclude, count
from gateway.campaigns.verify.evidence import Evidence
from protocols.duis.signature import Verdict, judge
from protocols.gbcs.smki import XML_SIGNING, RemotePartyRole


def check_xml_signatures(evidence: Evidence) -> Iterator[Check]:
    """X-5: each request is signed by the user it names, each response and alert by the DSP, and the summary says so."""
    requests, messages = evidence.users.exchanges, evidence.users.mail
    faults = [*_request_faults(evidence), *_message_faults(evidence)]
    told = evidence.files.summary.get("xml_signature")
    if not faults and told != Verdict.VALID:
        faults.append(f"the summary says {told}")
    facts = []
    if requests and messages:
        facts.append(
            f"{count(len(requests), 'request')} signed by their users, {count(len(messages), 'message')} by the DSP"
        )
    yield conclude("X-5", "XML signatures valid", facts=facts, faults=faults, missing="no request or no message")


def _request_faults(evidence: Evidence) -> Iterator[str]:
    certificates, role = evidence.files.certificates, RemotePartyRole.XML_SIGNING_USER
    names = {exchange.user: exchange.request.request_id.originator for exchange in evidence.users.exchanges}
    for exchange in evidence.users.exchanges:
        user = names[exchange.user]
        if exchange.request.request_id.originator != user:
            yield f"{exchange.place}: in the name of {exchange.request.request_id.originator}, others are of {user}"
        found = judge(exchange.request.signature, certificates.certificate(user, XML_SIGNING), role, exchange.time)
        if found.verdict is not Verdict.VALID:
            yield f"{exchange.place}: XML signature {found.verdict}: {found.reason}"


def _message_faults(evidence: Evidence) -> Iterator[str]:
    role = RemotePartyRole.XML_SIGNING_DSP
    certificate = next(iter(evidence.files.certificates.of_role(role, XML_SIGNING)), None)
    for mail in evidence.users.mail:
        found = judge(mail.response.signature, certificate, role, mail.time)
        if found.verdict is not Verdict.VALID:
            yield f"{mail.place}: XML signature {found.verdict}: {found.reason}"
