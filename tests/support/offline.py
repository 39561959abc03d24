"""A GBCS entity with everything a device carries out in it, without a radio: real parts, real messages."""

from emulator.clock import OffsetWallClock, VirtualClock
from emulator.parts.credential_commands import CredentialCommands, CredentialSettings
from emulator.parts.gbcs_application import GbcsApplication, RefusalAlerts
from emulator.parts.gbcs_entity import DeviceKind, GbcsEntity, TrustAnchors
from emulator.parts.joined_devices import JoinCommands, JoinSettings
from emulator.parts.timers import Timers
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Cra, Message
from tests.support.parties import START, Parties

DEVICE = Eui64(0x00DB1234567890A0)


class Offline:
    """What it sends is in `sent`; `restart` is a power cut. `wrong_by`: ns its clock is off."""

    def __init__(
        self,
        parties: Parties,
        kind: DeviceKind,
        anchors: TrustAnchors | None = None,
        *,
        settings: CredentialSettings | None = None,
        joins: JoinSettings | None = None,
        refusal_alerts: RefusalAlerts | None = None,
        wrong_by: int = 0,
    ) -> None:
        self.parties, self.kind = parties, kind
        self.anchors = parties.all_anchors() if anchors is None else anchors
        self.clock, self.storage = VirtualClock(START), MemoryStorage()
        self.wall = OffsetWallClock(self.clock, wrong_by)
        self.sent: list[Message] = []
        self.notes: list[tuple[str, dict[str, str | int | bool | None]]] = []
        self.settings, self.join_settings, self.refusal_alerts = settings, joins, refusal_alerts
        self._build()

    def _build(self) -> None:
        self.timers = Timers(self.clock)
        self.entity = GbcsEntity(self.parties.pki.device(DEVICE), self.anchors, self.storage, self.parties.entropy)
        self.application = GbcsApplication(
            self.entity, self.kind, self.wall,
            send=lambda octets: self.sent.append(Message.decode(octets)), note=self._note,
            refusal_alerts=self.refusal_alerts,
        )  # fmt: skip
        self.credentials = CredentialCommands(self.application, self.timers.after, self.settings)
        self.joins = JoinCommands(self.application, self.join_settings)
        self.credentials.start()

    def restart(self) -> None:
        self.timers.clear()
        self._build()

    def obey(self, octets: bytes) -> Message | None:
        """Carry out a command; return the response if there is one."""
        before = len(self.sent)
        self.application.obey(octets)
        responses = [message for message in self.sent[before:] if message.cra is Cra.RESPONSE]
        return responses[0] if responses else None

    def run(self, duration: int) -> None:
        self.clock.run_for(duration)

    def contents(self) -> dict[str, bytes | None]:
        """Return the whole storage."""
        return {cell: self.storage.get(cell) for cell in self.storage.cells()}

    @property
    def refusals(self) -> list[str]:
        return [str(fields["reason"]) for event, fields in self.notes if event == "command-refused"]

    def _note(self, event: str, **fields: str | int | bool | None) -> None:
        self.notes.append((event, fields))
