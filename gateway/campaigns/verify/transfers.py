"""Images over the air: what each device pulled, against what its hub stored and what the supplier sent."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from gateway.campaigns.verify.air import Transfer
from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence, same_request
from gateway.campaigns.verify.folder import Event
from gateway.campaigns.verify.gbcs_view import payload_of
from gateway.campaigns.verify.messages import Exchange
from protocols.addresses import Eui64
from protocols.duis.requests import CommandVariant
from protocols.errors import DecodeError
from protocols.gbcs.use_cases import cs09
from protocols.ota.image import FirmwareImage, ProductImage
from protocols.zcl.frame import ZclStatus


def digest(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def stored_for(evidence: Evidence, transfer: Transfer) -> Event | None:
    """Return what the timeline says the hub stored for this transfer: the last such image before it began."""
    found = None
    for event in evidence.events("image-stored"):
        fits = event.text("device") == str(transfer.device) and event.text("version") == f"{transfer.version:08X}"
        if fits and event.time <= transfer.started:
            found = event
    return found


def request_of(evidence: Evidence, event: Event) -> Exchange | None:
    """Return the 11.1 or 11.4 whose image a hub stored."""
    for exchange in evidence.users.of_service("11.1", "11.4"):
        if exchange.accepted and same_request(event.text("request"), exchange.request.request_id):
            return exchange
    return None


def requested_image(evidence: Evidence, transfer: Transfer) -> bytes | None:
    """Return the file in the request that led to this transfer."""
    event = stored_for(evidence, transfer)
    exchange = None if event is None else request_of(evidence, event)
    body = None if exchange is None else exchange.updates
    return None if body is None else body.firmware_image


def was_altered(evidence: Evidence, request: str) -> bool:
    """Return whether the timeline says that the image of this request was altered on its way."""
    return any(event.text("request") == request for event in evidence.events("image-altered"))


def check_rebuilt_images(evidence: Evidence) -> Iterator[Check]:
    """SM7-R1: the octets each device pulled over the air are those of the image meant for it."""
    facts, faults = list[str](), list[str]()
    for transfer in evidence.air.transfers:
        wrong = _difference(evidence, transfer)
        label = f"{evidence.name(transfer.device)} version {transfer.version:08X}"
        if wrong:
            faults.append(f"{label}: {wrong} (frame {transfer.frame})")
        elif wrong is None:
            told = "the stored image" if _altered(evidence, transfer) else "the file of the request"
            facts.append(
                f"{label}: {count(transfer.blocks, 'block')}, {count(transfer.size, 'octet')}, "
                f"SHA-256 {digest(transfer.image)[:16]}.. equals {told}"
            )
    missing = "no image was transferred over the air"
    yield conclude("SM7-R1", "images rebuilt from the air", facts=facts, faults=faults, missing=missing)


def _altered(evidence: Evidence, transfer: Transfer) -> bool:
    event = stored_for(evidence, transfer)
    return event is not None and was_altered(evidence, event.text("request"))


def _difference(evidence: Evidence, transfer: Transfer) -> str | None:
    """Say what is wrong with a transfer; None: nothing; empty: broken off, and a later one was complete."""
    if not transfer.complete:
        again = any(
            later.complete and (later.device, later.version) == (transfer.device, transfer.version)
            for later in evidence.air.transfers
            if later.started > transfer.started
        )
        return "" if again else f"{len(transfer.image):,} of {transfer.size:,} octets came over the air"
    if transfer.conflicting:
        return f"two different blocks for one offset (frame {transfer.conflicting[0]})"
    event = stored_for(evidence, transfer)
    if event is None:
        return "no hub says it stored this image"
    if event.text("sha256") != digest(transfer.image):
        return f"SHA-256 {digest(transfer.image)[:16]}.., the hub stored {event.text('sha256')[:16]}.."
    exchange = request_of(evidence, event)
    if exchange is None or exchange.updates is None:
        return f"no accepted request {event.text('request')}"
    if was_altered(evidence, event.text("request")):
        return None
    if exchange.updates.firmware_image != transfer.image:
        return f"differs from the file in {exchange.place}"
    return None


# --- images a device must refuse -----------------------------------------------------------------------------------


def unfit(evidence: Evidence, transfer: Transfer) -> str:
    """Say why a PPMID or bridge may not take the image it pulled, empty if it may."""
    expected = requested_image(evidence, transfer)
    if expected is not None and expected != transfer.image:
        return "differs from the file in the request"
    body = evidence.prenotified.get(transfer.device)
    try:
        product = _product(transfer.image)
    except DecodeError as error:
        return f"fails the product's check: {error.what}"
    if body is None:
        return ""
    if f"{product.manufacturer:04X}{product.model:08X}" != f"{body.device_manufacturer}{body.device_model}".upper():
        return f"is for {product.manufacturer:04X} {product.model:08X}"
    return ""


@lru_cache(maxsize=64)
def _product(image: bytes) -> ProductImage:
    return ProductImage.decode(FirmwareImage.decode(image, signed=False).manufacturer_image)


def check_bad_images_refused(evidence: Evidence) -> Iterator[Check]:
    """MP170-R12: an image that is not the approved one is refused by the device and never runs."""
    facts, faults = list[str](), list[str]()
    for transfer in evidence.air.transfers:
        if transfer.device not in (*evidence.bridges, *evidence.ppmids) or not transfer.complete:
            continue
        reason = unfit(evidence, transfer)
        if not reason:
            continue
        label = f"{evidence.name(transfer.device)}: image {transfer.version:08X} {reason}"
        wrong = _taken(evidence, transfer)
        if wrong:
            faults.append(f"{label}, yet {wrong}")
        else:
            facts.append(f"{label}; Upgrade End INVALID_IMAGE at {utc(transfer.ended)} (frame {transfer.frame})")
    missing = "no bad image reached a PPMID or bridge"
    yield conclude("MP170-R12", "bad images refused by the device", facts=facts, faults=faults, missing=missing)


def _taken(evidence: Evidence, transfer: Transfer) -> str:
    """Say how a device took an unfit image, empty if it did not."""
    if transfer.status != ZclStatus.INVALID_IMAGE:
        told = "nothing" if transfer.status is None else f"status {transfer.status:02X}"
        return f"the device answered Upgrade End with {told} (frame {transfer.frame})"
    until = next_start(evidence, transfer)
    for running in evidence.air.running:
        same = (running.device, running.version) == (transfer.device, transfer.version)
        if same and transfer.ended <= running.time < until:
            return f"runs it at {utc(running.time)} (frame {running.frame})"
    for carried in evidence.air.sent_up(cs09.MESSAGE_CODE, device=transfer.device):
        alert = None if carried.judged is None else payload_of(cs09.Alert.decode, carried.judged.message)
        same = alert is not None and (alert.firmware_version, alert.code) == (transfer.version, 0)
        if same and transfer.ended <= carried.time < until:
            return f"reported its activation at {utc(carried.time)} (frame {carried.frame})"
    return ""


def next_start(evidence: Evidence, transfer: Transfer) -> int:
    """Return when the same version began its way to the same device again, else after the last frame."""
    later = [
        other.started
        for other in evidence.air.transfers
        if (other.device, other.version) == (transfer.device, transfer.version) and other.started > transfer.ended
    ]
    return min(later, default=evidence.air.last + 1)


# --- requests the DSP must refuse ----------------------------------------------------------------------------------

REFUSED_IMAGE = "E110402"


def check_unknown_images_refused(evidence: Evidence) -> Iterator[Check]:
    """MP170-R12: an image whose hash is not on the products list is refused, and none such is on its way."""
    approved = {row["hash"] for row in evidence.files.store.get("products", ())}
    facts, faults = list[str](), list[str]()
    for exchange in evidence.users.of_service("11.4"):
        body = exchange.updates
        if body is None or exchange.request.command_variant is not CommandVariant.DCC_ONLY:
            continue
        known = _image_hash(body.firmware_image) in approved
        if exchange.code == REFUSED_IMAGE:
            travelled = _travelled(evidence, exchange, body.firmware_image, body.device_ids)
            faults += [f"{exchange.place} was refused, yet {travelled}"] if travelled else []
            faults += [f"{exchange.place}: refused, yet its hash is on the products list"] if known else []
            if not travelled and not known:
                facts.append(f"{exchange.place}: hash not on the products list, {REFUSED_IMAGE}, nothing followed")
        elif exchange.taken and not known:
            faults.append(f"{exchange.place}: accepted, but its hash is not on the products list")
    missing = f"no request was refused with {REFUSED_IMAGE}"
    yield conclude("MP170-R12", "unknown images refused by the DSP", facts=facts, faults=faults, missing=missing)


def _image_hash(octets: bytes) -> str:
    try:
        return FirmwareImage.decode(octets, signed=False).hash.hex()
    except DecodeError:
        return ""


def _travelled(evidence: Evidence, exchange: Exchange, image: bytes, devices: tuple[Eui64, ...]) -> str:
    """Say where a refused request went on, empty if it went nowhere."""
    for transfer in evidence.air.transfers:
        if transfer.device in devices and transfer.started >= exchange.time and transfer.image == image:
            return f"{evidence.name(transfer.device)} pulled its image (frame {transfer.frame})"
    for name in ("firmware-service", "image-stored"):
        for event in evidence.events(name):
            if same_request(event.text("request"), exchange.request.request_id):
                return f"{event.actor} has it ({name} at {utc(event.time)})"
    return ""
