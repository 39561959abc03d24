"""The device's side of the OTA Upgrade cluster as a machine without I/O. Source: ZCL 07-5123 §11."""

from collections.abc import Callable

from protocols.addresses import Eui64
from protocols.errors import DecodeError, TruncatedError
from protocols.interfaces import Random
from protocols.ota import client_attributes
from protocols.ota.client_download import Download
from protocols.ota.client_end import Ending
from protocols.ota.client_query import Query, concerns, refused
from protocols.ota.client_types import (
    Activate,
    ActivationPolicy,
    Checkpoint,
    ClientState,
    Discover,
    DownloadFailed,
    DownloadStarted,
    DownloadStatistics,
    Effect,
    ImageComplete,
    OtaClientSettings,
    OtaIdentity,
    PartialImage,
    Send,
    Sequence,
    TimeoutPolicy,
)
from protocols.zcl.clusters import ota
from protocols.zcl.foundation import DefaultResponse, default_response_to
from protocols.zcl.frame import ZclFrame, ZclStatus

__all__ = [
    "Activate", "ActivationPolicy", "Checkpoint", "ClientState", "Discover", "DownloadFailed", "DownloadStarted",
    "DownloadStatistics", "Effect", "ImageComplete", "OtaClient", "OtaClientSettings", "OtaIdentity", "PartialImage",
    "Send", "TimeoutPolicy", "ZclStatus",
]  # fmt: skip

_QUERY_COMMAND, _SPECIFIC_COMMAND = 0x01, 0x08
_DEFAULT_RESPONSE = 0x0B
_DOWNLOADING = ClientState.DOWNLOADING


class OtaClient:
    """Downloads images for one device.

    Every call returns the effects in order; call `wake` at `deadline` (None: nothing is due). `Download` and `Ending`
    do the two long stretches of the way, this class what lies before, between and after them.
    """

    def __init__(
        self,
        identity: OtaIdentity,
        running_version: int,
        random: Random,
        settings: OtaClientSettings | None = None,
        *,
        downloaded_version: int | None = None,
        resume: PartialImage | None = None,
        image_stamp: int | None = None,
        affords: Callable[[int, int], bool] = lambda version, size: True,
    ) -> None:
        """image_stamp: 32 bits, of the image that runs. affords(version, size): whether a download may begin now."""
        self._affords = affords
        self.identity, self.running_version, self.image_stamp = identity, running_version, image_stamp
        self.settings = settings if settings is not None else OtaClientSettings()
        self.downloaded_version = downloaded_version  # checked, waits for an activation
        self.state = ClientState.IDLE
        self.deadline: int | None = None  # ns
        self.server: Eui64 | None = None  # who serves
        self.statistics = DownloadStatistics()
        self._random, self._resume = random, resume
        self._sequence = Sequence()
        self._asked = Query(identity, self._sequence)
        self._download: Download | None = None
        self._ending: Ending | None = None
        self._told: int | None = None  # the version whose Upgrade End was answered since the start

    # --- calls from the driver ---------------------------------------------------------------------------------

    def start(self, now: int) -> list[Effect]:
        """Begin, after a random delay."""
        self.state = ClientState.STARTING
        limit = self.settings.start_delay
        self.deadline = now + (self._random.randrange(0, limit) if limit else 0)
        return []

    def server_found(self, now: int, server: Eui64 | None = None) -> list[Effect]:
        """Go on: with the end of a download that a reboot cut off before its activation, or with a query."""
        if self.state is not ClientState.DISCOVERING:
            return []
        self.server = server
        if self.downloaded_version is None or self.settings.activation_policy is ActivationPolicy.OUT_OF_BAND:
            return self._query(now)
        return self._end(self.downloaded_version, now)

    def no_server(self, now: int) -> list[Effect]:
        if self.state is ClientState.DISCOVERING:
            self.deadline = now + self.settings.discovery_retry
        return []

    def image_checked(self, status: ZclStatus, now: int) -> list[Effect]:
        """Tell the outcome of the check: SUCCESS, or INVALID_IMAGE to have it refused and forgotten."""
        download = self._download
        if self.state is not ClientState.VERIFYING or download is None:
            return []
        self._download = None
        if status is not ZclStatus.SUCCESS:
            image = (self.identity.manufacturer, self.identity.image_type, download.version)
            end = Send(ota.encode(ota.UpgradeEndRequest(status, *image), self._sequence.next()))
            self._idle(now)
            return [end, DownloadFailed(download.version, status.name)]
        self.downloaded_version = download.version
        return self._end(download.version, now)

    def ask_for_file(self, node: Eui64, version: int, now: int) -> list[Effect]:
        """Ask for the file `version` made for `node`, this device: Query Specific File; if nothing else goes on."""
        if self.state is not ClientState.QUERYING:
            return []
        self.deadline = now + self.settings.response_timeout
        return [self._asked.specific_file(node, version)]

    def wake(self, now: int) -> list[Effect]:
        """Do what is due; nothing before `deadline`."""
        if self.deadline is None or now < self.deadline:
            return []
        self.deadline = None
        if self._download is not None and self.state is ClientState.DOWNLOADING:
            return self._downloading(self._download, self._download.wake(now), now)
        if self._ending is not None:
            return self._after_end(self._ending, self._ending.wake(now), now)
        if self.state is ClientState.QUERYING:
            return self._query_due(now)
        if self.state in (ClientState.STARTING, ClientState.DISCOVERING):
            return self._discover(now)
        return []

    def frame(self, octets: bytes, now: int, *, broadcast: bool = False) -> list[Effect]:
        """Take a ZCL frame of the cluster from the server; DecodeError if it has no ZCL header."""
        if octets[2:4] == b"\x05\x00" and self.state is _DOWNLOADING and self._download is not None:
            return self._downloading(self._download, self._download.block(octets, now), now)
        frame = ZclFrame.decode(octets)
        if not frame.cluster_specific:
            return self._foundation(frame, now)
        try:
            command = ota.decode(frame)
        except TruncatedError:
            return self._answer(frame, ZclStatus.MALFORMED_COMMAND, broadcast=broadcast)
        except DecodeError:
            return self._answer(frame, ZclStatus.UNSUP_CLUSTER_COMMAND, broadcast=broadcast)
        return self._command(frame, command, now, broadcast=broadcast)

    def attributes(self) -> dict[ota.Attribute, int]:
        """Return the attributes of the cluster, which a server may read."""
        download = self._download
        progress = client_attributes.Progress(
            self.state, self.server, self.running_version, self.downloaded_version, self.image_stamp,
            None if download is None else len(download.data), 0 if download is None else download.block_period,
        )  # fmt: skip
        return client_attributes.attributes(self.identity, self.settings, progress)

    # --- dispatch ----------------------------------------------------------------------------------------------

    def _answer(self, frame: ZclFrame, status: ZclStatus, *, broadcast: bool = False) -> list[Effect]:
        """Return the Default Response; none to a broadcast, nor for a success nobody asked to hear of."""
        if broadcast or (status is ZclStatus.SUCCESS and frame.default_response_disabled):
            return []
        return [Send(default_response_to(frame, status))]

    def _command(self, frame: ZclFrame, command: ota.OtaCommand, now: int, *, broadcast: bool) -> list[Effect]:
        if isinstance(command, ota.ImageNotify):
            return self._notified(frame, command, now, broadcast=broadcast)
        if broadcast:
            return []
        if isinstance(command, ota.QueryNextImageResponse):
            return self._offered(frame, command, now)
        download = self._download if self.state is ClientState.DOWNLOADING else None
        if isinstance(command, ota.ImageBlockWait) and download is not None:
            return self._downloading(download, download.hold(command, now), now)
        if isinstance(command, ota.ImageBlockRefused) and download is not None:
            return self._downloading(download, download.give_up(f"server said {command.status:02X}"), now)
        if isinstance(command, ota.UpgradeEndResponse) and self._ending is not None:
            return self._after_end(self._ending, self._ending.answered(frame, command, now), now)
        return []

    def _foundation(self, frame: ZclFrame, now: int) -> list[Effect]:
        """Default Responses tell what the server will not serve; attributes are served elsewhere."""
        if frame.command != _DEFAULT_RESPONSE:
            return []
        refused = DefaultResponse.decode(frame.payload)
        if refused.status == ZclStatus.SUCCESS:
            return []
        if self._download is not None and self.state is ClientState.DOWNLOADING:
            effects = self._download.unsupported(refused.command, refused.status, now)
            return self._downloading(self._download, effects, now)
        if refused.command in (_QUERY_COMMAND, _SPECIFIC_COMMAND) and self.state is ClientState.QUERYING:
            self._idle(now)
        return []

    # --- discovery and query -----------------------------------------------------------------------------------

    def _discover(self, now: int) -> list[Effect]:
        self.state = ClientState.DISCOVERING
        self.deadline = now + self.settings.discovery_retry
        return [Discover()]

    def _query(self, now: int) -> list[Effect]:
        self.state = ClientState.QUERYING
        self.deadline = now + self.settings.response_timeout
        return [self._asked.next_image(self.running_version)]

    def _query_due(self, now: int) -> list[Effect]:
        if not self._asked.awaiting:
            return self._query(now)
        self._asked.missed()
        if self._asked.errors >= self.settings.error_limit:
            self._asked.settle()
            return self._discover(now)
        self.deadline = now + self.settings.query_retry
        return []

    def _idle(self, now: int) -> None:
        """Back to querying, next at the end of the period."""
        self.state = ClientState.QUERYING
        self._asked.settle()
        self.deadline = now + self.settings.query_period

    def _notified(self, frame: ZclFrame, notify: ota.ImageNotify, now: int, *, broadcast: bool) -> list[Effect]:
        """A unicast always leads to a query; a broadcast if it concerns this device and the draw says so."""
        if not 1 <= notify.query_jitter <= 100:
            return self._answer(frame, ZclStatus.INVALID_VALUE, broadcast=broadcast)
        if broadcast:
            versions = (self.running_version, self.downloaded_version)
            return self._ask(now) if concerns(notify, self.identity, versions, self._random) else []
        return self._answer(frame, ZclStatus.SUCCESS) + self._ask(now)

    def image_waits(self, now: int) -> list[Effect]:
        """Query because the server was heard to have an image, by other ways than an Image Notify."""
        return self._ask(now)

    def _ask(self, now: int) -> list[Effect]:
        """Query because of an Image Notify, unless a download runs or discovery is still to come."""
        if self.state is ClientState.QUERYING:
            return self._query(now)
        if self.state in (ClientState.STARTING, ClientState.DISCOVERING):
            return self._discover(now)
        if self.state in (ClientState.WAITING, ClientState.COUNTDOWN):
            return [self._asked.next_image(self.running_version)]
        return []

    def _offered(self, frame: ZclFrame, offer: ota.QueryNextImageResponse, now: int) -> list[Effect]:
        """Take an answer to the last question; an offer that nobody asked for changes nothing."""
        if self.state not in (ClientState.QUERYING, ClientState.WAITING, ClientState.COUNTDOWN):
            return []
        if not self._asked.answered_by(frame):
            return []
        if self.state is ClientState.QUERYING:
            self._idle(now)
        if offer.status != ZclStatus.SUCCESS:
            return []
        if (status := refused(offer, self.identity, self.settings.storage_limit)) is not None:
            return self._answer(frame, status)
        if offer.file_version == self.running_version:
            return []
        if offer.file_version == self.downloaded_version:
            return self._end_again(offer.file_version, now)
        if not self._affords(offer.file_version, offer.image_size):
            status = self.settings.unaffordable  # told, the server knows why nothing comes; it will offer it again
            return [] if status is None else self._answer(frame, status)
        return self._start_download(offer.file_version, offer.image_size, now)

    # --- download and end --------------------------------------------------------------------------------------

    def _start_download(self, version: int, size: int, now: int) -> list[Effect]:
        """Begin at the front, or behind what a reboot left of the same image."""
        rest, self._resume = self._resume, None
        held = rest.data if rest is not None and (rest.version, rest.size) == (version, size) else b""
        if self.settings.activation_policy is ActivationPolicy.SERVER:
            self.downloaded_version = None
        self.state, self._ending = ClientState.DOWNLOADING, None
        download = self._download = Download(
            self.identity, self.settings, self._sequence, version=version, size=size, held=held, now=now
        )
        self.statistics = download.statistics
        return [DownloadStarted(version, size, len(held)), *self._downloading(download, download.begin(now), now)]

    def _downloading(self, download: Download, effects: list[Effect], now: int) -> list[Effect]:
        """Follow the download to where it stands."""
        self.deadline = download.deadline
        if download.over:
            if download.complete:
                self.state = ClientState.VERIFYING
            else:
                if download.resumable:
                    self._resume = PartialImage(download.version, download.size, bytes(download.data))
                self._download = None
                self._idle(now)
                self.deadline = now + self.settings.query_retry
        return effects

    def _end_again(self, version: int, now: int) -> list[Effect]:
        """A server still offers what is here: it may have missed that, if it was not told since the start."""
        missed = self.state is ClientState.QUERYING and self._told != version
        return self._end(version, now) if missed else []

    def _end(self, version: int, now: int) -> list[Effect]:
        ending = self._ending = Ending(self.identity, self.settings, self._sequence, version=version)
        return self._after_end(ending, ending.send(now), now)

    def _after_end(self, ending: Ending, effects: list[Effect], now: int) -> list[Effect]:
        """Follow the end of a download to where it stands."""
        self.state, self.deadline = ending.state, ending.deadline
        if ending.over:
            self._ending, self._told = None, ending.version
            self._idle(now)
        return effects
