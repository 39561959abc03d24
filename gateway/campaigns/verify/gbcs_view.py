"""GBCS messages as judged from outside: decoded, signatures and MACs checked with the run's certificates."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, TypeVar

from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs.envelope import SIGNATURE_OCTETS, Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.security import check_mac, shared_secret, verify_signature
from protocols.gbcs.smki import DIGITAL_SIGNING, KEY_AGREEMENT
from protocols.gbcs.use_cases import cs08, ecs52, gcs38

T = TypeVar("T")


class Verdict(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    UNKNOWN = "no certificate"


class Judged(NamedTuple):
    """A GBCS message and what its signature is worth."""

    message: Message
    signature: Verdict


def judge(octets: bytes, certificates: Keystore) -> Judged | None:
    """Decode a message and check the signature of its originator; None if it is no GBCS message.

    An alert without any signature is malformed to GBCS; it is read all the same, with the signature absent.
    """
    try:
        message = Message.decode(octets)
    except DecodeError:
        return _unsigned(octets)
    if not message.signature:
        return Judged(message, Verdict.ABSENT)
    certificate = certificates.certificate(message.originator, DIGITAL_SIGNING)
    if certificate is None:
        return Judged(message, Verdict.UNKNOWN)
    try:
        verify_signature(message, certificate.public_key)
    except IntegrityError:
        return Judged(message, Verdict.INVALID)
    return Judged(message, Verdict.VALID)


def _unsigned(octets: bytes) -> Judged | None:
    """Read a message that stops before its signature, or whose signature field is empty."""
    field = bytes((SIGNATURE_OCTETS,)) + bytes(SIGNATURE_OCTETS)
    for body in (octets, octets[:-1] if octets[-1:] == b"\x00" else b""):
        try:
            message = Message.decode(body + field)
        except DecodeError:
            continue
        return Judged(message, Verdict.ABSENT)
    return None


def mac_verdict(message: Message, party: Eui64, keys: Keystore, certificates: Keystore) -> Verdict:
    """Check the MAC between an organisation, whose private key `keys` holds, and the device."""
    device = message.target if message.cra is Cra.COMMAND else message.originator
    private = keys.private_key(party, KEY_AGREEMENT)
    certificate = certificates.certificate(device, KEY_AGREEMENT)
    if message.mac is None:
        return Verdict.ABSENT
    if private is None or certificate is None:
        return Verdict.UNKNOWN
    try:
        check_mac(message, shared_secret(private, certificate.public_key))
    except IntegrityError:
        return Verdict.INVALID
    return Verdict.VALID


def payload_of(decode: Callable[[bytes], T], message: Message) -> T | None:
    """Return the payload read by `decode`, None if it has another form."""
    try:
        return decode(message.payload)
    except DecodeError:
        return None


def version_read(message: Message) -> int | None:
    """Return the firmware version in an answer to CS08, ECS52 or GCS38; None for failed reads and other messages."""
    if message.cra is not Cra.RESPONSE:
        return None
    if message.message_code == cs08.MESSAGE_CODE:
        answer = payload_of(cs08.Response.decode, message)
        return answer.firmware_version if answer is not None and answer.code == cs08.ReadCode.READ else None
    if message.message_code == ecs52.MESSAGE_CODE:
        read = payload_of(ecs52.Response.decode, message)
        return None if read is None else read.firmware_version
    if message.message_code == gcs38.MESSAGE_CODE:
        gas = payload_of(gcs38.Response.decode, message)
        return None if gas is None else gas.firmware_version
    return None
