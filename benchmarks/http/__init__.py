"""The HTTP API under load: against the same framework doing nothing, the database alone, and the ledger without HTTP."""
