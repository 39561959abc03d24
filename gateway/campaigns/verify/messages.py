"""What users asked and were told: the requests and mailboxes of a run, read by the DUIS codec."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from gateway.campaigns.verify.folder import Logged
from protocols.addresses import Eui64
from protocols.duis.alerts import DccAlert
from protocols.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from protocols.duis.errors import DuisError
from protocols.duis.inventory import DspInventory, InventoryDevice
from protocols.duis.requests import Request, parse_request
from protocols.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    DspUpdateFirmwareWarning,
    DspUpdatePpmidFirmwareWarning,
    FutureDatedDeviceAlertMessage,
    GbcsPayload,
    Response,
    ResponseMessage,
    parse_response,
)

SUPPLIER = "supplier"
NETWORK_OPERATOR = "network-operator"

A = TypeVar("A", bound=DccAlert)
Warning11 = DspUpdateFirmwareWarning | DspUpdatePpmidFirmwareWarning


class Mail(NamedTuple):
    """One message a user received."""

    user: str
    place: str  # its file, without the time
    time: int  # ns UTC, of receipt
    response: Response

    @property
    def content(self) -> object:
        """Return what a ResponseMessage carries, None for anything else."""
        body = self.response.body
        return body.content if isinstance(body, ResponseMessage) else None


class Exchange(NamedTuple):
    """A request and its synchronous answer."""

    user: str
    place: str  # its file, without the time
    time: int  # ns UTC, of sending
    octets: bytes
    request: Request
    answer: Mail | None

    @property
    def code(self) -> str:
        return "" if self.answer is None else self.answer.response.response_code

    @property
    def accepted(self) -> bool:
        return self.answer is not None and not self.code.startswith("E")

    @property
    def target(self) -> Eui64:
        return self.request.request_id.target

    @property
    def updates(self) -> UpdateFirmware | UpdatePpmidFirmware | None:
        """Return the body of an 11.1 or 11.4."""
        body = self.request.body
        return body if isinstance(body, UpdateFirmware | UpdatePpmidFirmware) else None

    @property
    def warning(self) -> Warning11 | None:
        content = None if self.answer is None else self.answer.content
        return content if isinstance(content, DspUpdateFirmwareWarning | DspUpdatePpmidFirmwareWarning) else None

    @property
    def taken(self) -> tuple[Eui64, ...]:
        """Return the devices an 11.1 or 11.4 was accepted for: those of its list that no warning leaves out."""
        body, warning = self.updates, self.warning
        if body is None or not self.accepted:
            return ()
        left_out = () if warning is None else (
            *warning.invalid_device_ids, *warning.not_commissioned_device_ids,
            *warning.not_applicable_firmware_device_ids, *warning.other_request_in_progress,
            *warning.invalid_gbcs_version,
        )  # fmt: skip
        return tuple(device for device in body.device_ids if device not in left_out)


class Correspondence(NamedTuple):
    """All messages of the users, in order of time."""

    mail: tuple[Mail, ...]
    exchanges: tuple[Exchange, ...]
    unreadable: tuple[str, ...]  # messages that are not what the schema allows

    def dcc_alerts(self, kind: type[A]) -> Iterator[tuple[Mail, str, A]]:
        """Yield (mail, code, payload) of the DCC alerts with this payload."""
        for mail in self.mail:
            body = mail.response.body
            if isinstance(body, DccAlertMessage) and isinstance(body.alert, kind):
                yield mail, body.dcc_alert_code, body.alert

    def device_alerts(self) -> Iterator[tuple[Mail, int, bytes]]:
        """Yield (mail, alert code, GBCS octets) of the alerts of devices, those of dated commands too."""
        for mail in self.mail:
            body = mail.response.body
            if isinstance(body, DeviceAlertMessage):
                yield mail, body.alert_code, body.gbcs_payload
            elif isinstance(mail.content, FutureDatedDeviceAlertMessage):
                yield mail, mail.content.alert_code, mail.content.gbcs_payload

    def device_answers(self) -> Iterator[tuple[Mail, bytes]]:
        """Yield (mail, GBCS octets) of the answers of devices."""
        for mail in self.mail:
            if isinstance(mail.content, GbcsPayload):
                yield mail, mail.content.octets

    def answer_of_device(self, exchange: Exchange) -> tuple[Mail, bytes] | None:
        """Return what the device answered to a request, None if nothing came."""
        for mail, octets in self.device_answers():
            if mail.user == exchange.user and mail.response.request_id == exchange.request.request_id:
                return mail, octets
        return None

    def last_inventory(self) -> dict[Eui64, InventoryDevice]:
        """Return what the last 8.2 that named a device said of it."""
        told: dict[Eui64, InventoryDevice] = {}
        for mail in self.mail:
            if isinstance(mail.content, DspInventory):
                told |= {device.device_id: device for device in mail.content.devices}
        return told

    def of_service(self, *services: str) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.request.service in services]


def read_correspondence(received: Sequence[Logged], sent: Sequence[Logged]) -> Correspondence:
    """Parse all messages and pair requests with their synchronous answers.

    A message the codec refuses is told in `unreadable` and left out.
    """
    unreadable: list[str] = []
    mail = [
        Mail(logged.user, f"mailboxes/{logged.place}", logged.time, response)
        for logged in received
        if (response := _parsed(parse_response, logged, "mailboxes", unreadable)) is not None
    ]
    requests = [
        (logged, request)
        for logged in sent
        if (request := _parsed(parse_request, logged, "requests", unreadable)) is not None
    ]
    mail.sort(key=lambda message: message.time)  # stable: each user's order stays
    requests.sort(key=lambda pair: pair[0].time)
    return Correspondence(tuple(mail), _pair(requests, mail), tuple(unreadable))


P = TypeVar("P", Request, Response)


def _parsed(parse: Callable[[bytes], P], logged: Logged, folder: str, unreadable: list[str]) -> P | None:
    try:
        return parse(logged.octets)
    except DuisError as error:
        unreadable.append(f"{folder}/{logged.place}: {error}")
        return None


def _pair(requests: Sequence[tuple[Logged, Request]], mail: Sequence[Mail]) -> tuple[Exchange, ...]:
    """Give each request the first answer of the DSP itself to its RequestID that no earlier request took."""
    waiting: dict[tuple[str, object], list[Mail]] = {}
    for message in mail:
        response = message.response
        if response.response_id is None and response.request_id is not None:
            waiting.setdefault((message.user, response.request_id), []).append(message)
    exchanges = []
    for logged, request in requests:
        answers = waiting.get((logged.user, request.request_id), [])
        answer = answers.pop(0) if answers and answers[0].time >= logged.time else None
        place = f"requests/{logged.place}"
        exchanges.append(Exchange(logged.user, place, logged.time, logged.octets, request, answer))
    return tuple(exchanges)
