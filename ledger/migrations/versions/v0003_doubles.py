"""Doubles: what a feed delivered again, though it was in the books."""

from alembic import op

revision = "0003"
down_revision = "0002"

# The origin of the first delivery stands in the receipt. sequence: the number that the message had this time.
DOUBLES = """
    CREATE TABLE doubles (
        shard SMALLINT NOT NULL,
        source {text} NOT NULL,
        source_id {text} NOT NULL,
        origin {text} NOT NULL,
        sequence BIGINT,
        recorded_us BIGINT NOT NULL,
        PRIMARY KEY (shard, source, source_id, origin)
    ){end}
"""


def upgrade() -> None:
    """Add the table."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    text, end = ('TEXT COLLATE "C"', "") if postgresql else ("TEXT", " WITHOUT ROWID")
    op.execute(DOUBLES.format(text=text, end=end))
