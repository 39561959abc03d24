"""The DSP as a machine without I/O: requests, messages of the CSP and the time in, effects out.

A request that is refused changes nothing, in memory or in the store, and its turn holds no rows.
"""

from collections.abc import Iterable, Mapping

from gateway.dsp.acb import Acb
from gateway.dsp.activation import Activations
from gateway.dsp.alerts import DeviceAlerts
from gateway.dsp.answers import Answers, Counters
from gateway.dsp.commands import Commands
from gateway.dsp.device_services import DeviceServices
from gateway.dsp.effects import Turn, Value
from gateway.dsp.firmware import Firmware
from gateway.dsp.images import ImageChecks
from gateway.dsp.inventory import Inventory
from gateway.dsp.inventory_reading import InventoryReading
from gateway.dsp.inventory_services import InventoryServices
from gateway.dsp.outages import Outages
from gateway.dsp.products import ProductsList
from gateway.dsp.records import (
    Activation,
    Alert,
    Command,
    Counter,
    Device,
    OutageAudit,
    Premises,
    Product,
    Refusal,
    RequestCounter,
    Update,
    User,
    Window,
)
from gateway.dsp.records import Request as RequestRow
from gateway.dsp.reports import Reports
from gateway.dsp.rows import Unsigned, append
from gateway.dsp.settings import DspSettings
from gateway.dsp.suppression import Suppression
from gateway.dsp.tracked import TrackedList, TrackedSummary
from gateway.dsp.validation import SCHEMA_INVALID, SIGNATURE_INVALID, RefusedError, Target, Validation
from gateway.dsp.xml_signatures import XmlSignatures
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.codes import ACCEPTED, SUCCESS
from protocols.duis.errors import DuisError
from protocols.duis.requests import Request, parse_request
from protocols.duis.signature import Judgement
from protocols.errors import DecodeError, UsageError
from protocols.gbcs.smki import Certificate, Credentials, KeyPair
from protocols.interfaces import Entropy
from protocols.wan import smwan

Tables = Mapping[str, Iterable[Mapping[str, Value]]]


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
        self._acb = Acb(acb, certificates, entropy)
        self._counters = Counters()
        self._signatures = XmlSignatures(settings, certificates, xml, entropy)
        self._answers = Answers(acb.eui, self._counters, self._signatures)
        self._commands = Commands(settings)
        self.products = ProductsList()
        self.inventory = Inventory(self.products)
        self.suppression = Suppression(settings)
        self._validation = Validation(settings, self.inventory, acb.eui)
        images = ImageChecks(settings, self.products, self._acb)
        self.firmware = Firmware(settings, self.inventory, self._validation, images)
        self._activations = Activations(
            settings, self.inventory, self.products, self._acb, self._answers, self._counters, self._commands,
            self.firmware, self.suppression,
        )  # fmt: skip
        self._device_services = DeviceServices(
            self.inventory, self._acb, self._answers, self._counters, self._commands, self.firmware
        )
        self._reading = InventoryReading(self.inventory, self.products)
        self._inventory_services = InventoryServices(
            self.inventory, self.products, self._validation, self._answers, self._commands, self.suppression
        )
        self._alerts = DeviceAlerts(
            acb.eui, self.inventory, self.firmware, self._activations, self._answers, self.image_transferred
        )
        self._reports = Reports(
            settings, self._acb, self._answers, self._commands, self._activations, self._device_services, self._alerts
        )
        self._outages = Outages(settings, self.inventory, self.suppression, self._answers)
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
    ) -> Turn:
        """Lay what does not come by service requests: users, registration data, products, the installed estate."""
        turn = Turn(now)
        for user in users:
            self.inventory.users.put(turn, user)
        for row in premises:
            self.inventory.premises.put(turn, row)
        for product in products:
            self.products.put(turn, product)
        for device in devices:
            self.inventory.add(turn, device, "installed")
        return turn

    def restore(self, tables: Tables) -> None:
        """Take the rows of `Store.load` into a DSP that has none; `start` follows. Raises InputError for bad rows."""
        self.products.load(tables.get(Product.TABLE, ()))
        self.inventory.load(tables)
        self.firmware.updates.load(tables.get(Update.TABLE, ()))
        self._activations.table.load(tables.get(Activation.TABLE, ()))
        self._commands.table.load(tables.get(Command.TABLE, ()))
        self._validation.counters.load(tables.get(RequestCounter.TABLE, ()))
        self._counters.table.load(tables.get(Counter.TABLE, ()))
        self.suppression.load(tables.get(Window.TABLE, ()))
        self._outages.load(tables.get(OutageAudit.TABLE, ()))
        self._reports.load(tables.get(Alert.TABLE, ()))

    def start(self, now: int) -> Turn:
        """Begin, or begin again after a restart: windows are reloaded, what fell due meanwhile is done."""
        turn = Turn(now)
        self.suppression.reload(turn)
        self._do_due(turn)
        return self._announce(turn)

    # --- turns ---

    def submit(self, user: Eui64, octets: bytes, now: int) -> Turn:
        """Take a request of `user`, who is authenticated; the turn holds one `Reply`."""
        turn = self._begin(now)
        try:
            request = parse_request(octets)
        except DuisError as error:
            self._answers.reply_unread(turn, error.request_id, SCHEMA_INVALID)
            turn.note("request", user=str(user), code=SCHEMA_INVALID, reason=str(error))
            return turn
        judgement = self._signatures.judge(user, request, now)
        try:
            if not self._signatures.accepts(judgement.verdict):
                raise RefusedError(SIGNATURE_INVALID, judgement.reason)
            code = self._handle(turn, user, request)
        except RefusedError as refused:
            if turn.rows:
                raise UsageError("a refused request has written rows") from refused
            self._answers.reply(turn, request, refused.code)
            self._note(turn, user, request, refused.code, refused.text, judgement)
            return turn
        self._record(turn, user, request, code, judgement)
        return self._announce(turn)

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
                self._reports.received(turn, message)
            case smwan.FirmwareDeliveryStatus():
                if not self._alerts.delivery_status(turn, message):
                    self._refuse(turn, message.hub, message.device, "delivery status of an update nobody asked for")
            case smwan.PowerOutage():
                self._outages.received(turn, message)
            case _:
                self._refuse(turn, message_hub(message), None, f"{type(message).__name__} does not go this way")
        return self._announce(turn)

    def wake(self, now: int) -> Turn:
        """Do what is due: held commands, time-outs, ends of windows."""
        turn = self._begin(now)
        self._announced = None
        self._do_due(turn)
        return self._announce(turn)

    def image_transferred(self, turn: Turn, update: Update) -> None:
        """A hub told that a device has its image: the update moves on. The inventory waits for the device itself."""
        self.firmware.transferred(turn, update)

    # --- requests ---

    def _handle(self, turn: Turn, user: Eui64, request: Request) -> str:
        """Check and carry out a request; return the code of its answer. Raises RefusedError."""
        target = self._validation.check(user, request)
        if target is None:
            return self._own_service(turn, user, request)
        if not self._acb.reaches(target.device.device):
            raise RefusedError("E20", f"no key agreement certificate of {target.device.device}")
        return self._device_service(turn, user, request, target)

    def _own_service(self, turn: Turn, user: Eui64, request: Request) -> str:
        body, cause = request.body, f"{request.service} {request.request_id}"
        match body:
            case bodies.ReadInventory():
                found = self._reading.read(body, request.schema_version)
                self._answers.reply(turn, request, SUCCESS, found)
                return SUCCESS
            case bodies.UpdateFirmware() | bodies.UpdatePpmidFirmware():
                code, warnings = self.firmware.request(turn, user, request)
                self._answers.reply(turn, request, code, warnings)
                return code
            case bodies.DevicePrenotification():
                self._inventory_services.prenotify(turn, user, body, request.schema_version, cause)
            case bodies.UpdateInventory():
                self._inventory_services.update(turn, user, body, cause)
            case _:
                raise RefusedError("E12", f"{type(body).__name__} is not for the DSP")
        self._answers.reply(turn, request, ACCEPTED)
        return ACCEPTED

    def _device_service(self, turn: Turn, user: Eui64, request: Request, target: Target) -> str:
        match request.body:
            case bodies.ActivateFirmware():
                return self._activations.transform(turn, user, request, target)
            case bodies.SignedPreCommand():
                return self._activations.signed(turn, user, request, target)
            case bodies.ReadFirmwareVersion():
                return self._device_services.read_version(turn, user, request, target)
            case bodies.UpdateHanDeviceLog():
                return self._device_services.update_log(turn, user, request, target)
            case _:
                raise RefusedError("E12", f"{type(request.body).__name__} is not for a device")

    def _record(self, turn: Turn, user: Eui64, request: Request, code: str, judgement: Judgement) -> None:
        originator, target, counter = request.request_id
        last = self._validation.counters.get(originator, target)
        if last is None or counter > last.counter:
            self._validation.counters.put(turn, RequestCounter(originator, target, Unsigned(counter)))
        request_id, variant = str(request.request_id), int(request.command_variant)
        append(turn, RequestRow(turn.now, user, request_id, request.service, variant, code))
        self._note(turn, user, request, code, None, judgement)

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

    def _do_due(self, turn: Turn) -> None:
        self._commands.send_held(turn)
        self._reports.give_up(turn)
        self.firmware.expire(turn)
        self._activations.expire(turn)
        self.suppression.expire(turn)

    def _announce(self, turn: Turn) -> Turn:
        dues = (
            self._commands.next_due(),
            self.firmware.next_due(),
            self._activations.next_due(),
            self.suppression.next_due(),
        )
        when = min((due for due in dues if due is not None), default=None)
        if when is not None and when != self._announced:
            turn.wake_at(when)
        self._announced = when
        return turn


def message_hub(message: smwan.SmWanMessage) -> Eui64 | None:
    """Return the hub a message names, if it names one."""
    return None if isinstance(message, smwan.FirmwareToHubs) else message.hub
