"""The suppression windows of MP102B, recomputed from the supplier's requests and the answers it got."""

from typing import NamedTuple

from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import payload_of
from gateway.campaigns.verify.messages import Exchange
from protocols.addresses import Eui64
from protocols.duis.bodies import ActivateFirmware, SignedPreCommand
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceType
from protocols.duis.times import CANCELLATION_DATE_TIME
from protocols.errors import DecodeError
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs06
from protocols.interfaces import DAY, MILLISECOND, MINUTE, SECOND

WINDOW = 30 * MINUTE
HORIZON = 30 * DAY  # a date may lie this far ahead
IMMEDIATE, DATED = "immediate", "dated"


class Activation(NamedTuple):
    """An 11.3 whose Signed Pre-Command the DSP accepted."""

    exchange: Exchange
    device: Eui64
    accepted: int  # ns UTC, of the acknowledgement
    date: int | None  # ns UTC, of a dated one
    cancels: bool
    counter: int  # originator counter of the CS06
    image_hash: bytes  # of the manufacturer image it names
    confirmed: int | None  # when the device's acceptance of a date or cancellation came back

    @property
    def request_id(self) -> RequestId:
        return self.exchange.request.request_id


class Window(NamedTuple):
    """AD1 of the ESME's hub received in [start, end) are suppressed, unless it was taken back before."""

    esme: Eui64
    hub: Eui64 | None
    start: int
    end: int
    kind: str
    activation: Activation
    taken_back: int | None  # when a confirmed cancellation or replacement ended it, before its start

    def covers(self, time: int) -> bool:
        return self.taken_back is None and self.start <= time < self.end


def activations(evidence: Evidence) -> list[Activation]:
    """Return all accepted signed 11.3, in order of acceptance."""
    found = []
    for exchange in evidence.users.of_service("11.3"):
        body = exchange.request.body
        if not (exchange.accepted and exchange.answer is not None and isinstance(body, SignedPreCommand)):
            continue
        command, date = _command(body.gbcs_payload), date_of(exchange)
        cancels = date == cs06.CANCEL
        found.append(
            Activation(
                exchange=exchange,
                device=exchange.target,
                accepted=exchange.answer.time,
                date=None if cancels else date,
                cancels=cancels,
                counter=exchange.request.request_id.counter if command is None else command.originator_counter,
                image_hash=b"" if command is None else command.image_hash,
                confirmed=_confirmed(evidence, exchange),
            )
        )
    return sorted(found, key=lambda activation: activation.accepted)


def date_of(exchange: Exchange) -> int | None:
    """Return the date an 11.3 names, `cs06.CANCEL` for a cancellation: of its CS06 if it has one, else of the XML."""
    body = exchange.request.body
    command = _command(body.gbcs_payload) if isinstance(body, SignedPreCommand) else None
    if command is not None:
        return command.execution_time
    date = body.execution_date_time if isinstance(body, ActivateFirmware | SignedPreCommand) else None
    return cs06.CANCEL if date == CANCELLATION_DATE_TIME else date


def _command(octets: bytes) -> cs06.Command | None:
    try:
        return payload_of(cs06.Command.decode, Message.decode(octets))
    except DecodeError:
        return None


def _confirmed(evidence: Evidence, exchange: Exchange) -> int | None:
    """Return when the device's answer "accepted" to a dated or cancelling CS06 reached the user."""
    answered = evidence.users.answer_of_device(exchange)
    if answered is None:
        return None
    mail, octets = answered
    try:
        answer = payload_of(cs06.Response.decode, Message.decode(octets))
    except DecodeError:
        return None
    return mail.time if answer is not None and answer.outcome is None else None


def windows(evidence: Evidence) -> list[Window]:
    """Return the windows of all tracked ESME, in order of acceptance."""
    found: list[Window] = []
    for activation in activations(evidence):
        if not is_tracked(evidence, activation.device):
            continue
        if activation.confirmed is not None and (activation.cancels or activation.date is not None):
            found = [_taken_back(window, activation) for window in found]
        if not activation.cancels:
            found.append(_window(evidence, activation))
    return found


def is_tracked(evidence: Evidence, device: Eui64) -> bool:
    return device in evidence.tracked and evidence.types.get(device) is DeviceType.ESME


def _window(evidence: Evidence, activation: Activation) -> Window:
    start, kind = activation.accepted, IMMEDIATE
    if activation.date is not None and activation.date > activation.accepted:
        start, kind = activation.date, DATED
    hub = evidence.hub_at(activation.device, start)
    return Window(activation.device, hub, start, start + WINDOW, kind, activation, None)


def _taken_back(window: Window, later: Activation) -> Window:
    """End a window that has not begun when the device confirms that a later command took its place."""
    if later.confirmed is None or window.esme != later.device or window.taken_back is not None:
        return window
    return window._replace(taken_back=later.confirmed) if later.confirmed < window.start else window


def open_at(found: list[Window], hub: Eui64, time: int) -> Window | None:
    """Return a window that suppresses an AD1 of `hub` received at `time`."""
    return next((window for window in found if window.hub == hub and window.covers(time)), None)


def last_before(found: list[Window], hub: Eui64, time: int) -> Window | None:
    """Return the window of `hub` that ended last before or at `time`."""
    over = [w for w in found if w.hub == hub and w.taken_back is None and w.end <= time]
    return max(over, key=lambda window: window.end, default=None)


def margin(time: int) -> str:
    """Return a span as minutes and seconds, with hours from one on, cut to the millisecond: "29:59", "36:00:00.25"."""
    minutes, rest = divmod(abs(time), MINUTE)
    fraction = f"{rest % SECOND // MILLISECOND:03d}".rstrip("0")
    hours = f"{minutes // 60}:{minutes % 60:02d}" if minutes >= 60 else str(minutes)
    return ("-" if time < 0 else "") + f"{hours}:{rest // SECOND:02d}" + (f".{fraction}" if fraction else "")
