"""The identities hold of what was stored and is answered, after every step of any history, on both databases."""

from hypothesis import HealthCheck, settings
from stored_histories import StoredHistories

SETTINGS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=12,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class OnSqlite(StoredHistories):
    kind = "sqlite"


class OnPostgres(StoredHistories):
    kind = "postgresql"


OnSqlite.TestCase.settings = SETTINGS
OnPostgres.TestCase.settings = SETTINGS
TestHistoriesOnSqlite = OnSqlite.TestCase
TestHistoriesOnPostgres = OnPostgres.TestCase
