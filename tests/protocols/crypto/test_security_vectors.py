"""Hashes, MACs, derived keys, CCM* and install codes against published values."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from protocols.crypto import install_code
from protocols.crypto.ccm import ccm_star, open_sealed
from protocols.crypto.mmo import aes_mmo, hmac_mmo, key_load_key, key_transport_key, verify_key_hash
from protocols.errors import InputError, IntegrityError, UsageError
from tests.support.security_vectors import cases

Vector = dict[str, Any]
security = pytest.mark.judge("security")


@security
@pytest.mark.parametrize("vector", cases("mmo_hash"))
def test_hash_is_the_published_one(vector: Vector) -> None:
    if "input" in vector:
        message = bytes.fromhex(vector["input"])
    else:
        message = bytes(i % 256 for i in range(vector["input_length"]))
    assert aes_mmo(message).hex() == vector["expected"]


@security
@pytest.mark.parametrize("vector", cases("hmac_mmo"))
def test_mac_is_the_published_one(vector: Vector) -> None:
    assert hmac_mmo(bytes.fromhex(vector["key"]), bytes.fromhex(vector["message"])).hex() == vector["expected"]


@security
@pytest.mark.parametrize("vector", cases("key_derivation"))
def test_derived_key_is_the_published_one(vector: Vector) -> None:
    derive = {"00": key_transport_key, "02": key_load_key, "03": verify_key_hash}[vector["input"]]
    assert derive(bytes.fromhex(vector["link_key"])).hex() == vector["expected"]


@security
@pytest.mark.parametrize("vector", cases("ccm"))
def test_ccm_star_of_the_specification_is_ordinary_ccm(vector: Vector) -> None:
    """The published case has a MIC of 8 octets; it shows that the library's CCM computes CCM*."""
    cipher = AESCCM(bytes.fromhex(vector["key"]), tag_length=vector["mic_length"])
    nonce, aad, plain = (bytes.fromhex(vector[name]) for name in ("nonce", "aad", "plaintext"))
    assert cipher.encrypt(nonce, plain, aad).hex() == vector["ciphertext_and_mic"]
    short = ccm_star(bytes.fromhex(vector["key"])).encrypt(nonce, plain, aad)
    assert short[: len(plain)].hex() == vector["ciphertext_and_mic"][: 2 * len(plain)]
    assert len(short) == len(plain) + 4


@security
@pytest.mark.parametrize("vector", cases("install_codes"))
def test_install_code_gives_the_published_key(vector: Vector) -> None:
    code = bytes.fromhex(vector["code"])
    assert install_code.crc(code).hex() == vector["code_with_crc"][-4:]
    assert install_code.check(bytes.fromhex(vector["code_with_crc"])) == code
    assert install_code.parse(vector["code_with_crc"].upper()) == code
    assert install_code.link_key(code).hex() == vector["link_key"]


@security
@pytest.mark.parametrize("vector", cases("install_codes_invalid"))
def test_bad_install_code_is_refused(vector: Vector) -> None:
    error = IntegrityError if vector["expected"] == "invalid crc" else InputError
    with pytest.raises(error):
        install_code.check(bytes.fromhex(vector["code_with_crc"]))
    if "correct_crc_bytes" in vector:
        assert install_code.crc(bytes.fromhex(vector["code_with_crc"])[:-2]).hex() == vector["correct_crc_bytes"]


def test_install_code_text_may_be_grouped_and_must_be_hexadecimal() -> None:
    assert install_code.parse("83FE D340-7A93:2B70").hex() == "83fed3407a93"
    with pytest.raises(InputError, match="not an install code"):
        install_code.parse("83fed3407a93zz70")
    with pytest.raises(InputError, match="6, 8, 12 or 16"):
        install_code.link_key(bytes(10))


def test_sealed_octets_open_only_unaltered() -> None:
    cipher, nonce = ccm_star(bytes(16)), bytes(13)
    sealed = cipher.encrypt(nonce, b"", b"header")
    assert open_sealed(cipher, nonce, sealed, b"header") == b""
    for bad in (sealed[:-1], b"", bytes((sealed[0] ^ 1,)) + sealed[1:]):
        with pytest.raises(IntegrityError):
            open_sealed(cipher, nonce, bad, b"header")


def test_key_of_another_length_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="16"):
        ccm_star(bytes(32))
