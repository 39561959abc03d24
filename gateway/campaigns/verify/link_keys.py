"""Key establishment on the air: complete, by certificates that hold, and its keys alone carry Smart Energy."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.campaigns.evidence.link_keys import KeyMessage, KeyUse, LinkKeys
from gateway.campaigns.verify.check import Check, conclude, count
from gateway.campaigns.verify.evidence import Evidence
from protocols.addresses import Eui64
from protocols.crypto import ecmqv, ecqv
from protocols.crypto.ecqv import Authority
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError
from protocols.zcl.clusters.key_establishment import MAC_OCTETS, ConfirmKey, EphemeralData, InitiateKeyEstablishment

_ORDER = (InitiateKeyEstablishment, EphemeralData, ConfirmKey)
_MESSAGES = 2 * len(_ORDER)


class Exchange(NamedTuple):
    """Messages of key establishment of a device with its hub or another device, from Initiate on.

    whole: all six, in order.
    """

    device: Eui64
    messages: tuple[KeyMessage, ...]

    @property
    def whole(self) -> bool:
        return len(self.messages) == _MESSAGES

    @property
    def ended(self) -> int:
        return self.messages[-1].time


def exchanges(messages: list[KeyMessage]) -> list[Exchange]:
    """Return all attempts in order of their end; what does not fit the order ends one."""
    done: list[Exchange] = []
    open_: dict[Eui64, list[KeyMessage]] = {}
    for message in messages:
        said = open_.setdefault(message.device, [])
        if not _follows(said, message):
            if said:
                done.append(Exchange(message.device, tuple(said)))
                said.clear()
            if not _follows(said, message):
                continue
        said.append(message)
        if len(said) == _MESSAGES:
            done.append(Exchange(message.device, tuple(said)))
            said.clear()
    done += [Exchange(device, tuple(said)) for device, said in open_.items() if said]
    return done


def _follows(said: list[KeyMessage], message: KeyMessage) -> bool:
    step, answer = divmod(len(said), 2)
    if not isinstance(message.command, _ORDER[step]) or message.from_server != bool(answer):
        return False
    return not answer or message.transaction == said[-1].transaction


# --- exchanges -----------------------------------------------------------------------------------------------------


def check_exchanges(evidence: Evidence) -> Iterator[Check]:
    """MP170-C10: every device that joined, or was spoken to, agreed with its hub on a link key by certificates."""
    keys, authorities = evidence.air.link_keys, evidence.files.authorities
    whole = [exchange for exchange in exchanges(keys.messages) if exchange.whole]
    keyed = {exchange.device for exchange in whole}
    concerned = dict.fromkeys([t.device for t in keys.transports] + [use.device for use in keys.uses])
    faults = [f"{evidence.name(device)} completed no exchange" for device in concerned if device not in keyed]
    points: dict[bytes, int] = {}
    for exchange in whole:
        faults += [f"{evidence.name(exchange.device)}: {what}" for what in exchange_faults(exchange, authorities)]
        for message in exchange.messages:
            if isinstance(message.command, EphemeralData):
                before = points.setdefault(message.command.point, message.frame)
                if before != message.frame:
                    faults.append(f"frame {message.frame}: the ephemeral key of frame {before} again")
    issuers = ", ".join(str(authority.issuer) for authority in authorities.values())
    facts = [
        f"{count(len(whole), 'exchange')} of {count(len(keyed), 'device')} complete",
        f"{2 * len(whole)} certificates of {issuers} name their senders, {len(points)} ephemeral keys lie on the curve",
    ]
    yield conclude(
        "MP170-C10", "keys established by certificates", facts=facts if whole else [], faults=faults,
        missing="no key establishment on the air",
    )  # fmt: skip


def exchange_faults(exchange: Exchange, authorities: Mapping[Suite, Authority]) -> Iterator[str]:
    """Tell what is wrong with a whole exchange as far as an onlooker can tell."""
    for message in exchange.messages:
        if message.secured:
            yield f"frame {message.frame} is under a link key"
    suites = {m.command.suite for m in exchange.messages if isinstance(m.command, InitiateKeyEstablishment)}
    trusted = [authority for suite, authority in authorities.items() if suites == {int(suite)}]
    if not trusted:
        yield f"suite {', '.join(map(str, sorted(suites)))} is not one of the run"
        return
    for message in exchange.messages:
        fault = _fault(message, trusted[0])
        if fault is not None:
            yield f"frame {message.frame}: {fault}"


def _fault(message: KeyMessage, authority: Authority) -> str | None:
    """Return what is wrong with a message as far as an onlooker can tell."""
    command = message.command
    try:
        if isinstance(command, InitiateKeyEstablishment):
            return _certificate_fault(command.identity, message.sender, authority)
        if isinstance(command, EphemeralData):
            ecmqv.partner_point(authority.suite.curve, command.point)
        elif isinstance(command, ConfirmKey) and len(command.mac) != MAC_OCTETS:
            return f"a confirmation of {len(command.mac)} octets"
    except DecodeError as error:
        return str(error)
    return None


def _certificate_fault(octets: bytes, sender: Eui64 | None, authority: Authority) -> str | None:
    certificate = ecqv.decode(octets, authority.suite)
    if certificate.issuer != authority.issuer:
        return f"a certificate of {certificate.issuer}, not of {authority.issuer}"
    if certificate.subject != sender:
        return f"a certificate of {certificate.subject}, sent by {sender}"
    if not certificate.serves_key_agreement:
        return "a certificate that is not for key agreement"
    ecqv.public_key(certificate, authority)
    return None


# --- uses ----------------------------------------------------------------------------------------------------------


def check_uses(evidence: Evidence) -> Iterator[Check]:
    """MP170-C10: Smart Energy clusters go under established link keys alone, each after its exchange."""
    keys = evidence.air.link_keys
    joined_with = _joined_with(keys)
    faults = [
        f"frame {plain.frame}: cluster {plain.cluster:04X} of {evidence.name(plain.device)} without a link key"
        for plain in keys.plain
    ]
    ends: dict[Eui64, list[int]] = {}
    for exchange in exchanges(keys.messages):
        if exchange.whole:
            ends.setdefault(exchange.device, []).append(exchange.ended)
    for device in dict.fromkeys(use.device for use in keys.uses):
        uses = [use for use in keys.uses if use.device == device]
        wrong = [use for use in uses if joined_with.get(use.key, use.first_frame) < use.first_frame]
        faults += [
            f"frame {use.first_frame}: {evidence.name(device)} under the link key it joined with" for use in wrong
        ]
        faults += _out_of_order(evidence.name(device), [use for use in uses if use not in wrong], ends.get(device, []))
    owners: dict[bytes, Eui64] = {}
    for use in keys.uses:
        if owners.setdefault(use.key, use.device) != use.device:
            faults.append(f"frame {use.first_frame}: {evidence.name(use.device)} under the key of another device")
    messages = sum(use.messages for use in keys.uses)
    facts = [f"{count(messages, 'message')} under {count(len(owners), 'established link key')}"] if messages else []
    yield conclude(
        "MP170-C10", "Smart Energy under established link keys", facts=facts, faults=faults,
        missing="no Smart Energy message",
    )  # fmt: skip


def _joined_with(keys: LinkKeys) -> dict[bytes, int]:
    """Return the link keys under which the network key was brought, by the first frame that did.

    A key that was in use before is an established one: under it comes back who lost its trust centre for a while.
    """
    found: dict[bytes, int] = {}
    for transport in keys.transports:
        found.setdefault(transport.key, transport.frame)
    return found


def _out_of_order(name: str, uses: list[KeyUse], ends: list[int]) -> Iterator[str]:
    """Hold the n-th key of a device against the end of its n-th exchange; an exchange may end without a use."""
    if len(uses) > len(ends):
        yield f"{name} used {count(len(uses), 'link key')} after {count(len(ends), 'exchange')}"
        return
    for use, end in zip(uses, ends, strict=False):
        if use.first < end:
            yield f"frame {use.first_frame}: {name} used a link key before its exchange was complete"
