"""ESME and HCALCS: the image comes by 11.1 and is verified, 11.3 activates it, and the two stay apart."""

from collections.abc import Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.campaigns.verify.air import Carried, Transfer
from gateway.campaigns.verify.check import Check, conclude, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import payload_of, version_read
from gateway.campaigns.verify.inventory import outcome_version, version_changes
from gateway.campaigns.verify.transfers import request_of, stored_for
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceType
from protocols.errors import DecodeError
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.smki import DIGITAL_SIGNING, Certificate
from protocols.gbcs.use_cases import cs06, fdra
from protocols.ota.image import FirmwareImage

SIGNED_TYPES = (DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS)


class Receipt(NamedTuple):
    """An 8F72 or 8F1C on the air."""

    carried: Carried
    alert: fdra.Alert | fdra.GsmeAlert


def receipts(evidence: Evidence, device: Eui64) -> list[Receipt]:
    found = []
    for carried in evidence.air.sent_up(fdra.MESSAGE_CODE, fdra.GSME_MESSAGE_CODE, device=device):
        if carried.judged is None:
            continue
        alert: fdra.Alert | fdra.GsmeAlert | None
        if carried.code == fdra.MESSAGE_CODE:
            alert = payload_of(fdra.Alert.decode, carried.judged.message)
        else:
            alert = payload_of(fdra.GsmeAlert.decode, carried.judged.message)
        if alert is not None:
            found.append(Receipt(carried, alert))
    return found


def meter_transfers(evidence: Evidence) -> list[Transfer]:
    """Return the complete transfers to devices that want a supplier's signature."""
    transfers = evidence.air.transfers
    return [t for t in transfers if t.complete and evidence.types.get(t.device) in SIGNED_TYPES]


def image_of(transfer: Transfer) -> FirmwareImage | None:
    """Return the image in its parts, None if it is no image with a signature."""
    try:
        return FirmwareImage.decode(transfer.image, signed=True)
    except DecodeError:
        return None


def supplier_signed(evidence: Evidence, transfer: Transfer) -> bool:
    """Return whether the supplier that asked for this transfer signed the manufacturer image that came."""
    event, image = stored_for(evidence, transfer), image_of(transfer)
    exchange = None if event is None else request_of(evidence, event)
    if image is None or exchange is None:
        return False
    supplier = exchange.request.request_id.originator
    certificate = evidence.files.certificates.certificate(supplier, DIGITAL_SIGNING)
    return certificate is not None and signed_by(image, certificate)


def signed_by(image: FirmwareImage, certificate: Certificate) -> bool:
    """Return whether the manufacturer image bears a signature of the certificate's owner."""
    if image.signature is None:
        return False
    r, s = (int.from_bytes(half, "big") for half in (image.signature[:32], image.signature[32:]))
    try:
        certificate.public_key.verify(encode_dss_signature(r, s), image.manufacturer_image, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


# --- verification --------------------------------------------------------------------------------------------------


def check_receipts(evidence: Evidence) -> Iterator[Check]:
    """SM7-R4: an image the supplier signed is told by 8F72 with its hash, any other by 8F1C, and that never runs."""
    facts, faults = list[str](), list[str]()
    types = set()
    for transfer in meter_transfers(evidence):
        types.add(evidence.types[transfer.device])
        label = f"{evidence.name(transfer.device)} image {transfer.version:08X}"
        signed = supplier_signed(evidence, transfer)
        wrong = _receipt_fault(evidence, transfer, signed=signed)
        if wrong:
            faults.append(f"{label}, supplier's signature {'valid' if signed else 'invalid'}: {wrong}")
        else:
            told = "8F72 with its hash" if signed else "8F1C, never activated"
            facts.append(f"{label}: supplier's signature {'valid' if signed else 'invalid'}, {told}")
    wanted = (DeviceType.ESME, DeviceType.HCALCS)
    faults += [f"no image was transferred to an {kind}" for kind in wanted if kind not in types]
    yield conclude("SM7-R4", "signed images verified", facts=facts, faults=faults, missing="no image transferred")


def _receipt_fault(evidence: Evidence, transfer: Transfer, *, signed: bool) -> str:
    until = _next_transfer(evidence, transfer)
    told = [r for r in receipts(evidence, transfer.device) if transfer.started <= r.carried.time < until]
    if not told:
        return "neither 8F72 nor 8F1C came"
    wanted = AlertCode.FIRMWARE_VERIFIED if signed else AlertCode.FIRMWARE_VERIFICATION_FAILED
    image = image_of(transfer)
    for receipt in told:
        if receipt.alert.alert_code != wanted:
            return f"{receipt.alert.alert_code:04X} at {utc(receipt.carried.time)} (frame {receipt.carried.frame})"
        if not receipt.carried.valid:
            return f"{wanted:04X} without a valid signature (frame {receipt.carried.frame})"
        if image is not None and receipt.alert.image_hash != image.hash:
            return f"{wanted:04X} with hash {receipt.alert.image_hash.hex()[:16]}.., not that of the image"
    if not signed:
        ran = [s for s in sightings(evidence, transfer) if s.time < until]
        if ran:
            return f"it runs at {utc(ran[0].time)} ({ran[0].source})"
    return ""


def _next_transfer(evidence: Evidence, transfer: Transfer) -> int:
    """Return when the next complete image began its way to the device, else after the last frame."""
    later = [
        other.started
        for other in evidence.air.transfers
        if other.device == transfer.device and other.complete and other.started > transfer.started
    ]
    return min(later, default=evidence.air.last + 1)


# --- separation ----------------------------------------------------------------------------------------------------


class Sighting(NamedTuple):
    """A version was seen to run, or the inventory took it."""

    time: int
    source: str


def sightings(evidence: Evidence, transfer: Transfer) -> list[Sighting]:
    """Return where the version of a transfer was seen to run after it began, in order of time."""
    device, version = transfer.device, transfer.version
    found = [
        Sighting(running.time, f"Query Next Image, frame {running.frame}")
        for running in evidence.air.running
        if (running.device, running.version) == (device, version)
    ]
    for carried in evidence.air.carried:
        if carried.upward and carried.device == device and carried.judged is not None:
            message = carried.judged.message
            if version in (outcome_version(message), version_read(message)):
                found.append(Sighting(carried.time, f"message {carried.code:04X}, frame {carried.frame}"))
    found += [
        Sighting(change.time, "inventory")
        for change in version_changes(evidence)
        if (change.device, change.new) == (device, f"{version:08X}")
    ]
    return sorted(sighting for sighting in found if sighting.time >= transfer.started)


class Ordered(NamedTuple):
    """A CS06 on the air."""

    carried: Carried
    command: cs06.Command


def orders(evidence: Evidence, device: Eui64) -> list[Ordered]:
    """Return the CS06 commands a device was sent."""
    found = []
    for carried in evidence.air.sent_down(cs06.MESSAGE_CODE, device=device):
        command = None if carried.judged is None else payload_of(cs06.Command.decode, carried.judged.message)
        if command is not None:
            found.append(Ordered(carried, command))
    return found


def check_separation(evidence: Evidence) -> Iterator[Check]:
    """SM7-R5: between the end of 11.1 and the 11.3 for it the device runs its old version."""
    facts, faults = list[str](), list[str]()
    activated = set()
    for transfer in meter_transfers(evidence):
        image, seen = image_of(transfer), sightings(evidence, transfer)
        label = f"{evidence.name(transfer.device)} version {transfer.version:08X}"
        if image is None:
            continue
        fitting = [o for o in orders(evidence, transfer.device) if o.command.image_hash == image.hash]
        first = min((o.carried.time for o in fitting), default=None)
        if seen and (first is None or seen[0].time < first):
            when = "without any 11.3" if first is None else f"before its 11.3 of {utc(first)}"
            faults.append(f"{label} seen at {utc(seen[0].time)} ({seen[0].source}), {when}")
        elif seen and first is not None:
            activated.add(evidence.types[transfer.device])
            times = f"transferred {utc(transfer.ended)}, CS06 {utc(first)}, first seen {utc(seen[0].time)}"
            facts.append(f"{label}: {times}")
        else:
            facts.append(f"{label}: transferred {utc(transfer.ended)}, never activated")
    if DeviceType.HCALCS not in activated and not faults:
        faults.append("no HCALCS was updated by 11.1 and 11.3")
    missing = "no image transferred to a meter or HCALCS"
    yield conclude("SM7-R5", "distribution and activation apart", facts=facts, faults=faults, missing=missing)
