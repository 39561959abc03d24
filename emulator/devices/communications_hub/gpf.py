"""The gas proxy function as a GBCS entity: its own log, and what it mirrors of the gas meter."""

from collections.abc import Callable

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.settings import HubSettings
from emulator.parts.credential_commands import CredentialCommands
from emulator.parts.gbcs_application import Answer, GbcsApplication, Note
from emulator.parts.gbcs_entity import DeviceKind, GbcsEntity
from emulator.parts.joined_devices import JoinCommands
from protocols.errors import DecodeError
from protocols.gbcs.codes import AlertCode, ZclStatus
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import gcs38, gcs62
from protocols.interfaces import WallClock
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclFrame

_MIRRORED_VERSION = "mirror/firmware-version"


class Gpf:
    """Commands of the GPF. The version it answers is the meter's as it last heard it, which may be an old one.

    The meter tells its version in Query Next Image Request [inferred]; a read of the meter itself asks the meter.
    """

    def __init__(
        self,
        entity: GbcsEntity,
        wall: WallClock,
        alarms: Alarms,
        settings: HubSettings,
        *,
        send: Callable[[bytes], None],
        note: Note,
    ) -> None:
        self._entity, self._wall, self._note = entity, wall, note
        self.application = GbcsApplication(
            entity, DeviceKind.GPF, wall, send=send, note=note, refusal_alerts=settings.refusal_alerts
        )
        self._credentials = CredentialCommands(
            self.application, lambda _, delay, callback: alarms.after(delay, callback), settings.credentials
        )
        self.joins = JoinCommands(self.application, settings.joins, self._log_changed)
        self.application.on(gcs38.MESSAGE_CODE, self._read_version)

    def start(self) -> None:
        self._credentials.start()

    def execute(self, octets: bytes) -> None:
        self.application.obey(octets)

    # --- mirror ------------------------------------------------------------------------------------------------

    @property
    def mirrored_version(self) -> int | None:
        """The firmware version of the gas meter, 32 bits; None before the meter told it."""
        held = self._entity.storage.get(_MIRRORED_VERSION)
        return None if held is None else int.from_bytes(held, "big")

    def mirror(self, version: int) -> None:
        if version != self.mirrored_version:
            self._entity.storage.put(_MIRRORED_VERSION, version.to_bytes(4, "big"))
            self._note("version-mirrored", version=f"{version:08X}")

    def forget_version(self) -> None:
        """The meter has left the log: GCS38 fails until the next one tells its version."""
        self._entity.storage.delete(_MIRRORED_VERSION)

    def heard(self, octets: bytes) -> None:
        """Take a frame of the meter's OTA cluster."""
        try:
            frame = ZclFrame.decode(octets)
            command = ota.decode(frame) if frame.cluster_specific else None
        except DecodeError:
            return
        if isinstance(command, ota.QueryNextImageRequest):
            self.mirror(command.file_version)

    def _read_version(self, message: Message) -> Answer:
        gcs38.Command.decode(message.payload)
        version = self.mirrored_version
        status = ZclStatus.SUCCESS if version is not None else ZclStatus.HARDWARE_FAILURE
        return Answer(gcs38.Response(version, status).encode())

    # --- GCS62 -------------------------------------------------------------------------------------------------

    def _log_changed(self) -> None:
        """Tell the ACB the whole log, under a MAC."""
        broker = self._entity.anchors.eui(RemotePartyRole.ACCESS_CONTROL_BROKER)
        payload = gcs62.Alert(self._wall.utc(), self.joins.log.entries()).encode()
        counter = self.application.alert(gcs62.MESSAGE_CODE, broker, lambda _: payload, signed=False)
        code, origin = f"{AlertCode.GPF_DEVICE_LOG_CHANGED:04X}", str(self._entity.eui)  # the CHF has the actor's name
        self._note("alert-sent", code=code, counter=counter, origin=origin)
