"""What the DSP itself answers, refereed: each request judged again from the inventory as it stood just before it.

The rules are written down here a second time, from the legal text of MP170, and share nothing with the DSP. A run shows
a rule only if it has requests on both sides of it: taken ones and refused ones.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from gateway.campaigns.verify.check import Check, conclude, count
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.fleet_view import History
from gateway.campaigns.verify.messages import Exchange
from gateway.campaigns.verify.referee import TYPE_2, Known, Referee
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import DeviceStatusChangeEvent
from protocols.duis.inventory import DeviceType, DspInventory, InventoryDevice, PpmidVariant
from protocols.duis.schema import has_ppmid_variant

_GONE = ("Decommissioned", "Withdrawn", None)
_EXCEPT_HUB = {("Pending", "InstalledNotCommissioned"), ("Whitelisted", "Pending")}
_OF_HUB = {
    ("Pending", "InstalledNotCommissioned"), ("InstalledNotCommissioned", "Commissioned"),
    ("Pending", "Commissioned"), ("Commissioned", "Withdrawn"),
}  # fmt: skip
_MPXN_STATUSES = ("Whitelisted", "InstalledNotCommissioned", "Commissioned")
_JOINED_BY_8_7_1 = (("ESME", "HCALCS"), ("ESME", "PPMID"), ("HCALCS", "ESME"), ("GSME", "PPMID"))
_MOVABLE = (DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS, DeviceType.PPMID)


Rule = Callable[[Referee, Exchange], str | None]
"""Returns the code that an exchange ought to have, "taken" for success; None where the rule says nothing of it."""

TAKEN = "taken"


def _reading(_: Referee, exchange: Exchange) -> str | None:
    """MP170-L2: whoever asks, of whatever device there is."""
    body = exchange.request.body
    if not isinstance(body, bodies.ReadInventory) or body.device_id is None:
        return None
    return TAKEN if _.known(body.device_id, exchange).type is not None else "E080202"


def check_inventory_answers(evidence: Evidence) -> Iterator[Check]:
    """MP170-L4, L6: 1 to 17 devices, each with the fields its type has; PPMIDVariant for PPMID alone."""
    facts, faults, variants = list[str](), list[str](), list[str]()
    types = set()
    for mail in evidence.users.mail:
        if not isinstance(mail.content, DspInventory):
            continue
        devices = mail.content.devices
        if not 1 <= len(devices) <= 17:
            faults.append(f"{mail.place}: {len(devices)} devices")
        faults += [f"{mail.place}, {device.device_id}: {wrong}" for device in devices for wrong in _wrong(device)]
        variants += [f"{mail.place}, {device.device_id}: PPMIDVariant" for device in devices if _wrong_variant(device)]
        types |= {device.device_type for device in devices}
    missing = {DeviceType.CHF, DeviceType.ESME, DeviceType.PPMID, DeviceType.IHD} - types
    if types and not missing:
        facts.append(f"devices of {count(len(types), 'type')} with the fields of their type")
    lacking = f"no 8.2 of {', '.join(sorted(missing))}"
    yield conclude("MP170-L4", "fields of 8.2", facts=facts, faults=faults, missing=lacking)
    yield conclude("MP170-L6", "PPMIDVariant in 8.2", facts=facts, faults=variants, missing=lacking)


def _wrong(device: InventoryDevice) -> Iterator[str]:
    """Yield what an entry has that its type has not, or lacks."""
    kind, type_2 = device.device_type, device.device_type in TYPE_2
    wanted: Mapping[str, tuple[object, bool]] = {
        "DeviceStatus": (device.device_status, not type_2),
        "SMETSCHTSVersion": (device.smets_chts_version, kind is not DeviceType.CAD),
        "ESMEVariant": (device.esme_variant, kind is DeviceType.ESME),
    }
    for name, (value, present) in wanted.items():
        if (value is not None) is not present:
            yield f"{name} of a {kind} {'missing' if present else 'present'}"
    if device.han_variant is not None and kind is not DeviceType.CHF:
        yield f"HANVariant of a {kind}"
    if device.date_commissioned is not None and (type_2 or device.device_status in ("Pending", "Whitelisted")):
        yield f"DateCommissioned though {device.device_status}"


def _wrong_variant(device: InventoryDevice) -> bool:
    return (device.ppmid_variant is not None) is not (device.device_type is DeviceType.PPMID)


def _change(exchange: Exchange) -> tuple[Eui64, object] | None:
    body = exchange.request.body
    return (body.device_id, body.change) if isinstance(body, bodies.UpdateInventory) else None


def _owned(referee: Referee, exchange: Exchange, device: Eui64) -> str:
    """Who may change details or delete: the owner, while the device is Pending, one without status at any time."""
    known = referee.known(device, exchange)
    if known.owner != str(exchange.request.request_id.originator):
        return "E080410"
    return TAKEN if known.type in TYPE_2 or known.status == "Pending" else "E080407"


def _details(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L11."""
    change = _change(exchange)
    if change is None or not isinstance(change[1], bodies.UpdateDeviceDetails):
        return None
    owned = _owned(referee, exchange, change[0])
    if owned == TAKEN and change[1] == bodies.UpdateDeviceDetails():
        return "E080408"
    return owned if owned != TAKEN or referee.listed_with(change[0], change[1], exchange) else "E080409"


def _deleting(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L14."""
    change = _change(exchange)
    return _owned(referee, exchange, change[0]) if change and isinstance(change[1], bodies.DeleteDevice) else None


def _status(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L15."""
    change = _change(exchange)
    if change is None or not isinstance(change[1], bodies.UpdateDeviceStatusExceptCh):
        return None
    known = referee.known(change[0], exchange)
    if not referee.responsible(change[0], exchange):
        return "E4"
    if known.type not in _MOVABLE:
        return "E080405"
    return TAKEN if (known.status, str(change[1].status)) in _EXCEPT_HUB else "E080406"


def _hub_status(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L16."""
    change = _change(exchange)
    if change is None or not isinstance(change[1], bodies.UpdateDeviceStatusCh):
        return None
    known = referee.known(change[0], exchange)
    if not referee.responsible(change[0], exchange):
        return "E4"
    if known.type != DeviceType.CHF:
        return "E080411"
    return TAKEN if (known.status, str(change[1].status)) in _OF_HUB else "E080412"


def _mpxn(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L18."""
    change = _change(exchange)
    if change is None or not isinstance(change[1], bodies.UpdateMpxn):
        return None
    known, numbers = referee.known(change[0], exchange), change[1]
    electric = numbers.secondary_import_mpan is not None or numbers.export_mpan is not None
    if known.type not in (DeviceType.ESME, DeviceType.GSME) or (known.type == DeviceType.GSME and electric):
        return "E080413"
    if known.status not in _MPXN_STATUSES:
        return "E080414"
    mpxn = numbers.import_mpxn or numbers.secondary_import_mpan or numbers.export_mpan or ""
    allowed = ("", str(exchange.request.request_id.originator))
    return TAKEN if referee.supplier_of(mpxn) in allowed else "E080415"


def _is_bridge(known: Known) -> bool:
    return known.type == DeviceType.PPMID and known.variant not in (None, PpmidVariant.PPMID)


def _joining(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L25: no bridge is joined to a meter; what else is no pair is another rule's."""
    body = exchange.request.body
    if not isinstance(body, bodies.JoinServiceCritical):
        return None
    return "E080702" if _is_bridge(referee.known(body.other_device_id, exchange)) else _pairs(referee, exchange)


def _joining_ppmid(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L29: no meter is joined to a bridge."""
    if not isinstance(exchange.request.body, bodies.JoinServiceNonCritical):
        return None
    return "E080721" if _is_bridge(referee.known(exchange.target, exchange)) else TAKEN


def _pairs(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L22: which devices 8.7.1 joins; bridges are another rule's."""
    body = exchange.request.body
    if not isinstance(body, bodies.JoinServiceCritical):
        return None
    target, other = referee.known(exchange.target, exchange), referee.known(body.other_device_id, exchange)
    if _is_bridge(other):
        return None
    return TAKEN if (target.type, other.type) in _JOINED_BY_8_7_1 else "E080702"


def _prenotified(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L30 to L32: a GPF, an identifier in use, PPMIDVariant, the products list."""
    body = exchange.request.body
    if not isinstance(body, bodies.DevicePrenotification):
        return None
    if body.device_type is DeviceType.GPF:
        return "E120207"
    known = referee.known(body.device_id, exchange)
    if known.type is not None and (known.status not in _GONE or known.type in TYPE_2):
        return "E120201"
    wanted = body.device_type is DeviceType.PPMID and has_ppmid_variant(exchange.request.schema_version)
    if (body.ppmid_variant is not None) is not wanted:
        return "E120204"
    product = (body.device_manufacturer, body.device_model, body.firmware_version or "")
    listed = body.device_type in TYPE_2 or referee.lists(str(body.device_type), *product)
    return TAKEN if listed else "E120203"


RULES: Mapping[str, tuple[str, Rule, frozenset[str]]] = {
    "MP170-L2": ("8.2 open to all", _reading, frozenset({TAKEN})),
    "MP170-L11": ("details by the owner", _details, frozenset({TAKEN, "E080407", "E080408", "E080409", "E080410"})),
    "MP170-L14": ("deletion by the owner", _deleting, frozenset({TAKEN, "E080407", "E080410"})),
    "MP170-L15": ("statuses by 8.4", _status, frozenset({TAKEN, "E4", "E080405", "E080406"})),
    "MP170-L16": ("statuses of hubs by 8.4", _hub_status, frozenset({TAKEN, "E4", "E080411", "E080412"})),
    "MP170-L18": ("MPxN by 8.4", _mpxn, frozenset({TAKEN, "E080413", "E080414", "E080415"})),
    "MP170-L22": ("pairs of 8.7.1", _pairs, frozenset({TAKEN, "E080702"})),
    "MP170-L25": ("8.7.1 without bridges", _joining, frozenset({TAKEN, "E080702"})),
    "MP170-L29": ("8.7.2 without bridges", _joining_ppmid, frozenset({TAKEN, "E080721"})),
    "MP170-L30": ("PPMIDVariant in 12.2", _prenotified, frozenset({TAKEN, "E120204"})),
    "MP170-L31": ("products of 12.2", _prenotified, frozenset({TAKEN, "E120203"})),
    "MP170-L32": ("identifiers in use", _prenotified, frozenset({TAKEN, "E120201", "E120207"})),
}
"""By requirement: name, rule, and the outcomes a run must show."""


def check_rules(evidence: Evidence) -> Iterator[Check]:
    """Every request has the code the rules give it, and each outcome of a rule was seen."""
    referee = Referee(evidence)
    for requirement, (name, rule, outcomes) in RULES.items():
        facts, faults, seen = list[str](), list[str](), set[str]()
        for exchange in evidence.users.exchanges:
            expected = rule(referee, exchange)
            if expected is None:
                continue
            found = TAKEN if exchange.accepted else exchange.code
            seen.add(expected)
            if found != expected:
                faults.append(f"{exchange.place}, {exchange.request.service}: {exchange.code}, expected {expected}")
        lacking = sorted(outcomes - seen)
        if seen and not lacking:
            facts.append(f"each of {', '.join(sorted(outcomes))} seen and right")
        yield conclude(requirement, name, facts=facts, faults=faults, missing=f"none with {', '.join(lacking)}")


def check_operators(evidence: Evidence) -> Iterator[Check]:
    """MP170-L18: each MPxN that was taken is told to the network operator by N16."""
    facts, faults = list[str](), list[str]()
    told = Counter(
        alert.device_id for _, code, alert in evidence.users.dcc_alerts(DeviceStatusChangeEvent) if code == "N16"
    )
    changes = [(change[0], e) for e in evidence.users.exchanges if (change := _change(e)) is not None and e.accepted]
    wanted = Counter(device for device, e in changes if isinstance(_change_of(e), bodies.UpdateMpxn))
    faults += [
        f"{device}: {told[device]} N16 for {number} changes"
        for device, number in wanted.items()
        if told[device] != number
    ]
    facts += [f"{count(sum(wanted.values()), 'change')} of MPxN, an N16 each"] if wanted else []
    yield conclude("MP170-L18", "N16 to the operator", facts=facts, faults=faults, missing="no MPxN changed")


def _change_of(exchange: Exchange) -> object:
    body = exchange.request.body
    return body.change if isinstance(body, bodies.UpdateInventory) else None


def check_codes_of_updates(evidence: Evidence) -> Iterator[Check]:
    """MP170-L19: E080405 to E080412, each where its rule says so."""
    referee, seen, faults = Referee(evidence), set[str](), list[str]()
    for exchange in evidence.users.of_service("8.4"):
        for rule in (_details, _deleting, _status, _hub_status):
            expected = rule(referee, exchange)
            if expected in _CODES_OF_8_4:
                seen.add(expected)
                faults += [] if exchange.code == expected else [f"{exchange.place}: {exchange.code}, not {expected}"]
    lacking = [code for code in _CODES_OF_8_4 if code not in seen]
    facts = [] if lacking else [f"{count(len(seen), 'code')} of 8.4, each for its fault"]
    yield conclude("MP170-L19", "codes of 8.4", facts=facts, faults=faults, missing=f"none with {', '.join(lacking)}")


_CODES_OF_8_4 = tuple(f"E0804{number:02d}" for number in range(5, 13))


def check_new_devices(evidence: Evidence) -> Iterator[Check]:
    """MP170-L33: an accepted 12.2 makes its device Pending, by whomever."""
    facts, faults = list[str](), list[str]()
    history, users = History(evidence), set()
    for exchange in evidence.users.of_service("12.2"):
        body = exchange.request.body
        if not exchange.accepted or not isinstance(body, bodies.DevicePrenotification):
            continue
        users.add(exchange.user)
        wanted = None if body.device_type in TYPE_2 else "Pending"
        status = history.at(body.device_id, "status", exchange.time)
        if status != wanted:
            faults.append(f"{exchange.place}: {body.device_id} is {status}, not {wanted}")
    if len(users) > 1:
        facts.append(f"devices of {count(len(users), 'user')} Pending after their 12.2")
    yield conclude("MP170-L33", "12.2 makes Pending", facts=facts, faults=faults, missing="12.2 of two users")
