"""What is kept beside the log: attachments, parties, what stands in quarantine or is parked, and what is paused."""

from collections.abc import Iterable, Iterator

from ledger.database import Connection
from ledger.parties import Party
from ledger.quarantine import Parked, Quarantined

_PUT_PARTY = """INSERT INTO parties VALUES (0, ?, ?, ?, ?, ?) ON CONFLICT (shard, book, customer) DO UPDATE
    SET name = excluded.name, language = excluded.language, address = excluded.address"""
_PARTY_COLUMNS = "book, customer, name, language, address"
_QUARANTINE_COLUMNS = (
    "id, book, source, source_id, origin, code, field, value, rule, raw, recorded_us, status, position, reason,"
    " lane, attempts"
)
_FREED = """SELECT lane FROM parked WHERE shard = 0 AND NOT EXISTS (SELECT 1 FROM quarantine q
    WHERE q.shard = 0 AND q.status = 'open' AND q.lane = parked.lane) GROUP BY lane ORDER BY min(id)"""
_PARKED = """SELECT id, lane, book, source, source_id, origin, raw, recorded_us FROM parked
    WHERE shard = 0 AND (:lane IS NULL OR lane = :lane) ORDER BY id"""


class Beside:
    """Reads and writes beside the log, each write a transaction of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put_parties(self, parties: Iterable[Party]) -> int:
        """Set who customers are, all or none; how many."""
        rows = [(p.book, p.customer, p.name, p.language, p.address) for p in parties]
        with self._connection.writing():
            self._connection.executemany(_PUT_PARTY, rows)
        return len(rows)

    def parties(self, book: str, customer: str | None = None) -> Iterator[Party]:
        """The parties of a book (or the one of a customer), by customer."""
        rows = self._connection.execute(
            f"SELECT {_PARTY_COLUMNS} FROM parties WHERE shard = 0 AND book = :book"
            " AND (:customer IS NULL OR customer = :customer) ORDER BY customer",
            {"book": book, "customer": customer},
        )
        for found, name_of, name, language, address in rows:
            yield Party(book=found, customer=name_of, name=name, language=language, address=address)

    def attachment(self, digest: bytes) -> bytes | None:
        """The bytes of a digest (SHA-256), or None."""
        rows = self._connection.execute("SELECT bytes FROM attachments WHERE shard = 0 AND digest = ?", (digest,))
        row = rows.fetchone()
        return bytes(row[0]) if row is not None else None

    def erase_party(self, book: str, customer: str) -> bool:
        """Forget who a customer is; its accounts stay. Whether there was anything to forget."""
        changed = self._connection.execute(
            "DELETE FROM parties WHERE shard = 0 AND book = ? AND customer = ?", (book, customer)
        )
        return changed.rowcount > 0

    def quarantined(
        self, book: str | None = None, status: str | None = "open", entry: int | None = None, after: int = 0
    ) -> Iterator[Quarantined]:
        """Entries in quarantine in the order of their arrival; ``status`` None: of every status."""
        rows = self._connection.execute(
            f"SELECT {_QUARANTINE_COLUMNS} FROM quarantine WHERE shard = 0 AND (:book IS NULL OR book = :book)"
            " AND (:status IS NULL OR status = :status) AND (:entry IS NULL OR id = :entry) AND id > :after ORDER BY id",
            {"book": book, "status": status, "entry": entry, "after": after},
        )
        names = Quarantined.__struct_fields__
        for row in rows:
            yield Quarantined(**dict(zip(names, row, strict=True)))

    def freed_lanes(self) -> list[str]:
        """Lanes with parked messages and nothing open in quarantine, by the oldest message."""
        return [lane for (lane,) in self._connection.execute(_FREED)]

    def parked(self, lane: str | None = None) -> Iterator[Parked]:
        """Parked messages, in the order of arrival."""
        names = Parked.__struct_fields__
        for row in self._connection.execute(_PARKED, {"lane": lane}):
            yield Parked(**dict(zip(names, row, strict=True)))

    def pause(self, name: str, reason: str, now_us: int) -> bool:
        """Note that what is called so is paused; whether it was not."""
        statement = "INSERT INTO paused VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        return self._connection.execute(statement, (name, now_us, reason)).rowcount > 0

    def resume(self, name: str) -> bool:
        """Note that it goes on; whether it was paused."""
        return self._connection.execute("DELETE FROM paused WHERE name = ?", (name,)).rowcount > 0

    def is_paused(self, name: str) -> bool:
        """Whether what is called so is paused."""
        return self._connection.execute("SELECT 1 FROM paused WHERE name = ?", (name,)).fetchone() is not None
