"""The log, the head row, the register, tracking, and what is kept beside the log.

``shard`` stands first in every key (0 in the first release). The key of ``events`` is the log position: dense, given by
the head row. Instants are microseconds since 1970 UTC. On PostgreSQL texts sort by their bytes, as on SQLite.
"""

from alembic import op

revision = "0001"
down_revision = None

SQLITE = (
    """
    CREATE TABLE events (
        rowid INTEGER PRIMARY KEY,
        shard SMALLINT NOT NULL,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        recorded_us BIGINT NOT NULL,
        UNIQUE (shard, originator_id, originator_version)
    )
    """,
    """
    CREATE TABLE snapshots (
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        PRIMARY KEY (originator_id, originator_version)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE ledger_head (
        shard SMALLINT PRIMARY KEY,
        position BIGINT NOT NULL,
        recorded_us BIGINT NOT NULL,
        generation BIGINT NOT NULL
    )
    """,
    "INSERT INTO ledger_head VALUES (0, 0, 0, 0)",
    # position: that of the last event of the command; events: how many it has; awaited: the document it waits for.
    """
    CREATE TABLE receipts (
        shard SMALLINT NOT NULL,
        source TEXT NOT NULL,
        source_id TEXT NOT NULL,
        digest BLOB NOT NULL,
        position BIGINT NOT NULL,
        events INTEGER NOT NULL,
        awaited TEXT,
        origin TEXT,
        PRIMARY KEY (shard, source, source_id)
    ) WITHOUT ROWID
    """,
    # position: that of the event that entered the document (of its FactDeferred, if it waited); last: that of the last
    # event of the command.
    """
    CREATE TABLE documents (
        shard SMALLINT NOT NULL,
        book TEXT NOT NULL,
        document TEXT NOT NULL,
        digest BLOB NOT NULL,
        position BIGINT NOT NULL,
        last BIGINT NOT NULL,
        events INTEGER NOT NULL,
        awaited TEXT,
        PRIMARY KEY (shard, book, document)
    ) WITHOUT ROWID
    """,
    # Later events that concern a document.
    """
    CREATE TABLE touches (
        shard SMALLINT NOT NULL,
        book TEXT NOT NULL,
        document TEXT NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (shard, book, document, position)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE tracking (
        application_name TEXT NOT NULL,
        notification_id BIGINT NOT NULL,
        PRIMARY KEY (application_name)
    ) WITHOUT ROWID
    """,
    # The library's mark that there is one tracking row an application.
    "INSERT INTO tracking VALUES ('__migration__', 1)",
    """
    CREATE TABLE attachments (
        shard SMALLINT NOT NULL,
        digest BLOB NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (shard, digest)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE parties (
        shard SMALLINT NOT NULL,
        book TEXT NOT NULL,
        customer TEXT NOT NULL,
        name TEXT NOT NULL,
        language TEXT NOT NULL,
        address TEXT NOT NULL,
        PRIMARY KEY (shard, book, customer)
    ) WITHOUT ROWID
    """,
    # mark: what tells two entries apart, so that the same message is quarantined once. status: open, booked, dismissed.
    """
    CREATE TABLE quarantine (
        id INTEGER PRIMARY KEY,
        shard SMALLINT NOT NULL,
        mark BLOB NOT NULL,
        book TEXT NOT NULL,
        source TEXT NOT NULL,
        source_id TEXT,
        origin TEXT NOT NULL,
        code TEXT NOT NULL,
        field TEXT NOT NULL,
        value TEXT NOT NULL,
        rule TEXT NOT NULL,
        raw TEXT NOT NULL,
        recorded_us BIGINT NOT NULL,
        status TEXT NOT NULL,
        position BIGINT,
        reason TEXT,
        UNIQUE (shard, mark)
    )
    """,
    "CREATE INDEX quarantine_by_source ON quarantine (shard, status, source, source_id)",
)

POSTGRESQL = (
    """
    CREATE TABLE events (
        position BIGINT PRIMARY KEY,
        shard SMALLINT NOT NULL,
        originator_id TEXT COLLATE "C" NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT COLLATE "C" NOT NULL,
        state BYTEA NOT NULL,
        recorded_us BIGINT NOT NULL,
        UNIQUE (shard, originator_id, originator_version)
    )
    """,
    """
    CREATE TABLE snapshots (
        originator_id TEXT COLLATE "C" NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT COLLATE "C" NOT NULL,
        state BYTEA NOT NULL,
        PRIMARY KEY (originator_id, originator_version)
    )
    """,
    # One row that every commit changes: room on its page keeps the change from touching the index.
    """
    CREATE TABLE ledger_head (
        shard SMALLINT PRIMARY KEY,
        position BIGINT NOT NULL,
        recorded_us BIGINT NOT NULL,
        generation BIGINT NOT NULL
    ) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0)
    """,
    "INSERT INTO ledger_head VALUES (0, 0, 0, 0)",
    """
    CREATE TABLE receipts (
        shard SMALLINT NOT NULL,
        source TEXT COLLATE "C" NOT NULL,
        source_id TEXT COLLATE "C" NOT NULL,
        digest BYTEA NOT NULL,
        position BIGINT NOT NULL,
        events INTEGER NOT NULL,
        awaited TEXT COLLATE "C",
        origin TEXT COLLATE "C",
        PRIMARY KEY (shard, source, source_id)
    )
    """,
    """
    CREATE TABLE documents (
        shard SMALLINT NOT NULL,
        book TEXT COLLATE "C" NOT NULL,
        document TEXT COLLATE "C" NOT NULL,
        digest BYTEA NOT NULL,
        position BIGINT NOT NULL,
        last BIGINT NOT NULL,
        events INTEGER NOT NULL,
        awaited TEXT COLLATE "C",
        PRIMARY KEY (shard, book, document)
    )
    """,
    """
    CREATE TABLE touches (
        shard SMALLINT NOT NULL,
        book TEXT COLLATE "C" NOT NULL,
        document TEXT COLLATE "C" NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (shard, book, document, position)
    )
    """,
    """
    CREATE TABLE tracking (
        application_name TEXT COLLATE "C" PRIMARY KEY,
        notification_id BIGINT NOT NULL
    ) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0)
    """,
    """
    CREATE TABLE attachments (
        shard SMALLINT NOT NULL,
        digest BYTEA NOT NULL,
        bytes BYTEA NOT NULL,
        PRIMARY KEY (shard, digest)
    )
    """,
    """
    CREATE TABLE parties (
        shard SMALLINT NOT NULL,
        book TEXT COLLATE "C" NOT NULL,
        customer TEXT COLLATE "C" NOT NULL,
        name TEXT NOT NULL,
        language TEXT NOT NULL,
        address TEXT NOT NULL,
        PRIMARY KEY (shard, book, customer)
    )
    """,
    """
    CREATE TABLE quarantine (
        id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        shard SMALLINT NOT NULL,
        mark BYTEA NOT NULL,
        book TEXT COLLATE "C" NOT NULL,
        source TEXT COLLATE "C" NOT NULL,
        source_id TEXT COLLATE "C",
        origin TEXT NOT NULL,
        code TEXT NOT NULL,
        field TEXT NOT NULL,
        value TEXT NOT NULL,
        rule TEXT NOT NULL,
        raw TEXT NOT NULL,
        recorded_us BIGINT NOT NULL,
        status TEXT COLLATE "C" NOT NULL,
        position BIGINT,
        reason TEXT,
        UNIQUE (shard, mark)
    )
    """,
    "CREATE INDEX quarantine_by_source ON quarantine (shard, status, source, source_id)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)
