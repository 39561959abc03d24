"""A life's outages, swap-out, inventory and alerts against the plan it was lived by, and each other."""

from collections import Counter
from collections.abc import Iterator

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import payload_of
from gateway.campaigns.verify.life_plan import plan_of
from gateway.campaigns.verify.messages import Exchange
from gateway.campaigns.verify.outages import receipts
from protocols.addresses import Eui64
from protocols.duis.alerts import CommsHubAlert, TransferResponseCode
from protocols.duis.inventory import DeviceType
from protocols.gbcs.use_cases import ecs80
from protocols.interfaces import HOUR, MINUTE, SECOND

CLOCK = 15 * SECOND  # a meter's clock, and its boot
LOSS = 3 * MINUTE
UNDER_WAY = 5 * MINUTE  # what was sent so shortly before the end may not have arrived
PATIENCE = 25 * HOUR  # of the DSP for an answer; then E21


def _cuts(evidence: Evidence) -> list[tuple[int, int]]:
    cuts = plan_of(evidence).get("cuts", [])
    return [(int(when), int(length)) for when, length in cuts] if isinstance(cuts, list) else []


# --- outages -------------------------------------------------------------------------------------------------------


def check_outages(evidence: Evidence) -> Iterator[Check]:
    """LIFE-3: each power cut is told by the ESME as it was, and by the hub from three minutes on; nothing else is."""
    facts, faults = list[str](), list[str]()
    told = [
        (carried, alert)
        for carried in evidence.air.sent_up(ecs80.MESSAGE_CODE)
        if carried.judged is not None and (alert := payload_of(ecs80.Alert.decode, carried.judged.message)) is not None
        if ecs80.phase_of(alert.alert_code) == ecs80.WHOLE  # phases: LIFE-6
    ]
    reported, cuts = receipts(evidence), _cuts(evidence)
    meters = [device for device, kind in evidence.types.items() if kind is DeviceType.ESME]
    for when, length in cuts:
        label = f"cut of {length // SECOND} s at {utc(when)}"
        own = [(c, a) for c, a in told if abs(a.interruption - when) <= CLOCK]
        hubs = [receipt for receipt in reported if abs(receipt.started - when) <= CLOCK]
        if len({carried.device for carried, _ in own}) != len(meters):
            faults.append(f"{label}: told by {len(own)} of {count(len(meters), 'ESME')}")
        elif any(abs(alert.restoration - when - length) > CLOCK for _, alert in own):
            faults.append(f"{label}: told as ended at {utc(own[0][1].restoration)}")
        elif bool(hubs) is not (length >= LOSS):
            faults.append(f"{label}: {count(len(hubs), 'AD1')}")
        else:
            facts.append(f"{label}: {own[0][1].alert_code:04X}, {count(len(hubs), 'AD1')}")
    starts = [when for when, _ in cuts] + [cut[0] for cut in evidence.files.summary["plan"].get("phase_cuts", [])]
    strange = [a for _, a in told if not any(abs(a.interruption - when) <= CLOCK for when in starts)]
    faults += [f"{alert.alert_code:04X} of {utc(alert.interruption)} belongs to no power cut" for alert in strange]
    yield conclude("LIFE-3", "outages told as they were", facts=facts, faults=faults, missing="no cut was planned")


# --- inventory -----------------------------------------------------------------------------------------------------


def check_inventory(evidence: Evidence) -> Iterator[Check]:
    """LIFE-4: the inventory has each device with the version it runs, on the hub that is in place."""
    facts, faults = list[str](), list[str]()
    rows = {Eui64.parse(row["device"]): row for row in evidence.files.store.get("inventory", ())}
    running = {event.actor: event.text("to_version") for event in evidence.events("activated")}
    for device in evidence.files.summary.get("devices", []):
        eui, name = Eui64.parse(device["eui"]), device["name"]
        row, version = rows.get(eui), running.get(name, device["from_version"])
        if row is None:
            faults.append(f"{name} is not in the inventory")
        elif row["hub"] != device["hub"]:
            faults.append(f"{name}: hub {row['hub']} in the inventory, {device['hub']} in the home")
        elif version is not None and _hexadecimal(row["firmware_version"]) != version:
            faults.append(f"{name} runs {version}, the inventory has {_hexadecimal(row['firmware_version'])}")
        else:
            facts.append(f"{name}: {version or 'no version'} on hub ..{device['hub'][-4:]}")
    yield conclude("LIFE-4", "inventory true", facts=facts, faults=faults, missing="no devices in the summary")


def _hexadecimal(version: object) -> str:
    return f"{version:08X}" if isinstance(version, int) else str(version)


# --- alerts --------------------------------------------------------------------------------------------------------


def check_alerts(evidence: Evidence) -> Iterator[Check]:
    """LIFE-5: each alert that a device or hub sent came to the DSP, as often as it was sent."""
    facts, faults = list[str](), list[str]()
    last = max((event.time for event in evidence.files.timeline), default=0)
    names = {name: eui for eui, name in evidence.actors.items()}
    hubs = {Eui64.parse(eui): name for eui, name in evidence.files.summary.get("parties", {}).items() if "/" in name}
    names |= {name: eui for eui, name in hubs.items()}
    told = {  # once each: one that was not acknowledged is sent again
        (event.text("origin") or str(names[event.actor]), event.text("code"), event.text("counter")): None
        for event in evidence.events("alert-sent")
        if event.actor in names and event.time < last - UNDER_WAY
    }
    sent = Counter((origin, code) for origin, code, _ in told)
    came = Counter((event.text("origin"), event.text("code")) for event in evidence.events("alert"))
    by_origin = {str(eui): name for name, eui in names.items()}
    for (origin, code), number in sorted(sent.items()):
        label = f"{by_origin.get(origin, origin)} {code}"
        if came[origin, code] < number:
            faults.append(f"{label}: sent {number} times, came {came[origin, code]} times")
        else:
            facts.append(f"{label} {number}")
    yield conclude("LIFE-5", "alerts arrive", facts=facts, faults=faults, missing="no alert was sent")


# --- swap-out ------------------------------------------------------------------------------------------------------


def check_swap(evidence: Evidence) -> Iterator[Check]:
    """MP170-A10: behind a replaced hub every device has a new key, a PPMID takes images, a bridge as an IHD none."""
    swap = plan_of(evidence).get("swap")
    if not isinstance(swap, int):
        return
    facts, faults = list[str](), list[str]()
    kinds = {Eui64.parse(event.text("device")): event.text("type") for event in evidence.events("kind-found")}
    for device in evidence.files.summary.get("devices", []):
        eui, name = Eui64.parse(device["eui"]), device["name"]
        keyed = [e for e in evidence.events("key-established") if e.actor == name and e.time > swap]
        if eui not in evidence.restored:
            faults.append(f"{name} was not moved by 8.12.1")
        elif not keyed:
            faults.append(f"{name} established no key with the new hub")
        elif eui in (*evidence.bridges, *evidence.ppmids):
            wrong = _expected_fault(evidence, name, eui, kinds.get(eui, "nothing"))
            wrong = wrong or _served_fault(evidence, eui, kinds.get(eui, "nothing"))
            (faults if wrong else facts).append(f"{name} is {kinds.get(eui)} to the new hub{wrong}")
        else:
            facts.append(f"{name} came back at {utc(keyed[0].time)}")
    yield conclude("MP170-A10", "a swap-out", facts=facts, faults=faults, missing="the home has no devices")


def _expected_fault(evidence: Evidence, name: str, device: Eui64, kind: str) -> str:
    """Say which kind a device should be to the new hub: a bridge is a PPMID only if it always serves tunnels."""
    always = plan_of(evidence).get("tunnelling", {}).get(name) == "always"
    expected = "PPMID" if device in evidence.ppmids or always else "IHD"
    return "" if kind == expected else f", not {expected}"


def _served_fault(evidence: Evidence, device: Eui64, kind: str) -> str:
    """Say what of an 11.4 or 11.2 after the swap contradicts the kind; empty if nothing."""
    since = evidence.restored[device]
    ppmid = kind == "PPMID"
    if not ppmid and (kind != "IHD" or device not in evidence.bridges):
        return ", which it is not"
    for exchange in evidence.users.of_service("11.4"):
        if device in exchange.taken and exchange.time > since and _discarded(evidence, device, exchange) is ppmid:
            return f", and the image of {exchange.place} was {'discarded' if ppmid else 'not discarded'}"
    moved = [t for t in evidence.air.transfers if t.device == device and t.started > since]
    if moved and not ppmid:
        return f", and got an image at {utc(moved[0].started)}"
    for exchange in evidence.users.of_service("11.2"):
        if exchange.target == device and exchange.accepted and exchange.time > since + HOUR:
            answered = evidence.users.answer_of_device(exchange) is not None
            if answered is not ppmid and exchange.time + PATIENCE < evidence.air.last:
                return f", and {exchange.place} was {'not ' if ppmid else ''}answered"
    return ""


def _discarded(evidence: Evidence, device: Eui64, exchange: Exchange) -> bool:
    """Whether the hub told that it discarded the image of a request (CCS08, code 1)."""
    for mail, _, alert in evidence.users.dcc_alerts(CommsHubAlert):
        transfer = alert.firmware_transfer
        if transfer is not None and mail.time > exchange.time and transfer.other_device_id == device:
            return transfer.transfer_response_code is TransferResponseCode.FIRMWARE_IMAGE_DISCARDED
    return False
