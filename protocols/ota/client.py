"""The device's side of the OTA Upgrade cluster as a machine without I/O. Source: ZCL 07-5123 §11."""

import struct

from protocols.errors import DecodeError, TruncatedError
from protocols.interfaces import SECOND, Random
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

_BLOCK_REQUEST = struct.Struct("<BBBBHHIIB")
_BLOCK_RESPONSE = struct.Struct("<HHIIB")
_QUERY_COMMAND, _BLOCK_REQUEST_COMMAND, _DEFAULT_RESPONSE = 0x01, 0x03, 0x0B
_DATA_AT = 4 + _BLOCK_RESPONSE.size


class OtaClient:
    """Downloads images for one device.

    Every call returns the effects in order; call `wake` at `deadline` (None: nothing is due).
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
    ) -> None:
        self.identity, self.running_version = identity, running_version
        self.settings = settings if settings is not None else OtaClientSettings()
        self.downloaded_version = downloaded_version  # checked, waits for an activation from elsewhere
        self.state = ClientState.IDLE
        self.deadline: int | None = None  # ns
        self.statistics = DownloadStatistics()
        self._random, self._resume = random, resume
        self._sequence = 0
        self._errors = 0
        self._awaiting = False  # an answer to what was sent last
        self._version = 0
        self._size = 0
        self._data = bytearray()
        self._kept = 0  # octets handed out in checkpoints
        self._block_period = 0  # ns

    # --- calls from the driver ---------------------------------------------------------------------------------

    def start(self, now: int) -> list[Effect]:
        """Begin, after a random delay."""
        self.state = ClientState.STARTING
        limit = self.settings.start_delay
        self.deadline = now + (self._random.randrange(0, limit) if limit else 0)
        return []

    def server_found(self, now: int) -> list[Effect]:
        """Go on: with the end of a download that a reboot cut off before its activation, or with a query."""
        if self.state is not ClientState.DISCOVERING:
            return []
        if self.downloaded_version is None or self.settings.activation_policy is ActivationPolicy.OUT_OF_BAND:
            return self._query(now)
        self._version, self._errors = self.downloaded_version, 0
        return self._send_end(now)

    def no_server(self, now: int) -> list[Effect]:
        if self.state is ClientState.DISCOVERING:
            self.deadline = now + self.settings.discovery_retry
        return []

    def image_checked(self, status: ZclStatus, now: int) -> list[Effect]:
        """Tell the outcome of the check: SUCCESS, or INVALID_IMAGE to have it refused and forgotten."""
        if self.state is not ClientState.VERIFYING:
            return []
        self._data = bytearray()
        if status is not ZclStatus.SUCCESS:
            end = self._end_request(status)
            self._idle(now)
            return [end, DownloadFailed(self._version, status.name)]
        self.downloaded_version = self._version
        self._errors = 0
        return self._send_end(now)

    def wake(self, now: int) -> list[Effect]:
        """Do what is due; nothing before `deadline`."""
        if self.deadline is None or now < self.deadline:
            return []
        self.deadline = None
        match self.state:
            case ClientState.STARTING | ClientState.DISCOVERING:
                return self._discover(now)
            case ClientState.QUERYING:
                return self._query_due(now)
            case ClientState.DOWNLOADING:
                return self._block_due(now)
            case ClientState.ENDING:
                return self._end_due(now)
            case ClientState.WAITING:
                return self._send_end(now)
            case ClientState.COUNTDOWN:
                return self._activate()
            case _:
                return []

    def frame(self, octets: bytes, now: int, *, broadcast: bool = False) -> list[Effect]:
        """Take a ZCL frame of the cluster from the server; DecodeError if it has no ZCL header."""
        if octets[2:4] == b"\x05\x00" and self.state is ClientState.DOWNLOADING:
            return self._block(octets, now)
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

    # --- dispatch ----------------------------------------------------------------------------------------------

    def _answer(self, frame: ZclFrame, status: ZclStatus, *, broadcast: bool = False) -> list[Effect]:
        """Return the Default Response; none to a broadcast, nor for a success nobody asked to hear of."""
        if broadcast or (status is ZclStatus.SUCCESS and frame.default_response_disabled):
            return []
        return [Send(default_response_to(frame, status))]

    def _command(self, frame: ZclFrame, command: ota.OtaCommand, now: int, *, broadcast: bool) -> list[Effect]:
        match command:
            case ota.ImageNotify():
                return self._notified(frame, command, now, broadcast=broadcast)
            case ota.QueryNextImageResponse():
                return self._offered(frame, command, now)
            case ota.ImageBlockWait():
                return self._hold(command, now)
            case ota.ImageBlockRefused():
                return self._give_up(now, f"server said {command.status:02X}") if self._downloading else []
            case ota.UpgradeEndResponse():
                return self._ended(frame, command, now)
            case _:
                return []

    @property
    def _downloading(self) -> bool:
        return self.state is ClientState.DOWNLOADING

    def _foundation(self, frame: ZclFrame, now: int) -> list[Effect]:
        """Default Response: to a query or block request it means that the server will not serve."""
        if frame.command != _DEFAULT_RESPONSE:
            return []
        refused = DefaultResponse.decode(frame.payload)
        if refused.status == ZclStatus.SUCCESS:
            return []
        if refused.command == _BLOCK_REQUEST_COMMAND and self._downloading:
            return self._give_up(now, f"server refused: {refused.status:02X}")
        if refused.command == _QUERY_COMMAND and self.state is ClientState.QUERYING:
            self._idle(now)
        return []

    # --- discovery and query -----------------------------------------------------------------------------------

    def _discover(self, now: int) -> list[Effect]:
        self.state = ClientState.DISCOVERING
        self.deadline = now + self.settings.discovery_retry
        return [Discover()]

    def _query_request(self) -> Send:
        maker, kind, hardware = self.identity
        request = ota.QueryNextImageRequest(maker, kind, self.running_version, hardware)
        return Send(ota.encode(request, self._next_sequence()))

    def _query(self, now: int) -> list[Effect]:
        self.state, self._awaiting = ClientState.QUERYING, True
        self.deadline = now + self.settings.response_timeout
        return [self._query_request()]

    def _query_due(self, now: int) -> list[Effect]:
        if not self._awaiting:
            return self._query(now)
        self._awaiting = False
        self._errors += 1
        if self._errors >= self.settings.error_limit:
            self._errors = 0
            return self._discover(now)
        self.deadline = now + self.settings.query_retry
        return []

    def _idle(self, now: int) -> None:
        """Back to querying, next at the end of the period."""
        self.state, self._awaiting, self._errors = ClientState.QUERYING, False, 0
        self.deadline = now + self.settings.query_period

    def _notified(self, frame: ZclFrame, notify: ota.ImageNotify, now: int, *, broadcast: bool) -> list[Effect]:
        """A unicast always leads to a query; a broadcast if it concerns this device and the draw says so."""
        if not 1 <= notify.query_jitter <= 100:
            return self._answer(frame, ZclStatus.INVALID_VALUE, broadcast=broadcast)
        if broadcast:
            return self._ask(now) if self._concerns(notify) else []
        return self._answer(frame, ZclStatus.SUCCESS) + self._ask(now)

    def _concerns(self, notify: ota.ImageNotify) -> bool:
        wanted = (
            notify.manufacturer_code in (None, ota.WILDCARD_16, self.identity.manufacturer)
            and notify.image_type in (None, ota.WILDCARD_16, self.identity.image_type)
            and notify.new_file_version not in (self.running_version, self.downloaded_version or self.running_version)
        )
        return wanted and self._random.randrange(1, 101) <= notify.query_jitter

    def _ask(self, now: int) -> list[Effect]:
        """Query because of an Image Notify, unless a download runs or discovery is still to come."""
        if self.state is ClientState.QUERYING:
            return self._query(now)
        if self.state in (ClientState.STARTING, ClientState.DISCOVERING):
            return self._discover(now)
        if self.state in (ClientState.WAITING, ClientState.COUNTDOWN):
            return [self._query_request()]
        return []

    def _offered(self, frame: ZclFrame, offer: ota.QueryNextImageResponse, now: int) -> list[Effect]:
        if self.state not in (ClientState.QUERYING, ClientState.WAITING, ClientState.COUNTDOWN):
            return []
        if self.state is ClientState.QUERYING:
            self._idle(now)
        if offer.status != ZclStatus.SUCCESS:
            return []
        if (offer.manufacturer_code, offer.image_type) != self.identity[:2] or offer.image_size == 0:
            return self._answer(frame, ZclStatus.INVALID_FIELD)
        if offer.file_version in (self.running_version, self.downloaded_version):
            return []
        if offer.image_size > self.settings.storage_limit:
            return self._answer(frame, ZclStatus.INSUFFICIENT_SPACE)
        return self._download(offer.file_version, offer.image_size, now)

    # --- download ----------------------------------------------------------------------------------------------

    def _download(self, version: int, size: int, now: int) -> list[Effect]:
        held = self._resume
        self._resume = None
        resumed = held is not None and (held.version, held.size) == (version, size)
        self._data = bytearray(held.data if resumed and held is not None else b"")
        self._version, self._size, self._kept = version, size, len(self._data)
        if self.settings.activation_policy is ActivationPolicy.SERVER:
            self.downloaded_version = None
        self.state, self._errors, self._block_period = ClientState.DOWNLOADING, 0, 0
        self.statistics = DownloadStatistics(version, size, started=now)
        started: list[Effect] = [DownloadStarted(version, size, len(self._data))]
        return started + (self._request(now) if len(self._data) < size else self._complete(now))

    def _request(self, now: int) -> list[Effect]:
        self.deadline, self._awaiting = now + self.settings.response_timeout, True
        offset = len(self._data)
        maker, kind = self.identity.manufacturer, self.identity.image_type
        most = min(self.settings.block_size, self._size - offset)
        sequence = self._next_sequence()
        request = _BLOCK_REQUEST.pack(0x01, sequence, 0x03, 0x00, maker, kind, self._version, offset, most)
        return [Send(request)]

    def _block_due(self, now: int) -> list[Effect]:
        if not self._awaiting:
            return self._request(now)
        self._awaiting = False
        self._errors += 1
        self.statistics.retries += 1
        if self._errors >= self.settings.error_limit:
            return [self._end_request(ZclStatus.ABORT), *self._give_up(now, "no answer from the server")]
        self.deadline = now + self.settings.back_off
        return []

    def _block(self, octets: bytes, now: int) -> list[Effect]:
        """Take a Block Response with SUCCESS: the path that is walked 16,000 times an image."""
        if len(octets) < _DATA_AT:
            return self._answer(ZclFrame.decode(octets), ZclStatus.MALFORMED_COMMAND)
        maker, kind, version, offset, count = _BLOCK_RESPONSE.unpack_from(octets, 4)
        if version != self._version or kind != self.identity.image_type or maker != self.identity.manufacturer:
            return self._answer(ZclFrame.decode(octets), ZclStatus.INVALID_VALUE)
        data, held = octets[_DATA_AT:], self._data
        if offset != len(held):
            return []  # the late answer to a request that was repeated
        if len(data) != count or not count or offset + count > self._size:
            return self._answer(ZclFrame.decode(octets), ZclStatus.MALFORMED_COMMAND)
        held += data
        self._errors = 0
        statistics = self.statistics
        statistics.blocks += 1
        statistics.octets += count
        if len(held) >= self._size:
            return self._complete(now)
        following = self._following(now)
        if len(held) - self._kept >= self.settings.checkpoint:
            following.insert(0, self._checkpoint())
        return following

    def _following(self, now: int) -> list[Effect]:
        """Ask for the next block at once, or after the block period the server set."""
        if not self._block_period:
            return self._request(now)
        self._awaiting, self.deadline = False, now + self._block_period
        return []

    def _checkpoint(self) -> Effect:
        offset, self._kept = self._kept, len(self._data)
        return Checkpoint(self._version, self._size, offset, bytes(self._data[offset:]))

    def _complete(self, now: int) -> list[Effect]:
        self.state, self.deadline, self._awaiting = ClientState.VERIFYING, None, False
        self.statistics.ended = now
        return [ImageComplete(self._version, bytes(self._data))]

    def _hold(self, wait: ota.ImageBlockWait, now: int) -> list[Effect]:
        """Ask again after the time the server names."""
        if not self._downloading:
            return []
        seconds = wait.request_time - wait.current_time
        delay = self.settings.wait_fallback if seconds < 0 else min(seconds * SECOND, self.settings.wait_limit)
        if wait.minimum_block_period is not None:
            self._block_period = wait.minimum_block_period * self.settings.block_period_unit
        self._errors, self._awaiting = 0, False
        self.deadline = now + delay + self._block_period
        return []

    def _give_up(self, now: int, reason: str) -> list[Effect]:
        version, self._data = self._version, bytearray()
        self._idle(now)
        self.deadline = now + self.settings.query_retry
        return [DownloadFailed(version, reason)]

    # --- end ---------------------------------------------------------------------------------------------------

    def _end_request(self, status: ZclStatus) -> Send:
        request = ota.UpgradeEndRequest(status, self.identity.manufacturer, self.identity.image_type, self._version)
        return Send(ota.encode(request, self._next_sequence()))

    def _send_end(self, now: int) -> list[Effect]:
        self.state = ClientState.ENDING
        self.deadline = now + self.settings.end_retry
        return [self._end_request(ZclStatus.SUCCESS)]

    def _end_due(self, now: int) -> list[Effect]:
        """Repeat the Upgrade End Request; after enough misses do what the time-out policy says."""
        self._errors += 1
        if self._errors < self.settings.end_limit:
            return self._send_end(now)
        if self.settings.activation_policy is ActivationPolicy.OUT_OF_BAND:
            self._idle(now)
            return []
        if self.settings.timeout_policy is TimeoutPolicy.NEVER:
            self._errors = 0
            return self._send_end(now)
        return self._activate()

    def _ended(self, frame: ZclFrame, answer: ota.UpgradeEndResponse, now: int) -> list[Effect]:
        if self.state not in (ClientState.ENDING, ClientState.WAITING):
            return []
        if not self._is_mine(answer):
            return self._answer(frame, ZclStatus.INVALID_VALUE)
        if self.settings.activation_policy is ActivationPolicy.OUT_OF_BAND:
            if answer.upgrade_time != ota.UPGRADE_WAIT:
                return self._answer(frame, ZclStatus.NOT_AUTHORIZED)
            self._idle(now)
            return []
        return self._count_down(answer, now)

    def _is_mine(self, answer: ota.UpgradeEndResponse) -> bool:
        return (
            answer.manufacturer_code in (ota.WILDCARD_16, self.identity.manufacturer)
            and answer.image_type in (ota.WILDCARD_16, self.identity.image_type)
            and answer.file_version in (ota.WILDCARD_32, self._version)
        )

    def _count_down(self, answer: ota.UpgradeEndResponse, now: int) -> list[Effect]:
        """Count down to the upgrade time; one that is far away, or "wait", is asked for again."""
        delay = max((answer.upgrade_time - answer.current_time) * SECOND, self.settings.shortest_countdown)
        if answer.upgrade_time == ota.UPGRADE_WAIT or delay > self.settings.ask_again:
            self.state, self._errors, self.deadline = ClientState.WAITING, 0, now + self.settings.ask_again
            return []
        self.state, self.deadline = ClientState.COUNTDOWN, now + delay
        return []

    def _activate(self) -> list[Effect]:
        self.state, self.deadline = ClientState.ACTIVATING, None
        return [Activate(self._version)]

    def _next_sequence(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFF
        return self._sequence
