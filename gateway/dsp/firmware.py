"""Firmware updates: device lists, distribution over the CSP, and where the update of each device stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gateway.dsp import variants
from gateway.dsp.answers import Answers
from gateway.dsp.effects import Turn
from gateway.dsp.images import TYPES, ApprovedImage, ImageChecks, no_device_left, warning
from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Device, Update, UpdateChange, UpdateState
from gateway.dsp.rows import Table, Version, append
from gateway.dsp.services import RefusedError
from gateway.dsp.settings import DspSettings
from gateway.dsp.validation import Validation
from protocols.addresses import Eui64
from protocols.duis.alerts import FirmwareUpgradeRequested
from protocols.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from protocols.duis.codes import ACCEPTED
from protocols.duis.inventory import DeviceType
from protocols.duis.requests import Request
from protocols.duis.responses import DspUpdateFirmwareWarning, DspUpdatePpmidFirmwareWarning
from protocols.wan.smwan import FirmwareTarget, FirmwareToHubs

# An update is open, and blocks another of the same device, in these states; a distribution (11.1) ends before the
# activation begins, so the later states do not block.
OPEN = (UpdateState.REQUESTED, UpdateState.DELIVERED, UpdateState.TRANSFERRED)
_RANK = {state: rank for rank, state in enumerate((*OPEN, UpdateState.DISTRIBUTED, UpdateState.SCHEDULED))}
_FINAL = (UpdateState.ACTIVATED, UpdateState.FAILED)

Warnings = DspUpdateFirmwareWarning | DspUpdatePpmidFirmwareWarning


@dataclass(slots=True)
class _Sorted:
    """The devices of a list, by what becomes of them; each in the order of the request."""

    accepted: list[Device] = field(default_factory=list)
    invalid: list[Eui64] = field(default_factory=list)
    not_commissioned: list[Eui64] = field(default_factory=list)
    not_applicable: list[Eui64] = field(default_factory=list)
    in_progress: list[Eui64] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return bool(self.invalid or self.not_commissioned or self.not_applicable or self.in_progress)


class Firmware:
    def __init__(
        self,
        settings: DspSettings,
        inventory: Inventory,
        validation: Validation,
        images: ImageChecks,
        answers: Answers,
    ) -> None:
        self._settings, self._inventory, self._validation, self._images = settings, inventory, validation, images
        self._answers = answers
        self.updates = Table(Update, self._due)

    # --- the request ---

    def request(self, turn: Turn, user: Eui64, request: Request) -> tuple[str, Warnings | None]:
        """Take an 11.1 or 11.4: check, record, hand the image to the CSP. Raises RefusedError.

        Returns the response code, and the lists of devices left out if there are any.
        """
        body = request.body
        if not isinstance(body, UpdateFirmware | UpdatePpmidFirmware):
            raise RefusedError("E12", "no firmware in the request")
        euis = list(dict.fromkeys(body.device_ids))
        known = [device for eui in euis if (device := self._inventory.device(eui)) is not None]
        image = self._images.check(user, request.service, body, known)
        found = self._sort(user, request.service, euis, image)
        if not found.accepted and not (found.in_progress and self._settings.blocked_update_warns):
            raise RefusedError(no_device_left(request.service), "no device of the list is acceptable")
        for eui in found.in_progress:
            state, request_id = UpdateState.BLOCKED, str(request.request_id)
            append(turn, UpdateChange(turn.now, request_id, eui, image.version, state, "another update is open"))
        if found.accepted:
            self._distribute(turn, user, request, image, found.accepted)
        if not found.refused:
            return ACCEPTED, None
        return warning(request.service), _lists(request.service, found)

    def _sort(self, user: Eui64, service: str, euis: Sequence[Eui64], image: ApprovedImage) -> _Sorted:
        found = _Sorted()
        for eui in euis:
            device = self._inventory.device(eui)
            if device is None or device.type not in TYPES[service] or not self._validation.authorised(user, device):
                found.invalid.append(eui)
            elif not variants.reachable(device, service, self._settings):
                found.not_applicable.append(eui)
            elif device.hub is None or not self._validation.eligible(service, device):
                found.not_commissioned.append(eui)
            elif not image.suits(device):
                found.not_applicable.append(eui)
            elif self.open_update(eui) is not None:
                found.in_progress.append(eui)
            else:
                found.accepted.append(device)
        return found

    def _distribute(
        self, turn: Turn, user: Eui64, request: Request, image: ApprovedImage, devices: Sequence[Device]
    ) -> None:
        request_id = str(request.request_id)
        targets = []
        for device in sorted(devices, key=lambda device: (device.hub or 0, device.device)):
            hub = Eui64(device.hub or 0)
            update = Update(
                request_id=request_id, service=request.service, device=device.device, version=image.version,
                state=UpdateState.REQUESTED, user=user, hub=hub, hash=image.hash, requested=turn.now, changed=turn.now,
            )  # fmt: skip
            self._put(turn, update)
            targets.append(FirmwareTarget(hub, device.device, variants.type_for_csp(device)))
        turn.to_csp(FirmwareToHubs(request_id, tuple(targets), image.octets).encode())
        self._tell_others(turn, user, image, devices)

    def _tell_others(self, turn: Turn, user: Eui64, image: ApprovedImage, devices: Sequence[Device]) -> None:
        """Tell the other supplier of a device that serves two what is on its way (N58)."""
        concerned: dict[tuple[Eui64, DeviceType], list[Eui64]] = {}
        for device in devices:
            for supplier in self._inventory.responsible_suppliers(device):
                if supplier != user:
                    concerned.setdefault((supplier, device.type), []).append(device.device)
        for (supplier, kind), euis in concerned.items():
            payload = FirmwareUpgradeRequested(
                device_type=kind, firmware_version=f"{image.version:08X}", device_list=tuple(euis)
            )
            self._answers.dcc_alert(turn, supplier, "N58", payload)

    # --- what is known of updates ---

    def open_update(self, device: Eui64) -> Update | None:
        """Return the update that blocks another one of the device."""
        return self._latest(device, lambda update: update.state in OPEN)

    def of_version(self, device: Eui64, version: int) -> Update | None:
        """Return the update of a device to a version: the open one, else the latest."""
        return self._latest(device, lambda u: u.version == version and u.state in OPEN) or self._latest(
            device, lambda update: update.version == version
        )

    def _latest(self, device: Eui64, wanted: Callable[[Update], bool]) -> Update | None:
        found = [update for update in self.updates if update.device == device and wanted(update)]
        return max(found, key=lambda update: (update.requested, update.request_id), default=None)

    # --- what happens to them ---

    def delivered(self, turn: Turn, update: Update, *, success: bool) -> None:
        """The CSP told whether the hub took the image."""
        if success:
            self._advance(turn, update, UpdateState.DELIVERED)
        elif update.state in OPEN:
            self._set(turn, update, UpdateState.FAILED, "not delivered to the hub")

    def transferred(self, turn: Turn, update: Update) -> None:
        """The hub passed the image on to the device (8F8A)."""
        self._advance(turn, update, UpdateState.TRANSFERRED)

    def transfer_failed(self, turn: Turn, update: Update, reason: str) -> None:
        """The hub could not (8F89)."""
        if update.state in OPEN:
            self._set(turn, update, UpdateState.FAILED, reason)

    def verified(self, turn: Turn, device: Eui64, image_hash: bytes) -> None:
        """The device checked the image and holds it (8F72)."""
        update = self._latest(device, lambda update: update.hash == image_hash)
        if update is not None:
            self._advance(turn, update, UpdateState.DISTRIBUTED)

    def verification_failed(self, turn: Turn, device: Eui64) -> None:
        """The device refused the image it got (8F1C); the hash it tells is not that of the image sent."""
        update = self.open_update(device)
        if update is not None:
            self._set(turn, update, UpdateState.FAILED, "8F1C: the device refused the image")

    def scheduled(self, turn: Turn, device: Eui64, image_hash: bytes) -> None:
        update = self._latest(device, lambda update: update.hash == image_hash)
        if update is not None:
            self._advance(turn, update, UpdateState.SCHEDULED)

    def unscheduled(self, turn: Turn, device: Eui64) -> None:
        """The device holds no dated activation any more; its image is as it was after distribution."""
        for update in list(self.updates):
            if update.device == device and update.state is UpdateState.SCHEDULED:
                self._set(turn, update, UpdateState.DISTRIBUTED, "activation cancelled or replaced")

    def overdue(self, turn: Turn, device: Eui64) -> None:
        for update in list(self.updates):
            if update.device == device and update.state is UpdateState.SCHEDULED:
                self._set(turn, update, UpdateState.OVERDUE, "no alert came after the date")

    def activated(self, turn: Turn, device: Eui64, version: int) -> None:
        """The device runs the version: it said so itself."""
        update = self.of_version(device, version)
        if update is not None and update.state not in _FINAL:
            self._set(turn, update, UpdateState.ACTIVATED)

    def activation_failed(self, turn: Turn, update: Update | None, reason: str) -> None:
        if update is not None and update.state not in _FINAL:
            self._set(turn, update, UpdateState.ACTIVATION_FAILED, reason)

    def left(self, turn: Turn, device: Eui64) -> None:
        """The device is gone: what was on its way to it has failed."""
        for update in list(self.updates):
            if update.device == device and update.state in _RANK:
                self._set(turn, update, UpdateState.FAILED, "the device left the inventory")

    def of_hash(self, device: Eui64, image_hash: bytes) -> Update | None:
        return self._latest(device, lambda update: update.hash == image_hash)

    def expire(self, turn: Turn) -> None:
        """End updates that were open for too long, so that they block no more."""
        for update in self.updates.due_by(turn.now):
            self._set(turn, update, UpdateState.EXPIRED, "no outcome in time")

    def _due(self, update: Update) -> int | None:
        return update.requested + self._settings.update_timeout if update.state in OPEN else None

    def _advance(self, turn: Turn, update: Update, state: UpdateState) -> None:
        """Move on, never back: news may arrive in any order."""
        if update.state in _RANK and _RANK[update.state] < _RANK[state]:
            self._set(turn, update, state)

    def _set(self, turn: Turn, update: Update, state: UpdateState, reason: str | None = None) -> None:
        self._put(turn, replace(update, state=state, changed=turn.now, reason=reason))

    def _put(self, turn: Turn, update: Update) -> None:
        self.updates.put(turn, update)
        append(
            turn,
            UpdateChange(
                turn.now, update.request_id, update.device, Version(update.version), update.state, update.reason
            ),
        )


def _lists(service: str, found: _Sorted) -> Warnings:
    kind = DspUpdatePpmidFirmwareWarning if service == "11.4" else DspUpdateFirmwareWarning
    return kind(
        invalid_device_ids=tuple(found.invalid),
        not_commissioned_device_ids=tuple(found.not_commissioned),
        not_applicable_firmware_device_ids=tuple(found.not_applicable),
        other_request_in_progress=tuple(found.in_progress),
    )
