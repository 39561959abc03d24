"""The device's side of the OTA Upgrade cluster as a machine without I/O. Source: ZCL 07-5123 §11."""

import struct

from protocols.errors import DecodeError
from protocols.interfaces import SECOND, Random
from protocols.ota import wire
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
from protocols.ota.wire import OtaStatus

__all__ = [
    "Activate",
    "ActivationPolicy",
    "Checkpoint",
    "ClientState",
    "Discover",
    "DownloadFailed",
    "DownloadStarted",
    "DownloadStatistics",
    "Effect",
    "ImageComplete",
    "OtaClient",
    "OtaClientSettings",
    "OtaIdentity",
    "OtaStatus",
    "PartialImage",
    "Send",
    "TimeoutPolicy",
]

WAIT = 0xFFFFFFFF  # upgrade time: wait for another order
_BLOCK_REQUEST = struct.Struct("<BBBBHHIIB")
_BLOCK_RESPONSE = struct.Struct("<HHIIB")
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
        return self._query(now) if self.state is ClientState.DISCOVERING else []

    def no_server(self, now: int) -> list[Effect]:
        if self.state is ClientState.DISCOVERING:
            self.deadline = now + self.settings.discovery_retry
        return []

    def image_checked(self, status: OtaStatus, now: int) -> list[Effect]:
        """Tell the outcome of the check: SUCCESS, or INVALID_IMAGE to have it refused and forgotten."""
        if self.state is not ClientState.VERIFYING:
            return []
        self._data = bytearray()
        if status is not OtaStatus.SUCCESS:
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
        """Take a ZCL frame of the cluster from the server."""
        if octets[2:4] == b"\x05\x00" and self.state is ClientState.DOWNLOADING:
            return self._block(octets, now)
        try:
            frame = wire.split_frame(octets)
            if not frame.cluster_specific:
                return self._foundation(frame, now)
            return self._command(frame, now, broadcast=broadcast)
        except DecodeError:
            answer = wire.malformed(octets)
            return [] if answer is None or broadcast else [Send(answer)]

    # --- dispatch ----------------------------------------------------------------------------------------------

    def _command(self, frame: wire.ZclFrame, now: int, *, broadcast: bool) -> list[Effect]:
        match frame.command:
            case wire.IMAGE_NOTIFY:
                return self._notified(frame, now, broadcast=broadcast)
            case wire.QUERY_NEXT_IMAGE_RESPONSE:
                return self._offered(frame, now)
            case wire.IMAGE_BLOCK_RESPONSE:
                return self._no_block(frame, now)
            case wire.UPGRADE_END_RESPONSE:
                return self._ended(frame, now)
            case _:
                return [Send(frame.answer(OtaStatus.UNSUP_CLUSTER_COMMAND))] if not broadcast else []

    def _foundation(self, frame: wire.ZclFrame, now: int) -> list[Effect]:
        """Default Response: to a query or block request it means that the server will not serve."""
        refused = wire.decode_default_response(frame)
        if refused is None or refused.status == OtaStatus.SUCCESS:
            return []
        if refused.command == wire.IMAGE_BLOCK_REQUEST and self.state is ClientState.DOWNLOADING:
            return self._give_up(now, f"server refused: {refused.status:02X}")
        if refused.command == wire.QUERY_NEXT_IMAGE_REQUEST and self.state is ClientState.QUERYING:
            self._idle(now)
        return []

    # --- discovery and query -----------------------------------------------------------------------------------

    def _discover(self, now: int) -> list[Effect]:
        self.state = ClientState.DISCOVERING
        self.deadline = now + self.settings.discovery_retry
        return [Discover()]

    def _query_request(self) -> Send:
        maker, kind, hardware = self.identity
        request = wire.QueryNextImageRequest(maker, kind, self.running_version, hardware)
        return Send(request.encode(self._next_sequence()))

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

    def _notified(self, frame: wire.ZclFrame, now: int, *, broadcast: bool) -> list[Effect]:
        notify = wire.ImageNotify.decode(frame.payload)
        if broadcast:
            return self._ask(now) if self._concerns(notify) else []
        polite: list[Effect] = [Send(frame.answer(OtaStatus.SUCCESS))] if frame.wants_default_response else []
        return polite + self._ask(now)

    def _concerns(self, notify: wire.ImageNotify) -> bool:
        wanted = (
            notify.manufacturer in (None, 0xFFFF, self.identity.manufacturer)
            and notify.image_type in (None, 0xFFFF, self.identity.image_type)
            and notify.version not in (self.running_version, self.downloaded_version or self.running_version)
        )
        return wanted and self._random.randrange(1, 101) <= notify.jitter

    def _ask(self, now: int) -> list[Effect]:
        """Query because of an Image Notify, unless a download runs or discovery is still to come."""
        if self.state is ClientState.QUERYING:
            return self._query(now)
        if self.state in (ClientState.STARTING, ClientState.DISCOVERING):
            return self._discover(now)
        if self.state in (ClientState.WAITING, ClientState.COUNTDOWN):
            return [self._query_request()]
        return []

    def _offered(self, frame: wire.ZclFrame, now: int) -> list[Effect]:
        offer = wire.QueryNextImageResponse.decode(frame.payload)
        if self.state not in (ClientState.QUERYING, ClientState.WAITING, ClientState.COUNTDOWN):
            return []
        if self.state is ClientState.QUERYING:
            self._idle(now)
        if offer.status != OtaStatus.SUCCESS:
            return []
        if (offer.manufacturer, offer.image_type) != self.identity[:2] or offer.size == 0:
            return [Send(frame.answer(OtaStatus.INVALID_FIELD))]
        if offer.version in (self.running_version, self.downloaded_version):
            return []
        if offer.size > self.settings.storage_limit:
            return [Send(frame.answer(OtaStatus.INSUFFICIENT_SPACE))]
        return self._download(offer.version, offer.size, now)

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
            return [self._end_request(OtaStatus.ABORT), *self._give_up(now, "no answer from the server")]
        self.deadline = now + self.settings.back_off
        return []

    def _block(self, octets: bytes, now: int) -> list[Effect]:
        """Take a Block Response with SUCCESS: the path that is walked 16,000 times an image."""
        if len(octets) < _DATA_AT:
            return [Send(wire.split_frame(octets).answer(OtaStatus.MALFORMED_COMMAND))]
        maker, kind, version, offset, count = _BLOCK_RESPONSE.unpack_from(octets, 4)
        if version != self._version or kind != self.identity.image_type or maker != self.identity.manufacturer:
            return [Send(wire.split_frame(octets).answer(OtaStatus.INVALID_VALUE))]
        data, held = octets[_DATA_AT:], self._data
        if offset != len(held):
            return []  # the late answer to a request that was repeated
        if len(data) != count or not count or offset + count > self._size:
            return [Send(wire.split_frame(octets).answer(OtaStatus.MALFORMED_COMMAND))]
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

    def _no_block(self, frame: wire.ZclFrame, now: int) -> list[Effect]:
        """Take a Block Response without data."""
        if self.state is not ClientState.DOWNLOADING:
            return []
        wait = wire.BlockStatus.decode(frame.payload)
        if wait.status == OtaStatus.WAIT_FOR_DATA:
            return self._hold(wait, now)
        return self._give_up(now, f"server said {wait.status:02X}")

    def _hold(self, wait: wire.BlockStatus, now: int) -> list[Effect]:
        seconds = wait.request_time - wait.current_time
        delay = self.settings.wait_fallback if seconds < 0 else min(seconds * SECOND, self.settings.wait_limit)
        self._block_period = wait.block_period * self.settings.block_period_unit
        self._errors, self._awaiting = 0, False
        self.deadline = now + delay + self._block_period
        return []

    def _give_up(self, now: int, reason: str) -> list[Effect]:
        version, self._data = self._version, bytearray()
        self._idle(now)
        self.deadline = now + self.settings.query_retry
        return [DownloadFailed(version, reason)]

    # --- end ---------------------------------------------------------------------------------------------------

    def _end_request(self, status: OtaStatus) -> Send:
        return Send(wire.UpgradeEndRequest(status, self._image_id()).encode(self._next_sequence()))

    def _image_id(self) -> wire.ImageId:
        return wire.ImageId(self.identity.manufacturer, self.identity.image_type, self._version)

    def _send_end(self, now: int) -> list[Effect]:
        self.state = ClientState.ENDING
        self.deadline = now + self.settings.end_retry
        return [self._end_request(OtaStatus.SUCCESS)]

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

    def _ended(self, frame: wire.ZclFrame, now: int) -> list[Effect]:
        if self.state not in (ClientState.ENDING, ClientState.WAITING):
            return []
        answer = wire.UpgradeEndResponse.decode(frame.payload)
        if not answer.matches(self._image_id()):
            return [Send(frame.answer(OtaStatus.INVALID_VALUE))]
        if self.settings.activation_policy is ActivationPolicy.OUT_OF_BAND:
            if answer.upgrade_time == WAIT:
                self._idle(now)
                return []
            return [Send(frame.answer(OtaStatus.NOT_AUTHORIZED))]
        return self._count_down(answer, now)

    def _count_down(self, answer: wire.UpgradeEndResponse, now: int) -> list[Effect]:
        if answer.upgrade_time == WAIT:
            self.state, self._errors, self.deadline = ClientState.WAITING, 0, now + self.settings.ask_again
            return []
        delay = max((answer.upgrade_time - answer.current_time) * SECOND, self.settings.shortest_countdown)
        if delay > self.settings.ask_again:
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
