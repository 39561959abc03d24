"""The operating system's randomness behind the port of the seeded one."""

from gateway.assembly.system_entropy import SystemEntropy
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import TestPki
from protocols.interfaces import Entropy

MESSAGE = Message(Cra.ALERT, 1, Eui64(1), Eui64(2), message_code=0x1000, payload=b"\x05\x00")


def test_nothing_repeats_and_everything_verifies() -> None:
    entropy: Entropy = SystemEntropy()
    keys = [entropy.private_key("the same purpose") for _ in range(2)]
    assert keys[0].private_numbers() != keys[1].private_numbers()
    assert entropy.random("purpose").randbytes(16) != entropy.random("purpose").randbytes(16)
    signed = [security.sign(MESSAGE, keys[0], entropy) for _ in range(2)]
    assert signed[0].signature != signed[1].signature
    for message in signed:
        security.verify_signature(message, keys[0].public_key())


def test_a_pki_can_be_made_of_it() -> None:
    first, second = (TestPki(SystemEntropy(), 0).device(Eui64(5)) for _ in range(2))
    assert first.eui == second.eui == Eui64(5)
    assert first.ds_certificate != second.ds_certificate
