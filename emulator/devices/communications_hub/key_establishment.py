"""The hub's side of key establishment: every device that joins agrees with it on a link key before anything else."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.device_log import DeviceLog
from emulator.devices.communications_hub.han import Han, Token
from emulator.devices.communications_hub.settings import HubSettings
from emulator.parts.gbcs_application import Note
from emulator.parts.key_establishment import SuiteCredentials, is_for_attributes, suite_attributes
from protocols.addresses import Eui64
from protocols.cbke.responder import Responder
from protocols.cbke.types import Effect, Established, Failed, Send
from protocols.errors import DecodeError
from protocols.interfaces import Delivered, DeliveryStatus, Random, Received, Timer
from protocols.zcl.attribute_server import AttributeServer
from protocols.zcl.clusters import key_establishment
from protocols.zcl.frame import ZclFrame

CLUSTER = key_establishment.CLUSTER


@dataclass(frozen=True, slots=True)
class KeyParts:
    """The hub's certificates, of the identifier that its node has, and where its ephemeral keys come from."""

    credentials: SuiteCredentials
    random: Random


class KeyEstablishment:
    """established(device) hears of every new key; overdue(device) of a device that has had none for too long."""

    def __init__(
        self,
        parts: KeyParts,
        han: Han,
        log: DeviceLog,
        alarms: Alarms,
        settings: HubSettings,
        *,
        established: Callable[[Eui64], None],
        overdue: Callable[[Eui64], None],
        note: Note,
    ) -> None:
        self._han, self._log, self._alarms, self._note = han, log, alarms, note
        self._established, self._overdue = established, overdue
        self._limit = settings.key_establishment_limit
        self._responder = Responder(parts.credentials, parts.random, settings.cbke, admits=self._admits)
        self._attributes = AttributeServer(suite_attributes(parts.credentials))
        self._underway: dict[Token, Send] = {}
        self._fresh: dict[Eui64, tuple[Send, Established]] = {}  # until it is known that the device has the key
        self._watches: dict[Eui64, Timer] = {}
        self._due: int | None = None

    # --- from the hub ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Watch those that had no key when the power went."""
        for entry in self._log.entries():
            if entry.joined:
                self.joined(entry.device)

    def joined(self, device: Eui64) -> bool:
        """Return whether there is a key already; else the device has some time to establish one."""
        if self._han.ready(device):
            return True
        self._stop_watch(device)
        if self._limit is not None:
            self._watches[device] = self._alarms.after(self._limit, self._late, device)
        return False

    def forget(self, device: Eui64) -> None:
        """Drop what runs with a device that has left."""
        self._responder.forget(device)
        self._fresh.pop(device, None)
        self._stop_watch(device)

    # --- from the HAN ------------------------------------------------------------------------------------------

    def received(self, event: Received) -> None:
        """Take a frame of the cluster from a device of the log."""
        who, endpoint, octets = event.who, event.aps.source_endpoint, event.aps.payload
        try:
            frame = ZclFrame.decode(octets)
            if frame.from_server:
                return
            if is_for_attributes(frame):
                answer = self._attributes.answer(frame, self._alarms.now())
                if answer is not None:
                    self._han.send(who, CLUSTER, endpoint, answer, secured=False)
                return
            effects = self._responder.frame(who, endpoint, octets, self._alarms.now())
        except DecodeError:
            return
        self._run(effects)

    def delivered(self, token: Token, event: Delivered) -> None:
        send = self._underway.pop(token, None)
        if send is None:
            return
        acknowledged = event.status is DeliveryStatus.OK
        last, established = self._fresh.get(send.partner, (None, None))
        if last is send and established is not None and acknowledged:
            self._han.install_link_key(established.partner, established.key, proven=True)
        self._run(self._responder.delivered(send.token, self._alarms.now(), acknowledged=acknowledged))

    # --- inside ------------------------------------------------------------------------------------------------

    def _admits(self, device: Eui64) -> bool:
        entry = self._log.get(device)
        return entry is not None and entry.joined

    def _run(self, effects: Iterable[Effect]) -> None:
        last: Send | None = None
        for effect in effects:
            if isinstance(effect, Send):
                last = effect
                token = self._han.send(effect.partner, CLUSTER, effect.endpoint, effect.frame, secured=False)
                self._underway[token] = effect
            elif isinstance(effect, Established):
                self._take(effect, last)
            else:
                self._failed(effect)
        deadline = self._responder.deadline
        if deadline is not None and (self._due is None or deadline < self._due):
            self._due = deadline
            self._alarms.after(max(0, deadline - self._alarms.now()), self._wake, deadline)

    def _wake(self, due: int) -> None:
        if due == self._due:
            self._due = None
            self._run(self._responder.wake(self._alarms.now()))

    def _take(self, effect: Established, last: Send | None) -> None:
        """Install a key; the device may miss `last`, which ends the exchange, so the older one stays a while."""
        device = effect.partner
        self._han.install_link_key(device, effect.key, proven=False)
        if last is not None:
            self._fresh[device] = (last, effect)
        self._stop_watch(device)
        self._note("key-established", partner=str(device), suite=effect.suite.name)
        self._established(device)

    def _failed(self, effect: Failed) -> None:
        status = "none" if effect.status is None else f"{effect.status:02X}"
        partner, cause = str(effect.partner), effect.cause.value
        self._note("key-establishment-failed", partner=partner, cause=cause, status=status)

    def _late(self, device: Eui64) -> None:
        self._watches.pop(device, None)
        if not self._han.ready(device):
            self._note("key-establishment-overdue", partner=str(device))
            self._overdue(device)

    def _stop_watch(self, device: Eui64) -> None:
        watch = self._watches.pop(device, None)
        if watch is not None:
            watch.cancel()
