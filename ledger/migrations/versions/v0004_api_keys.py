"""API keys: who may do what over HTTP, each with the hash of its secret."""

from alembic import op

revision = "0004"
down_revision = "0003"

# hash: of the secret, by Argon2. grants: a JSON array of ROLE:BOOK. A row is never deleted: who did something by a key that
# is revoked can still be found.
API_KEYS = """
    CREATE TABLE api_keys (
        shard SMALLINT NOT NULL,
        key_id {text} NOT NULL,
        name {text} NOT NULL,
        hash {text} NOT NULL,
        grants {text} NOT NULL,
        created_us BIGINT NOT NULL,
        created_by {text} NOT NULL,
        expires_us BIGINT,
        revoked_us BIGINT,
        revoked_by {text},
        PRIMARY KEY (shard, key_id)
    ){end}
"""


def upgrade() -> None:
    """Add the table."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    text, end = ('TEXT COLLATE "C"', "") if postgresql else ("TEXT", " WITHOUT ROWID")
    op.execute(API_KEYS.format(text=text, end=end))
