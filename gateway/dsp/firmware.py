"""Service requests 11.1 and 11.4: device lists, distribution over the CSP, the other supplier told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.dsp import variants
from gateway.dsp.answers import Answers
from gateway.dsp.effects import Turn
from gateway.dsp.images import TYPES, ApprovedImage, ImageChecks, no_device_left, warning
from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Device, Update, UpdateState
from gateway.dsp.services import RefusedError
from gateway.dsp.settings import DspSettings
from gateway.dsp.tracking import Tracking
from gateway.dsp.validation import Validation
from protocols.addresses import Eui64
from protocols.duis.alerts import FirmwareUpgradeRequested
from protocols.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from protocols.duis.codes import ACCEPTED
from protocols.duis.inventory import DeviceType
from protocols.duis.requests import Request
from protocols.duis.responses import DspUpdateFirmwareWarning, DspUpdatePpmidFirmwareWarning
from protocols.wan.smwan import FirmwareTarget, FirmwareToHubs

Warnings = DspUpdateFirmwareWarning | DspUpdatePpmidFirmwareWarning


@dataclass(slots=True)
class _Sorted:
    """The devices of a list, by what becomes of them; each in the order of the request."""

    accepted: list[Device] = field(default_factory=list)
    invalid: list[Eui64] = field(default_factory=list)
    not_commissioned: list[Eui64] = field(default_factory=list)
    not_applicable: list[Eui64] = field(default_factory=list)
    in_progress: list[Eui64] = field(default_factory=list)
    wrong_gbcs: list[Eui64] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        lists = (self.invalid, self.not_commissioned, self.not_applicable, self.in_progress, self.wrong_gbcs)
        return any(lists)


class Firmware:
    def __init__(
        self,
        settings: DspSettings,
        inventory: Inventory,
        validation: Validation,
        images: ImageChecks,
        tracking: Tracking,
        answers: Answers,
    ) -> None:
        self._settings, self._inventory, self._validation, self._images = settings, inventory, validation, images
        self._tracking, self._answers = tracking, answers

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
            self._tracking.blocked(turn, str(request.request_id), eui, image.version)
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
            elif not self._images.gbcs_version_fits(image, device):
                found.wrong_gbcs.append(eui)
            elif self._tracking.open_update(eui) is not None:
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
            self._tracking.requested(turn, update)
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


def _lists(service: str, found: _Sorted) -> Warnings:
    kind = DspUpdatePpmidFirmwareWarning if service == "11.4" else DspUpdateFirmwareWarning
    return kind(
        invalid_device_ids=tuple(found.invalid),
        not_commissioned_device_ids=tuple(found.not_commissioned),
        not_applicable_firmware_device_ids=tuple(found.not_applicable),
        other_request_in_progress=tuple(found.in_progress),
        invalid_gbcs_version=tuple(found.wrong_gbcs),
    )
