"""The server's side of key establishment, without I/O. Source: ZSE 07-5356 5.4.7.1 and annex C.3.1."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from protocols.addresses import Eui64
from protocols.cbke.exchange import (
    Confirming,
    Finished,
    Initiated,
    Partner,
    Waiting,
    Working,
    agree,
    check_initiate,
    confirms,
    offered,
    suite_of,
)
from protocols.cbke.types import Cause, CbkeSettings, Effect, Established, Failed, Send
from protocols.crypto import ecmqv
from protocols.crypto.ecqv import Credentials
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError, TruncatedError, UsageError
from protocols.interfaces import Random
from protocols.zcl import foundation
from protocols.zcl.clusters import key_establishment
from protocols.zcl.clusters.key_establishment import (
    ConfirmKey,
    EphemeralData,
    InitiateKeyEstablishment,
    KeyEstablishmentCommand,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from protocols.zcl.frame import ZclFrame, ZclStatus


@dataclass(slots=True)
class _Session:
    """An exchange with one partner."""

    endpoint: int  # the partner's, all answers go there
    stage: Waiting | Working
    deadline: int  # ns
    transaction: int  # of the last request
    token: int = 0  # of the last answer
    seen: list[bytes] = field(default_factory=list)  # requests that were answered

    @property
    def waiting(self) -> Waiting:
        return self.stage.then if isinstance(self.stage, Working) else self.stage

    @property
    def active(self) -> bool:
        return not isinstance(self.stage, Finished)


class Responder:
    """Establishes keys with whoever begins, several at once.

    Every call returns the effects in order; call `wake` at `deadline` (None: nothing is due).
    """

    def __init__(
        self,
        credentials: Mapping[Suite, Credentials],
        random: Random,
        settings: CbkeSettings | None = None,
        *,
        admits: Callable[[Eui64], bool] = lambda _: True,
    ) -> None:
        """Give the responder its certificates; `admits` tells who may begin, others get NO_RESOURCES."""
        if not credentials:
            raise UsageError("key establishment needs a certificate")
        self.settings = settings if settings is not None else CbkeSettings()
        self._credentials, self._random, self._admits = credentials, random, admits
        self._sessions: dict[Eui64, _Session] = {}
        self._token = 0

    # --- calls from the driver ---------------------------------------------------------------------------------

    @property
    def deadline(self) -> int | None:
        return min((session.deadline for session in self._sessions.values()), default=None)

    def forget(self, who: Eui64) -> None:
        """Drop what runs with `who`, without a word to it: it left."""
        self._sessions.pop(who, None)

    def reset(self) -> None:
        """Drop whatever runs, without a word to anybody."""
        self._sessions.clear()

    def wake(self, now: int) -> list[Effect]:
        """Do what is due: send what took its time, drop partners that fell silent."""
        effects: list[Effect] = []
        for who, session in list(self._sessions.items()):
            if session.deadline <= now:
                effects += self._due(who, session, now)
        return effects

    def delivered(self, token: int, now: int, *, acknowledged: bool) -> list[Effect]:
        """Take the fate of a `Send`. Late news of a message whose answer is here already changes nothing."""
        for who, session in list(self._sessions.items()):
            if session.token != token or isinstance(session.stage, Working):
                continue
            if not acknowledged:
                return self._fail(who, session, Cause.NOT_DELIVERED)
            if not session.active:
                self.forget(who)
        return []

    def frame(self, who: Eui64, endpoint: int, octets: bytes, now: int) -> list[Effect]:
        """Take a ZCL frame of the cluster from its client side; endpoint: the one `who` sent from.

        A request that was answered already is ignored. Raises DecodeError for a frame that is none of the cluster's.
        """
        frame = ZclFrame.decode(octets)
        if frame.from_server:
            raise DecodeError("a key establishment frame of a server", data=octets)
        session = self._sessions.get(who)
        if session is not None and octets in session.seen:
            return []
        if not frame.cluster_specific:
            return self._global(who, session, frame)
        try:
            command = key_establishment.decode(frame)
        except TruncatedError:
            command = None
        if isinstance(command, TerminateKeyEstablishment):
            return [] if session is None else self._fail(who, session, Cause.TERMINATED, command.status)
        if session is not None:
            session.transaction = frame.transaction
        if isinstance(command, InitiateKeyEstablishment):
            return self._initiate(who, endpoint, frame.transaction, command, octets, now)
        if session is None:
            return [self._terminate(who, endpoint, frame.transaction, TerminateStatus.BAD_MESSAGE)]
        session.seen.append(octets)
        return self._continue(who, session, command, now)

    # --- the exchange ------------------------------------------------------------------------------------------

    def _initiate(
        self, who: Eui64, endpoint: int, transaction: int, message: InitiateKeyEstablishment, octets: bytes, now: int
    ) -> list[Effect]:
        effects: list[Effect] = []
        before = self._sessions.pop(who, None)
        if before is not None and before.active:
            effects.append(Failed(who, suite_of(before.waiting), Cause.SUPERSEDED))
        partner = self._check(who, message)
        if isinstance(partner, TerminateStatus):
            effects.append(self._terminate(who, endpoint, transaction, partner))
            suite = next((suite for suite in self._credentials if suite == message.suite), None)
            return [*effects, Failed(who, suite, Cause.REFUSED, partner)]
        settings, suite = self.settings, partner.suite
        times = settings.ephemeral_data_generate_time, settings.confirm_key_generate_time
        response = InitiateKeyEstablishment(suite, *times, self._credentials[suite].certificate.encode())
        work = Working(response, partner.ephemeral_time + settings.allowance, Initiated(partner))
        session = self._sessions[who] = _Session(endpoint, work, now, transaction, seen=[octets])
        return effects + self._work(who, session, work, 0, now)

    def _check(self, who: Eui64, message: InitiateKeyEstablishment) -> Partner | TerminateStatus:
        busy = sum(session.active for session in self._sessions.values()) >= self.settings.sessions
        if busy or not self._admits(who):
            return TerminateStatus.NO_RESOURCES
        return check_initiate(message, self._credentials, who)

    def _continue(
        self, who: Eui64, session: _Session, command: KeyEstablishmentCommand | None, now: int
    ) -> list[Effect]:
        match session.stage, command:
            case Initiated(), EphemeralData():
                return self._exchange(who, session, session.stage.partner, command.point, now)
            case Confirming(), ConfirmKey():
                return self._confirm(who, session, session.stage, command.mac, now)
            case _:
                return self._refuse(who, session, TerminateStatus.BAD_MESSAGE)

    def _exchange(self, who: Eui64, session: _Session, partner: Partner, point: bytes, now: int) -> list[Effect]:
        ephemeral = ecmqv.draw_ephemeral_key(partner.suite.curve, self._random)
        agreement = agree(self._credentials[partner.suite], partner, ephemeral, point, initiator=False)
        if isinstance(agreement, TerminateStatus):
            return self._refuse(who, session, agreement)
        patience = partner.confirm_time + self.settings.allowance
        work = Working(EphemeralData(ephemeral.octets), patience, Confirming(partner, agreement))
        return self._work(who, session, work, self.settings.ephemeral_duration, now)

    def _confirm(self, who: Eui64, session: _Session, stage: Confirming, mac: bytes, now: int) -> list[Effect]:
        status = confirms(mac, stage.agreement.mac_u)
        if status is not None:
            return self._refuse(who, session, status)
        work = Working(ConfirmKey(stage.agreement.mac_v), self.settings.allowance, Finished(*stage))
        return self._work(who, session, work, self.settings.confirm_duration, now)

    def _work(self, who: Eui64, session: _Session, work: Working, duration: int, now: int) -> list[Effect]:
        session.stage, session.deadline = work, now + duration
        return [] if duration else self._due(who, session, now)

    def _due(self, who: Eui64, session: _Session, now: int) -> list[Effect]:
        stage = session.stage
        if isinstance(stage, Working):
            session.stage, session.deadline = stage.then, now + stage.patience
            send = self._send(who, session.endpoint, session.transaction, stage.command)
            session.token = send.token
            if isinstance(stage.then, Finished):
                return [send, Established(who, stage.then.agreement.key, stage.then.partner.suite)]
            return [send]
        if session.active:
            return self._fail(who, session, Cause.TIMED_OUT)
        del self._sessions[who]
        return []

    def _send(self, who: Eui64, endpoint: int, transaction: int, command: KeyEstablishmentCommand) -> Send:
        self._token += 1
        return Send(who, endpoint, key_establishment.encode(command, transaction, from_server=True), self._token)

    # --- failures ----------------------------------------------------------------------------------------------

    def _global(self, who: Eui64, session: _Session | None, frame: ZclFrame) -> list[Effect]:
        """A Default Response with an error ends the exchange; other commands are not for this machine."""
        command = foundation.decode(frame)
        if session is None or not isinstance(command, foundation.DefaultResponse):
            return []
        if command.status == ZclStatus.SUCCESS or frame.transaction != session.transaction:
            return []
        return self._fail(who, session, Cause.UNSUPPORTED)

    def _terminate(self, who: Eui64, endpoint: int, transaction: int, status: TerminateStatus) -> Send:
        wait = self.settings.wait_time if status is TerminateStatus.NO_RESOURCES else 0
        command = TerminateKeyEstablishment(status, wait, offered(self._credentials))
        return self._send(who, endpoint, transaction, command)

    def _refuse(self, who: Eui64, session: _Session, status: TerminateStatus) -> list[Effect]:
        send = self._terminate(who, session.endpoint, session.transaction, status)
        return [send, *self._fail(who, session, Cause.REFUSED, status)]

    def _fail(self, who: Eui64, session: _Session, cause: Cause, status: int | None = None) -> list[Effect]:
        del self._sessions[who]
        return [Failed(who, suite_of(session.waiting), cause, status)]
