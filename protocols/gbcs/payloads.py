"""The payload class of a message, for every use case that has one."""

import importlib
from functools import cache
from typing import Protocol, Self

from protocols.errors import DecodeError
from protocols.gbcs import gbz
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases.table import USE_CASES, Language, UseCase


class Payload(Protocol):
    """A frozen dataclass of `protocols.gbcs.use_cases`."""

    def encode(self) -> bytes: ...

    @classmethod
    def decode(cls, octets: bytes) -> Self: ...


@cache
def payload_class(message_code: int, cra: Cra, language: Language) -> type[Payload] | None:
    """Return the class, None for a use case or direction that has none here."""
    use_case = USE_CASES.get(message_code)
    if use_case is None or use_case.module is None:
        return None
    if cra not in use_case.directions or language not in use_case.languages:
        return None
    module = importlib.import_module(f"protocols.gbcs.use_cases.{use_case.module}")
    form = "Gsme" if language is Language.GBZ and cra is Cra.ALERT else ""
    found: type[Payload] = getattr(module, form + cra.name.capitalize())
    return found


def classes_of(use_case: UseCase) -> dict[tuple[Cra, Language], type[Payload]]:
    """Return the payload classes of a use case by direction and language; none if it has none here."""
    found = {(cra, language): payload_class(use_case.message_code, cra, language)
             for cra in use_case.directions for language in use_case.languages}  # fmt: skip
    return {key: kind for key, kind in found.items() if kind is not None}


def decode_payload(message: Message) -> Payload | None:
    """Return the payload as its use case has it.

    None where there is no class for it. Raises DecodeError for a payload that does not follow its use case.
    """
    kind = payload_class(message.message_code, message.cra, _language(message))
    if kind is not None:
        return kind.decode(message.payload)
    use_case = USE_CASES.get(message.message_code)
    if use_case is not None and use_case.module is not None:
        raise DecodeError("a payload in another language or direction than its use case has", data=message.payload)
    return None


def understood(message: Message) -> Payload | None:
    """Return the payload like `decode_payload`, but None also for one that does not follow its use case."""
    try:
        return decode_payload(message)
    except DecodeError:
        return None


def _language(message: Message) -> Language:
    """Return the language the first octets tell."""
    if message.payload.startswith(gbz.PROFILE):
        return Language.GBZ
    return Language.DLMS if message.payload[:1] in (b"\x0f", b"\xd9", b"\xda") else Language.DER
