"""What both sides do in an exchange: check the partner's first message, agree on the key.

Source: ZSE 07-5356 annexes C.3.1 and C.4.2.
"""

from collections.abc import Mapping
from hmac import compare_digest
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.crypto import ecmqv, ecqv
from protocols.crypto.curves import Point
from protocols.crypto.ecmqv import Agreement, EphemeralKey, Party
from protocols.crypto.ecqv import Credentials
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError
from protocols.interfaces import SECOND
from protocols.zcl.clusters.key_establishment import (
    LONGEST_TIME,
    MAC_OCTETS,
    InitiateKeyEstablishment,
    KeyEstablishmentCommand,
    TerminateStatus,
)


class Partner(NamedTuple):
    """What the partner's first message says, after its checks."""

    suite: Suite
    identity: Eui64
    public_key: Point
    ephemeral_time: int  # ns
    confirm_time: int  # ns


def offered(credentials: Mapping[Suite, Credentials]) -> int:
    """Return the value of the attribute KeyEstablishmentSuite: one bit a suite."""
    return sum(credentials)


def best_common(credentials: Mapping[Suite, Credentials], partner: int) -> Suite | None:
    """Return the highest suite both sides offer; partner: bitmap."""
    return max((suite for suite in credentials if suite & partner), default=None)


def check_initiate(
    message: InitiateKeyEstablishment, credentials: Mapping[Suite, Credentials], sender: Eui64
) -> Partner | TerminateStatus:
    """Return the partner, or why it is refused.

    The order of checks, the status for a subject that is not the sender's and those for bad points are our choice.
    """
    if message.suite.bit_count() != 1:
        return TerminateStatus.BAD_MESSAGE
    own = next((held for suite, held in credentials.items() if suite == message.suite), None)
    if own is None:
        return TerminateStatus.UNSUPPORTED_SUITE
    times = message.ephemeral_data_generate_time, message.confirm_key_generate_time
    suite = own.certificate.suite
    if len(message.identity) != suite.certificate_octets or max(times) > LONGEST_TIME:
        return TerminateStatus.BAD_MESSAGE
    certificate = ecqv.decode(message.identity, suite)
    if not certificate.serves_key_agreement:
        return TerminateStatus.INVALID_CERTIFICATE
    if certificate.issuer != own.authority.issuer:
        return TerminateStatus.UNKNOWN_ISSUER
    if certificate.subject != sender:
        return TerminateStatus.INVALID_CERTIFICATE
    try:
        public_key = ecqv.public_key(certificate, own.authority)
    except DecodeError:
        return TerminateStatus.INVALID_CERTIFICATE
    return Partner(suite, certificate.subject, public_key, times[0] * SECOND, times[1] * SECOND)


# --- stages --------------------------------------------------------------------------------------------------------


class Initiating(NamedTuple):
    """An initiator waits for the Initiate Response."""

    suite: Suite


class Initiated(NamedTuple):
    """A responder waits for the initiator's ephemeral point."""

    partner: Partner


class Exchanging(NamedTuple):
    """An initiator waits for the responder's ephemeral point."""

    partner: Partner
    ephemeral: EphemeralKey


class Confirming(NamedTuple):
    """Waits for the partner's confirmation."""

    partner: Partner
    agreement: Agreement


class Finished(NamedTuple):
    """A responder has sent the last message and waits for its acknowledgement."""

    partner: Partner
    agreement: Agreement


Waiting = Initiating | Initiated | Exchanging | Confirming | Finished


class Working(NamedTuple):
    """Takes its time before it sends `command`; then waits in stage `then` for `patience` ns."""

    command: KeyEstablishmentCommand
    patience: int
    then: Waiting


class Pausing(NamedTuple):
    """An initiator waits before its next attempt."""


def suite_of(stage: Waiting) -> Suite:
    return stage.suite if isinstance(stage, Initiating) else stage.partner.suite


def agree(
    own: Credentials, partner: Partner, ephemeral: EphemeralKey, point: bytes, *, initiator: bool
) -> Agreement | TerminateStatus:
    """Return key and confirmations; point: the partner's ephemeral point as received."""
    curve = partner.suite.curve
    try:
        partner_ephemeral = ecmqv.partner_point(curve, point)
        signature = ecmqv.implicit_signature(curve, own.private_key, ephemeral)
        secret = ecmqv.shared_secret(curve, signature, partner.public_key, partner_ephemeral)
    except DecodeError:
        return TerminateStatus.BAD_MESSAGE
    us, them = Party(own.certificate.subject, ephemeral.octets), Party(partner.identity, point)
    return ecmqv.agree(secret, us, them) if initiator else ecmqv.agree(secret, them, us)


def confirms(mac: bytes, expected: bytes) -> TerminateStatus | None:
    """Return None if the partner's confirmation is right, else the status for the refusal."""
    if len(mac) != MAC_OCTETS:
        return TerminateStatus.BAD_MESSAGE
    return None if compare_digest(mac, expected) else TerminateStatus.BAD_KEY_CONFIRM
