"""The client's side of key establishment, without I/O. Source: ZSE 07-5356 5.4.7.1 and annex C.3.1."""

from collections.abc import Mapping

from protocols.addresses import Eui64
from protocols.cbke.exchange import (
    Confirming,
    Exchanging,
    Initiating,
    Pausing,
    Waiting,
    Working,
    agree,
    best_common,
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
from protocols.interfaces import SECOND, Random
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

_ANY_SUITE = 0xFFFF


class Initiator:
    """Establishes a key with one partner, and tries again until it has one.

    Every call returns the effects in order; call `wake` at `deadline` (None: nothing is due). After UNKNOWN_ISSUER,
    from either side, it does not try again: the device should leave the network.
    """

    def __init__(
        self, credentials: Mapping[Suite, Credentials], random: Random, settings: CbkeSettings | None = None
    ) -> None:
        if not credentials:
            raise UsageError("key establishment needs a certificate")
        self.settings = settings if settings is not None else CbkeSettings()
        self.deadline: int | None = None  # ns
        self._credentials, self._random = credentials, random
        self._stage: Waiting | Working | Pausing | None = None
        self._who, self._endpoint = Eui64(0), 0
        self._partner_suites = _ANY_SUITE
        self._failures = 0
        self._token = 0
        self._transaction = random.randrange(0, 0x100)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing will be tried again."""
        return self._stage is None

    # --- calls from the driver ---------------------------------------------------------------------------------

    def start(self, partner: Eui64, endpoint: int, now: int, suites: int | None = None) -> list[Effect]:
        """Begin with `partner`, forgetting what ran before.

        endpoint: of its server; suites: its KeyEstablishmentSuite if known. If not, the highest own one is tried, and
        a lower one after its UNSUPPORTED_SUITE.
        """
        self._who, self._endpoint = partner, endpoint
        self._partner_suites = _ANY_SUITE if suites is None else suites
        self._failures = 0
        return self._begin(now)

    def stop(self) -> None:
        """Forget the partner, without a word to it."""
        self._stage = self.deadline = None

    def wake(self, now: int) -> list[Effect]:
        """Do what is due; nothing before `deadline`."""
        stage = self._stage
        if self.deadline is None or now < self.deadline or stage is None:
            return []
        if isinstance(stage, Pausing):
            return self._begin(now)
        if isinstance(stage, Working):
            return self._request(stage.command, stage.then, now + stage.patience)
        return self._fail(stage, Cause.TIMED_OUT, now)

    def delivered(self, token: int, now: int, *, acknowledged: bool) -> list[Effect]:
        """Take the fate of a `Send`. Late news of a message whose answer is here already changes nothing."""
        stage = self._stage
        if acknowledged or token != self._token or stage is None or isinstance(stage, Working | Pausing):
            return []
        return self._fail(stage, Cause.NOT_DELIVERED, now)

    def frame(self, who: Eui64, octets: bytes, now: int) -> list[Effect]:
        """Take a ZCL frame of the cluster from its server side.

        Frames of others, and answers to another request than the last, are ignored. Raises DecodeError for a frame
        that is none of the cluster's.
        """
        frame = ZclFrame.decode(octets)
        if not frame.from_server:
            raise DecodeError("a key establishment frame of a client", data=octets)
        if not frame.cluster_specific:
            return self._global(who, frame, now)
        try:
            command = key_establishment.decode(frame)
        except TruncatedError:
            command = None
        stage = self._stage
        if who != self._who or stage is None or isinstance(stage, Pausing):
            return []
        if isinstance(command, TerminateKeyEstablishment):
            return self._terminated(stage, command, now)
        if isinstance(stage, Working) or frame.transaction != self._transaction:
            return []
        return self._answer(stage, command, now)

    # --- the exchange ------------------------------------------------------------------------------------------

    def _begin(self, now: int) -> list[Effect]:
        suite = best_common(self._credentials, self._partner_suites)
        if suite is None:
            self.stop()
            return [Failed(self._who, None, Cause.REFUSED, TerminateStatus.UNSUPPORTED_SUITE)]
        settings, identity = self.settings, self._credentials[suite].certificate.encode()
        times = settings.ephemeral_data_generate_time, settings.confirm_key_generate_time
        request = InitiateKeyEstablishment(suite, *times, identity)
        return self._request(request, Initiating(suite), now + settings.allowance)

    def _answer(self, stage: Waiting, command: KeyEstablishmentCommand | None, now: int) -> list[Effect]:
        match stage, command:
            case Initiating(), InitiateKeyEstablishment():
                return self._initiated(stage, command, now)
            case Exchanging(), EphemeralData():
                return self._exchanged(stage, command.point, now)
            case Confirming(), ConfirmKey():
                return self._confirmed(stage, command.mac, now)
            case _:
                return self._refuse(stage, TerminateStatus.BAD_MESSAGE, now)

    def _initiated(self, stage: Initiating, message: InitiateKeyEstablishment, now: int) -> list[Effect]:
        if message.suite != stage.suite:
            return self._refuse(stage, TerminateStatus.BAD_MESSAGE, now)
        partner = check_initiate(message, self._credentials, self._who)
        if isinstance(partner, TerminateStatus):
            return self._refuse(stage, partner, now)
        ephemeral = ecmqv.draw_ephemeral_key(stage.suite.curve, self._random)
        then = Exchanging(partner, ephemeral)
        work = Working(EphemeralData(ephemeral.octets), partner.ephemeral_time + self.settings.allowance, then)
        return self._work(work, now + self.settings.ephemeral_duration, now)

    def _exchanged(self, stage: Exchanging, point: bytes, now: int) -> list[Effect]:
        partner = stage.partner
        agreement = agree(self._credentials[partner.suite], partner, stage.ephemeral, point, initiator=True)
        if isinstance(agreement, TerminateStatus):
            return self._refuse(stage, agreement, now)
        then = Confirming(partner, agreement)
        work = Working(ConfirmKey(agreement.mac_u), partner.confirm_time + self.settings.allowance, then)
        return self._work(work, now + self.settings.confirm_duration, now)

    def _confirmed(self, stage: Confirming, mac: bytes, now: int) -> list[Effect]:
        status = confirms(mac, stage.agreement.mac_v)
        if status is not None:
            return self._refuse(stage, status, now)
        self.stop()
        return [Established(self._who, stage.agreement.key, stage.partner.suite)]

    def _work(self, work: Working, until: int, now: int) -> list[Effect]:
        self._stage, self.deadline = work, until
        return self.wake(now)

    def _request(self, command: KeyEstablishmentCommand, then: Waiting, deadline: int) -> list[Effect]:
        self._transaction = (self._transaction + 1) & 0xFF
        self._stage, self.deadline = then, deadline
        return [self._send(command)]

    def _send(self, command: KeyEstablishmentCommand) -> Send:
        self._token += 1
        frame = key_establishment.encode(command, self._transaction, from_server=False)
        return Send(self._who, self._endpoint, frame, self._token)

    # --- failures ----------------------------------------------------------------------------------------------

    def _global(self, who: Eui64, frame: ZclFrame, now: int) -> list[Effect]:
        """A Default Response with an error ends the exchange; other commands are not for this machine."""
        stage = self._stage
        if who != self._who or stage is None or isinstance(stage, Working | Pausing):
            return []
        if frame.transaction != self._transaction:
            return []
        command = foundation.decode(frame)
        if not isinstance(command, foundation.DefaultResponse) or command.status == ZclStatus.SUCCESS:
            return []
        return self._fail(stage, Cause.UNSUPPORTED, now)

    def _refuse(self, stage: Waiting, status: TerminateStatus, now: int) -> list[Effect]:
        command = TerminateKeyEstablishment(status, 0, offered(self._credentials))
        return [self._send(command), *self._fail(stage, Cause.REFUSED, now, status=status)]

    def _terminated(self, stage: Waiting | Working, command: TerminateKeyEstablishment, now: int) -> list[Effect]:
        waiting = stage.then if isinstance(stage, Working) else stage
        if command.status == TerminateStatus.UNSUPPORTED_SUITE and isinstance(waiting, Initiating):
            others = self._partner_suites & command.suites & ~waiting.suite
            if best_common(self._credentials, others) is not None:
                self._partner_suites = others
                return self._begin(now)
        return self._fail(waiting, Cause.TERMINATED, now, status=command.status, wait=command.wait_time * SECOND)

    def _fail(self, stage: Waiting, cause: Cause, now: int, status: int | None = None, wait: int = 0) -> list[Effect]:
        """End the attempt; status: of the Terminate; wait: ns the partner asked for."""
        self._failures += 1
        settings = self.settings
        final = status == TerminateStatus.UNKNOWN_ISSUER or self._failures == settings.attempts
        pause = min(settings.retry_after << min(self._failures - 1, 32), settings.retry_most)
        if wait:
            pause = wait if status == TerminateStatus.NO_RESOURCES else max(wait, pause)
        self._stage, self.deadline = (None, None) if final else (Pausing(), now + pause)
        return [Failed(self._who, suite_of(stage), cause, status, self.deadline)]
