"""Speed of service requests at the door of the DSP, as a ratio to the bare signature verification in one process."""

import sys
from collections.abc import Callable
from time import perf_counter

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from emulator.entropy import SeededEntropy
from protocols.duis.errors import SignatureError
from protocols.duis.requests import parse_request
from protocols.duis.signature import XmlSigner
from protocols.gbcs.smki import RemotePartyRole, TestPki
from tests.support.duis_documents import REQUEST_DOCUMENTS, SUPPLIER

NOW = 1_772_442_000_000_000_000  # 2026-03-02T09:00:00Z
ROUNDS = 7
USER = RemotePartyRole.XML_SIGNING_USER
ENTROPY = SeededEntropy(1)
PAIR = TestPki(ENTROPY, NOW).xml_signing(SUPPLIER, USER)
SIGNER = XmlSigner(PAIR.key, PAIR.certificate, ENTROPY)


def rates(functions: dict[str, Callable[[], object]], calls: int) -> dict[str, float]:
    """Return the best calls a second of each, measured in turns so that all see the same load."""
    best = dict.fromkeys(functions, 0.0)
    for _ in range(ROUNDS):
        for name, function in functions.items():
            start = perf_counter()
            for _ in range(calls):
                function()
            best[name] = max(best[name], calls / (perf_counter() - start))
    return best


@pytest.fixture
def calls(request: pytest.FixtureRequest) -> int:
    """Return how often to call: often when speed is measured, a few times in an ordinary test run."""
    return 1000 if request.config.getoption("benchmark_enable") else 100


@pytest.mark.parametrize("name", ["8.2 by device", "11.3", "12.2 bridge"])
def test_a_request_is_parsed_checked_and_verified(name: str, calls: int) -> None:
    plain = REQUEST_DOCUMENTS[name]
    octets, public = SIGNER.sign(plain), PAIR.certificate.public_key
    signature = parse_request(octets).signature
    assert signature is not None
    body, raw = signature.signed_info, signature.value
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    def whole() -> None:
        read = parse_request(octets).signature
        assert read is not None
        read.verify(PAIR.certificate, USER, NOW)

    found = rates(
        {
            "bare ECDSA": lambda: public.verify(der, body, ECDSA(SHA256())),
            "parse and schema": lambda: parse_request(plain),
            "parse, schema and signature": whole,
            "sign": lambda: SIGNER.sign(plain),
        },
        calls,
    )
    altered = octets.replace(b"Header>\n", b"Header> \n")
    refused = parse_request(altered).signature
    assert refused is not None
    with pytest.raises(SignatureError):
        refused.verify(PAIR.certificate, USER, NOW)
    told = ", ".join(f"{what} {rate:,.0f}/s" for what, rate in found.items())
    ratio = found["parse, schema and signature"] / found["bare ECDSA"]
    sys.stdout.write(f"\n{name}: {told}; ratio of verified requests to bare ECDSA {ratio:.2f}")
    assert ratio >= 0.18
