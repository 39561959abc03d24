"""The first schema: inventory, products, updates, activations, windows, audits.

Stores of this version tell it in a table `schema_version` of their own, which the next one replaces by alembic's.
"""

from alembic import op
from sqlalchemy import Column, Integer, MetaData, Table

from gateway.store.migrations.changes import add_records, add_state

revision, down_revision = "0001", None


def upgrade() -> None:
    add_state(
        "inventory", "device",
        "device type status? manufacturer model firmware_version? variant? hub? owner? mpxn? secondary_mpan? "
        "export_mpan? smets_version? associated_gpf? han_variant? csp_region? #added? #commissioned? suspended_from?",
    )  # fmt: skip
    add_records("inventory_history", "#time device field old? new? cause")
    add_state(
        "products", "type manufacturer model firmware_version",
        "type manufacturer model firmware_version smets_version gbcs_version hash status",
    )  # fmt: skip
    add_state("users", "user", "user roles #active")
    add_state("premises", "mpxn", "mpxn supplier? network_operator? uprn? postcode? address?")
    add_state(
        "firmware_updates", "request_id device",
        "request_id service device version state user hub hash #requested #changed reason?",
    )  # fmt: skip
    add_records("firmware_update_history", "#time request_id device version state reason?")
    add_state(
        "activations", "request_id",
        "request_id user device hash kind #execution? state #transformed #accepted? #sequence?",
    )  # fmt: skip
    add_state(
        "commands", "originator device counter",
        "originator device #counter request_id user service hub #message_code #due held? subject? mpxn?",
    )  # fmt: skip
    add_state("request_counters", "originator target", "originator target #counter")
    add_state("counters", "name", "name #value")
    add_state("suppression_windows", "request_id", "esme hub? #start #end kind request_id state #accepted #sequence")
    add_records("suppression_events", "#time esme request_id event #start #end")
    add_records(
        "power_outage_audit",
        "#received hub mpxn? #started decision esme? #window_start? #window_end? recipient? request_id? kind? "
        "#window_seconds list_version policy #duplicate",
    )
    add_records("alerts", "#time code originator decision recipient? signature #counter?")
    add_records("requests", "#time user request_id service #variant code")
    add_records("refused_messages", "#time hub? device? #message_code? reason")
    version = Table("schema_version", MetaData(), Column("version", Integer, primary_key=True))
    version.create(op.get_bind())
    op.bulk_insert(version, [{"version": 1}])
