"""The tables of the store. Their columns are those of `gateway.dsp.records`; a test holds the two together.

Times are ns since 1970 UTC; EUI-64 16 lower hexadecimal digits; firmware versions 8 upper ones; hashes hexadecimal.
"""

from sqlalchemy import BigInteger, Column, Integer, MetaData, PrimaryKeyConstraint, Table, Text
from sqlalchemy.types import TypeEngine

SCHEMA_VERSION = 1

metadata = MetaData()

_OPTIONAL, _INTEGER = "?", "#"


def _column(text: str) -> Column[object]:
    """Make a column of `name`, `name?` (may be NULL), `#name` (64-bit integer) or `#name?`."""
    name = text.strip(_OPTIONAL + _INTEGER)
    kind: TypeEngine[int] | TypeEngine[str] = BigInteger() if text.startswith(_INTEGER) else Text()
    return Column(name, kind, nullable=text.endswith(_OPTIONAL))


def _state(name: str, key: str, columns: str) -> Table:
    """Make a table of rows by key."""
    return Table(name, metadata, *map(_column, columns.split()), PrimaryKeyConstraint(*key.split()))


def _records(name: str, columns: str) -> Table:
    """Make a table of records in order of their arrival."""
    number = Column("number", Integer, primary_key=True, autoincrement=True)
    return Table(name, metadata, number, *map(_column, columns.split()))


schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

_state(
    "inventory", "device",
    "device type status? manufacturer model firmware_version? variant? hub? owner? mpxn? secondary_mpan? export_mpan? "
    "smets_version? associated_gpf? han_variant? csp_region? #added? #commissioned? suspended_from? recovered_from? "
    "#joined?",
)  # fmt: skip
_records("inventory_history", "#time device field old? new? cause")
_state(
    "products", "type manufacturer model firmware_version",
    "type manufacturer model firmware_version smets_version gbcs_version hash status",
)  # fmt: skip
_state("users", "user", "user roles #active")
_state("premises", "mpxn", "mpxn supplier? network_operator? uprn? postcode? address?")
_state(
    "firmware_updates", "request_id device",
    "request_id service device version state user hub hash #requested #changed reason?",
)  # fmt: skip
_records("firmware_update_history", "#time request_id device version state reason?")
_state(
    "activations", "request_id",
    "request_id user device hash kind #execution? state #transformed #accepted? #sequence?",
)  # fmt: skip
_state(
    "commands", "originator device counter",
    "originator device #counter request_id user service hub #message_code #due held? subject? mpxn? secondary_mpan? "
    "export_mpan? #local",
)  # fmt: skip
_state("transforms", "request_id", "request_id user service device subject? pre_command #transformed")
_state("schedules", "schedule_id", "#schedule_id owner device service #created")
_state("quarantine", "reference", "#reference request_id user service octets #time state")
_state("device_logs", "hub", "hub #counter #time extended_pan_id keys")
_state("request_counters", "originator target", "originator target #counter")
_state("counters", "name", "name #value")
_state("suppression_windows", "request_id", "esme hub? #start #end kind request_id state #accepted #sequence")
_records("suppression_events", "#time esme request_id event #start #end")
_records(
    "power_outage_audit",
    "#received hub mpxn? #started decision esme? #window_start? #window_end? recipient? request_id? kind? "
    "#window_seconds list_version policy #duplicate",
)
_records("alerts", "#time code originator decision recipient? signature #counter?")
_records("requests", "#time user request_id service #variant code")
_records("refused_messages", "#time hub? device? #message_code? reason")
