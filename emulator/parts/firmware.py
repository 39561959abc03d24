"""A device's firmware: what runs, what waits, what is half here; and the download that fills it."""

import struct
from collections.abc import Callable
from hashlib import sha256

from emulator.parts.han_application import OTA_UPGRADE, Carrier
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import Clock, Discovered, MatchDescriptor, Random, Received, Storage
from protocols.ota import client_attributes
from protocols.ota.client import (
    Activate,
    Checkpoint,
    ClientState,
    Discover,
    DownloadFailed,
    DownloadStarted,
    DownloadStatistics,
    Effect,
    ImageComplete,
    OtaClient,
    OtaClientSettings,
    OtaIdentity,
    PartialImage,
    Send,
    ZclStatus,
)
from protocols.ota.image import OtaHeader
from protocols.zcl.attribute_server import Attribute
from protocols.zcl.clusters import ota

_RUNNING, _PENDING, _PARTIAL, _PART = "firmware/running", "firmware/pending", "firmware/partial", "firmware/part/"
_PARTIAL_HEAD = struct.Struct(">II")  # version, size
_STAMP = "firmware/stamp"
_ANSWERED_BY_BLOCKS = (0x03, 0x04)  # Image Block Request, Image Page Request
_KIND, _FROM_SERVER, _IMAGE_NOTIFY = 0x0F, 0x09, 0x00  # of frame controls: a server's command; command id
_WAKE = "ota wake"


class FirmwareStore:
    """The cells of firmware: one image runs, at most one waits, at most one is half here."""

    def __init__(self, storage: Storage, factory_version: int) -> None:
        self._storage, self._factory_version = storage, factory_version

    @property
    def running_version(self) -> int:
        held = self._storage.get(_RUNNING)
        return self._factory_version if held is None else int.from_bytes(held, "big")

    @property
    def pending(self) -> bytes | None:
        """The file that was checked and waits for its activation."""
        return self._storage.get(_PENDING)

    @property
    def pending_version(self) -> int | None:
        held = self.pending
        return None if held is None else OtaHeader.decode(held).file_version

    @property
    def pending_version_or_none(self) -> int | None:
        """The version that waits, None also for a file that cannot be read any more."""
        try:
            return self.pending_version
        except DecodeError:
            return None

    def put_pending(self, file: bytes) -> None:
        """Keep a checked file in place of the one that waited."""
        self._storage.put(_PENDING, file)
        self.drop_partial()

    def activate(self) -> int:
        """Let the waiting image run from now on; return its version."""
        held, version = self.pending, self.pending_version
        if held is None or version is None:
            return self.running_version
        self._storage.put(_STAMP, sha256(held).digest()[:4])
        self._storage.put(_RUNNING, version.to_bytes(4, "big"))
        self._storage.delete(_PENDING)
        return version

    def drop_pending(self) -> None:
        self._storage.delete(_PENDING)

    @property
    def image_stamp(self) -> int | None:
        """The first four octets of SHA-256 of the file that runs; None for the one from the factory."""
        held = self._storage.get(_STAMP)
        return None if held is None else int.from_bytes(held, "big")

    # --- a download under way ----------------------------------------------------------------------------------

    def begin(self, version: int, size: int, offset: int) -> None:
        """Note which image is coming; an older part of another one goes, `offset` octets of this one stay."""
        if not offset:
            self.drop_partial()
        self._storage.put(_PARTIAL, _PARTIAL_HEAD.pack(version, size))

    def keep(self, checkpoint: Checkpoint) -> None:
        self._storage.put(f"{_PART}{checkpoint.offset:010}", checkpoint.data)

    @property
    def partial(self) -> PartialImage | None:
        """Return what a reboot left of a download."""
        head = self._storage.get(_PARTIAL)
        if head is None:
            return None
        version, size = _PARTIAL_HEAD.unpack(head)
        data = bytearray()
        for cell in self._parts():
            if int(cell[len(_PART) :]) == len(data):
                data += self._storage.get(cell) or b""
        return PartialImage(version, size, bytes(data))

    def drop_partial(self) -> None:
        self._storage.delete(_PARTIAL)
        for cell in self._parts():
            self._storage.delete(cell)

    def _parts(self) -> list[str]:
        return [cell for cell in self._storage.cells() if cell.startswith(_PART)]


class FirmwareDownload:
    """Drives an `OtaClient`: discovery, frames to the hub, one timer, checkpoints.

    `complete(version, file)` checks an image and returns SUCCESS or INVALID_IMAGE; `activate(version)` is asked for
    when the server's upgrade time is there.
    """

    def __init__(
        self,
        application: Carrier,
        clock: Clock,
        timers: Timers,
        store: FirmwareStore,
        *,
        identity: OtaIdentity,
        random: Random,
        settings: OtaClientSettings,
        started: Callable[[int, int], None],
        complete: Callable[[int, bytes], ZclStatus],
        activate: Callable[[int], None],
        affords: Callable[[int, int], bool] = lambda version, size: True,
        kept: Callable[[int, int], None] = lambda version, octets: None,
    ) -> None:
        """kept(version, octets): hears how much of an image is stored, so that a power cut leaves it."""
        self._application, self._clock, self._timers, self._store = application, clock, timers, store
        self._identity, self._random, self._settings = identity, random, settings
        self._started, self._complete, self._activate = started, complete, activate
        self._affords, self._kept = affords, kept
        self._server: tuple[Eui64, int] | None = None  # who, endpoint
        self._hub = Eui64(0)
        self._client: OtaClient | None = None
        self._due: int | None = None  # when the timer fires
        self._announced_by: Eui64 | None = None  # who sent an Image Notify before `start`
        self.statistics = DownloadStatistics()
        application.on(OTA_UPGRADE, self._frame)

    def start(self, hub: Eui64) -> None:
        """Begin with the server `hub`, from what the store holds; again after each restart, and with another hub.

        An image that `hub` has announced meanwhile is asked for without the random delay.
        """
        if self._client is not None and hub == self._hub:
            return
        announced = self._announced_by == hub
        self.stop()
        self._hub = hub
        self._client = OtaClient(
            self._identity,
            self._store.running_version,
            self._random,
            self._settings,
            downloaded_version=self._store.pending_version,
            resume=self._store.partial,
            image_stamp=self._store.image_stamp,
            affords=self._affords,
        )
        self._run(self._client.start(self._clock.now()))
        if announced:
            self.look()

    def look(self) -> None:
        """Ask the server now: it is said to have an image."""
        if self._client is not None:
            self._run(self._client.image_waits(self._clock.now()))

    def stop(self) -> None:
        """Forget all that is not stored: the power went."""
        self._client, self._server, self._due, self._announced_by = None, None, None, None
        self._timers.cancel(_WAKE)

    @property
    def client(self) -> OtaClient | None:
        """The machine, None while the device is off or has no network."""
        return self._client

    def attributes(self) -> dict[int, Attribute]:
        """Return the attributes of the cluster, which stand on the client's side."""

        def attribute(number: ota.Attribute) -> Attribute:
            return Attribute(client_attributes.TYPES[number], lambda: self._values()[number])

        return {int(number): attribute(number) for number in client_attributes.TYPES}

    def _values(self) -> dict[ota.Attribute, int]:
        client, store = self._client, self._store
        if client is not None:
            return client.attributes()
        held = (store.running_version, store.pending_version, store.image_stamp)
        progress = client_attributes.Progress(ClientState.IDLE, None, *held, None, 0)
        return client_attributes.attributes(self._identity, self._settings, progress)

    # --- in ----------------------------------------------------------------------------------------------------

    def _frame(self, event: Received) -> None:
        """Take a frame of the hub; of broadcasts, which no link key can protect, Image Notify alone."""
        client, octets, broadcast = self._client, event.aps.payload, event.broadcast
        notify = len(octets) > 2 and octets[0] & _KIND == _FROM_SERVER and octets[2] == _IMAGE_NOTIFY
        if client is None and notify and not broadcast:
            self._announced_by = event.who  # it heard of this device before the device has its network again
        if client is None or event.who != self._hub or (broadcast and not notify):
            return
        if self._server is None and not broadcast:
            self._server = (event.who, event.aps.source_endpoint)
        try:
            effects = client.frame(octets, self._clock.now(), broadcast=broadcast)
        except DecodeError:
            return
        self._run(effects)

    def _discovered(self, event: Discovered) -> None:
        client, now = self._client, self._clock.now()
        if client is None:
            return
        if event.answered and event.endpoints:
            self._server = (event.who, event.endpoints[0])
            self._run(client.server_found(now, event.who))
        else:
            self._run(client.no_server(now))

    def _wake(self) -> None:
        self._due = None
        if self._client is not None:
            self._run(self._client.wake(self._clock.now()))

    # --- out ---------------------------------------------------------------------------------------------------

    def _run(self, effects: list[Effect]) -> None:
        for effect in effects:
            if type(effect) is Send:
                self._send(effect.frame)
            else:
                self._effect(effect)
        self._arm()

    def _send(self, frame: bytes) -> None:
        """Send to the server; a request for blocks needs no acknowledgement, the blocks are one."""
        if self._server is not None:
            who, endpoint = self._server
            self._application.send(who, OTA_UPGRADE, endpoint, frame, acknowledged=frame[2] not in _ANSWERED_BY_BLOCKS)

    def _effect(self, effect: Effect) -> None:
        match effect:
            case Discover():
                self._discover()
            case DownloadStarted(version, size, offset):
                self._take_statistics()
                self._store.begin(version, size, offset)
                self._started(version, size)
            case Checkpoint():
                self._store.keep(effect)
                self._kept(effect.version, effect.offset + len(effect.data))
            case ImageComplete(version, file):
                self._checked(self._complete(version, file))
            case DownloadFailed(resumable=resumable):
                if not resumable:
                    self._store.drop_partial()
            case Activate(version):
                self._activate(version)

    def _discover(self) -> None:
        """Look for the server; foreign hosts answer no Match Descriptor, but one that sent a frame is there."""
        client, server = self._client, self._server
        if client is not None and server is not None and not self._application.secured:
            self._run(client.server_found(self._clock.now(), server[0]))
        else:
            query = MatchDescriptor(self._application.profile, (OTA_UPGRADE,))
            self._application.discover(self._hub, query, self._discovered)

    def _take_statistics(self) -> None:
        if self._client is not None:
            self.statistics = self._client.statistics

    def _checked(self, status: ZclStatus) -> None:
        client = self._client
        if client is None:
            return
        self._run(client.image_checked(status, self._clock.now()))

    def _arm(self) -> None:
        """Have the timer fire at the deadline or before: one that is early sets itself again."""
        client = self._client
        deadline = None if client is None else client.deadline
        if deadline is not None and (self._due is None or deadline < self._due):
            self._due = deadline
            self._timers.at(_WAKE, deadline, self._wake)
