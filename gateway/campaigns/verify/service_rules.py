"""What the DSP ought to answer to 8.2, 8.4, joins and 12.2: the rules of MP170's legal text, written a second time.

They share nothing with the DSP. A rule is told a request and looks the inventory of that moment up with a `Referee`.
"""

from collections.abc import Callable, Mapping

from gateway.campaigns.verify.messages import Exchange
from gateway.campaigns.verify.referee import TYPE_2, Known, Referee
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceType, PpmidVariant
from protocols.duis.schema import has_ppmid_variant

_GONE = ("Decommissioned", "Withdrawn", None)
_EXCEPT_HUB = {("Pending", "InstalledNotCommissioned"), ("Whitelisted", "Pending")}
_OF_HUB = {
    ("Pending", "InstalledNotCommissioned"), ("InstalledNotCommissioned", "Commissioned"),
    ("Pending", "Commissioned"), ("Commissioned", "Withdrawn"),
}  # fmt: skip
_MPXN_STATUSES = ("Whitelisted", "InstalledNotCommissioned", "Commissioned")
_JOINED_BY_8_7_1 = (("ESME", "HCALCS"), ("ESME", "PPMID"), ("HCALCS", "ESME"), ("GSME", "PPMID"))
_MOVABLE = (DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS, DeviceType.PPMID)


Rule = Callable[[Referee, Exchange], str | None]
"""Returns the code that an exchange ought to have, "taken" for success; None where the rule says nothing of it."""

TAKEN = "taken"


def _reading(_: Referee, exchange: Exchange) -> str | None:
    """MP170-L2: whoever asks, of whatever device there is."""
    body = exchange.request.body
    if not isinstance(body, bodies.ReadInventory) or body.device_id is None:
        return None
    return TAKEN if _.known(body.device_id, exchange).type is not None else "E080202"


def change_of(exchange: Exchange) -> tuple[Eui64, object] | None:
    """Return the device and the change of an 8.4."""
    body = exchange.request.body
    return (body.device_id, body.change) if isinstance(body, bodies.UpdateInventory) else None


def _owned(referee: Referee, exchange: Exchange, device: Eui64) -> str:
    """Who may change details or delete: the owner, while the device is Pending, one without status at any time."""
    known = referee.known(device, exchange)
    if known.owner != str(exchange.request.request_id.originator):
        return "E080410"
    return TAKEN if known.type in TYPE_2 or known.status == "Pending" else "E080407"


def details(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L11."""
    change = change_of(exchange)
    if change is None or not isinstance(change[1], bodies.UpdateDeviceDetails):
        return None
    owned = _owned(referee, exchange, change[0])
    if owned == TAKEN and change[1] == bodies.UpdateDeviceDetails():
        return "E080408"
    return owned if owned != TAKEN or referee.listed_with(change[0], change[1], exchange) else "E080409"


def deleting(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L14."""
    change = change_of(exchange)
    return _owned(referee, exchange, change[0]) if change and isinstance(change[1], bodies.DeleteDevice) else None


def status(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L15."""
    change = change_of(exchange)
    if change is None or not isinstance(change[1], bodies.UpdateDeviceStatusExceptCh):
        return None
    known = referee.known(change[0], exchange)
    if not referee.responsible(change[0], exchange):
        return "E4"
    if known.type not in _MOVABLE:
        return "E080405"
    return TAKEN if (known.status, str(change[1].status)) in _EXCEPT_HUB else "E080406"


def hub_status(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L16."""
    change = change_of(exchange)
    if change is None or not isinstance(change[1], bodies.UpdateDeviceStatusCh):
        return None
    known = referee.known(change[0], exchange)
    if not referee.responsible(change[0], exchange):
        return "E4"
    if known.type != DeviceType.CHF:
        return "E080411"
    return TAKEN if (known.status, str(change[1].status)) in _OF_HUB else "E080412"


def _mpxn(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L18."""
    change = change_of(exchange)
    if change is None or not isinstance(change[1], bodies.UpdateMpxn):
        return None
    known, numbers = referee.known(change[0], exchange), change[1]
    electric = numbers.secondary_import_mpan is not None or numbers.export_mpan is not None
    if known.type not in (DeviceType.ESME, DeviceType.GSME) or (known.type == DeviceType.GSME and electric):
        return "E080413"
    if known.status not in _MPXN_STATUSES:
        return "E080414"
    mpxn = numbers.import_mpxn or numbers.secondary_import_mpan or numbers.export_mpan or ""
    allowed = ("", str(exchange.request.request_id.originator))
    return TAKEN if referee.supplier_of(mpxn) in allowed else "E080415"


def _is_bridge(known: Known) -> bool:
    return known.type == DeviceType.PPMID and known.variant not in (None, PpmidVariant.PPMID)


def _joining(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L25: no bridge is joined to a meter; what else is no pair is another rule's."""
    body = exchange.request.body
    if not isinstance(body, bodies.JoinServiceCritical):
        return None
    return "E080702" if _is_bridge(referee.known(body.other_device_id, exchange)) else _pairs(referee, exchange)


def _joining_ppmid(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L29: no meter is joined to a bridge."""
    if not isinstance(exchange.request.body, bodies.JoinServiceNonCritical):
        return None
    return "E080721" if _is_bridge(referee.known(exchange.target, exchange)) else TAKEN


def _pairs(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L22: which devices 8.7.1 joins; bridges are another rule's."""
    body = exchange.request.body
    if not isinstance(body, bodies.JoinServiceCritical):
        return None
    target, other = referee.known(exchange.target, exchange), referee.known(body.other_device_id, exchange)
    if _is_bridge(other):
        return None
    return TAKEN if (target.type, other.type) in _JOINED_BY_8_7_1 else "E080702"


def _prenotified(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-L30 to L32: a GPF, an identifier in use, PPMIDVariant, the products list."""
    body = exchange.request.body
    if not isinstance(body, bodies.DevicePrenotification):
        return None
    if body.device_type is DeviceType.GPF:
        return "E120207"
    known = referee.known(body.device_id, exchange)
    if known.type is not None and (known.status not in _GONE or known.type in TYPE_2):
        return "E120201"
    wanted = body.device_type is DeviceType.PPMID and has_ppmid_variant(exchange.request.schema_version)
    if (body.ppmid_variant is not None) is not wanted:
        return "E120204"
    product = (body.device_manufacturer, body.device_model, body.firmware_version or "")
    listed = body.device_type in TYPE_2 or referee.lists(str(body.device_type), *product)
    return TAKEN if listed else "E120203"


_BARRED = {
    bodies.JoinServiceCritical: "E080702",
    bodies.JoinServiceNonCritical: "E080721",
    bodies.UnjoinServiceCritical: "E080801",
    bodies.UnjoinServiceNonCritical: "E080821",
}


def _bridges_barred(referee: Referee, exchange: Exchange) -> str | None:
    """MP170-C6: joins and unjoins with a bridge on either side."""
    body = exchange.request.body
    code = _BARRED.get(type(body))
    if code is None:
        return None
    sides = (exchange.target, getattr(body, "other_device_id", exchange.target))
    return code if any(_is_bridge(referee.known(side, exchange)) for side in sides) else None


RULES: Mapping[str, tuple[str, Rule, frozenset[str]]] = {
    "MP170-L2": ("8.2 open to all", _reading, frozenset({TAKEN})),
    "MP170-L11": ("details by the owner", details, frozenset({TAKEN, "E080407", "E080408", "E080409", "E080410"})),
    "MP170-L14": ("deletion by the owner", deleting, frozenset({TAKEN, "E080407", "E080410"})),
    "MP170-L15": ("statuses by 8.4", status, frozenset({TAKEN, "E4", "E080405", "E080406"})),
    "MP170-L16": ("statuses of hubs by 8.4", hub_status, frozenset({TAKEN, "E4", "E080411", "E080412"})),
    "MP170-L18": ("MPxN by 8.4", _mpxn, frozenset({TAKEN, "E080413", "E080414", "E080415"})),
    "MP170-L22": ("pairs of 8.7.1", _pairs, frozenset({TAKEN, "E080702"})),
    "MP170-L25": ("8.7.1 without bridges", _joining, frozenset({TAKEN, "E080702"})),
    "MP170-L29": ("8.7.2 without bridges", _joining_ppmid, frozenset({TAKEN, "E080721"})),
    "MP170-C6": ("bridges neither joined nor unjoined", _bridges_barred, frozenset(_BARRED.values())),
    "MP170-L30": ("PPMIDVariant in 12.2", _prenotified, frozenset({TAKEN, "E120204"})),
    "MP170-L31": ("products of 12.2", _prenotified, frozenset({TAKEN, "E120203"})),
    "MP170-L32": ("identifiers in use", _prenotified, frozenset({TAKEN, "E120201", "E120207"})),
}
"""By requirement: name, rule, and the outcomes a run must show."""
