"""Firmware images at the hub: taken from the WAN, kept in blocks, served over the HAN, reported to the ACB."""

from collections.abc import Callable

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.chf import Note
from emulator.devices.communications_hub.device_log import DeviceLog
from emulator.devices.communications_hub.han import Han
from emulator.devices.communications_hub.image_blocks import Contents, ImageBlocks, Progress, Recipient
from emulator.devices.communications_hub.settings import HubSettings
from emulator.parts.journal import Journal
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import Timer, WallClock
from protocols.ota.image import OtaHeader
from protocols.ota.server import (
    Effect,
    HardwareMismatch,
    OtaServer,
    OtaServerSettings,
    Send,
    TransferEnded,
    TransferStarted,
)
from protocols.wan.envelope import FirmwareImageDelivery
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclStatus

_IMAGE_PAGE_REQUEST = b"\x04"  # command id, third octet of the frame
_IMAGE_BLOCK_RESPONSE = 0x05

Report = Callable[[Eui64, int, TransferCode], None]  # device, version, code: the CCS08 alert


class Firmware:
    """Takes deliveries, offers their images to the devices, and says once for each device how it went."""

    def __init__(
        self,
        han: Han,
        log: DeviceLog,
        blocks: ImageBlocks,
        alarms: Alarms,
        wall: WallClock,
        storage: Journal,
        settings: HubSettings,
        server_factory: Callable[[OtaServerSettings], OtaServer],
        *,
        secmp0007: Callable[[], bool],
        report: Report,
        note: Note,
    ) -> None:
        self._han, self._log, self._blocks, self._alarms, self._wall = han, log, blocks, alarms, wall
        self._storage = storage
        self._settings, self._report, self._note = settings, report, note
        self._secmp0007 = secmp0007
        self._server = server_factory(settings.ota)
        self._endpoints: dict[Eui64, int] = {}
        self._due: int | None = None  # when the server is to be woken
        self._timer: Timer | None = None
        self._repeating = False

    def start(self) -> None:
        """Offer again what the blocks hold: at power-on. What waited for a device that has left meanwhile goes."""
        for block in self._blocks.blocks():
            contents = self._blocks.contents(block)
            if contents is not None:
                for recipient in contents.open_recipients:
                    if recipient.device not in self._log:
                        self.forget(recipient.device)
                self._offer(contents, self._blocks.image(block))

    # --- deliveries --------------------------------------------------------------------------------------------

    def knows(self, delivery: FirmwareImageDelivery) -> bool:
        """Return whether the hub's own firmware has a use for the image: one before SECMP0007 serves meters only."""
        if self._secmp0007():
            return True
        entries = [self._log.get(device) for device, _ in delivery.targets]
        return not any(entry is not None and entry.type.counted for entry in entries)

    def take(self, delivery: FirmwareImageDelivery) -> None:
        """Store the image for those of its devices that can get it; report it discarded for all others."""
        try:
            header = OtaHeader.decode(delivery.image)
        except DecodeError:
            self._discard(tuple(device for device, _ in delivery.targets), 0)
            return
        whole = header.total_size == len(delivery.image)
        by_block: dict[str, list[Recipient]] = {}
        for device, _ in delivery.targets:
            entry = self._log.get(device)
            block = None if entry is None else entry.type.block
            if entry is None or block is None or not whole:
                self._discard((device,), header.file_version)
            else:
                by_block.setdefault(block, []).append(Recipient(device, entry.type_code))
        for block, recipients in by_block.items():
            self._store(block, delivery, header, tuple(recipients))

    def _store(
        self, block: str, delivery: FirmwareImageDelivery, header: OtaHeader, recipients: tuple[Recipient, ...]
    ) -> None:
        present = self._blocks.contents(block)
        if present is not None and _same(present, delivery.request_id, header.file_version, recipients):
            return  # the delivery came a second time
        incoming = Contents(0, "", 0, b"", recipients)
        if present is not None and present.kept and not incoming.kept:
            self._discard(tuple(r.device for r in recipients), header.file_version)
            return
        written = self._blocks.write(block, delivery.image)
        contents = Contents(written.number, delivery.request_id, header.file_version, written.digest, recipients)
        if present is not None:
            self._displace(present)
        self._blocks.adopt(block, contents)
        self._storage.afterwards(lambda: self._stored(contents, delivery))

    def _stored(self, contents: Contents, delivery: FirmwareImageDelivery) -> None:
        for recipient in contents.recipients:
            self._note(
                "image-stored",
                request=delivery.request_id,
                device=str(recipient.device),
                version=f"{contents.version:08X}",
                size=len(delivery.image),
                sha256=contents.digest.hex(),
            )
        self._offer(contents, delivery.image)

    def _displace(self, contents: Contents) -> None:
        for recipient in contents.recipients:
            self._server.withdraw(recipient.device)
        self._discard(tuple(r.device for r in contents.open_recipients), contents.version)

    def _discard(self, devices: tuple[Eui64, ...], version: int) -> None:
        for device in devices:
            self._note("image-discarded", device=str(device), version=f"{version:08X}")
            self._report(device, version, TransferCode.IMAGE_DISCARDED)

    def forget(self, device: Eui64) -> None:
        """Let go of a device that has left the log: an image that waits for it is discarded, and keeps no block."""
        self._server.withdraw(device)
        self._endpoints.pop(device, None)
        contents = self._blocks.open_for(device)
        if contents is not None:
            self._note("image-discarded", device=str(device), version=f"{contents.version:08X}")
            self._finish(device, contents.version, Progress.FAILED, TransferCode.IMAGE_DISCARDED)

    # --- offers ------------------------------------------------------------------------------------------------

    def _offer(self, contents: Contents, image: bytes) -> None:
        for recipient in contents.recipients:
            if recipient.progress is Progress.FAILED:
                continue
            entry = self._log.get(recipient.device)
            if entry is not None:
                self._server.offer(
                    image,
                    (recipient.device,),
                    activate_now=entry.type.activates_now,
                    upgrade_delay=self._settings.upgrade_delay,
                )
        for recipient in contents.open_recipients:
            self.notify(recipient.device)
        if contents.open_recipients and not self._repeating:
            self._repeating = True
            self._alarms.after(self._settings.notify_repeat, self._notify_again)

    def _notify_again(self) -> None:
        """Announce what no device has begun to fetch, and once more later."""
        self._repeating = False
        for block in self._blocks.blocks():
            contents = self._blocks.contents(block)
            for recipient in () if contents is None else contents.open_recipients:
                self._repeating = True
                transfer = self._server.transfer(recipient.device)
                if transfer is not None and transfer.started is None:
                    self.notify(recipient.device)
        if self._repeating:
            self._alarms.after(self._settings.notify_repeat, self._notify_again)

    def notify(self, device: Eui64) -> None:
        """Send Image Notify to a device that has not finished, if its type gets it and its endpoint is known."""
        entry, endpoint = self._log.get(device), self._endpoints.get(device)
        if entry is None or not entry.type.notified or endpoint is None or self._blocks.open_for(device) is None:
            return
        self._carry_out(self._server.notify(device), endpoint)

    def place(self, device: Eui64, endpoint: int) -> None:
        """Note the endpoint of a device's OTA client; an image that waits for it is announced."""
        if self._endpoints.get(device) != endpoint:
            self._endpoints[device] = endpoint
            self.notify(device)

    # --- the HAN -----------------------------------------------------------------------------------------------

    def received(self, device: Eui64, endpoint: int, octets: bytes) -> None:
        """Take a frame of cluster 0x0019 from a device of the log."""
        self._endpoints[device] = endpoint
        self._carry_out(self._server.frame(device, octets, self._wall.utc()), endpoint)
        if octets[2:3] == _IMAGE_PAGE_REQUEST:
            self._watch()

    def _carry_out(self, effects: list[Effect], endpoint: int) -> None:
        for effect in effects:
            if type(effect) is Send:
                frame = effect.frame
                acknowledged = frame[2] != _IMAGE_BLOCK_RESPONSE or self._settings.acknowledge_blocks
                self._han.send(effect.device, ota.CLUSTER, endpoint, frame, acknowledged=acknowledged)
            else:
                self._news(effect)

    def _news(self, effect: Effect) -> None:
        if isinstance(effect, TransferStarted):
            self._note("ota-started", device=str(effect.device), version=f"{effect.version:08X}")
            self._watch()
        elif isinstance(effect, TransferEnded):
            self._ended(effect)
        elif isinstance(effect, HardwareMismatch):
            self._finish(effect.device, effect.version, Progress.FAILED, TransferCode.HARDWARE_VERSION_MISMATCH)

    def _ended(self, effect: TransferEnded) -> None:
        status = ZclStatus.named(effect.status)
        name = status.name if isinstance(status, ZclStatus) else f"{effect.status:02X}"
        self._note("ota-finished", device=str(effect.device), version=f"{effect.version:08X}", status=name)
        if effect.status == ZclStatus.SUCCESS:
            self._finish(effect.device, effect.version, Progress.TRANSFERRED, TransferCode.TRANSFERRED)
        else:
            self._finish(effect.device, effect.version, Progress.FAILED, TransferCode.TRANSFER_FAILED)

    def _finish(self, device: Eui64, version: int, progress: Progress, code: TransferCode) -> None:
        contents = self._blocks.open_for(device)
        if contents is None or contents.version != version:
            return  # told before
        with self._storage.transaction():  # told once
            self._report(device, version, code)
            self._blocks.settle(device, progress)

    def _watch(self) -> None:
        """Wake the server when it wants: for the next block of a page, and to end a transfer that falls silent."""
        due = self._server.deadline()
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None if due is None else self._alarms.after(max(0, due - self._wall.utc()), self._wake)

    def _wake(self) -> None:
        self._due = self._timer = None
        for effect in self._server.wake(self._wall.utc()):
            if type(effect) is Send:
                self._carry_out([effect], self._endpoints[effect.device])
            else:
                self._news(effect)
        self._watch()


def _same(contents: Contents, request_id: str, version: int, recipients: tuple[Recipient, ...]) -> bool:
    devices = tuple(recipient.device for recipient in contents.recipients)
    asked = tuple(recipient.device for recipient in recipients)
    return (contents.request_id, contents.version, devices) == (request_id, version, asked)
