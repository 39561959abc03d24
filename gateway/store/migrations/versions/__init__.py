"""One module a schema version: `version_NNNN`, found by alembic."""
