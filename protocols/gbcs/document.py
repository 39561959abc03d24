"""A whole message as one JSON object, and the same octets back from that object alone."""

from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.gbcs.alert_names import alert_name
from protocols.gbcs.blocks import Block, Route
from protocols.gbcs.concerned import concerned
from protocols.gbcs.conformity import deviations
from protocols.gbcs.envelope import MAC_OCTETS, SIGNATURE_OCTETS, Category, Cra, Message
from protocols.gbcs.json_fields import Fields, Json, hexadecimal
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.payload_json import to_json
from protocols.gbcs.payloads import understood
from protocols.gbcs.protection import check, decrypt
from protocols.gbcs.tree import from_tree, to_tree
from protocols.gbcs.use_cases import alert_code_of, use_case_of
from protocols.gbcs.use_cases.names import title_of

_VERDICT_FIELDS = (
    "source", "category", "message_code", "use_case", "originator", "target", "counter", "payload", "signature", "mac",
    "error",
)  # fmt: skip


_BLOCK = "block"


def payload_offset(message: Message) -> int:
    """Return where the payload starts in the octets of the message."""
    signature = 0 if message.signature is None else 1 + len(message.signature)
    mac = 0 if message.mac is None else MAC_OCTETS
    return len(message.encode()) - mac - signature - len(message.payload)


def describe(message: Message, source: str, keystore: Keystore | None) -> dict[str, Json]:
    """Return the object: first what readers ask for, then the rest of the envelope.

    `signature` and `mac` are verdicts, their octets stand in `signature_octets` and `mac_octets`: null where the
    message has no such field, empty for a signature of length 0. `encrypted` is the verdict on encrypted parts, whose
    plaintext stands in the payload's tree. `fields` are those of the payload's class, null where there is none.
    `notes` tell what departs from the standard and is tolerated, `refused` what a strict reader refuses of it.
    """
    verdict = check(message, keystore)
    party, offset = message.supplementary_party, payload_offset(message)
    tree = to_tree(message.payload, offset, alert=message.cra is Cra.ALERT)
    departures = deviations(message, tree, offset)
    encrypted = decrypt(message, tree, keystore)
    alert_code, payload, about = _alert_code(message), understood(message), concerned(message)
    return {
        "source": source,
        "category": message.category.value,
        "message_code": f"{message.message_code:04X}",
        "use_case": use_case_of(message.message_code),
        "originator": str(message.originator),
        "target": str(message.target),
        "counter": message.counter,
        "payload": tree,
        "signature": verdict.signature,
        "mac": verdict.mac,
        "error": None,
        "title": title_of(message.message_code),
        "alert_code": None if alert_code is None else f"{alert_code:04X}",
        "alert": None if alert_code is None else alert_name(alert_code),
        "concerns": None if about is None else str(about),
        "encrypted": encrypted,
        "fields": None if payload is None else to_json(payload),
        "cra": message.cra.name.lower(),
        "date_time": hexadecimal(message.date_time),
        "supplementary_party": None if party is None else str(party),
        "supplementary_counter": message.supplementary_counter,
        "supplementary_originator_counter": message.supplementary_originator_counter,
        "certificate": hexadecimal(message.certificate),
        "signature_octets": None if message.signature is None else hexadecimal(message.signature),
        "mac_octets": None if message.mac is None else hexadecimal(message.mac),
        "notes": [str(each) for each in departures if not each.refused],
        "refused": [str(each) for each in departures if each.refused],
    }


def describe_block(block: Block, source: str) -> dict[str, Json]:
    """Return the object of a block of a longer message; the block stands in `payload`."""
    route = block.route
    shown = dict.fromkeys(_VERDICT_FIELDS) | {
        "source": source,
        "category": f"block {block.number} of a longer {route.cra.name.lower()}",
        "message_code": f"{route.message_code:04X}",
        "use_case": use_case_of(route.message_code),
        "originator": str(route.originator),
        "target": str(route.target),
        "counter": route.counter,
        "cra": route.cra.name.lower(),
    }
    shown["payload"] = {
        "form": _BLOCK,
        "number": block.number,
        "acknowledged": block.acknowledged,
        "last": block.last,
        "streaming": block.streaming,
        "window": block.window,
        "octets": hexadecimal(block.data),
    }
    return shown


def unreadable(source: str, error: str) -> dict[str, Json]:
    """Return the object of what is no message: all null but the source and the error."""
    return dict.fromkeys(_VERDICT_FIELDS) | {"source": source, "error": error}


def _alert_code(message: Message) -> int | None:
    """Return the alert code, None also for an alert that shows none."""
    try:
        return alert_code_of(message)
    except DecodeError:
        return None


def restore(value: object, where: str = "message") -> bytes:
    """Return the octets of a described message; verdicts and other derived fields are not looked at.

    Raises InputError that names the field that is wrong.
    """
    fields = Fields(value, where)
    if fields.has("error"):
        raise InputError(f"{where}: it stands for something unreadable ({fields.text('error')})")
    payload = fields.values.get("payload")
    if isinstance(payload, dict) and payload.get("form") == _BLOCK:
        return _block(fields, fields.object("payload")).encode()
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


def _block(fields: Fields, payload: Fields) -> Block:
    originator, target = Eui64.parse(fields.text("originator")), Eui64.parse(fields.text("target"))
    code = int.from_bytes(fields.octets("message_code", 2), "big")
    return Block(
        Route(_cra(fields), fields.number("counter", 64), originator, target, code),
        payload.number("number", 16),
        payload.number("acknowledged", 16),
        payload.octets("octets"),
        payload.flag("last"),
        payload.flag("streaming"),
        payload.number("window", 6),
    )


def _cra(fields: Fields) -> Cra:
    name = fields.text("cra").upper()
    if name not in Cra.__members__:
        raise InputError(f"{fields.where}.cra: neither command nor response nor alert")
    return Cra[name]


def _message(fields: Fields) -> Message:
    signature = fields.octets("signature_octets") if fields.has("signature_octets") else None
    if signature and len(signature) != SIGNATURE_OCTETS:
        raise InputError(f"{fields.where}.signature_octets: {len(signature)} octets instead of {SIGNATURE_OCTETS}")
    mac = fields.octets("mac_octets", MAC_OCTETS) if fields.has("mac_octets") else None
    return Message(
        cra=_cra(fields),
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
