"""Firmware of hubs themselves, and what a hub serves by it (SM7-R9): SECMP0007 came with a version of the hub.

What a hub runs is taken from its own answers to 11.2 and from N63, which images it could take from their files and the
certificate of the WAN provider, what it passed on from the air.
"""

from collections.abc import Iterator, Mapping

from firmware_images import product
from gateway.campaigns.verify.check import Check, conclude, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.folder import Event
from gateway.campaigns.verify.inventory import DELIVERY, Told, read_answers, version_at
from gateway.campaigns.verify.messages import Exchange
from gateway.campaigns.verify.meters import signed_by
from protocols.addresses import Eui64
from protocols.duis.alerts import CommsHubFirmwareActivation, CspFirmwareDeliveryStatus
from protocols.duis.inventory import DeviceType
from protocols.errors import DecodeError
from protocols.gbcs.smki import DIGITAL_SIGNING, RemotePartyRole
from protocols.ota.image import FirmwareImage, Kind

_OF_SECMP0007 = (DeviceType.PPMID, DeviceType.HCALCS)


def _activations(evidence: Evidence) -> list[Told]:
    return [
        Told(mail.time, alert.device_id, alert.firmware_version.upper(), f"N63 {mail.place}")
        for mail, code, alert in evidence.users.dcc_alerts(CommsHubFirmwareActivation)
        if code == "N63"
    ]


def _hub_reads(evidence: Evidence) -> list[Told]:
    """Return what hubs answered to 11.2 themselves (ECS52)."""
    hubs = set(evidence.hubs.values())
    return [told for told in read_answers(evidence) if told.device in hubs]


def _running(told: list[Told], hub: Eui64, time: int) -> str | None:
    """Return what a hub last said, at `time`, that it runs."""
    said = [each for each in told if each.device == hub and each.time <= time]
    return max(said, key=lambda each: each.time).version if said else None


def _knows(version: str) -> bool:
    since = product(Kind.HUB).secmp0007_since
    return since is None or int(version, 16) >= since


# --- what it serves ------------------------------------------------------------------------------------------------


def check_what_a_hub_serves(evidence: Evidence) -> Iterator[Check]:
    """SM7-R9: by the version it runs a hub takes images for PPMID and HCALCS, or their delivery fails (N61)."""
    told = [*_activations(evidence), *_hub_reads(evidence)]
    delivered = _deliveries(evidence)
    facts, faults, seen = list[str](), list[str](), set[bool]()
    for exchange in evidence.users.of_service("11.1", "11.4"):
        for device in exchange.taken:
            hub = evidence.hub_at(device, exchange.time)
            version = None if hub is None else _running(told, hub, exchange.time)
            label = f"{exchange.place} to {evidence.name(device)}"
            if version is None:
                faults.append(f"{label}: its hub has not told what it runs")
                continue
            served = _knows(version) or evidence.types.get(device) not in _OF_SECMP0007
            seen.add(served)
            wrong = _served_fault(evidence, exchange, device, delivered.get((exchange.place, device)), served=served)
            shown = f"{'taken' if served else 'N61, no transfer'} by a hub of {version}"
            (faults if wrong else facts).append(f"{label}: {wrong or shown}")
    faults += [] if seen == {True, False} else ["no image was sent to a hub with SECMP0007, or none to one without"]
    yield conclude("SM7-R9", "hubs serve by their firmware", facts=facts, faults=faults, missing="no image was sent")


def _deliveries(evidence: Evidence) -> Mapping[tuple[str, Eui64], str]:
    """Return N60 or N61 by request and device."""
    places = {exchange.request.request_id: exchange.place for exchange in evidence.users.of_service("11.1", "11.4")}
    return {
        (places[alert.update_firmware_request_id], alert.target_device_id): code
        for _, code, alert in evidence.users.dcc_alerts(CspFirmwareDeliveryStatus)
        if alert.update_firmware_request_id in places
    }


def _served_fault(evidence: Evidence, exchange: Exchange, device: Eui64, code: str | None, *, served: bool) -> str:
    body = exchange.updates
    version = 0 if body is None else int(body.firmware_version, 16)
    later = [e.time for e in evidence.users.of_service("11.1", "11.4") if device in e.taken and e.time > exchange.time]
    until = min(later, default=evidence.air.last + 1)
    moved = [
        t for t in evidence.air.transfers
        if t.device == device and t.version == version and exchange.time <= t.started < until
    ]  # fmt: skip
    if code != ("N60" if served else "N61"):
        return f"{code or 'neither N60 nor N61'}"
    if moved and not served:
        return f"and yet an image was passed on at {utc(moved[0].started)} (frame {moved[0].frame})"
    return "" if moved or not served else "and yet no image was passed on"


# --- what it takes for itself --------------------------------------------------------------------------------------


def check_images_for_hubs(evidence: Evidence) -> Iterator[Check]:
    """SM7-R9: a hub runs what the WAN provider signed, tells so (N63, ECS52), and refuses what was altered."""
    facts, faults = list[str](), list[str]()
    altered = {event.text("request") for event in evidence.events("image-altered")}
    offers = evidence.events("hub-image")
    for number, offer in enumerate(offers):
        until = offers[number + 1].time if number + 1 < len(offers) else evidence.air.last + 1
        wrong = _offer_fault(evidence, offer, until, good=offer.text("request") not in altered)
        label = f"image {offer.text('version')} at {utc(offer.time)}"
        shown = "altered on its way and refused" if offer.text("request") in altered else "activated, N63"
        (faults if wrong else facts).append(f"{label}: {wrong or shown}")
    if {event.text("request") for event in offers} <= altered:
        faults.append("no image reached a hub as it was signed")
    if not altered:
        faults.append("no image for a hub was altered on its way")
    yield conclude("SM7-R9", "firmware of the hub itself", facts=facts, faults=faults, missing="no hub got an image")


def _offer_fault(evidence: Evidence, offer: Event, until: int, *, good: bool) -> str:
    hub, version = Eui64.parse(offer.text("hub")), offer.text("version")
    wrong = _file_fault(evidence, hub, version)
    if wrong:
        return wrong
    after = [told for told in _activations(evidence) if told.device == hub and offer.time < told.time <= until]
    reads = [told for told in _hub_reads(evidence) if told.device == hub and offer.time < told.time <= until]
    if not reads:
        return "the hub was not asked afterwards what it runs"
    if good and not any(told.version == version for told in after):
        return "no N63"
    if not good and after:
        return f"{after[0].source} tells of an activation"
    if (reads[-1].version == version) is not good:
        return f"{reads[-1].source}: the hub runs {reads[-1].version}"
    return ""


def _file_fault(evidence: Evidence, hub: Eui64, version: str) -> str:
    """Say what is wrong with the image as the folder keeps it: before anything altered it, it is good."""
    path = evidence.files.path / "hub-images" / f"{hub}-{version}.ota"
    try:
        image = FirmwareImage.decode(path.read_bytes(), signed=True)
    except (OSError, DecodeError) as error:
        return f"{path.name}: {error}"
    if f"{image.header.file_version:08X}" != version:
        return f"{path.name} holds {image.header.file_version:08X}"
    providers = evidence.files.certificates.of_role(RemotePartyRole.WAN_PROVIDER, DIGITAL_SIGNING)
    signed = any(signed_by(image, certificate) for certificate in providers)
    return "" if signed else f"{path.name} is not signed by the WAN provider"


# --- what the DSP makes of it --------------------------------------------------------------------------------------


def check_hub_inventory(evidence: Evidence) -> Iterator[Check]:
    """SM7-R9, SM7-R11: after N63 the inventory has the new version for CHF and GPF, and not before."""
    facts, faults = list[str](), list[str]()
    for told in _activations(evidence):
        named = [Eui64.parse(row["device"]) for row in evidence.files.store["inventory"] if _is_hub(row, told.device)]
        for device in named:
            held = version_at(evidence, device, told.time + DELIVERY)
            label = f"{device} after {told.source}"
            (facts if held == told.version else faults).append(f"{label}: {held}")
            before = version_at(evidence, device, told.time - DELIVERY)
            if before == told.version:
                faults.append(f"{device} before {told.source}: {before} already")
    yield conclude("SM7-R9", "the inventory follows the hub", facts=facts, faults=faults, missing="no N63")


def _is_hub(row: Mapping[str, object], hub: Eui64) -> bool:
    return row["device"] == str(hub) or (row["hub"] == str(hub) and row["type"] == DeviceType.GPF)
