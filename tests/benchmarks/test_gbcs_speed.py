"""Speed of GBCS checks, as ratios to the bare cryptography in the same process."""

import sys
from collections.abc import Callable
from time import perf_counter

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
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
Z = bytes(range(32))


def signed_alert() -> bytes:
    payload = cs09.Alert(1_772_442_000 * SECOND, 0x1234ABCD).encode()
    alert = Message(Cra.ALERT, 5000, DEVICE, BROKER, message_code=cs09.MESSAGE_CODE, payload=payload)
    return security.sign(alert, KEY, ENTROPY).encode()


def maced_response() -> bytes:
    payload = cs08.Response(0x1234ABCD).encode()
    response = Message(Cra.RESPONSE, 5000, DEVICE, BROKER, message_code=cs08.MESSAGE_CODE, payload=payload)
    return security.add_mac(response, Z).encode()


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


def test_a_mac_is_checked_faster_than_a_signature(calls: int) -> None:
    octets, public = maced_response(), KEY.public_key()
    alert = Message.decode(signed_alert())

    def whole() -> None:
        security.check_mac(Message.decode(octets), Z)

    def reference() -> None:
        security.verify_signature(alert, public)

    with pytest.raises(IntegrityError):
        security.check_mac(Message.decode(octets[:-1] + bytes((octets[-1] ^ 1,))), Z)
    ours, theirs = rates(whole, reference, calls)
    sys.stdout.write(f"\nMACs checked with a known secret: {ours:,.0f}/s, ratio to signatures {ours / theirs:.2f}")
    assert ours / theirs >= 1.5
