"""Every single flipped bit of every RTDS message is refused.

No bit of a message that is signed or has a MAC is free: the fixed octets of the MAC header, which the MAC itself does
not cover as they stand, have one right value each. A pre-command has no protection of its own; there every flip either
is refused or gives another pre-command, which the signature of the original does not fit.

Keys are those of the unflipped message, so that a flipped identifier is refused by the check and not for want of a key.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.smki import RemotePartyRole
from tests.support.vectors import rtds_keystore, rtds_names, rtds_octets

pytestmark = pytest.mark.judge("rtds")

PROTECTED = [name for name in rtds_names() if "PRECOMMAND" not in name]
PRE_COMMANDS = [name for name in rtds_names() if "PRECOMMAND" in name]

Check = Callable[[Message], None]


def flips(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each bit's number and the octets with that bit flipped."""
    flipped = bytearray(octets)
    for bit in range(8 * len(octets)):
        flipped[bit // 8] ^= 0x80 >> bit % 8
        yield bit, bytes(flipped)
        flipped[bit // 8] ^= 0x80 >> bit % 8


def shared(message: Message, keystore: Keystore) -> bytes:
    """Return the Z of a message's MAC, from whichever side's private key is published."""
    brokers = keystore.of_role(RemotePartyRole.ACCESS_CONTROL_BROKER, "ka")
    sender = brokers[0].eui if message.cra is Cra.COMMAND else message.originator
    for own, other in ((sender, message.target), (message.target, sender)):
        key, certificate = keystore.private_key(own, "ka"), keystore.certificate(other, "ka")
        if key is not None and certificate is not None:
            return security.shared_secret(key, certificate.public_key)
    raise AssertionError("no published key for this MAC")


def checks_of(message: Message) -> list[Check]:
    """Return the checks a receiver makes: the MAC, which covers everything and costs least, before the signature."""
    keystore, checks = rtds_keystore(), list[Check]()
    if message.mac is not None:
        z = shared(message, keystore)
        checks.append(lambda flipped: security.check_mac(flipped, z))
    if message.signature:
        certificate = keystore.certificate(message.originator, "ds")
        assert certificate is not None
        key = certificate.public_key
        checks.append(lambda flipped: security.verify_signature(flipped, key))
    return checks


def accepted(octets: bytes, checks: list[Check]) -> bool:
    try:
        message = Message.decode(octets)
        for check in checks:
            check(message)
    except DecodeError:  # IntegrityError is one
        return False
    return True


@pytest.mark.parametrize("name", PROTECTED)
def test_no_bit_of_a_protected_message_is_free(name: str) -> None:
    octets = rtds_octets(name)
    checks = checks_of(Message.decode(octets))
    assert accepted(octets, checks)
    assert [bit for bit, flipped in flips(octets) if accepted(flipped, checks)] == []


@pytest.mark.parametrize("name", [name for name in PROTECTED if "/CS06_" in name and "_COMMAND_" in name])
def test_the_signature_alone_refuses_every_bit_it_covers(name: str) -> None:
    message = Message.decode(rtds_octets(name))
    bare = replace(message, mac=None)
    signature_check = checks_of(message)[-1:]
    assert accepted(bare.encode(), signature_check)
    assert [bit for bit, flipped in flips(bare.encode()) if accepted(flipped, signature_check)] == []


@pytest.mark.parametrize("name", PRE_COMMANDS)
def test_a_flipped_pre_command_is_refused_or_another_one(name: str) -> None:
    octets = rtds_octets(name)
    command = Message.decode(rtds_octets(name.replace("PRECOMMAND", "COMMAND")))
    signature_check = checks_of(command)[-1]
    free = list[Message]()
    for _, flipped in flips(octets):
        try:
            other = Message.decode(flipped)
        except DecodeError:
            continue
        assert other.encode() == flipped
        free.append(other)
    assert len(free) > len(octets)  # a pre-command has no protection; most of its bits mean something else
    for other in free:
        with pytest.raises(IntegrityError):
            signature_check(replace(other, signature=command.signature))
