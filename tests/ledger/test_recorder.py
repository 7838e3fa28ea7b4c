"""The recorder tests that eventsourcing ships, on our recorder with text ids and a real file."""

import tempfile
import threading
from pathlib import Path
from uuid import uuid4

from eventsourcing.sqlite import SQLiteDatastore
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)

from ledger.recorder import LedgerRecorder


class OnOurRecorder:
    def new_originator_id(self) -> str:
        return f"acct:main:{uuid4()}:CNY"

    def setUp(self) -> None:
        self.threads = set(threading.enumerate())
        self.folder = tempfile.TemporaryDirectory()
        path = str(Path(self.folder.name) / "store.sqlite")
        self.datastore = SQLiteDatastore(path, lock_timeout=30, originator_id_type="text")

    def tearDown(self) -> None:
        # The library's concurrent test does not wait for its readers; a connection closed under one ends the process.
        for thread in set(threading.enumerate()) - self.threads:
            thread.join(60)
        self.datastore.close()
        self.folder.cleanup()

    def create_recorder(self) -> LedgerRecorder:
        recorder = LedgerRecorder(self.datastore, events_table_name="events")
        recorder.create_table()
        return recorder


class TestApplicationRecorder(OnOurRecorder, ApplicationRecorderTestCase[LedgerRecorder]):
    pass


class TestProcessRecorder(OnOurRecorder, ProcessRecorderTestCase):
    pass


class TestTrackingRecorder(OnOurRecorder, TrackingRecorderTestCase):
    pass


class TestNonInterleaving(OnOurRecorder, NonInterleavingNotificationIDsBaseCase):
    pass


# pytest would collect the imported base classes too.
del ApplicationRecorderTestCase, ProcessRecorderTestCase, TrackingRecorderTestCase
del NonInterleavingNotificationIDsBaseCase
