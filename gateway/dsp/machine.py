"""The DSP as a machine without I/O: requests, messages of the CSP and the time in, effects out.

A request that is refused changes nothing, in memory or in the store, and its turn holds no rows.
"""

from collections.abc import Iterable, Mapping, Sequence

from gateway.dsp.anomalies import HELD, REJECTED, RELEASED, QuarantinedError
from gateway.dsp.broker_credentials import NewCredentials
from gateway.dsp.effects import Turn
from gateway.dsp.parts import Basis, Parts, Tables
from gateway.dsp.records import (
    Device,
    Premises,
    Product,
    Quarantined,
    Refusal,
    RequestCounter,
    Schedule,
    Update,
    User,
)
from gateway.dsp.records import Request as RequestRow
from gateway.dsp.rows import Unsigned, append
from gateway.dsp.services import NOT_OFFERED, QUARANTINED, SCHEMA_INVALID, SIGNATURE_INVALID, RefusedError
from gateway.dsp.settings import DspSettings
from gateway.dsp.submissions import Submission
from gateway.dsp.tracked import TrackedList, TrackedSummary
from gateway.dsp.validation import WebService
from protocols.addresses import Eui64
from protocols.duis.errors import DuisError
from protocols.duis.requests import OTHER_SERVICES, Request, parse_request
from protocols.duis.signature import Judgement, Verdict
from protocols.errors import DecodeError, UsageError
from protocols.gbcs.smki import Certificate, Credentials, KeyPair
from protocols.interfaces import Entropy
from protocols.wan import smwan


class Dsp:
    """One DSP.

    acb: its credentials as access control broker; their EUI-64 is the DSP's in DUIS too.
    certificates: the SMKI repository, by (entity, "ds", "ka" or "xml"); looked up when needed, so it may grow.
    xml: the pair it signs responses and alerts with.
    tracked: lines of the list of ESME whose activation cuts a hub's supply. Raises InputError for a bad list.
    """

    def __init__(
        self,
        settings: DspSettings,
        acb: Credentials,
        certificates: Mapping[tuple[Eui64, str], Certificate],
        entropy: Entropy,
        tracked: Iterable[str] = (),
        *,
        xml: KeyPair,
    ) -> None:
        self._settings = settings
        self._basis = basis = Basis(settings, acb, certificates, entropy, xml)
        self._parts = Parts(settings, basis, self.image_transferred)
        self.products, self.inventory = basis.products, basis.inventory
        self.suppression, self.tracking = basis.suppression, basis.tracking
        self._announced: int | None = None
        self._latest = 0  # time of the latest turn
        self.load_tracked(tracked)

    # --- setting up ---

    def load_tracked(self, lines: Iterable[str]) -> TrackedSummary:
        """Replace the tracked list at once; open windows stay. Raises InputError, the old list then stays too."""
        return self.swap_tracked(TrackedList.load(lines, self._settings.tracked_bad_share))

    def swap_tracked(self, tracked: TrackedList) -> TrackedSummary:
        """Put a list that was read beforehand (`tracked_file.read_tracked`) in the place of the one in force."""
        self.suppression.tracked = tracked
        return tracked.summary

    def provision(
        self,
        now: int,
        *,
        users: Iterable[User] = (),
        premises: Iterable[Premises] = (),
        products: Iterable[Product] = (),
        devices: Iterable[Device] = (),
        schedules: Iterable[Schedule] = (),
    ) -> Turn:
        """Lay what does not come by service requests: users, registration data, products, the installed estate."""
        turn = Turn(now)
        for user in users:
            self.inventory.users.put(turn, user)
        for row in premises:
            self.inventory.register(turn, row)
        for product in products:
            self.products.put(turn, product)
        for device in devices:
            self.inventory.add(turn, device, "installed")
        for schedule in schedules:
            self._parts.departures.schedules.put(turn, schedule)
        return turn

    def restore(self, tables: Tables) -> None:
        """Take the rows of `Store.load` into a DSP that has none; `start` follows. Raises InputError for bad rows."""
        self._parts.load(tables)

    def start(self, now: int) -> Turn:
        """Begin, or begin again after a restart: windows are reloaded, what fell due meanwhile is done."""
        turn = Turn(now)
        self.suppression.reload(turn)
        self._parts.do_due(turn)
        return self._announce(turn)

    # --- turns ---

    def submit(self, user: Eui64, octets: bytes, now: int, posted_to: WebService | None = None) -> Turn:
        """Take a request of `user`, who is authenticated; the turn holds one `Reply`.

        posted_to: the web service it came by, None where there is none.
        """
        return self.handle(self.read(user, octets, now), posted_to)

    def read(self, user: Eui64, octets: bytes, now: int) -> Submission:
        """Read a request and judge its signature. Changes nothing: many may be read before the first is handled."""
        try:
            request = parse_request(octets)
        except DuisError as error:
            return Submission(user, octets, now, error, Judgement(Verdict.ABSENT))
        return Submission(user, octets, now, request, self._basis.signatures.judge(user, request, now))

    def handle(self, submission: Submission, posted_to: WebService | None = None) -> Turn:
        """Carry out what was read; as `submit`."""
        user, octets, now, request, judgement = submission
        turn = self._begin(now)
        if isinstance(request, DuisError):
            code = NOT_OFFERED if request.service in OTHER_SERVICES else SCHEMA_INVALID
            self._basis.answers.reply_unread(turn, request, code)
            turn.note("request", user=str(user), code=code, reason=str(request))
            return turn
        try:
            if not self._basis.signatures.accepts(judgement.verdict):
                raise RefusedError(SIGNATURE_INVALID, judgement.reason)
            target = self._basis.validation.check(user, request, posted_to)
            turn.gate = lambda: self._parts.anomalies.check(user, request, now)
            code = self._parts.router.carry_out(turn, user, request, target)
        except RefusedError as refused:
            return self._refused(turn, user, request, refused, judgement)
        except QuarantinedError as quarantined:
            self._parts.anomalies.quarantine(turn, user, request, octets, quarantined.breach)
            self._raise_counter(turn, request)
            self._note(turn, user, request, QUARANTINED, str(quarantined), judgement)
            return self._announce(turn)
        self._record(turn, user, request, code, judgement)
        return self._announce(turn)

    def release(self, reference: int, now: int) -> Turn:
        """Carry out what is quarantined under a reference; its user gets the answer as a response delivered.

        Raises InputError if nothing is held under it.
        """
        turn = self._begin(now)
        row = self._parts.anomalies.decide(turn, reference, RELEASED)
        request = parse_request(row.octets)
        judgement = self._basis.signatures.judge(row.user, request, row.time)
        turn.late_replies_to = row.user
        try:
            target = self._basis.validation.check(row.user, request, repeated=True)
            code = self._parts.router.carry_out(turn, row.user, request, target)
        except RefusedError as refused:
            self._basis.answers.reply(turn, request, refused.code)
            self._note(turn, row.user, request, refused.code, refused.text, judgement)
            return self._announce(turn)
        self._record(turn, row.user, request, code, judgement)
        return self._announce(turn)

    def reject(self, reference: int, now: int) -> Turn:
        """Forget what is quarantined under a reference. Raises InputError if nothing is."""
        turn = self._begin(now)
        self._parts.anomalies.decide(turn, reference, REJECTED)
        return turn

    @property
    def quarantine(self) -> list[Quarantined]:
        """What is held now, oldest first."""
        return [row for row in self._parts.anomalies.table if row.state == HELD]

    def from_csp(self, octets: bytes, now: int) -> Turn:
        """Take a message of the CSP; one that cannot be read, or does not go this way, is recorded as refused."""
        turn = self._begin(now)
        try:
            message = smwan.decode(octets)
        except DecodeError as error:
            self._refuse(turn, None, None, f"not a message of the CSP: {error}")
            return turn
        match message:
            case smwan.GbcsFromHub():
                self._parts.reports.received(turn, message)
            case smwan.FirmwareDeliveryStatus():
                if not self._parts.alerts.delivery_status(turn, message):
                    self._refuse(turn, message.hub, message.device, "delivery status of an update nobody asked for")
            case smwan.PowerOutage():
                self._parts.outages.received(turn, message)
            case smwan.HubFirmwareActivated():
                if not self.hub_activated(turn, message):
                    self._refuse(turn, message.hub, None, "firmware of a hub that is not in the inventory")
            case smwan.GbcsUndeliverable():
                self._parts.reports.undeliverable(turn, message)
            case _:
                self._refuse(turn, message_hub(message), None, f"{type(message).__name__} does not go this way")
        return self._announce(turn)

    def wake(self, now: int) -> Turn:
        """Do what is due: held commands, time-outs, ends of windows."""
        turn = self._begin(now)
        self._announced = None
        self._parts.do_due(turn)
        return self._announce(turn)

    def image_transferred(self, turn: Turn, update: Update) -> None:
        """A hub told that a device has its image: the update moves on. The inventory waits for the device itself."""
        self.tracking.transferred(turn, update)

    def hub_activated(self, turn: Turn, told: smwan.HubFirmwareActivated) -> bool:
        """The CSP told which firmware a hub runs now; False for a hub that is not in the inventory."""
        return self._parts.hub_firmware.activated(turn, told)

    # --- administration ---

    def update_products(self, products: Iterable[Product], now: int) -> Turn:
        """Take entries of a new products list, removed ones with their status; devices are suspended and restored."""
        turn = self._begin(now)
        self._parts.administration.update_products(turn, products)
        return self._announce(turn)

    def add_devices(self, devices: Sequence[Device], now: int) -> Turn:
        """Put devices into the inventory that are not in it, all or none. Raises InputError."""
        turn = self._begin(now)
        self._parts.administration.add_devices(turn, devices)
        return self._announce(turn)

    def recover(self, devices: Iterable[Eui64], now: int, *, complete: bool) -> Turn:
        """Note that the SMKI recovery of devices began, or is complete. Raises InputError for one it cannot be."""
        turn = self._begin(now)
        self._parts.administration.recover(turn, devices, complete=complete)
        return self._announce(turn)

    def replace_credentials(self, new: NewCredentials, now: int) -> Turn:
        """Have every device replace the broker's credentials. Raises InputError for certificates that are none."""
        turn = self._begin(now)
        self._parts.credentials.replace_everywhere(turn, new.checked())
        return self._announce(turn)

    def correct_variant(self, device: Eui64, variant: str, now: int) -> Turn:
        """Amend the variant of a device recorded before MP170, whatever its status. Raises InputError."""
        turn = self._begin(now)
        self._parts.administration.correct_variant(turn, device, variant)
        return self._announce(turn)

    # --- requests ---

    def _refused(self, turn: Turn, user: Eui64, request: Request, refused: RefusedError, judgement: Judgement) -> Turn:
        if turn.rows:
            raise UsageError("a refused request has written rows") from refused
        turn.gate = None
        self._basis.answers.reply(turn, request, refused.code)
        self._note(turn, user, request, refused.code, refused.text, judgement)
        return turn

    def _record(self, turn: Turn, user: Eui64, request: Request, code: str, judgement: Judgement) -> None:
        self._raise_counter(turn, request)
        request_id, variant = str(request.request_id), int(request.command_variant)
        append(turn, RequestRow(turn.now, user, request_id, request.service, variant, code))
        self._parts.anomalies.count(user, request.service, variant, turn.now)
        self._note(turn, user, request, code, None, judgement)

    def _raise_counter(self, turn: Turn, request: Request) -> None:
        originator, target, counter = request.request_id
        last = self._basis.validation.counters.get(originator, target)
        if last is None or counter > last.counter:
            self._basis.validation.counters.put(turn, RequestCounter(originator, target, Unsigned(counter)))

    @staticmethod
    def _note(turn: Turn, user: Eui64, request: Request, code: str, reason: str | None, judgement: Judgement) -> None:
        turn.note(
            "request", user=str(user), request=str(request.request_id), service=request.service,
            variant=int(request.command_variant), code=code, reason=reason,
            signature=judgement.verdict,
        )  # fmt: skip

    @staticmethod
    def _refuse(turn: Turn, hub: Eui64 | None, device: Eui64 | None, reason: str) -> None:
        append(turn, Refusal(turn.now, hub, device, None, reason))
        turn.note("message-refused", hub=None if hub is None else str(hub), reason=reason)

    # --- time ---

    def _begin(self, now: int) -> Turn:
        """Begin a turn. Windows are absolute UTC and need no help where the clock was set back; the step is told."""
        turn = Turn(now)
        if now < self._latest:
            turn.note("clock-stepped-back", by=self._latest - now)
        self._latest = now
        return turn

    def _announce(self, turn: Turn) -> Turn:
        when = self._parts.next_due()
        if when is not None and when != self._announced:
            turn.wake_at(when)
        self._announced = when
        return turn


def message_hub(message: smwan.SmWanMessage) -> Eui64 | None:
    """Return the hub a message names, if it names one."""
    return None if isinstance(message, smwan.FirmwareToHubs) else message.hub
