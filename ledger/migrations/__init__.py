"""Migrations of the ledger's tables by alembic, forward only; projection tables are rebuilt, never migrated."""
