"""Journal and outbox of a served DSP; whatever else came since version 1. Open until the next release."""

from gateway.store.migrations.changes import add_columns, add_state, drop_table

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    drop_table("schema_version")
    add_state("journal", "line message_id", "line #message_id #time *octets *reply?")
    add_state("outbox", "line message_id", "line #message_id *octets")
    add_state("lines", "line", "line #received #sent")
    add_columns("inventory", "recovered_from? #joined?")
    add_columns("products", "equipment?")
    add_columns("commands", "secondary_mpan? export_mpan?")
    add_columns("commands", "#local #dated", default="0")
    add_state("transforms", "request_id", "request_id user service device subject? pre_command #transformed")
    add_state("schedules", "schedule_id", "#schedule_id owner device service #created")
    add_state("quarantine", "reference", "#reference request_id user service octets #time state")
    add_state("device_logs", "hub", "hub #counter #time extended_pan_id keys")
