"""The end of a download: Upgrade End told until it is answered, then the wait for the time to activate."""

from protocols.interfaces import SECOND
from protocols.ota.client_types import (
    Activate,
    ActivationPolicy,
    ClientState,
    Effect,
    OtaClientSettings,
    OtaIdentity,
    Send,
    Sequence,
    TimeoutPolicy,
)
from protocols.zcl.clusters import ota
from protocols.zcl.foundation import default_response_to
from protocols.zcl.frame import ZclFrame, ZclStatus


class Ending:
    """What follows a good image. Call `wake` at `deadline`; `over`: the image now waits for somebody else's word."""

    def __init__(self, identity: OtaIdentity, settings: OtaClientSettings, sequence: Sequence, *, version: int) -> None:
        self.version = version
        self.state = ClientState.ENDING
        self.deadline: int | None = None  # ns
        self.over = False
        self._settings, self._sequence = settings, sequence
        self._image = (identity.manufacturer, identity.image_type, version)
        self._misses = 0

    def send(self, now: int) -> list[Effect]:
        """Tell the server that the image is here and good."""
        self.state, self.deadline = ClientState.ENDING, now + self._settings.end_retry
        return [Send(ota.encode(ota.UpgradeEndRequest(ZclStatus.SUCCESS, *self._image), self._sequence.next()))]

    def wake(self, now: int) -> list[Effect]:
        match self.state:
            case ClientState.ENDING:
                return self._unanswered(now)
            case ClientState.WAITING:
                return self.send(now)
            case ClientState.COUNTDOWN:
                return self._activate()
            case _:
                return []

    def answered(self, frame: ZclFrame, answer: ota.UpgradeEndResponse, now: int) -> list[Effect]:
        """Take an Upgrade End Response; a later one may move the upgrade time."""
        if self.state is ClientState.ACTIVATING:
            return []
        if not self._is_mine(answer):
            return [Send(default_response_to(frame, ZclStatus.INVALID_VALUE))]
        if self._settings.activation_policy is ActivationPolicy.OUT_OF_BAND:
            if answer.upgrade_time != ota.UPGRADE_WAIT:
                return [Send(default_response_to(frame, ZclStatus.NOT_AUTHORIZED))]
            self.over = True
            return []
        self._count_down(answer, now)
        return []

    def _unanswered(self, now: int) -> list[Effect]:
        """Repeat the Upgrade End Request; after enough misses do what the time-out policy says."""
        self._misses += 1
        if self._misses < self._settings.end_limit:
            return self.send(now)
        if self._settings.activation_policy is ActivationPolicy.OUT_OF_BAND:
            self.over = True
            return []
        if self._settings.timeout_policy is TimeoutPolicy.NEVER:
            self._misses = 0
            return self.send(now)
        return self._activate()

    def _is_mine(self, answer: ota.UpgradeEndResponse) -> bool:
        wildcards = (ota.WILDCARD_16, ota.WILDCARD_16, ota.WILDCARD_32)
        return all(given in (mine, any_) for given, mine, any_ in zip(answer[:3], self._image, wildcards, strict=True))

    def _count_down(self, answer: ota.UpgradeEndResponse, now: int) -> None:
        """Count down to the upgrade time; one that is far away, or "wait", is asked for again."""
        delay = max((answer.upgrade_time - answer.current_time) * SECOND, self._settings.shortest_countdown)
        if answer.upgrade_time == ota.UPGRADE_WAIT or delay > self._settings.ask_again:
            self.state, self._misses, self.deadline = ClientState.WAITING, 0, now + self._settings.ask_again
        else:
            self.state, self.deadline = ClientState.COUNTDOWN, now + delay

    def _activate(self) -> list[Effect]:
        self.state, self.deadline = ClientState.ACTIVATING, None
        return [Activate(self.version)]
