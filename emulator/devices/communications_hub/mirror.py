"""The gas meter's mirror: what the meter reported last, served to everybody while the meter sleeps.

The mirror is an endpoint of its own. What it holds outlives a power cut. Source: ZSE 07-5356 D.3.4.
"""

from collections.abc import Callable

from emulator.devices.communications_hub.chf import Note
from emulator.devices.communications_hub.han import PROFILE, Han
from emulator.devices.communications_hub.settings import HubSettings
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import Received, SimpleDescriptor, Storage
from protocols.octets import Reader
from protocols.zcl import foundation
from protocols.zcl.attribute_server import ANSWERS, Attribute, AttributeServer, constant
from protocols.zcl.clusters import metering
from protocols.zcl.clusters.metering import MirrorReportAttributeResponse, RequestMirrorResponse
from protocols.zcl.data_types import read_value, write_value
from protocols.zcl.foundation import AttributeReport, ReportAttributes
from protocols.zcl.frame import ZclFrame, ZclStatus

_CELL, _METER = "mirror/attributes", "mirror/meter"
_DEVICE = 0x0501  # metering device
_SCHEME = 1  # predefined: the functional flags alone
_BASIC = 0x0000


def describe(settings: HubSettings) -> SimpleDescriptor:
    """Return the descriptor of the mirror's endpoint."""
    return SimpleDescriptor(settings.mirror_endpoint, PROFILE, _DEVICE, 0, (_BASIC, metering.CLUSTER), ())


class Mirror:
    def __init__(
        self,
        han: Han,
        storage: Storage,
        settings: HubSettings,
        *,
        now: Callable[[], int],
        flags: Callable[[Eui64], int],
        version: Callable[[int], object],
        serves: Callable[[Eui64], bool],
        note: Note,
    ) -> None:
        """flags(device): what waits for it; version(number): hears of the firmware version it reports.

        serves(device): whether the GPF is joined to it, so that it may read.
        """
        self._han, self._storage, self._settings = han, storage, settings
        self._now, self._flags, self._version, self._note = now, flags, version, note
        self._serves = serves
        self._held: dict[int, AttributeReport] = {}
        self._meter: bytes | None = None  # whose they are
        self._load()
        self._server = self._serve()

    @property
    def attributes(self) -> dict[int, AttributeReport]:
        """What the meter reported last."""
        return dict(self._held)

    def forget(self, device: Eui64) -> bool:
        """Hold nothing any more of a meter that has left the log; return whether it was this mirror's."""
        if self._meter != device.big:
            return False
        self._held, self._meter = {}, None
        for cell in (_CELL, _METER):
            self._storage.delete(cell)
        self._server = self._serve()
        return True

    # --- from the meter ----------------------------------------------------------------------------------------

    def from_meter(self, event: Received) -> bool:
        """Take a frame of the meter's Metering cluster; False if it is none of the mirror's."""
        try:
            frame = ZclFrame.decode(event.aps.payload)
            if not frame.from_server:
                return False
            if frame.cluster_specific:
                return self._asked_for(event, frame)
            command = foundation.decode(frame)
        except DecodeError:
            return False
        if (
            not isinstance(command, ReportAttributes)
            or event.aps.destination_endpoint != self._settings.mirror_endpoint
        ):
            return False
        self._take(event.who, command)
        answer = MirrorReportAttributeResponse(_SCHEME, (self._flags(event.who),))
        self._send(event, metering.COMMANDS.encode(answer, frame.transaction, from_server=False))
        return True

    def _asked_for(self, event: Received, frame: ZclFrame) -> bool:
        if not isinstance(metering.COMMANDS.decode(frame), metering.RequestMirror):
            return False
        given = RequestMirrorResponse(self._settings.mirror_endpoint)
        self._send(event, metering.COMMANDS.encode(given, frame.transaction, from_server=False))
        return True

    def _take(self, meter: Eui64, command: ReportAttributes) -> None:
        known = set(self._held)
        if meter.big != self._meter:
            self._held, self._meter = {}, meter.big
            self._storage.put(_METER, meter.big)
        for record in command.records:
            self._held[record.attribute] = record
            if record.attribute == metering.FIRMWARE_VERSION and isinstance(record.value, bytes):
                self._version(int.from_bytes(record.value, "big"))
        self._save()
        if set(self._held) != known:
            self._server = self._serve()
        told = {f"{each.attribute:04X}": each.value for each in command.records if isinstance(each.value, int)}
        self._note("mirrored", **told)

    # --- to others ---------------------------------------------------------------------------------------------

    def asked(self, event: Received) -> None:
        """Answer a client of the mirror."""
        try:
            frame = ZclFrame.decode(event.aps.payload)
        except DecodeError:
            return
        answer: bytes | None
        if not self._serves(event.who):
            answer = _refused(frame)
        elif frame.cluster_specific:
            answer = None if frame.from_server else _unsupported(frame)
        else:
            answer = self._server.answer(frame, self._now())
        if answer is not None:
            self._send(event, answer)

    def _serve(self) -> AttributeServer:
        table = {number: self._attribute(number) for number in self._held}
        table[metering.Attribute.METERING_DEVICE_TYPE] = constant(
            metering.TYPES[metering.Attribute.METERING_DEVICE_TYPE], metering.DeviceType.MIRRORED_GAS
        )
        return AttributeServer(table)

    def _attribute(self, number: int) -> Attribute:
        return Attribute(self._held[number].data_type, lambda: self._held[number].value)

    def _send(self, event: Received, frame: bytes) -> None:
        aps = event.aps
        self._han.send(event.who, metering.CLUSTER, aps.source_endpoint, frame, source=aps.destination_endpoint)

    # --- storage -----------------------------------------------------------------------------------------------

    def _save(self) -> None:
        octets = b"".join(
            each.attribute.to_bytes(2, "little") + bytes((each.data_type,)) + write_value(each.data_type, each.value)
            for each in self._held.values()
        )
        self._storage.put(_CELL, octets)

    def _load(self) -> None:
        self._meter = self._storage.get(_METER)
        reader = Reader(self._storage.get(_CELL) or b"")
        while reader.remaining:
            number, data_type = reader.uint(2), reader.uint8()
            self._held[number] = AttributeReport(number, data_type, read_value(reader, data_type))


def _refused(frame: ZclFrame) -> bytes | None:
    """Return the answer to a stranger; None for what is itself an answer."""
    if not frame.cluster_specific and frame.command in ANSWERS:
        return None
    return foundation.default_response_to(frame, ZclStatus.NOT_AUTHORIZED)


def _unsupported(frame: ZclFrame) -> bytes:
    return foundation.default_response_to(frame, ZclStatus.UNSUP_CLUSTER_COMMAND)
