"""The parts of a DSP, made and joined together: what is kept, what falls due, which part needs which."""

from collections.abc import Callable, Iterable, Mapping

from gateway.dsp.acb import Acb
from gateway.dsp.activation import Activations
from gateway.dsp.administration import Administration
from gateway.dsp.alerts import DeviceAlerts
from gateway.dsp.anomalies import Anomalies
from gateway.dsp.answers import Answers, Counters
from gateway.dsp.broker_credentials import BrokerCredentials
from gateway.dsp.commands import Commands
from gateway.dsp.critical import Critical
from gateway.dsp.departures import Departures
from gateway.dsp.device_answers import answer_kinds
from gateway.dsp.device_logs import DeviceLogs
from gateway.dsp.dispatch import Dispatch
from gateway.dsp.effects import Turn, Value
from gateway.dsp.firmware import Firmware
from gateway.dsp.hub_firmware import HubFirmware
from gateway.dsp.hub_status import HubStatus
from gateway.dsp.images import ImageChecks
from gateway.dsp.inventory import Inventory
from gateway.dsp.inventory_reading import InventoryReading
from gateway.dsp.inventory_services import InventoryServices
from gateway.dsp.joins import Joins
from gateway.dsp.outages import Outages
from gateway.dsp.products import ProductsList
from gateway.dsp.reads import Reads
from gateway.dsp.records import (
    Activation,
    Alert,
    Command,
    Counter,
    DeviceLog,
    OutageAudit,
    Product,
    Quarantined,
    Request,
    RequestCounter,
    Schedule,
    Transform,
    Update,
    Window,
)
from gateway.dsp.reports import Reports
from gateway.dsp.routing import Router
from gateway.dsp.settings import DspSettings
from gateway.dsp.suppression import Suppression
from gateway.dsp.tracking import Tracking
from gateway.dsp.validation import Validation
from gateway.dsp.xml_signatures import XmlSignatures
from protocols.addresses import Eui64
from protocols.gbcs.smki import Certificate, Credentials, KeyPair
from protocols.interfaces import Entropy

Tables = Mapping[str, Iterable[Mapping[str, Value]]]


class Basis:
    """What services share."""

    def __init__(
        self,
        settings: DspSettings,
        acb: Credentials,
        certificates: Mapping[tuple[Eui64, str], Certificate],
        entropy: Entropy,
        xml: KeyPair,
    ) -> None:
        self.broker = Acb(acb, certificates, entropy)
        self.counters = Counters()
        self.signatures = XmlSignatures(settings, certificates, xml, entropy)
        self.answers = Answers(acb.eui, self.counters, self.signatures)
        self.commands = Commands(settings)
        self.dispatch = Dispatch(self.broker, self.answers, self.commands)
        self.products = ProductsList()
        self.inventory = Inventory(self.products)
        self.suppression = Suppression(settings)
        self.validation = Validation(settings, self.inventory, acb.eui)
        self.tracking = Tracking(settings)


class Parts:
    """Everything of one DSP. image_transferred: what to do once a hub told that it passed an image on."""

    def __init__(self, settings: DspSettings, basis: Basis, image_transferred: Callable[[Turn, Update], None]) -> None:
        self.basis = basis
        broker, answers, counters = basis.broker, basis.answers, basis.counters
        inventory, products, validation = basis.inventory, basis.products, basis.validation
        commands, dispatch, tracking, suppression = basis.commands, basis.dispatch, basis.tracking, basis.suppression
        images = ImageChecks(settings, products, broker)
        self.critical = critical = Critical(settings, products, broker, answers, dispatch)
        self.activations = Activations(
            settings, inventory, products, broker, answers, counters, dispatch, tracking, suppression
        )
        self.device_logs = DeviceLogs(inventory, validation, broker, answers, counters, dispatch)
        joins = Joins(inventory, broker, counters, critical, dispatch)
        reads = Reads(inventory, broker, answers, counters, dispatch, tracking)
        self.credentials = BrokerCredentials(inventory, broker, counters, commands)
        self.departures = Departures(
            settings, inventory, validation, self.credentials, answers, commands, dispatch, tracking, suppression
        )
        self.alerts = DeviceAlerts(
            broker.eui, inventory, tracking, self.activations, self.device_logs, answers, image_transferred
        )
        kinds = answer_kinds(self.activations, self.device_logs, reads, joins, self.departures, self.credentials)
        self.reports = Reports(settings, broker, answers, commands, kinds, self.device_logs, self.alerts)
        self.hub_firmware = HubFirmware(inventory, answers)
        self.outages = Outages(settings, inventory, suppression, answers)
        self.anomalies = Anomalies(settings, answers, counters)
        self.administration = Administration(inventory, products)
        self.router = Router(
            acb=broker, answers=answers, reading=InventoryReading(inventory, products),
            inventory_services=InventoryServices(inventory, products, validation, answers),
            firmware=Firmware(settings, inventory, validation, images, tracking, answers),
            activations=self.activations, critical=critical, joins=joins, device_logs=self.device_logs,
            reads=reads, departures=self.departures, hub_status=HubStatus(inventory, validation),
            reports=self.reports,
        )  # fmt: skip

    def load(self, tables: Tables) -> None:
        """Take the rows of `Store.load`. Raises InputError for bad ones."""
        basis = self.basis
        basis.products.load(tables.get(Product.TABLE, ()))
        basis.inventory.load(tables)
        basis.tracking.load(tables.get(Update.TABLE, ()))
        self.activations.load(tables.get(Activation.TABLE, ()))
        basis.commands.table.load(tables.get(Command.TABLE, ()))
        basis.validation.counters.load(tables.get(RequestCounter.TABLE, ()))
        basis.counters.table.load(tables.get(Counter.TABLE, ()))
        basis.suppression.load(tables.get(Window.TABLE, ()))
        self.outages.load(tables.get(OutageAudit.TABLE, ()))
        self.reports.load(tables.get(Alert.TABLE, ()))
        self.critical.table.load(tables.get(Transform.TABLE, ()))
        self.departures.schedules.load(tables.get(Schedule.TABLE, ()))
        self.device_logs.table.load(tables.get(DeviceLog.TABLE, ()))
        self.anomalies.table.load(tables.get(Quarantined.TABLE, ()))
        self.anomalies.load(tables.get(Request.TABLE, ()))

    def do_due(self, turn: Turn) -> None:
        """Do what is due: held commands, time-outs, ends of windows."""
        self.basis.commands.send_held(turn)
        self.reports.give_up(turn)
        self.basis.tracking.expire(turn)
        self.activations.expire(turn)
        self.critical.expire(turn)
        self.basis.suppression.expire(turn)

    def next_due(self) -> int | None:
        """Return when the next thing falls due, None if nothing will."""
        dues = (
            self.basis.commands.table.next_due,
            self.basis.tracking.updates.next_due,
            self.activations.table.next_due,
            self.critical.table.next_due,
            self.basis.suppression.next_due(),
        )
        return min((due for due in dues if due is not None), default=None)
