"""The tables of the store. Their columns are those of `gateway.dsp.records`; a test holds the two together.

Times are ns since 1970 UTC; EUI-64 16 lower hexadecimal digits; firmware versions 8 upper ones; hashes hexadecimal.
"""

from sqlalchemy import MetaData, Table

from gateway.store import columns

SCHEMA_VERSION = 2  # the newest in `migrations/versions`

metadata = MetaData()


def _state(name: str, key: str, text: str) -> Table:
    return columns.state(metadata, name, key, text)


def _records(name: str, text: str) -> Table:
    return columns.records(metadata, name, text)


_state(
    "inventory", "device",
    "device type status? manufacturer model firmware_version? variant? hub? owner? mpxn? secondary_mpan? export_mpan? "
    "smets_version? associated_gpf? han_variant? csp_region? #added? #commissioned? suspended_from? recovered_from? "
    "#joined?",
)  # fmt: skip
_records("inventory_history", "#time device field old? new? cause")
_state(
    "products", "type manufacturer model firmware_version",
    "type manufacturer model firmware_version smets_version gbcs_version hash status equipment?",
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
    "export_mpan? #local #dated",
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

# Of the store itself; the DSP does not see them. Lines are told in `gateway.northbound`.
journal = _state("journal", "line message_id", "line #message_id #time *octets *reply?")
outbox = _state("outbox", "line message_id", "line #message_id *octets")
lines = _state("lines", "line", "line #received #sent")

OWN = (journal, outbox, lines)
DATA = tuple(table for table in metadata.tables.values() if table not in OWN)
