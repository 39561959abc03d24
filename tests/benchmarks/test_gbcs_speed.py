"""Speed of GBCS checks, as ratios to the bare cryptography in the same process."""

import sys
from collections.abc import Callable
from time import perf_counter

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.errors import IntegrityError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs08, cs09
from protocols.interfaces import SECOND

ROUNDS = 7
DEVICE, BROKER = Eui64(0x00DB1234567890A4), Eui64(0x90B3D51F30000002)
ENTROPY = SeededEntropy(1)
KEY = ENTROPY.private_key("device")
BROKER_KEY = ENTROPY.private_key("broker")
FIRST_TIME = 0.5  # of a bare ECDH and GMAC; with the shared secret known 20 times that


def signed_alert() -> bytes:
    payload = cs09.Alert(1_772_442_000 * SECOND, 0x1234ABCD).encode()
    alert = Message(Cra.ALERT, 5000, DEVICE, BROKER, message_code=cs09.MESSAGE_CODE, payload=payload)
    return security.sign(alert, KEY, ENTROPY).encode()


def maced_response(z: bytes) -> bytes:
    payload = cs08.Response(0x1234ABCD).encode()
    response = Message(Cra.RESPONSE, 5000, DEVICE, BROKER, message_code=cs08.MESSAGE_CODE, payload=payload)
    return security.add_mac(response, z).encode()


def rates(first: Callable[[], object], second: Callable[[], object], calls: int) -> tuple[float, float]:
    """Return the best calls a second of each, measured in turns so that both see the same load."""
    best = [0.0, 0.0]
    for _ in range(ROUNDS):
        for index, function in enumerate((first, second)):
            start = perf_counter()
            for _ in range(calls):
                function()
            best[index] = max(best[index], calls / (perf_counter() - start))
    return best[0], best[1]


@pytest.fixture
def calls(request: pytest.FixtureRequest) -> int:
    """Return how often to call: often when speed is measured, a few times in an ordinary test run."""
    return 2000 if request.config.getoption("benchmark_enable") else 300


def test_a_signed_alert_costs_little_more_than_its_signature(calls: int) -> None:
    octets, public = signed_alert(), KEY.public_key()
    message = Message.decode(octets)
    assert message.signature is not None
    body, raw = message.signed_octets(), message.signature
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    def whole() -> None:
        security.verify_signature(Message.decode(octets), public)

    def bare() -> None:
        public.verify(signature, body, ECDSA(SHA256()))

    with pytest.raises(IntegrityError):
        security.verify_signature(Message.decode(octets[:60] + bytes((octets[60] ^ 1,)) + octets[61:]), public)
    ours, reference = rates(whole, bare, calls)
    sys.stdout.write(
        f"\nsigned alerts verified: {ours:,.0f}/s, bare ECDSA {reference:,.0f}/s, ratio {ours / reference:.2f}"
    )
    assert ours / reference >= 0.6


def bare_mac(message: Message, private: EllipticCurvePrivateKey, public: EllipticCurvePublicKey) -> Callable[[], None]:
    """Return the cryptography of one MAC and nothing else: the agreement, and GMAC over as many octets."""
    aad = bytes(6) + message.grouping_octets()

    def bare() -> None:
        AESGCM(private.exchange(ECDH(), public)[:16]).encrypt(bytes(12), b"", aad)

    return bare


def test_a_mac_costs_at_most_twice_its_cryptography_the_first_time(calls: int) -> None:
    private, public = KEY, BROKER_KEY.public_key()
    octets = maced_response(security.shared_secret(private, public))

    def whole() -> None:
        security.check_mac(Message.decode(octets), security.shared_secret(private, public))

    ours, reference = rates(whole, bare_mac(Message.decode(octets), private, public), calls)
    sys.stdout.write(f"\nMACs checked, first time: {ours:,.0f}/s, ratio to ECDH and GMAC {ours / reference:.2f}")
    assert ours / reference >= FIRST_TIME


def test_a_mac_with_a_known_secret_costs_a_twentieth_of_that(calls: int) -> None:
    private, public = KEY, BROKER_KEY.public_key()
    secrets = security.SharedSecrets(private)
    octets = maced_response(secrets.with_(public))
    message = Message.decode(octets)

    def check() -> None:
        security.check_mac(message, secrets.with_(public))

    def decode_and_check() -> None:
        security.check_mac(Message.decode(octets), secrets.with_(public))

    with pytest.raises(IntegrityError):
        security.check_mac(Message.decode(octets[:-1] + bytes((octets[-1] ^ 1,))), secrets.with_(public))
    bare = bare_mac(message, private, public)
    ours, reference = rates(check, bare, calls)
    decoded, _ = rates(decode_and_check, bare, calls)
    sys.stdout.write(
        f"\nMACs checked with a known secret: {ours:,.0f}/s, ratio to ECDH and GMAC {ours / reference:.1f}"
        f" (with the decoding of the message {decoded / reference:.1f})"
    )
    assert ours / reference >= 20 * FIRST_TIME
