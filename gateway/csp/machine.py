"""The CSP as a machine without I/O: octets and `now` in, effects out."""

from typing import NamedTuple

from gateway.csp.settings import DEVICE_TYPE_CODES, CspSettings, Downloads, Effect, ToDsp, ToHub, WakeAt
from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs06
from protocols.interfaces import Entropy, Recorder
from protocols.ota.image import OtaHeader
from protocols.wan import smwan
from protocols.wan.envelope import (
    THE_HUB,
    FirmwareImageDelivery,
    GbcsCarried,
    HubFirmwareOutcome,
    HubFirmwareReport,
    ImageTarget,
    PowerLoss,
    WanMessage,
)
from protocols.wan.session import WanSession

_ACTOR = "csp"


class _Waiting(NamedTuple):
    """An image not sent yet."""

    due: int
    number: int
    hub: Eui64
    version: int
    delivery: FirmwareImageDelivery


class _Underway(NamedTuple):
    """An image sent and not acknowledged."""

    request_id: str
    devices: tuple[Eui64, ...]
    version: int
    until: int  # ns since 1970 UTC


class Csp:
    """Carries GBCS both ways, delivers images to hubs and says how that went, passes power losses on.

    What a hub does not acknowledge is sent again until it does. Octets that cannot be read are counted in `malformed`,
    GBCS messages for a hub that is not served in `undeliverable`, what vanished by settings in `lost`.
    """

    def __init__(self, settings: CspSettings, entropy: Entropy, recorder: Recorder | None = None) -> None:
        self._settings, self._recorder = settings, recorder
        self._jitter = entropy.random("csp image")
        self._sessions: dict[Eui64, WanSession] = {}
        self._holding: dict[Eui64, WanSession] = {}  # those that may hold something not acknowledged
        self._waiting: list[_Waiting] = []
        self._underway: dict[tuple[Eui64, int], _Underway] = {}
        self._alterations: list[tuple[str, int]] = []
        self._numbers = 0
        self._announced: int | None = None
        self._effects: list[Effect] = []
        self._chance = entropy.random("csp loss")
        self.malformed = self.undeliverable = self.lost = self.duplicated = 0
        self.downloads: dict[str, Downloads] = {}  # by request, in order of arrival

    def alter_image(self, what: str | int, offset: int) -> None:
        """Change the octet at `offset` of the next image of request `what`, or of file version `what`: once."""
        self._alterations.append((what if isinstance(what, str) else f"{what:08X}", offset))

    def update_hub(self, hub: Eui64, image: bytes, now: int) -> list[Effect]:
        """Bring a hub firmware of its own: the affair of the CSP alone, users hear of an activation and of no failure.

        image: an OTA file, signed by the WAN provider. Raises DecodeError for none, UsageError for a hub not served.
        """
        version = OtaHeader.decode(image).file_version
        if not self._serves(hub):
            raise UsageError(f"{hub} is not a hub of this CSP")
        self._numbers += 1
        request = f"hub image {self._numbers}"
        octets = self._altered(request, version, image)
        delivery = FirmwareImageDelivery(request, (ImageTarget(hub, THE_HUB),), octets)
        self._note("hub-image", request=request, hub=str(hub), version=f"{version:08X}")
        self._waiting.append(_Waiting(now + self._settings.of(hub).image_delay, self._numbers, hub, version, delivery))
        return self._turn(now)

    def from_dsp(self, octets: bytes, now: int) -> list[Effect]:
        """Take a message of the DSP; DecodeError if it is none."""
        message = smwan.decode(octets)
        if isinstance(message, smwan.GbcsToHub):
            if not self._serves(message.hub):
                self.undeliverable += 1
                told = smwan.GbcsUndeliverable(message.hub, message.device, message.message)
                self._effects.append(ToDsp(told.encode(), now + self._settings.of(message.hub).delay_up))
                return self._turn(now)
            if self._happens(self._settings.of(message.hub).loss_down):
                self._lose(message.hub, message.device)
            else:
                self._transmit(message.hub, GbcsCarried(message.device, message.message), now)
        elif isinstance(message, smwan.FirmwareToHubs):
            self._distribute(message, now)
        else:
            raise DecodeError(f"{type(message).__name__} does not go this way", data=octets)
        return self._turn(now)

    def from_hub(self, hub: Eui64, octets: bytes, now: int) -> list[Effect]:
        """Take an envelope of a hub; one that cannot be read is dropped."""
        session = self._session(hub)
        try:
            arrival = session.received(octets)
        except DecodeError:
            self.malformed += 1
            return self._turn(now)
        if arrival.acknowledged:
            self._settle(hub, arrival.message_id, now, success=True)
        if arrival.message is not None:
            self._upwards(hub, arrival.message, now)
        reply = session.accept(arrival)
        if reply is not None:
            self._effects.append(ToHub(hub, reply, now))
        return self._turn(now)

    def wake(self, now: int) -> list[Effect]:
        """Do what is due: deliveries that waited, time-outs, repetitions."""
        self._announced = None
        for (hub, message_id), underway in list(self._underway.items()):
            if underway.until <= now:
                self._sessions[hub].withdraw(message_id)
                self._settle(hub, message_id, now, success=False)
        for hub, session in self._holding.items():
            self._effects += [ToHub(hub, octets, now) for octets in session.wake(now)]
        return self._turn(now)

    # --- downwards ---------------------------------------------------------------------------------------------

    def _distribute(self, message: smwan.FirmwareToHubs, now: int) -> None:
        version = OtaHeader.decode(message.image).file_version
        by_hub: dict[Eui64, list[ImageTarget]] = {}
        for hub, device, device_type in message.targets:
            self._note(
                "firmware-service", request=message.request_id, hub=str(hub), device=str(device), type=device_type
            )
            type_code = DEVICE_TYPE_CODES.get(device_type)
            if type_code is None or not self._serves(hub):
                self._report(message.request_id, hub, device, version, now, success=False, identified=False)
            else:
                by_hub.setdefault(hub, []).append(ImageTarget(device, type_code))
        self.downloads.setdefault(message.request_id, Downloads()).asked += len(message.targets)
        image = self._altered(message.request_id, version, message.image)
        for hub, targets in by_hub.items():
            self._numbers += 1
            settings = self._settings.of(hub)
            wait = settings.image_delay
            if settings.image_jitter:
                wait += self._jitter.randrange(0, settings.image_jitter + 1)
            delivery = FirmwareImageDelivery(message.request_id, tuple(targets), image)
            self._waiting.append(_Waiting(now + wait, self._numbers, hub, version, delivery))

    def _altered(self, request_id: str, version: int, image: bytes) -> bytes:
        for alteration in self._alterations:
            what, offset = alteration
            if what in (request_id, f"{version:08X}") and offset < len(image):
                self._alterations.remove(alteration)
                self._note("image-altered", request=request_id, offset=offset)
                return image[:offset] + bytes((image[offset] ^ 0x01,)) + image[offset + 1 :]
        return image

    def _deliver(self, waiting: _Waiting, now: int) -> None:
        delivery = waiting.delivery
        message_id = self._transmit(waiting.hub, delivery, now)
        devices = tuple(device for device, _ in delivery.targets)
        until = now + self._settings.of(waiting.hub).image_timeout
        self._underway[waiting.hub, message_id] = _Underway(delivery.request_id, devices, waiting.version, until)

    def _transmit(self, hub: Eui64, message: WanMessage, now: int) -> int:
        at = now + self._settings.of(hub).delay_down
        session = self._holding[hub] = self._session(hub)
        message_id, octets = session.send(message, at)
        self._effects.append(ToHub(hub, octets, at))
        return message_id

    # --- upwards -----------------------------------------------------------------------------------------------

    def _upwards(self, hub: Eui64, message: WanMessage, now: int) -> None:
        settings = self._settings.of(hub)
        if isinstance(message, GbcsCarried):
            if self._vanishes(settings, message.message):
                self._lose(hub, message.device)
                return
            octets = smwan.GbcsFromHub(hub, message.device, message.message).encode()
        elif isinstance(message, PowerLoss):
            octets = smwan.PowerOutage(hub, message.started, now).encode()
        elif isinstance(message, HubFirmwareReport) and message.hub == hub:
            self._hub_firmware(message, now)
            return
        else:
            self.malformed += 1
            return
        twice = self._happens(settings.duplicates)
        self.duplicated += twice
        self._effects += [ToDsp(octets, now + settings.delay_up)] * (1 + twice)

    def _hub_firmware(self, report: HubFirmwareReport, now: int) -> None:
        """A hub told what came of an image for itself; the DSP hears of an activation alone."""
        hub, outcome = report.hub, report.outcome
        self._note(
            "hub-firmware", hub=str(hub), version=f"{report.version:08X}", running=f"{report.running:08X}",
            outcome=outcome.name,
        )  # fmt: skip
        if outcome is HubFirmwareOutcome.ACTIVATED:
            told = smwan.HubFirmwareActivated(hub, report.running, now)
            self._effects.append(ToDsp(told.encode(), now + self._settings.of(hub).delay_up))

    def _vanishes(self, settings: CspSettings, message: bytes) -> bool:
        if self._happens(settings.loss_up):
            return True
        return (
            settings.lost_11_3_responses > 0 and _answers_11_3(message) and self._happens(settings.lost_11_3_responses)
        )

    def _happens(self, share: float) -> bool:
        """Whether what happens with this share happens now; nothing is drawn where it cannot."""
        return share > 0 and self._chance.random() < share

    def _lose(self, hub: Eui64, device: Eui64) -> None:
        self.lost += 1
        self._note("message-lost", hub=str(hub), device=str(device))

    def _settle(self, hub: Eui64, message_id: int, now: int, *, success: bool) -> None:
        underway = self._underway.pop((hub, message_id), None)
        if underway is None:
            return
        if underway.devices == (hub,):  # its own firmware
            self._note("image-delivered", hub=str(hub), device=str(hub), success=success)
            return
        for device in underway.devices:
            self._report(underway.request_id, hub, device, underway.version, now, success=success)

    def _report(
        self,
        request_id: str,
        hub: Eui64,
        device: Eui64,
        version: int,
        now: int,
        *,
        success: bool,
        identified: bool = True,
    ) -> None:
        self._note("image-delivered", hub=str(hub), device=str(device), success=success)
        status = smwan.FirmwareDeliveryStatus(request_id, hub, device, version, now, success, identified)
        downloads = self.downloads.setdefault(request_id, Downloads())
        downloads.delivered += success
        downloads.failed += not success
        self._effects.append(ToDsp(status.encode(), now + self._settings.of(hub).delay_up))

    # --- turns -------------------------------------------------------------------------------------------------

    def _turn(self, now: int) -> list[Effect]:
        due = sorted(waiting for waiting in self._waiting if waiting.due <= now)
        self._waiting = [waiting for waiting in self._waiting if waiting.due > now]
        for waiting in due:
            self._deliver(waiting, now)
        self._announce()
        effects, self._effects = self._effects, []
        return effects

    def _announce(self) -> None:
        deadlines = {hub: session.deadline for hub, session in self._holding.items()}
        self._holding = {hub: session for hub, session in self._holding.items() if deadlines[hub] is not None}
        moments = [deadline for deadline in deadlines.values() if deadline is not None]
        moments += [waiting.due for waiting in self._waiting]
        moments += [underway.until for underway in self._underway.values()]
        when = min(moments, default=None)
        if when is not None and when != self._announced:
            self._effects.append(WakeAt(when))
        self._announced = when

    def _serves(self, hub: Eui64) -> bool:
        return self._settings.hubs is None or hub in self._settings.hubs

    def _session(self, hub: Eui64) -> WanSession:
        session = self._sessions.get(hub)
        if session is None:
            session = self._sessions[hub] = WanSession(resend_after=self._settings.of(hub).resend_after)
        return session

    def _note(self, event: str, **fields: str | int | bool | None) -> None:
        if self._recorder is not None:
            self._recorder.note(_ACTOR, event, **fields)


def _answers_11_3(octets: bytes) -> bool:
    try:
        message = Message.decode(octets)
    except DecodeError:
        return False
    return message.cra is Cra.RESPONSE and message.message_code == cs06.MESSAGE_CODE
