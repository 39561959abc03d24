"""CCS01 to CCS07 at the CHF: its device log changed, restored and read."""

from collections.abc import Callable
from functools import partial

from emulator.devices.communications_hub.device_log import DeviceLog, HistoricLog, LogEntry
from emulator.devices.communications_hub.han import Han
from emulator.devices.communications_hub.returning import Returning
from emulator.devices.communications_hub.settings import UNKNOWN_TYPE, HubSettings
from emulator.devices.communications_hub.survey import Survey
from emulator.parts.gbcs_application import Answer, GbcsApplication
from protocols.addresses import Eui64
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.device_log import HashedKey, LogBackup
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ccs01, ccs02, ccs03, ccs04, ccs07
from protocols.interfaces import SECOND, LinkKey, TrustBackup


class LogCommands:
    """`admit` and `removed` as of `Chf`; `changed` sends CS14, after the response."""

    def __init__(
        self,
        application: GbcsApplication,
        log: DeviceLog,
        historic: HistoricLog,
        han: Han,
        survey: Survey,
        returning: Returning,
        settings: HubSettings,
        *,
        admit: Callable[[LogEntry], None],
        removed: Callable[[Eui64], None],
        changed: Callable[[], None],
    ) -> None:
        self._application, self._log, self._historic, self._han = application, log, historic, han
        self._survey, self._returning = survey, returning
        self._settings, self._wall = settings, application.wall
        self._admit, self._removed, self._changed = admit, removed, changed
        application.on(ccs01.MESSAGE_CODE, self._register)
        application.on(ccs02.MESSAGE_CODE, self._unregister)
        application.on(ccs03.MESSAGE_CODE, self._restore)
        application.on(ccs04.MESSAGE_CODE, self._read)
        application.on(ccs04.CHECKING_MESSAGE_CODE, self._check_and_read)
        application.on(ccs07.MESSAGE_CODE, self._back_up)

    # --- change ------------------------------------------------------------------------------------------------

    def _register(self, message: Message) -> Answer:
        """Add a device and open joining for it, first under the link key that a removed one had.

        One already there keeps its keys; joining opens all the same.
        """
        request = ccs01.Command.decode(message.payload)
        entry = self._log.get(request.device)
        added = entry is None
        if entry is None:
            if not self._log.has_room(request.device_type):
                refusal = ccs01.Response(register=AccessResult.OTHER_REASON, counter=request.counter)
                return Answer(refusal.encode())
            entry = LogEntry(request.device, int(request.device_type), request.install_code)
            self._application.note("device-added", device=str(entry.device), type=entry.type.name)
        if request.open_joining:
            entry = entry._replace(join_until=self._period(request, first=added) + request.join_timeout * SECOND)
        self._log.put(entry)
        if request.open_joining:
            self._application.storage.afterwards(partial(self._admit, entry))
        response = ccs01.Response(counter=request.counter)
        return Answer(response.encode(), then=self._changed if added else None)

    def _period(self, request: ccs01.Command, *, first: bool) -> int:
        """Return when the period for the install code begins: at once, or after that for the historic link key."""
        now = self._wall.utc()
        if not first or request.device not in self._historic:
            return now
        until = now + request.join_timeout * SECOND
        self._returning.expect(request.device, until)
        return until

    def _unregister(self, message: Message) -> Answer:
        """Remove a device; one that had a link key goes into the historic log."""
        request = ccs02.Command.decode(message.payload)
        entry = self._log.get(request.device)
        if entry is None:
            refusal = ccs02.Response(AccessResult.HARDWARE_FAULT, request.counter)
            return Answer(refusal.encode())
        if entry.key_hash:
            self._historic.put(entry.device, entry.key_hash)
        self._log.remove(entry.device)
        self._returning.forget(entry.device)
        self._application.note("device-removed", device=str(entry.device))
        self._application.storage.afterwards(partial(self._gone, entry.device))
        return Answer(ccs02.Response(counter=request.counter).encode(), then=self._changed)

    def _gone(self, device: Eui64) -> None:
        self._han.remove(device)
        self._removed(device)

    def _restore(self, message: Message) -> Answer:
        """Take over the log of the hub that this one replaces: an empty log only, no more than fits."""
        request = ccs03.Command.decode(message.payload)
        good = [key for key in request.keys if len(key.key_hash) == 16]
        if len(self._log) or len(good) != len(request.keys) or len(good) > self._settings.log_capacity:
            refusal = ccs03.Response(AccessResult.HARDWARE_FAULT, request.counter)
            return Answer(refusal.encode())
        for key in good:
            self._log.put(LogEntry(key.device, UNKNOWN_TYPE, b"", key_hash=key.key_hash))
        self._application.note("log-restored", devices=len(good))
        hashes = tuple((key.device, LinkKey(key.key_hash)) for key in good)
        backup = TrustBackup(request.extended_pan_id, hashes)
        self._application.storage.afterwards(lambda: self._han.restore(backup))
        return Answer(ccs03.Response(counter=request.counter).encode(), then=self._changed)

    # --- reading -----------------------------------------------------------------------------------------------

    def _read(self, message: Message) -> Answer:
        request = ccs04.Command.decode(message.payload)
        return Answer(self._states(request.counter))

    def _check_and_read(self, message: Message) -> None:
        """Call every device first; the answer goes out when all have answered or the wait is over."""
        request = ccs04.Command.decode(message.payload)

        def answer() -> None:
            with self._application.storage.transaction():
                self._application.respond(message, Answer(self._states(request.counter)), signed=False)

        joined = [entry.device for entry in self._log.entries() if entry.joined]
        self._application.storage.afterwards(lambda: self._survey.call(joined, answer))

    def _states(self, counter: int) -> bytes:
        devices = tuple(self._survey.state(entry) for entry in self._log.entries())
        return ccs04.Response(devices, counter=counter).encode()

    def _back_up(self, message: Message) -> Answer:
        request = ccs07.Command.decode(message.payload)
        now, pan = self._wall.utc(), self._han.trust().extended_pan_id
        keys = tuple(HashedKey(entry.device, entry.key_hash) for entry in self._log.entries())
        historic = tuple(HashedKey(entry.device, entry.key_hash) for entry in self._historic.entries())
        response = ccs07.Response(LogBackup(now, pan, keys), LogBackup(now, pan, historic), counter=request.counter)
        return Answer(response.encode())
