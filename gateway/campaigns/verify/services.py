"""What the DSP itself answers, refereed: each request judged again from the inventory as it stood just before it.

A run shows a rule only if it has requests on both sides of it: taken ones and refused ones.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from gateway.campaigns.verify.check import Check, conclude, count
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.fleet_view import History
from gateway.campaigns.verify.messages import Exchange
from gateway.campaigns.verify.referee import TYPE_2, Referee
from gateway.campaigns.verify.service_rules import RULES, TAKEN, change_of, deleting, details, hub_status, status
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import DeviceStatusChangeEvent
from protocols.duis.inventory import DeviceType, DspInventory, InventoryDevice, PpmidVariant


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
    changes = [change_of(exchange) for exchange in evidence.users.of_service("8.4") if exchange.accepted]
    wanted = Counter(one[0] for one in changes if one is not None and isinstance(one[1], bodies.UpdateMpxn))
    faults += [
        f"{device}: {told[device]} N16 for {number} changes"
        for device, number in wanted.items()
        if told[device] != number
    ]
    facts += [f"{count(sum(wanted.values()), 'change')} of MPxN, an N16 each"] if wanted else []
    yield conclude("MP170-L18", "N16 to the operator", facts=facts, faults=faults, missing="no MPxN changed")


def check_codes_of_updates(evidence: Evidence) -> Iterator[Check]:
    """MP170-L19: E080405 to E080412, each where its rule says so."""
    referee, seen, faults = Referee(evidence), set[str](), list[str]()
    for exchange in evidence.users.of_service("8.4"):
        for rule in (details, deleting, status, hub_status):
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


def check_variants_told(evidence: Evidence) -> Iterator[Check]:
    """MP170-C2, C4, C5, P1: the variant 8.2 tells is the last that 12.2 or 8.4 gave, else that of the record."""
    facts, faults = list[str](), list[str]()
    given: dict[Eui64, str] = {}
    history, updated, read = History(evidence), 0, 0
    for exchange in evidence.users.exchanges:
        gives = _variant_given(exchange)
        if gives is not None:
            given[gives[0]] = gives[1]
            updated += isinstance(exchange.request.body, bodies.UpdateInventory)
        content = None if exchange.answer is None else exchange.answer.content
        for device in content.devices if isinstance(content, DspInventory) else ():
            recorded = given.get(device.device_id) or history.at(device.device_id, "variant", exchange.time - 1)
            told = device.ppmid_variant or device.esme_variant
            read += device.ppmid_variant is not None
            if told is not None and str(told) != (recorded or PpmidVariant.PPMID):
                faults.append(f"{exchange.place}, {device.device_id}: {told}, given as {recorded}")
    if updated and read:
        facts.append(f"{count(len(given), 'variant')} given by 12.2 or 8.4, told {count(read, 'time')} by 8.2")
    for requirement, name in (
        ("MP170-C2", "one attribute for variants"), ("MP170-C4", "variants from 12.2"),
        ("MP170-C5", "variants updated and read"), ("MP170-P1", "PPMIDVariant carried"),
    ):  # fmt: skip
        yield conclude(requirement, name, facts=facts, faults=faults, missing="no variant given and read")


def _variant_given(exchange: Exchange) -> tuple[Eui64, str] | None:
    """Return the device and the PPMIDVariant of an accepted 12.2 or 8.4 that has one."""
    body = exchange.request.body
    source = body.change if isinstance(body, bodies.UpdateInventory) else body
    variant = getattr(source, "ppmid_variant", None)
    if not exchange.accepted or variant is None:
        return None
    if not isinstance(body, bodies.DevicePrenotification | bodies.UpdateInventory):
        return None
    return body.device_id, str(variant)
