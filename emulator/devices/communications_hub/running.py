"""The hub while it has power: everything here dies with the supply and is made anew from storage at boot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulator.devices.communications_hub import mirror
from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.attributes import SERVED, HubAttributes
from emulator.devices.communications_hub.chf import Chf, Note
from emulator.devices.communications_hub.device_log import DeviceLog, HistoricLog, LogEntry
from emulator.devices.communications_hub.firmware import Firmware
from emulator.devices.communications_hub.gas_tunnel import METERING, GasTunnels
from emulator.devices.communications_hub.gpf import Gpf
from emulator.devices.communications_hub.han import PROFILE, Han, Token
from emulator.devices.communications_hub.image_blocks import ImageBlocks
from emulator.devices.communications_hub.key_establishment import CLUSTER as KEY_ESTABLISHMENT
from emulator.devices.communications_hub.key_establishment import KeyEstablishment, KeyParts
from emulator.devices.communications_hub.kinds import KindFinder
from emulator.devices.communications_hub.message_queue import MessageQueue
from emulator.devices.communications_hub.mirror import Mirror
from emulator.devices.communications_hub.own_firmware import OwnFirmware, OwnVersion
from emulator.devices.communications_hub.returning import Returning
from emulator.devices.communications_hub.settings import DEVICE_TYPES, UNKNOWN_TYPE, HubSettings
from emulator.devices.communications_hub.survey import Survey
from emulator.devices.communications_hub.tunnels import Tunnels
from emulator.parts.cluster_server import refusal
from emulator.parts.gbcs_entity import GbcsEntity
from emulator.parts.journal import Journal
from emulator.parts.long_messages import Assembly
from protocols.addresses import Eui64
from protocols.crypto.install_code import link_key
from protocols.errors import DecodeError
from protocols.gbcs.blocks import split
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases.ccs01 import LogDeviceType
from protocols.interfaces import (
    SECOND,
    Clock,
    Delivered,
    Discovered,
    HanEvent,
    HanPort,
    Joined,
    Received,
    Rejoined,
    SimpleDescriptor,
    WallClock,
    WanLink,
)
from protocols.ota.server import OtaServer, OtaServerSettings
from protocols.wan.envelope import FirmwareImageDelivery, GbcsCarried, PowerLoss, WanMessage
from protocols.wan.session import Arrival, WanSession
from protocols.zcl.clusters import ota, tunneling

_ENERGY_SERVICE_INTERFACE = 0x0500


@dataclass(frozen=True, slots=True)
class Parts:
    """What the hub is made of and keeps through a power cut."""

    han_ports: Sequence[HanPort]
    wan: WanLink
    clock: Clock
    wall: WallClock
    storage: Journal
    chf: GbcsEntity
    gpf: GbcsEntity | None
    settings: HubSettings
    ota_server_factory: Callable[[OtaServerSettings], OtaServer]
    own_version: OwnVersion
    own_firmware: Callable[..., OwnFirmware]
    restart: Callable[[], None]
    note: Note
    keys: KeyParts | None = None  # None: no key establishment


def endpoints(parts: Parts) -> tuple[SimpleDescriptor, ...]:
    """Return the hub's HAN endpoints: its own, and the gas meter's mirror if it has a GPF."""
    own = describe(parts.settings, key_establishment=parts.keys is not None)
    return (own,) if parts.gpf is None else (own, mirror.describe(parts.settings))


def describe(settings: HubSettings, *, key_establishment: bool) -> SimpleDescriptor:
    """Return the hub's own HAN endpoint: attributes, OTA server, tunnelling both ways, metering client (the mirror)."""
    both = (tunneling.CLUSTER, KEY_ESTABLISHMENT) if key_establishment else (tunneling.CLUSTER,)
    servers = (*SERVED, ota.CLUSTER, *both)
    clients = (METERING, *both)
    return SimpleDescriptor(settings.endpoint, PROFILE, _ENERGY_SERVICE_INTERFACE, 0, servers, clients)


class Running:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        storage, settings = parts.storage, parts.settings
        self._alarms = Alarms(parts.clock)
        self._session = WanSession(storage, resend_after=settings.resend_after)
        self._wan_due: int | None = None
        self._not_known: set[str] = set()  # requests whose images are of no use here
        self._han = Han(parts.han_ports, settings.endpoint, established_only=parts.keys is not None)
        self.log = DeviceLog(storage, settings)
        for entry in self.log.entries():
            self._han.place(entry.device, entry.port)
        self._attributes = HubAttributes(parts.wall, settings.keep_alive_base)
        self._assembly = Assembly(storage, lambda _, delay, callback: self._alarms.after(delay, callback), parts.note)
        self._queue = MessageQueue(storage, self._alarms, self._expired)
        self._tunnels = Tunnels(
            self._han, self.log, self._queue, self._alarms, storage, settings, up=self._from_tunnel, opened=self._opened
        )
        self._historic = HistoricLog(storage, settings.historic_capacity)
        self._returning = Returning(
            self._han, storage, parts.wall, self._alarms, over=self._admit_anew, note=parts.note
        )
        self._kinds = KindFinder(self._han, self._alarms, settings.kind_retry, self._kind_found)
        self._survey = Survey(self._han, self._alarms, parts.wall, settings.survey_wait)
        blocks = ImageBlocks(storage)
        self._gas = GasTunnels(
            self._han, self.log, self._queue, storage, up=self._from_tunnel, opened=self._opened,
            firmware_waits=lambda device: blocks.open_for(device) is not None,
        )  # fmt: skip
        self.chf = Chf(
            parts.chf, self.log, self._han, self._survey, self._historic, self._returning, parts.wall, self._alarms,
            settings,
            version=lambda: parts.own_version.running, send=self._send_own, admit=self.admit, removed=self._removed,
            note=parts.note,
        )  # fmt: skip
        self.gpf = None if parts.gpf is None else self._make_gpf(parts.gpf)
        self._mirror = None if self.gpf is None else self._make_mirror(self.gpf)
        self._firmware = Firmware(
            self._han, self.log, blocks, self._alarms, parts.wall, storage, settings, parts.ota_server_factory,
            secmp0007=lambda: parts.own_version.secmp0007, report=self.chf.report, note=parts.note,
        )  # fmt: skip
        self._own = parts.own_firmware(
            parts.chf, parts.own_version, self._alarms, storage, settings,
            report=self._send_up, restart=parts.restart, note=parts.note,
        )  # fmt: skip
        self._keys = None if parts.keys is None else self._make_keys(parts.keys)

    def start(self) -> None:
        """Go on where the storage says."""
        for octets in self._session.resume(self._parts.clock.now()):
            self._parts.wan.send(octets)
        self._watch_wan()
        self._assembly.start()
        self.chf.start()
        if self.gpf is not None:
            self.gpf.start()
        for entry in self.log.entries():
            if not entry.joined:
                self.admit(entry)
        if self._keys is not None:
            self._keys.start()
        for entry in self.log.entries():
            if entry.type_code == UNKNOWN_TYPE and entry.joined and self._han.ready(entry.device):
                self._kinds.find(entry.device)
        self._tunnels.start()
        self._firmware.start()
        self._own.start()

    def stop(self) -> None:
        self._alarms.silence()

    def _make_keys(self, keys: KeyParts) -> KeyEstablishment:
        return KeyEstablishment(
            keys, self._han, self.log, self._alarms, self._parts.settings,
            established=self._begin, overdue=self._expel, note=self._parts.note,
        )  # fmt: skip

    def _make_mirror(self, gpf: Gpf) -> Mirror:
        parts = self._parts
        return Mirror(
            self._han, parts.storage, parts.settings, now=parts.clock.now, flags=self._gas.flags, version=gpf.mirror,
            serves=lambda device: gpf.joins.log.get(device) is not None, note=parts.note,
        )  # fmt: skip

    def _make_gpf(self, entity: GbcsEntity) -> Gpf:
        parts = self._parts
        return Gpf(
            entity, parts.wall, self._alarms, parts.settings, note=parts.note,
            send=lambda octets: self._carry_up(entity.eui, octets),
        )  # fmt: skip

    def admit(self, entry: LogEntry) -> None:
        """Let a device join as long as its entry says: with the link key it had, or with that of its install code."""
        if self._returning.expected(entry.device) and self._returning.admit(entry):
            return
        left = entry.join_until - self._parts.wall.utc()
        if left > 0:
            self._han.allow_join(entry.device, link_key(entry.install_code), -(-left // SECOND))

    def _admit_anew(self, device: Eui64) -> None:
        entry = self.log.get(device)
        if entry is not None and not entry.joined:
            self.admit(entry)

    # --- WAN ---------------------------------------------------------------------------------------------------

    def report_loss(self, started: int) -> None:
        """Tell the WAN that the supply has been away since `started`, ns since 1970 UTC."""
        self._send_up(PowerLoss(self._parts.chf.eui, started))

    def from_wan(self, octets: bytes) -> None:
        """Take an envelope of the CSP; what cannot be read is dropped."""
        try:
            arrival = self._session.received(octets)
        except DecodeError as error:
            self._parts.note("wan-refused", reason=str(error))
            return
        if isinstance(arrival.message, GbcsCarried):
            with self._parts.storage.transaction():  # so that a command and its response count once
                self._carry_down(arrival.message)
                reply = self._session.accept(arrival)
        elif isinstance(arrival.message, FirmwareImageDelivery):
            reply = self._take_image(arrival, arrival.message)
        else:
            reply = self._session.accept(arrival)
        if reply is not None:
            self._parts.wan.send(reply)

    def _take_image(self, arrival: Arrival, delivery: FirmwareImageDelivery) -> bytes | None:
        """Take an image for the hub itself or for its devices; one that is of no use here is never acknowledged."""
        own = self._own.concerns(delivery)
        if own or self._firmware.knows(delivery):
            with self._parts.storage.transaction():  # so that it counts once, however often it comes
                self._own.take(delivery) if own else self._firmware.take(delivery)
                return self._session.accept(arrival)
        if delivery.request_id not in self._not_known:  # it comes again and again until the CSP gives up
            self._not_known.add(delivery.request_id)
            self._parts.note("image-not-known", request=delivery.request_id)
        return None

    def _carry_down(self, carried: GbcsCarried) -> None:
        if carried.device == self._parts.chf.eui:
            self.chf.execute(carried.message)
        elif self.gpf is not None and carried.device == self.gpf.application.entity.eui:
            self.gpf.execute(carried.message)
        else:
            self._queue_down(carried)

    def _queue_down(self, carried: GbcsCarried) -> None:
        """Put a message into the line of its device, a long one in blocks."""
        device = carried.device
        try:
            parts = split(carried.message) if device in self.log else []
        except DecodeError:
            parts = []
        if not parts:
            self._parts.note("gbcs-undeliverable", device=str(device))
        for part in parts:
            self._queue.put(device, part, self._parts.settings.queue_expiry)
        self._parts.storage.afterwards(lambda: self._tunnels.pump(device))

    def _from_tunnel(self, device: Eui64, octets: bytes) -> None:
        """Take a message of a device, or a block of one."""
        self._assembly.take(octets, lambda whole: self._hand_on(device, whole))

    def _hand_on(self, device: Eui64, octets: bytes) -> None:
        """Carry a message up, or over to the device of the HAN that it is for."""
        try:
            target = Message.decode(octets).target
        except DecodeError:
            target = self._parts.chf.eui
        if target in self.log:
            with self._parts.storage.transaction():
                self._queue_down(GbcsCarried(target, octets))
        else:
            self._carry_up(device, octets)

    def _carry_up(self, device: Eui64, octets: bytes) -> None:
        self._send_up(GbcsCarried(device, octets))

    def _send_own(self, octets: bytes) -> None:
        self._send_up(GbcsCarried(self._parts.chf.eui, octets))

    def _send_up(self, message: WanMessage) -> None:
        _, octets = self._session.send(message, self._parts.clock.now())
        self._parts.storage.afterwards(lambda: self._parts.wan.send(octets))
        self._watch_wan()

    def _watch_wan(self) -> None:
        deadline = self._session.deadline
        if deadline is not None and deadline != self._wan_due:
            self._wan_due = deadline
            self._alarms.after(max(0, deadline - self._parts.clock.now()), self._resend)

    def _resend(self) -> None:
        self._wan_due = None
        for octets in self._session.wake(self._parts.clock.now()):
            self._parts.wan.send(octets)
        self._watch_wan()

    # --- HAN ---------------------------------------------------------------------------------------------------

    def event(self, port: int, event: HanEvent) -> None:
        """Take what a HAN port tells."""
        if type(event) is Received:
            self._received(port, event)
        elif isinstance(event, Delivered):
            token = Token(port, event.handle)
            self._tunnels.delivered(token, event)
            self._gas.delivered(token, event)
            if self._keys is not None:
                self._keys.delivered(token, event)
        elif isinstance(event, Discovered):
            token = Token(port, event.handle)
            self._tunnels.discovered(token, event)
            self._kinds.discovered(token, event)
            self._survey.discovered(token, event)
        elif isinstance(event, Joined | Rejoined):
            self._joined(port, event.who)

    def _received(self, port: int, event: Received) -> None:
        """Take a frame of a device of the log: attribute reads as they come, the rest under the device's link key."""
        who, aps = event.who, event.aps
        entry = self.log.get(who)
        if aps.profile != PROFILE or entry is None:
            return
        if not entry.joined:  # it came in when the power went
            self._joined(port, who)
        self._survey.received(event)
        if aps.cluster == KEY_ESTABLISHMENT and self._keys is not None:
            self._keys.received(event)
        elif aps.cluster in SERVED:
            answer = self._attributes.answer(aps.cluster, aps.payload, self._parts.clock.now())
            if answer is not None:
                self._han.send(who, aps.cluster, aps.source_endpoint, answer, secured=event.secured, acknowledged=False)
        elif not event.secured:
            self._refuse(event)
        elif aps.cluster == ota.CLUSTER:
            if self.gpf is not None and self._gas.serves(who):
                self.gpf.heard(aps.payload)
            self._firmware.received(who, aps.source_endpoint, aps.payload)
        elif aps.cluster == METERING and self._mirror is not None and self._mirrors(self._mirror, event):
            return
        elif self._gas.serves(who):
            self._gas_meter(event)
        elif aps.cluster == tunneling.CLUSTER:
            self._tunnels.received(who, aps.source_endpoint, aps.payload)

    def _refuse(self, event: Received) -> None:
        """Answer what came without the link key that its cluster needs."""
        answer = refusal(event)
        if answer is not None:
            aps = event.aps
            self._han.send(event.who, aps.cluster, aps.source_endpoint, answer, secured=False)

    def _mirrors(self, held: Mirror, event: Received) -> bool:
        """Let the mirror take a frame; return whether it was for it."""
        if self._gas.serves(event.who):
            return held.from_meter(event)
        if event.aps.destination_endpoint == self._parts.settings.mirror_endpoint:
            held.asked(event)
            return True
        return False

    def _gas_meter(self, event: Received) -> None:
        who, aps = event.who, event.aps
        if aps.cluster == tunneling.CLUSTER:
            self._gas.received(who, aps.source_endpoint, aps.payload)
        elif aps.cluster == METERING:
            self._gas.read(who, aps.source_endpoint, aps.payload)

    def _joined(self, port: int, who: Eui64) -> None:
        entry = self.log.get(who)
        if entry is None:
            return
        self._han.place(who, port)
        if not entry.joined or entry.port != port:
            self.log.put(entry._replace(joined=True, port=port))
        self._returning.forget(who)
        self._historic.drop(who)
        if self._keys is None or self._keys.joined(who):
            self._begin(who)

    def _begin(self, device: Eui64) -> None:
        """Speak to a device: it has a link key that serves everything."""
        self.key_changed(device)
        entry = self.log.get(device)
        if entry is not None and entry.type_code == UNKNOWN_TYPE:
            self._kinds.find(device)
            return
        self._tunnels.joined(device)
        self._firmware.notify(device)

    def _kind_found(self, device: Eui64, kind: LogDeviceType) -> None:
        """A device of a restored log has shown what it is; that stays until it is removed."""
        entry = self.log.get(device)
        if entry is not None and entry.type_code == UNKNOWN_TYPE:
            self.log.put(entry._replace(type_code=kind))
            self._parts.note("kind-found", device=str(device), type=DEVICE_TYPES[kind].name)
            self._begin(device)

    def _expel(self, device: Eui64) -> None:
        """Take a device out of the network; it stays in the log."""
        entry = self.log.get(device)
        if entry is not None:
            self.log.put(entry._replace(joined=False))
        self._han.remove(device)

    def key_changed(self, device: Eui64) -> None:
        """Note the hash of the link key of a device of the log; CS14 tells of a new one."""
        entry = self.log.get(device)
        key_hash = dict(self._han.trust().hashed_link_keys).get(device, b"")
        if entry is not None and key_hash != entry.key_hash:
            with self._parts.storage.transaction():
                self.log.put(entry._replace(key_hash=key_hash))
                self.chf.log_changed()

    def _removed(self, device: Eui64) -> None:
        """Forget what is kept for a device that has left the log."""
        if self._keys is not None:
            self._keys.forget(device)
        self._kinds.forget(device)
        self._queue.forget(device)
        self._tunnels.forget(device)
        self._gas.forget(device)
        self._firmware.forget(device)
        if self.gpf is not None and self._mirror is not None and self._mirror.forget(device):
            self.gpf.forget_version()

    def _opened(self, device: Eui64) -> None:
        self._parts.note("tunnel-open", device=str(device))
        endpoint = self._tunnels.endpoint(device)
        if endpoint is not None:
            self._firmware.place(device, endpoint)

    def _expired(self, device: Eui64, octets: bytes) -> None:
        """A message waited in vain; for the ESME the broker is told, for others there is no such alert."""
        self._parts.note("gbcs-expired", device=str(device))
        entry = self.log.get(device)
        if entry is not None and entry.type.missed:
            with self._parts.storage.transaction():
                self.chf.undelivered(octets)
