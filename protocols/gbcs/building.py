"""A message from a description in JSON: envelope, payload by its fields, protection with the keys of a key store."""

from dataclasses import replace
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.gbcs import security
from protocols.gbcs.building_sealed import with_sealed
from protocols.gbcs.envelope import Category, Cra, Message
from protocols.gbcs.json_fields import Fields, Json
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.payload_json import field_names, from_json, template
from protocols.gbcs.payloads import Payload, payload_class
from protocols.gbcs.smki import DIGITAL_SIGNING, KEY_AGREEMENT, Certificate, RemotePartyRole
from protocols.gbcs.times import dlms_date_time
from protocols.gbcs.use_cases import cs02b
from protocols.gbcs.use_cases.table import UseCase, by_name
from protocols.interfaces import Entropy

_ENVELOPE = (
    "cra", "originator", "target", "counter", "date_time", "supplementary_party", "supplementary_counter",
    "supplementary_originator_counter", "certificate", "signed", "mac", "payload",
)  # fmt: skip

_SUPPLIER = "90b3d51f30010000"
_EXAMPLES = {  # organisations of the published test data
    RemotePartyRole.RECOVERY: "90b3d51f30000001",
    RemotePartyRole.ACCESS_CONTROL_BROKER: "90b3d51f30000002",
    RemotePartyRole.TRANSITIONAL_COS: "90b3d51f30000004",
    RemotePartyRole.WAN_PROVIDER: "90b3d51f30000007",
    RemotePartyRole.NETWORK_OPERATOR: "90b3d51f30020000",
}


class Protection(NamedTuple):
    signed: bool  # by the originator
    mac: bool  # of a command: between access control broker and target; else between originator and target


def find(name: str, described: object) -> UseCase:
    """Return the one use case of a name; in CS02b the mode of the described control decides.

    Raises InputError for a name nothing has, for one that is not built here, and for one that several have.
    """
    found = [use_case for use_case in by_name(name) if use_case.module is not None]
    if not found:
        known = "unknown" if not by_name(name) else "known by name only, its payload is not built here"
        raise InputError(f"use case {name!r}: {known}")
    if len(found) > 1:
        mode = _mode_of(described)
        found = [use_case for use_case in found if cs02b.mode_of(use_case.message_code) == mode is not None]
    if len(found) != 1:
        raise InputError(f"use case {name!r}: several, e.g. {by_name(name)[-1].name!r}; or give payload.control.mode")
    return found[0]


def _mode_of(described: object) -> int | None:
    """Return the mode a described CS02b command names, None if it names none."""
    control = Fields(described, "message").object("payload").object("control") if _has_control(described) else None
    if control is None:
        return None
    value = control.values.get("mode")
    if isinstance(value, str):
        return next((mode for mode in cs02b.Mode if mode.name == value.upper()), None)
    return control.integer("mode")


def _has_control(described: object) -> bool:
    payload = described.get("payload") if isinstance(described, dict) else None
    return isinstance(payload, dict) and isinstance(payload.get("control"), dict)


def describe_template(use_case: UseCase, cra: Cra) -> dict[str, Json]:
    """Return a description to start from, filled with examples."""
    payload = {name: value for name, value in template(_class_of(use_case, cra)).items() if name != "counter"}
    mode, control = cs02b.mode_of(use_case.message_code), payload.get("control")
    if mode is not None and isinstance(control, dict):
        payload["control"] = {**control, "mode": mode.name}
    access = use_case.access[0] if use_case.access else None
    described: dict[str, Json] = {
        "cra": cra.name.lower(),
        "originator": _EXAMPLES.get(access.originator, _SUPPLIER) if access else "00db1234567890a0",
        "target": "00db1234567890a0" if access else _SUPPLIER,
        "counter": 1,
    }
    if access and access.on_behalf:
        described |= {"supplementary_party": _SUPPLIER, "supplementary_counter": 1}
    return described | {"payload": payload}


def build(use_case: UseCase, described: object, keystore: Keystore | None, entropy: Entropy) -> bytes:
    """Return the octets of the described message.

    Without a key store: the pre-command. With one: signed and with a MAC as the use case, and for some the originator,
    demands; fields `signed` and `mac` say otherwise.

    Raises InputError that names the field or the key that is missing.
    """
    message = unprotected(use_case, described, keystore)
    if keystore is None:
        if message.cra is not Cra.COMMAND:
            kind = message.cra.name.lower()
            raise InputError(f"a key store is needed: only commands exist unprotected, not a {kind}")
        return _checked(message)
    wanted = protection(use_case, message, keystore)
    fields = Fields(described, "message")
    signed = fields.flag("signed") if fields.has("signed") else wanted.signed
    mac = fields.flag("mac") if fields.has("mac") else wanted.mac
    if signed:
        message = security.sign(message, _key(keystore, message.originator, DIGITAL_SIGNING), entropy)
    if mac:
        message = security.add_mac(message, _shared_secret(message, keystore))
    return _checked(message)


def unprotected(use_case: UseCase, described: object, keystore: Keystore | None = None) -> Message:
    """Return the described message without signature and MAC; plaintext in it is sealed with the key store."""
    fields = Fields(described, "message")
    unknown = next((name for name in fields.values if name not in _ENVELOPE), None)
    if unknown is not None:
        raise InputError(f"message.{unknown}: unknown; the fields are {', '.join(_ENVELOPE)}")
    name = fields.text("cra").upper() if fields.has("cra") else use_case.directions[0].name
    if name not in Cra.__members__:
        raise InputError("message.cra: neither command nor response nor alert")
    counter = fields.number("counter", 64)
    envelope = Message(
        Cra[name],
        counter,
        Eui64.parse(fields.text("originator")),
        Eui64.parse(fields.text("target")),
        _date_time(fields),
        use_case.message_code,
        Eui64.parse(fields.text("supplementary_party")) if fields.has("supplementary_party") else None,
        _optional_number(fields, "supplementary_counter"),
        _optional_number(fields, "supplementary_originator_counter"),
        fields.octets("certificate") if fields.has("certificate") else b"",
    )
    payload = _payload(_class_of(use_case, Cra[name]), fields, envelope, keystore)
    return replace(envelope, payload=payload.encode())


def protection(use_case: UseCase, message: Message, keystore: Keystore) -> Protection:
    """Return how a message is protected; for a few commands the role of their originator decides."""
    critical = use_case.critical is not False
    if message.cra is not Cra.COMMAND:
        # Credentials are answered signed in every mode; what was read is answered in the way it was asked.
        return Protection(critical, not critical)
    certificate = _any_certificate(keystore, message.originator)
    role = None if certificate is None else certificate.role
    access = next((row for row in use_case.access if row.originator == role), None)
    if access is None:
        return Protection(critical, mac=True)
    return Protection(critical if access.signed is None else access.signed, access.mac)


def _class_of(use_case: UseCase, cra: Cra) -> type[Payload]:
    kind = payload_class(use_case.message_code, cra, use_case.languages[0])
    if kind is None:
        raise InputError(f"{use_case.name} has no {cra.name.lower()}")
    return kind


def _payload(kind: type[Payload], fields: Fields, envelope: Message, keystore: Keystore | None) -> Payload:
    """Return the described payload; where it repeats the message's counter, that may be left out."""
    counter = envelope.counter
    payload = fields.object("payload") if fields.has("payload") else Fields({}, f"{fields.where}.payload")
    names = field_names(kind)
    values = dict(payload.values)
    if "counter" in names:
        values.setdefault("counter", counter & 0xFFFFFF)
    if "originator_counter" in names:
        values.setdefault("originator_counter", counter)
    control = values.get("control")
    if "control" in names and isinstance(control, dict):
        values["control"] = {"counter": counter} | control
    with_sealed(values, envelope, keystore, payload.where)
    return from_json(kind, Fields(values, payload.where))


def _date_time(fields: Fields) -> bytes:
    """Return the 12 octets of a response's date-time, given as they are or as an instant in ns."""
    if not fields.has("date_time"):
        return b""
    if isinstance(fields.values["date_time"], int):
        return dlms_date_time(fields.number("date_time", 64))
    return fields.octets("date_time", 12)


def _optional_number(fields: Fields, name: str) -> int | None:
    return fields.number(name, 64) if fields.has(name) else None


def _checked(message: Message) -> bytes:
    """Return the octets if they are a message and give it back."""
    if message.category is Category.UNPROTECTED:
        raise InputError(f"no {message.cra.name.lower()} has this shape of signature and MAC")
    octets = message.encode()
    try:
        fits = Message.decode(octets) == message
    except DecodeError as error:
        raise InputError(f"no message ({error})") from None
    if not fits:
        raise InputError("supplementary fields or certificate that no message can hold")
    return octets


def _any_certificate(keystore: Keystore, eui: Eui64) -> Certificate | None:
    return keystore.certificate(eui, DIGITAL_SIGNING) or keystore.certificate(eui, KEY_AGREEMENT)


def _key(keystore: Keystore, eui: Eui64, usage: str) -> EllipticCurvePrivateKey:
    key = keystore.private_key(eui, usage)
    if key is None:
        raise InputError(f"the key store has no {eui}-{usage}.key")
    return key


def _shared_secret(message: Message, keystore: Keystore) -> bytes:
    sender = message.originator
    if message.cra is Cra.COMMAND:
        brokers = keystore.of_role(RemotePartyRole.ACCESS_CONTROL_BROKER, KEY_AGREEMENT)
        if len(brokers) != 1:
            raise InputError(f"the key store has {len(brokers)} access control brokers with a ka certificate, not one")
        sender = brokers[0].eui
    certificate = keystore.certificate(message.target, KEY_AGREEMENT)
    if certificate is None:
        raise InputError(f"the key store has no {message.target}-ka.pem")
    return security.shared_secret(_key(keystore, sender, KEY_AGREEMENT), certificate.public_key)
