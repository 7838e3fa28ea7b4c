"""The recorder tests that eventsourcing ships, on our recorder with text ids, on both databases."""

import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from databases import store_of
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)

from ledger.recorder import LedgerRecorder


class OnSqlite:
    kind = "sqlite"

    def new_originator_id(self) -> str:
        return f"acct:main:{uuid4()}:CNY"

    def setUp(self) -> None:
        self.threads = set(threading.enumerate())
        self.held = ExitStack()
        folder = self.held.enter_context(tempfile.TemporaryDirectory())
        self.location = self.held.enter_context(store_of(self.kind, Path(folder)))

    def tearDown(self) -> None:
        # The library's concurrent test does not wait for its readers; a connection closed under one ends the process.
        for thread in set(threading.enumerate()) - self.threads:
            thread.join(60)
        self.held.close()

    def create_recorder(self) -> LedgerRecorder:
        recorder = LedgerRecorder(self.location)
        self.held.callback(recorder.close)
        return recorder


class OnPostgres(OnSqlite):
    kind = "postgresql"


class TestApplicationRecorder(OnSqlite, ApplicationRecorderTestCase[LedgerRecorder]):
    pass


class TestProcessRecorder(OnSqlite, ProcessRecorderTestCase):
    pass


class TestTrackingRecorder(OnSqlite, TrackingRecorderTestCase):
    pass


class TestNonInterleaving(OnSqlite, NonInterleavingNotificationIDsBaseCase):
    pass


class TestApplicationRecorderOnPostgres(OnPostgres, ApplicationRecorderTestCase[LedgerRecorder]):
    pass


class TestProcessRecorderOnPostgres(OnPostgres, ProcessRecorderTestCase):
    pass


class TestTrackingRecorderOnPostgres(OnPostgres, TrackingRecorderTestCase):
    pass


class TestNonInterleavingOnPostgres(OnPostgres, NonInterleavingNotificationIDsBaseCase):
    pass


# pytest would collect the imported base classes too.
del ApplicationRecorderTestCase, ProcessRecorderTestCase, TrackingRecorderTestCase
del NonInterleavingNotificationIDsBaseCase
