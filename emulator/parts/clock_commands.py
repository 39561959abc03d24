"""ECS70 and GCS28 at a meter: its clock is confirmed, which commissions it.

The command says between which two instants the true time lies. A meter has the time of its hub; if that lies between
the two, the clock counts as set, else the failure is told and nothing changes. The first success is told by 8F69.
"""

from emulator.parts.gbcs_application import Answer, GbcsApplication
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import ecs70, gcs28

_CONFIRMED = "clock/confirmed"  # cell: ns since 1970 UTC, when last


class ClockCommands:
    """Serves both use cases; the table of access says which of them a device gets."""

    def __init__(self, application: GbcsApplication) -> None:
        self._application, self._wall, self._storage = application, application.wall, application.storage
        application.on(ecs70.MESSAGE_CODE, self._ecs70)
        application.on(gcs28.MESSAGE_CODE, self._gcs28)

    @property
    def confirmed(self) -> bool:
        """Whether the clock was ever found right."""
        return self._storage.get(_CONFIRMED) is not None

    def _ecs70(self, message: Message) -> Answer:
        command = ecs70.Command.decode(message.payload)
        now = self._wall.utc()
        if not command.start <= now <= command.end:
            return Answer(ecs70.Response(None, counter=message.counter).encode())
        response = ecs70.Response(now, counter=message.counter)
        return Answer(response.encode(), then=None if self._confirm(now) else self._tell)

    def _gcs28(self, message: Message) -> Answer:
        command = gcs28.Command.decode(message.payload)
        now = self._wall.utc()
        if not command.start <= now <= command.end:
            return Answer(gcs28.Response(now, gcs28.ClockStatus.UNRELIABLE).encode())
        return Answer(gcs28.Response(now).encode(), then=None if self._confirm(now) else self._tell)

    def _confirm(self, now: int) -> bool:
        """Note that the clock is right; return whether that was known before."""
        before = self.confirmed
        self._storage.put(_CONFIRMED, now.to_bytes(8, "big"))
        self._application.note("clock-confirmed")
        return before

    def _tell(self) -> None:
        self._application.generic_alert(AlertCode.DEVICE_COMMISSIONED, RemotePartyRole.SUPPLIER, critical=True)
