"""Plaintext in a described payload: `"protected"` or `"sealed"` as `{"plaintext": HEX}` is encrypted for its reader."""

from protocols.errors import InputError
from protocols.gbcs import encryption
from protocols.gbcs.envelope import Message
from protocols.gbcs.json_fields import Fields, hexadecimal
from protocols.gbcs.keystore import Keystore

PROTECTED, SEALED = "protected", "sealed"
_PLAINTEXT = "plaintext"


def with_sealed(values: dict[str, object], envelope: Message, keystore: Keystore | None, where: str) -> None:
    """Put what is sealed, made with the keys of the key store, in place of plaintext. InputError without the keys.

    values: the fields of the payload. envelope: the message, whose payload does not count.
    """
    for name in (PROTECTED, SEALED):
        value = values.get(name)
        if isinstance(value, dict) and _PLAINTEXT in value:
            plaintext = Fields(value, f"{where}.{name}").octets(_PLAINTEXT)
            sealed = encryption.seal(plaintext, envelope, _secret(envelope, keystore, f"{where}.{name}"))
            values[name] = hexadecimal(sealed) if name == SEALED else _protected(envelope, sealed)


def _secret(envelope: Message, keystore: Keystore | None, where: str) -> bytes:
    reader = encryption.recipient(envelope)
    z = None if keystore is None else keystore.shared_secret(envelope.originator, reader)
    if z is None:
        raise InputError(f"{where}: the key store has no key agreement key of {envelope.originator} or {reader}"
                         " with the other's certificate")  # fmt: skip
    return z


def _protected(envelope: Message, sealed: bytes) -> dict[str, object]:
    value = encryption.Protected.of(envelope, sealed)
    return {
        "counter": value.counter,
        "originator": str(value.originator),
        "recipient": str(value.recipient),
        "sealed": hexadecimal(value.sealed),
    }
