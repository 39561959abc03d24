"""A sleepy meter and its mirror: it asks the hub for one, and each time it wakes reports its attributes to it.

The answer, Mirror Report Attribute Response, tells what waits at the hub. A hub that gives no mirror is asked for the
flags alone. Source: ZSE 07-5356 D.3.4; which attributes are pushed is inferred.
"""

from collections.abc import Callable, Mapping

from emulator.parts.gbcs_application import Note
from emulator.parts.tunnel_client import NOTIFICATION_FLAGS
from emulator.parts.zcl_client import ZclClient, command_of, values_of
from protocols.addresses import Eui64
from protocols.zcl import foundation
from protocols.zcl.attribute_server import Attribute
from protocols.zcl.clusters import metering
from protocols.zcl.clusters.metering import MirrorReportAttributeResponse, RequestMirror, RequestMirrorResponse
from protocols.zcl.command_set import Command
from protocols.zcl.foundation import AttributeReport, ReadAttributes, ReportAttributes
from protocols.zcl.frame import ZclFrame


class MirrorClient:
    """changing(), lasting(): the attributes pushed each time, and once to a new mirror."""

    def __init__(
        self,
        client: ZclClient,
        *,
        changing: Callable[[], Mapping[int, Attribute]],
        lasting: Callable[[], Mapping[int, Attribute]],
        flagged: Callable[[int], object],
        note: Note,
    ) -> None:
        """flagged(flags): hears what the hub's answer says."""
        self._client, self._changing, self._lasting = client, changing, lasting
        self._flagged, self._note = flagged, note
        self._mirror: int | None = None  # endpoint
        self._fresh = False  # has not had what lasts

    def reset(self) -> None:
        """Ask for a mirror anew: the power went, or the hub is another one."""
        self._mirror = None

    def push(self, hub: Eui64, endpoint: int) -> None:
        """Bring the mirror up to date; `endpoint` is the hub's that is asked for one."""
        if self._mirror is None:
            self._client.ask(
                hub, metering.CLUSTER, endpoint, metering.COMMANDS, RequestMirror(),
                lambda command: self._given(hub, endpoint, command), from_server=True,
            )  # fmt: skip
        elif self._fresh:
            self._fresh = False
            self._report(hub, self._mirror, self._lasting(), lambda _: self.push(hub, endpoint))
        else:
            changing = self._changing()
            values = {f"{number:04X}": attribute.read() for number, attribute in changing.items()}
            told = {name: value for name, value in values.items() if isinstance(value, int)}
            self._note("mirror-pushed", **told)
            self._report(hub, self._mirror, changing, lambda frame: self._answered(hub, endpoint, frame))

    def _given(self, hub: Eui64, endpoint: int, command: Command | None) -> None:
        if isinstance(command, RequestMirrorResponse) and command.endpoint != metering.NO_MIRROR:
            self._mirror, self._fresh = command.endpoint, True
            self._note("mirror-given", endpoint=command.endpoint)
            self.push(hub, endpoint)
        else:
            self._read_flags(hub, endpoint)

    def _report(
        self, hub: Eui64, mirror: int, attributes: Mapping[int, Attribute], done: Callable[[ZclFrame | None], object]
    ) -> None:
        records = tuple(AttributeReport(number, each.data_type, each.read()) for number, each in attributes.items())

        def frame(transaction: int) -> bytes:
            return foundation.encode(ReportAttributes(records), transaction, from_server=True)

        self._client.request(hub, metering.CLUSTER, mirror, frame, done)

    def _answered(self, hub: Eui64, endpoint: int, frame: ZclFrame | None) -> None:
        command = None if frame is None else command_of(metering.COMMANDS, frame)
        if isinstance(command, MirrorReportAttributeResponse) and command.flags:
            self._flagged(command.flags[0])
        else:
            self._mirror = None  # asked for again at the next waking
            self._read_flags(hub, endpoint)

    def _read_flags(self, hub: Eui64, endpoint: int) -> None:
        def frame(transaction: int) -> bytes:
            return foundation.encode(ReadAttributes((NOTIFICATION_FLAGS,)), transaction, from_server=True)

        self._client.request(hub, metering.CLUSTER, endpoint, frame, self._flags_read)

    def _flags_read(self, frame: ZclFrame | None) -> None:
        flags = (values_of(frame) or {}).get(NOTIFICATION_FLAGS) if frame is not None else None
        if isinstance(flags, int):
            self._flagged(flags)
