"""Tracking rows: where the update of each device stands, and what the news of CSP, hub and device make of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gateway.dsp.effects import Turn, Value
from gateway.dsp.records import Update, UpdateChange, UpdateState
from gateway.dsp.rows import Table, Version, append
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64

# An update is open, and blocks another of the same device, in these states; a distribution (11.1) ends before the
# activation begins, so the later states do not block.
OPEN = (UpdateState.REQUESTED, UpdateState.DELIVERED, UpdateState.TRANSFERRED)
_RANK = {state: rank for rank, state in enumerate((*OPEN, UpdateState.DISTRIBUTED, UpdateState.SCHEDULED))}
_FINAL = (UpdateState.ACTIVATED, UpdateState.FAILED)


class Tracking:
    def __init__(self, settings: DspSettings) -> None:
        self._settings = settings
        self.updates = Table(Update, self._due)
        self._of_device: dict[Eui64, dict[str, None]] = {}  # request_id in order of the requests

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take the rows of the store."""
        self.updates.load(rows)
        for update in self.updates:
            self._of_device.setdefault(update.device, {})[update.request_id] = None

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
        found = [update for update in self._updates_of(device) if wanted(update)]
        return max(found, key=lambda update: (update.requested, update.request_id), default=None)

    def _updates_of(self, device: Eui64) -> list[Update]:
        found = (self.updates.get(request_id, device) for request_id in self._of_device.get(device, ()))
        return [update for update in found if update is not None]

    # --- what happens to them ---

    def requested(self, turn: Turn, update: Update) -> None:
        """An image was handed to the CSP for a device."""
        self._put(turn, update)

    def blocked(self, turn: Turn, request_id: str, device: Eui64, version: Version) -> None:
        """Another update of the device is open: the attempt stands in the history alone."""
        state = UpdateState.BLOCKED
        append(turn, UpdateChange(turn.now, request_id, device, version, state, "another update is open"))

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
        for update in self._updates_of(device):
            if update.state is UpdateState.SCHEDULED:
                self._set(turn, update, UpdateState.DISTRIBUTED, "activation cancelled or replaced")

    def overdue(self, turn: Turn, device: Eui64) -> None:
        for update in self._updates_of(device):
            if update.state is UpdateState.SCHEDULED:
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
        for update in self._updates_of(device):
            if update.state in _RANK:
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
        self._of_device.setdefault(update.device, {})[update.request_id] = None
        append(
            turn,
            UpdateChange(
                turn.now, update.request_id, update.device, Version(update.version), update.state, update.reason
            ),
        )
