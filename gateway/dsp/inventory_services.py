"""Service requests 12.2 (pre-notification) and 8.4 (update inventory). Each checks everything before it writes."""

import re
from dataclasses import replace

from gateway.dsp import variants
from gateway.dsp.answers import Answers
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import METERS, Inventory
from gateway.dsp.products import UNLISTED, ProductsList
from gateway.dsp.records import Device
from gateway.dsp.rows import Version
from gateway.dsp.services import SUPPLIER_ROLES, RefusedError
from gateway.dsp.statuses import GPF_FOLLOWS, Trigger, allowed, applies
from gateway.dsp.validation import Validation
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import DeviceStatusChangeEvent, MeterIdentity, MeterMpxns
from protocols.duis.bodies import DevicePrenotification, UpdateInventory
from protocols.duis.inventory import ESME_VARIANTS, ESME_VARIANTS_OF, DeviceStatus, DeviceType

_VERSION = re.compile("[0-9A-F]{8}")
_NEEDS_GBCS_4 = frozenset("FG")  # letters of an ESMEVariant
_MPXN_STATUSES = (DeviceStatus.WHITELISTED, DeviceStatus.INSTALLED_NOT_COMMISSIONED, DeviceStatus.COMMISSIONED)


class InventoryServices:
    def __init__(
        self,
        inventory: Inventory,
        products: ProductsList,
        validation: Validation,
        answers: Answers,
    ) -> None:
        self._inventory, self._products, self._validation = inventory, products, validation
        self._answers = answers

    # --- 12.2 ---

    def prenotify(self, turn: Turn, user: Eui64, body: DevicePrenotification, schema_version: str, cause: str) -> None:
        """Put a device on the inventory as Pending, owned by the user. Raises RefusedError."""
        kind = body.device_type
        if kind is DeviceType.GPF:
            raise RefusedError("E120207", "a GPF cannot be pre-notified")
        present = self._inventory.device(body.device_id)
        status = None if present is None else present.status
        known_type_2 = present is not None and status is None
        if known_type_2 or not allowed(Trigger.PRENOTIFIED, DeviceType.ESME, status, DeviceStatus.PENDING):
            raise RefusedError("E120201", f"{body.device_id} is in the inventory as {status}")
        variant = self._variant(body, schema_version)
        manufacturer, model, version = self._product(body)
        if body.esme_variant is not None:
            self._check_esme_variant("E120204", body.esme_variant, manufacturer, model, version)
        device = Device(
            device=body.device_id, type=kind, status=None if kind in UNLISTED else DeviceStatus.PENDING,
            manufacturer=manufacturer, model=model, firmware_version=version, variant=variant, owner=user,
            smets_version=body.smets_chts_version, associated_gpf=body.associated_gpf_device_id, added=turn.now,
        )  # fmt: skip
        self._inventory.add(turn, device, cause)
        if body.associated_gpf_device_id is not None:
            gpf = replace(
                device, device=body.associated_gpf_device_id, type=DeviceType.GPF, hub=device.device,
                associated_gpf=None,
            )  # fmt: skip
            self._inventory.add(turn, gpf, cause)

    @staticmethod
    def _variant(body: DevicePrenotification, schema_version: str) -> str | None:
        """Check which optional items apply to the type (E120204); return the variant."""
        kind = body.device_type
        applicable = {
            "SMETSCHTSVersion": (body.smets_chts_version, kind is not DeviceType.CAD),
            "FirmwareVersion": (body.firmware_version, kind not in UNLISTED),
            "ESMEVariant": (body.esme_variant, kind is DeviceType.ESME),
            "AssociatedGPFDeviceID": (body.associated_gpf_device_id, kind is DeviceType.CHF),
        }
        for name, (value, wanted) in applicable.items():
            if (value is not None) is not wanted:
                raise RefusedError("E120204", f"{name} {'is missing' if wanted else f'does not apply to {kind}'}")
        return variants.prenotified(kind, body.ppmid_variant, schema_version) or body.esme_variant

    def _product(self, body: DevicePrenotification) -> tuple[str, str, Version | None]:
        """Return manufacturer, model and version as the products list writes them (E120203)."""
        if body.device_type in UNLISTED:
            return body.device_manufacturer, body.device_model, None
        found = self._listed(body.device_type, body.device_manufacturer, body.device_model, body.firmware_version)
        if found is None:
            raise RefusedError("E120203", "type, manufacturer, model and firmware are not on the products list")
        return found

    def _listed(
        self, kind: DeviceType, manufacturer: str, model: str, firmware: str | None
    ) -> tuple[str, str, Version] | None:
        """Return the three as the list writes them: colons removed, upper case; None if they are not on it."""
        maker, product, version = (text.replace(":", "").upper() for text in (manufacturer, model, firmware or ""))
        if not _VERSION.fullmatch(version) or not self._products.lists(kind, maker, product, int(version, 16)):
            return None
        return maker, product, Version(int(version, 16))

    def _check_esme_variant(
        self, code: str, variant: str, manufacturer: str, model: str, version: Version | None
    ) -> None:
        """Refuse a variant that is not of the kind of ESME the list has, or that its GBCS version does not know."""
        entry = self._products.find(DeviceType.ESME, manufacturer, model, version)
        equipment = None if entry is None else entry.equipment
        if variant not in ESME_VARIANTS_OF.get(equipment or "", ESME_VARIANTS):
            raise RefusedError(code, f"ESMEVariant {variant!r} of {equipment or 'an ESME'}")
        if entry is not None and _NEEDS_GBCS_4.intersection(variant) and not _at_least_4(entry.gbcs_version):
            raise RefusedError(code, f"ESMEVariant {variant!r} of GBCS {entry.gbcs_version}")

    # --- 8.4 ---

    def update(self, turn: Turn, user: Eui64, body: UpdateInventory, cause: str) -> None:
        """Change one thing of a device. Raises RefusedError."""
        device = self._inventory.device(body.device_id)
        if device is None:
            raise RefusedError("E080407", f"{body.device_id} is not in the inventory")
        match body.change:
            case bodies.UpdateDeviceStatusExceptCh(status):
                self._status_except_hub(turn, user, device, status, cause)
            case bodies.UpdateDeviceStatusCh(status):
                self._status_of_hub(turn, user, device, status, cause)
            case bodies.UpdateDeviceDetails() as details:
                self._details(turn, user, device, details, cause)
            case bodies.DeleteDevice():
                self._delete(turn, user, device, cause)
            case bodies.UpdateMpxn() as mpxns:
                self._mpxn(turn, user, device, mpxns, cause)

    def _status_except_hub(self, turn: Turn, user: Eui64, device: Device, status: DeviceStatus, cause: str) -> None:
        self._check_supplier(user, device)
        if not applies(Trigger.STATUS_UPDATE, device.type):
            raise RefusedError("E080405", f"status of a {device.type} is not changed this way")
        if not allowed(Trigger.STATUS_UPDATE, device.type, self._inventory.judged(device), status):
            raise RefusedError("E080406", f"{device.status} does not become {status}")
        self._inventory.set_status(turn, device, Trigger.STATUS_UPDATE, status, cause)

    def _status_of_hub(self, turn: Turn, user: Eui64, hub: Device, status: DeviceStatus, cause: str) -> None:
        self._check_supplier(user, hub)
        if not applies(Trigger.HUB_STATUS_UPDATE, hub.type):
            raise RefusedError("E080411", f"{hub.device} is a {hub.type}")
        before = self._inventory.judged(hub)
        if before is None or not allowed(Trigger.HUB_STATUS_UPDATE, hub.type, before, status):
            raise RefusedError("E080412", f"{hub.status} does not become {status}")
        follows = GPF_FOLLOWS[before, status]
        for gpf in self._gpf_of(hub):
            own = self._inventory.judged(gpf)
            if own is not None and own in follows:
                self._inventory.set_status(turn, gpf, Trigger.WITH_ITS_HUB, follows[own], cause)
        self._inventory.set_status(turn, hub, Trigger.HUB_STATUS_UPDATE, status, cause)

    def _details(
        self, turn: Turn, user: Eui64, device: Device, details: bodies.UpdateDeviceDetails, cause: str
    ) -> None:
        self._check_owner(user, device)
        if details == bodies.UpdateDeviceDetails():
            raise RefusedError("E080408", "nothing to update")
        variant = variants.amended(device, details.ppmid_variant)
        if details.esme_variant is not None:
            if device.type is not DeviceType.ESME:
                raise RefusedError("E080409", f"ESMEVariant {details.esme_variant!r} of a {device.type}")
            variant = details.esme_variant
        manufacturer = details.device_manufacturer or device.manufacturer
        model = details.device_model or device.model
        version = device.firmware_version
        if device.type not in UNLISTED:
            firmware = details.firmware_version or f"{device.firmware_version or 0:08X}"
            listed = self._listed(device.type, manufacturer, model, firmware)
            if listed is None:
                raise RefusedError("E080409", "the result is not on the products list")
            manufacturer, model, version = listed
        if details.esme_variant is not None:
            self._check_esme_variant("E080409", details.esme_variant, manufacturer, model, version)
        smets_version = details.smets_chts_version or device.smets_version
        for each in (device, *self._gpf_of(device)):
            self._inventory.change(
                turn, each, cause, manufacturer=manufacturer, model=model, firmware_version=version,
                smets_version=smets_version, variant=variant,
            )  # fmt: skip

    def _delete(self, turn: Turn, user: Eui64, device: Device, cause: str) -> None:
        self._check_owner(user, device)
        for each in (device, *self._gpf_of(device)):
            self._inventory.remove(turn, each, cause)

    def _mpxn(self, turn: Turn, user: Eui64, device: Device, mpxns: bodies.UpdateMpxn, cause: str) -> None:
        import_only = mpxns.secondary_import_mpan is None and mpxns.export_mpan is None
        if device.type not in METERS or (device.type is DeviceType.GSME and not import_only):
            raise RefusedError("E080413", f"that kind of MPxN does not suit a {device.type}")
        if self._inventory.judged(device) not in _MPXN_STATUSES:
            raise RefusedError("E080414", f"{device.device} is {device.status}")
        mpxn = mpxns.import_mpxn or mpxns.secondary_import_mpan or mpxns.export_mpan or ""
        row = self._inventory.premises.get(mpxn)
        if row is None or row.supplier not in (None, user):
            raise RefusedError("E080415", f"{user} is not the registered supplier of {mpxn}")
        changed = self._inventory.change(
            turn, device, cause, mpxn=mpxns.import_mpxn or device.mpxn,
            secondary_mpan=mpxns.secondary_import_mpan or device.secondary_mpan,
            export_mpan=mpxns.export_mpan or device.export_mpan,
        )  # fmt: skip
        operator = None if changed.mpxn is None else self._inventory.operator_of(changed.mpxn)
        if operator is not None and changed.mpxn is not None:
            numbers = MeterMpxns(
                import_mpxn=changed.mpxn, secondary_import_mpan=changed.secondary_mpan, export_mpan=changed.export_mpan
            )
            variant = changed.variant if changed.type is DeviceType.ESME else None
            identity = MeterIdentity(mpxns=numbers, esme_variant=variant)
            payload = DeviceStatusChangeEvent(device_id=device.device, change=identity)
            self._answers.dcc_alert(turn, operator, "N16", payload)

    def _gpf_of(self, device: Device) -> list[Device]:
        gpf = None if device.associated_gpf is None else self._inventory.device(device.associated_gpf)
        return [] if gpf is None else [gpf]

    def _check_supplier(self, user: Eui64, device: Device) -> None:
        if not any(role in SUPPLIER_ROLES for role in self._inventory.roles(user)):
            raise RefusedError("E2", f"{user} is no supplier")
        if not self._validation.authorised(user, device):
            raise RefusedError("E4", f"{user} is not responsible for {device.device}")

    @staticmethod
    def _check_owner(user: Eui64, device: Device) -> None:
        if device.owner != user:
            raise RefusedError("E080410", f"{user} did not pre-notify {device.device}")
        if device.type not in UNLISTED and device.status is not DeviceStatus.PENDING:
            raise RefusedError("E080407", f"{device.device} is {device.status}, not Pending")


def _at_least_4(gbcs_version: str) -> bool:
    major = gbcs_version.split(".")[0]
    return major.isdecimal() and int(major) >= 4
