"""A whole message as one JSON object, and the same octets back from that object alone."""

from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.gbcs.envelope import MAC_OCTETS, SIGNATURE_OCTETS, Category, Cra, Message
from protocols.gbcs.json_fields import Fields, Json, hexadecimal
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.protection import check
from protocols.gbcs.tree import from_tree, to_tree
from protocols.gbcs.use_cases import use_case_of

_VERDICT_FIELDS = (
    "source", "category", "message_code", "use_case", "originator", "target", "counter", "payload", "signature", "mac",
    "error",
)  # fmt: skip


def payload_offset(message: Message) -> int:
    """Return where the payload starts in the octets of the message."""
    signature = 0 if message.signature is None else 1 + len(message.signature)
    mac = 0 if message.mac is None else MAC_OCTETS
    return len(message.encode()) - mac - signature - len(message.payload)


def describe(message: Message, source: str, keystore: Keystore | None) -> dict[str, Json]:
    """Return the object: first what readers ask for, then the rest of the envelope.

    `signature` and `mac` are verdicts, their octets stand in `signature_octets` and `mac_octets`: null where the
    message has no such field, empty for a signature of length 0.
    """
    verdict = check(message, keystore)
    party = message.supplementary_party
    return {
        "source": source,
        "category": message.category.value,
        "message_code": f"{message.message_code:04X}",
        "use_case": use_case_of(message.message_code),
        "originator": str(message.originator),
        "target": str(message.target),
        "counter": message.counter,
        "payload": to_tree(message.payload, payload_offset(message), alert=message.cra is Cra.ALERT),
        "signature": verdict.signature,
        "mac": verdict.mac,
        "error": None,
        "cra": message.cra.name.lower(),
        "date_time": hexadecimal(message.date_time),
        "supplementary_party": None if party is None else str(party),
        "supplementary_counter": message.supplementary_counter,
        "supplementary_originator_counter": message.supplementary_originator_counter,
        "certificate": hexadecimal(message.certificate),
        "signature_octets": None if message.signature is None else hexadecimal(message.signature),
        "mac_octets": None if message.mac is None else hexadecimal(message.mac),
    }


def unreadable(source: str, error: str) -> dict[str, Json]:
    """Return the object of what is no message: all null but the source and the error."""
    return dict.fromkeys(_VERDICT_FIELDS) | {"source": source, "error": error}


def restore(value: object, where: str = "message") -> bytes:
    """Return the octets of a described message; verdicts and other derived fields are not looked at.

    Raises InputError that names the field that is wrong.
    """
    fields = Fields(value, where)
    if fields.has("error"):
        raise InputError(f"{where}: it stands for something unreadable ({fields.text('error')})")
    message = _message(fields)
    if message.category is Category.UNPROTECTED:
        raise InputError(f"{where}: no {message.cra.name.lower()} has this shape of signature and MAC")
    octets = message.encode()
    try:
        fits = Message.decode(octets) == message
    except DecodeError as error:
        raise InputError(f"{where}: no message ({error})") from None
    if not fits:
        raise InputError(f"{where}: supplementary fields or certificate that no message can hold")
    return octets


def _message(fields: Fields) -> Message:
    cra = fields.text("cra").upper()
    if cra not in Cra.__members__:
        raise InputError(f"{fields.where}.cra: neither command nor response nor alert")
    signature = fields.octets("signature_octets") if fields.has("signature_octets") else None
    if signature and len(signature) != SIGNATURE_OCTETS:
        raise InputError(f"{fields.where}.signature_octets: {len(signature)} octets instead of {SIGNATURE_OCTETS}")
    mac = fields.octets("mac_octets", MAC_OCTETS) if fields.has("mac_octets") else None
    return Message(
        cra=Cra[cra],
        counter=fields.number("counter", 64),
        originator=Eui64.parse(fields.text("originator")),
        target=Eui64.parse(fields.text("target")),
        date_time=_date_time(fields),
        message_code=int.from_bytes(fields.octets("message_code", 2), "big"),
        supplementary_party=_party(fields),
        supplementary_counter=_optional_number(fields, "supplementary_counter"),
        supplementary_originator_counter=_optional_number(fields, "supplementary_originator_counter"),
        certificate=fields.octets("certificate"),
        payload=from_tree(fields.object("payload").values, f"{fields.where}.payload"),
        signature=signature,
        mac=mac,
    )


def _date_time(fields: Fields) -> bytes:
    return fields.octets("date_time", 12 if fields.text("date_time") else 0)


def _party(fields: Fields) -> Eui64 | None:
    return Eui64.parse(fields.text("supplementary_party")) if fields.has("supplementary_party") else None


def _optional_number(fields: Fields, name: str) -> int | None:
    return fields.number(name, 64) if fields.has(name) else None
