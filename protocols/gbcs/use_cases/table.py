"""The table of use cases: one row a message code, for naming, building, access control and tests.

Rows of the use cases built here are complete; of the others the table knows name, direction and language only, and
`critical` is None. Access rows without a reference message are marked inferred.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from protocols.gbcs.envelope import Cra
from protocols.gbcs.smki import RemotePartyRole as Role
from protocols.gbcs.use_cases.names import TITLES, name_of


class Language(Enum):
    DER = "DER"
    DLMS = "DLMS"
    GBZ = "GBZ"


class DeviceKind(Enum):
    """Kinds of devices with credentials of their own. An Alt HAN bridge is a PPMID to GBCS."""

    ESME = "ESME"
    GSME = "GSME"
    CHF = "CHF"
    GPF = "GPF"
    PPMID = "PPMID"
    HCALCS = "HCALCS"
    SAPC = "SAPC"  # a load controller commands it; none is emulated


class Access(NamedTuple):
    """Who may send a command to which kinds of devices."""

    originator: Role
    devices: tuple[DeviceKind, ...]
    on_behalf: bool = False  # the originator, the access control broker, fronts a supplementary party
    inferred: bool = False  # no reference message shows it
    signed: bool | None = None  # None: as the use case says; else whether such commands are signed
    mac: bool = True  # whether they bear a MAC


@dataclass(frozen=True, slots=True)
class UseCase:
    """One row."""

    message_code: int
    name: str
    title: str
    directions: tuple[Cra, ...]
    languages: tuple[Language, ...]
    critical: bool | None = None  # signed, else MAC only; None: not known or both occur
    replay_protected: bool = False  # a command needs a counter above the last one accepted
    access: tuple[Access, ...] = ()
    alerts_go_to: tuple[Role, ...] = ()
    between_devices: bool = False  # a command of one device to another, whose MAC is of their own two keys
    module: str | None = None  # of this package, with the payload classes Command, Response, Alert, GsmeAlert

    def access_of(self, originator: Role, device: DeviceKind, *, on_behalf: bool = False) -> Access | None:
        """Return the row that lets `originator` command a device of that kind, None if it may not."""
        for access in self.access:
            if access.originator == originator and device in access.devices and access.on_behalf == on_behalf:
                return access
        return None


COMMANDS, ALERT = (Cra.COMMAND, Cra.RESPONSE), (Cra.ALERT,)
_DER, _DLMS, _GBZ = (Language.DER,), (Language.DLMS,), (Language.GBZ,)
_ACB, _SUPPLIER, _OPERATOR = Role.ACCESS_CONTROL_BROKER, Role.SUPPLIER, Role.NETWORK_OPERATOR
_TCOS, _RECOVERY, _WAN = Role.TRANSITIONAL_COS, Role.RECOVERY, Role.WAN_PROVIDER
_LOAD_CONTROLLER = Role.LOAD_CONTROLLER
_ESME, _GSME, _CHF, _GPF = DeviceKind.ESME, DeviceKind.GSME, DeviceKind.CHF, DeviceKind.GPF
_PPMID, _HCALCS, _SAPC = DeviceKind.PPMID, DeviceKind.HCALCS, DeviceKind.SAPC
_HUB_LOG = (Access(_ACB, (_CHF,), on_behalf=True), Access(_ACB, (_CHF,), inferred=True))


def _commands(
    code: int, module: str, languages: tuple[Language, ...], *access: Access, critical: bool, replay: bool
) -> UseCase:
    name, title = name_of(code), TITLES[code]
    return UseCase(code, name, title, COMMANDS, languages, critical, replay, access, module=module)


def _alert(code: int, module: str, languages: tuple[Language, ...], *targets: Role, critical: bool | None) -> UseCase:
    return UseCase(code, name_of(code), TITLES[code], ALERT, languages, critical, alerts_go_to=targets, module=module)


def _replacement(code: int, *access: Access) -> UseCase:
    return _commands(code, "cs02b", _DER, *access, critical=True, replay=True)


_HUB = (
    _commands(0x0001, "ccs01", _DLMS, *_HUB_LOG, critical=False, replay=True),
    _commands(0x0002, "ccs02", _DLMS, *_HUB_LOG, critical=False, replay=True),
    _commands(0x0003, "ccs03", _DLMS, *_HUB_LOG, critical=False, replay=True),
    _commands(0x0004, "ccs04", _DLMS, *_HUB_LOG, critical=False, replay=False),
    _commands(0x010F, "ccs04", _DLMS, *_HUB_LOG, critical=False, replay=False),
    _commands(0x00FE, "ccs07", _DLMS, *_HUB_LOG, critical=False, replay=False),
    _alert(0x0018, "cs14", _DLMS, _ACB, critical=False),
    _alert(0x0128, "ccs08", _DER, _ACB, critical=True),
)
_FIRMWARE = (
    _commands(
        0x0012, "cs06", _DER,
        Access(_SUPPLIER, (_ESME,)), Access(_SUPPLIER, (_GSME, _HCALCS), inferred=True),
        critical=True, replay=True,
    ),
    _commands(
        0x0059, "ecs52", _DLMS,
        Access(_SUPPLIER, (_ESME,)), Access(_ACB, (_CHF,), on_behalf=True), Access(_OPERATOR, (_ESME,), inferred=True),
        Access(_ACB, (_ESME, _CHF), inferred=True), Access(_ACB, (_ESME,), on_behalf=True, inferred=True),
        critical=False, replay=False,
    ),
    _commands(
        0x0084, "gcs38", _GBZ,
        Access(_SUPPLIER, (_GSME,)), Access(_SUPPLIER, (_GPF,), inferred=True),
        Access(_ACB, (_GSME, _GPF), on_behalf=True, inferred=True),
        critical=False, replay=False,
    ),
    _commands(
        0x0129, "cs08", _DER,
        Access(_ACB, (_PPMID,), on_behalf=True), Access(_ACB, (_HCALCS,), on_behalf=True, inferred=True),
        Access(_ACB, (_PPMID, _HCALCS), inferred=True),
        critical=False, replay=False,
    ),
    _alert(0x00CA, "cs06", _DER, _SUPPLIER, critical=True),
    _alert(0x00CE, "fdra", _DLMS, _SUPPLIER, critical=True),
    _alert(0x00CF, "fdra", _GBZ, _SUPPLIER, critical=True),
    _alert(0x012B, "cs09", _DER, _ACB, critical=True),
)  # fmt: skip
_JOINING = (
    _commands(0x000D, "cs03", _DER, Access(_SUPPLIER, (_ESME,)), critical=True, replay=True),
    _commands(
        0x00AB, "cs03", _DER, Access(_SUPPLIER, (_HCALCS,)), Access(_ACB, (_PPMID,), on_behalf=True),
        Access(_ACB, (_PPMID,), inferred=True), critical=True, replay=True,
    ),
    _commands(
        0x000E, "cs03", _DER, Access(_SUPPLIER, (_GSME,)), Access(_ACB, (_GSME,), on_behalf=True),
        Access(_SUPPLIER, (_GPF, _ESME), inferred=True), Access(_ACB, (_GPF, _ESME), on_behalf=True, inferred=True),
        critical=False, replay=True,
    ),
    _commands(
        0x00AF, "cs03", _DER, Access(_SUPPLIER, (_GSME,)), Access(_ACB, (_PPMID,), on_behalf=True),
        Access(_ACB, (_PPMID,), inferred=True), critical=True, replay=True,
    ),
    _commands(
        0x000F, "cs04", _DER, Access(_SUPPLIER, (_ESME,)), Access(_ACB, (_PPMID,), on_behalf=True),
        Access(_SUPPLIER, (_GSME, _HCALCS), inferred=True), Access(_ACB, (_PPMID,), inferred=True),
        critical=True, replay=True,
    ),
    _commands(
        0x0010, "cs04", _DER, Access(_SUPPLIER, (_GSME,)), Access(_SUPPLIER, (_GPF, _ESME), inferred=True),
        Access(_ACB, (_GSME, _GPF, _ESME), on_behalf=True, inferred=True), critical=False, replay=True,
    ),
    _commands(
        0x0013, "cs07", _DER, Access(_SUPPLIER, (_GSME,)), Access(_ACB, (_GSME,), on_behalf=True),
        Access(_SUPPLIER, (_ESME, _HCALCS, _GPF), inferred=True),
        Access(_ACB, (_ESME, _HCALCS, _GPF, _PPMID), on_behalf=True, inferred=True),
        critical=False, replay=False,
    ),
    _commands(
        0x008C, "gcs59", _DER, Access(_ACB, (_GPF,), on_behalf=True, inferred=True),
        Access(_ACB, (_GPF,), inferred=True), critical=False, replay=True,
    ),
    _alert(0x00B2, "gcs62", _DER, _ACB, critical=False),
)  # fmt: skip
_READINGS = (
    _commands(
        0x0027, "ecs17b", _DLMS, Access(_SUPPLIER, (_ESME,), inferred=True), Access(_OPERATOR, (_ESME,), inferred=True),
        Access(_ACB, (_ESME,), on_behalf=True, inferred=True), critical=False, replay=False,
    ),
    _commands(
        0x0074, "gcs13a", _GBZ, Access(_SUPPLIER, (_GSME,), inferred=True), Access(_OPERATOR, (_GSME,), inferred=True),
        Access(_ACB, (_GSME,), on_behalf=True, inferred=True), critical=False, replay=False,
    ),
)  # fmt: skip
_OPERATIONAL_DATA = (
    *(
        _commands(
            code, "ecs23", _DLMS, Access(_SUPPLIER, (_ESME,)), Access(_OPERATOR, (_ESME,)),
            Access(_ACB, (_ESME,), on_behalf=True), critical=False, replay=False,
        )
        for code in (0x0039, 0x00BC)
    ),
    _commands(
        0x0048, "ecs35", _DLMS, Access(_SUPPLIER, (_ESME,)), Access(_ACB, (_ESME,), on_behalf=True, inferred=True),
        critical=False, replay=False,
    ),
    _commands(
        0x0049, "ecs35", _DLMS, Access(_SUPPLIER, (_ESME,)), Access(_ACB, (_ESME,), on_behalf=True, inferred=True),
        critical=False, replay=False,
    ),
    _commands(
        0x00B9, "ecs35", _DLMS, Access(_SUPPLIER, (_ESME,)), Access(_OPERATOR, (_ESME,), inferred=True),
        Access(_ACB, (_ESME,), on_behalf=True, inferred=True), critical=False, replay=False,
    ),
    _commands(
        0x00BB, "ecs61a", _DLMS, Access(_SUPPLIER, (_ESME,)), Access(_OPERATOR, (_ESME,), inferred=True),
        Access(_ACB, (_ESME,), on_behalf=True, inferred=True), critical=False, replay=False,
    ),
)  # fmt: skip
_CLOCKS = (
    _commands(0x0062, "ecs70", _DLMS, Access(_SUPPLIER, (_ESME,), inferred=True), critical=True, replay=True),
    _commands(0x007F, "gcs28", _DER, Access(_SUPPLIER, (_GSME,), inferred=True), critical=True, replay=True),
)
_ALL = (_ESME, _GSME, _CHF, _GPF, _PPMID, _HCALCS)
_CREDENTIALS = (
    _commands(
        0x0008, "cs02a", _DER,
        Access(_ACB, _ALL),
        Access(_SUPPLIER, (_ESME, _GSME, _GPF, _HCALCS), inferred=True, signed=True, mac=False),
        Access(_OPERATOR, (_ESME, _GSME, _GPF), inferred=True, signed=True, mac=False),
        Access(_TCOS, (_ESME, _GSME, _GPF, _HCALCS), inferred=True, signed=True, mac=False),
        Access(_RECOVERY, _ALL, inferred=True, signed=True, mac=False),
        Access(_WAN, (_CHF,), inferred=True, signed=True, mac=False),
        critical=False, replay=False,
    ),
    _commands(
        0x011B, "cs02a", _DER,
        Access(_ACB, (_SAPC,), inferred=True),
        Access(_LOAD_CONTROLLER, (_SAPC,), inferred=True, signed=True, mac=False),
        Access(_SUPPLIER, (_SAPC,), inferred=True, signed=True, mac=False),
        critical=False, replay=False,
    ),
    _replacement(0x0100, Access(_SUPPLIER, (_ESME, _GSME, _GPF, _HCALCS), inferred=True)),
    _replacement(0x0101, Access(_WAN, (_CHF,), inferred=True)),
    _replacement(
        0x0102, Access(_SUPPLIER, (_ESME,)), Access(_ACB, (_GPF,)),
        Access(_SUPPLIER, (_GSME, _GPF, _HCALCS), inferred=True),
        Access(_ACB, (_ESME, _GSME, _HCALCS), inferred=True),
    ),
    _replacement(
        0x0103, Access(_OPERATOR, (_ESME,)), Access(_ACB, (_GPF,)),
        Access(_OPERATOR, (_GSME, _GPF), inferred=True), Access(_ACB, (_ESME, _GSME), inferred=True),
    ),
    _replacement(
        0x0104, Access(_ACB, (_ESME,), signed=False),
        Access(_ACB, (_GSME, _GPF, _PPMID, _HCALCS), inferred=True, signed=False), Access(_ACB, (_CHF,), inferred=True),
    ),
    _replacement(0x0105, Access(_WAN, (_CHF,))),
    _replacement(0x0106, Access(_TCOS, (_ESME,)), Access(_TCOS, (_GSME, _GPF, _HCALCS), inferred=True)),
    _replacement(0x0107, Access(_TCOS, (_ESME,)), Access(_TCOS, (_GSME, _GPF, _HCALCS), inferred=True)),
    _replacement(
        0x0108, Access(_RECOVERY, (_ESME,), mac=False),
        Access(_RECOVERY, (_GSME, _CHF, _GPF, _PPMID, _HCALCS), inferred=True, mac=False),
    ),
    _replacement(0x0109, Access(Role.ROOT, _ALL, inferred=True, mac=False)),
    _replacement(0x0125, Access(_LOAD_CONTROLLER, (_SAPC,), inferred=True)),
    _replacement(0x0126, Access(_SUPPLIER, (_SAPC,), inferred=True)),
    _alert(0x00CB, "cs02b", _DER, _SUPPLIER, _OPERATOR, _TCOS, _ACB, _WAN, critical=True),
    _alert(0x0124, "cs02b", _DER, _SUPPLIER, _LOAD_CONTROLLER, critical=True),
)  # fmt: skip
_OTHER_ALERTS = (
    _alert(0x0067, "ecs80", _DLMS, _OPERATOR, critical=True),
    _alert(0x00F0, "miiwa", _DLMS, _SUPPLIER, critical=False),
    _alert(0x00F2, "miiwa", _GBZ, _SUPPLIER, critical=False),
    _alert(0x00D5, "undelivered", _DLMS, _ACB, critical=True),
    _alert(0x0114, "undelivered", _DLMS, _ACB, critical=False),
    _alert(0x0120, "ecs100", _DLMS, _SUPPLIER, _ACB, critical=True),
    _alert(0x1000, "generic_alert", (*_DLMS, *_GBZ), _SUPPLIER, _OPERATOR, _ACB, _WAN, critical=True),
    _alert(0x1001, "generic_alert", (*_DLMS, *_GBZ), _SUPPLIER, _OPERATOR, _ACB, critical=False),
)

_UNTYPED_ALERTS = (0x0061, 0x008B, 0x00CC, 0x00CD, *range(0x0110, 0x0116), 0x0123)
_LANGUAGES = {"ECS": _DLMS, "CCS": _DLMS, "DBCH": _DLMS, "PECS": _DLMS, "HECS": _DLMS, "GCS": _GBZ, "PCS": _GBZ}
_BETWEEN_DEVICES = ("PCS", "PECS", "HECS")
_OTHER_LANGUAGES = {
    0x0007: _DLMS, 0x0097: _GBZ, 0x007F: _DER, 0x00CC: _DLMS, 0x00CD: _GBZ,
    **dict.fromkeys((0x0014, 0x0015, 0x00A1), (*_DLMS, *_GBZ)),
}  # fmt: skip


def _untyped(code: int) -> UseCase:
    name = name_of(code)
    by_prefix = next((found for prefix, found in _LANGUAGES.items() if name.startswith(prefix)), _DER)
    directions = ALERT if code in _UNTYPED_ALERTS else COMMANDS
    between_devices = name.startswith(_BETWEEN_DEVICES)
    languages = _OTHER_LANGUAGES.get(code, by_prefix)
    return UseCase(code, name, TITLES[code], directions, languages, between_devices=between_devices)


def _by_code(typed: Iterable[UseCase]) -> dict[int, UseCase]:
    rows = {use_case.message_code: use_case for use_case in typed}
    return {code: rows[code] if code in rows else _untyped(code) for code in sorted(TITLES)}


USE_CASES = _by_code(
    (*_HUB, *_FIRMWARE, *_JOINING, *_READINGS, *_OPERATIONAL_DATA, *_CLOCKS, *_CREDENTIALS, *_OTHER_ALERTS)
)  # by message code, in order


def by_name(name: str) -> tuple[UseCase, ...]:
    """Return the use cases of a name, in any case: the whole name, one of its parts (`CCS04`), or the message code.

    Several share a name only in CS02b and CS02g, where the mode decides.
    """
    wanted = name.casefold()
    exact = tuple(row for row in USE_CASES.values() if wanted in (row.name.casefold(), f"{row.message_code:04x}"))
    return exact or tuple(
        row for row in USE_CASES.values()
        if wanted in row.name.casefold().split("/") or row.name.casefold().startswith(wanted + " ")
    )  # fmt: skip
