"""Import of a file: tables through a mapping, JSON lines of commands as they are.

The same file again books nothing, nor do its rows in another order; a file that grew books the rest; a run that was
killed is simply run again. All of that is the ledger's doing: a document's source id and content come from its rows
alone, never from the file's name, a line number or an order. Memory is bounded whatever the size of the file, by the
largest document.
"""

import gc
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from consumers.assembling import Assembler
from consumers.commands import parse_command
from consumers.mapping import Mapping
from consumers.problems import ImportFailed
from consumers.reading import failing, format_of, open_bytes, read_rows
from consumers.sorting import Spool
from ledger.outcomes import Outcome, Status, Submission, Unreadable
from ledger.parties import Party

if TYPE_CHECKING:
    from ledger.ledger import Ledger

PROBLEMS_SHOWN = 20
_NOT_BOOKED = {Status.CONFLICT, Status.REFUSED}
_CHUNK = 1 << 20
_FULL_COLLECTION = 100_000
"""Commands from one full garbage collection to the next."""
_TELL_EVERY = 5000
"""Rows from one word about progress to the next while the file is read."""


class Progress(NamedTuple):
    """How far an import is: rows read while ``rows_total`` is None, then rows whose documents have been answered."""

    rows_done: int
    rows_total: int | None
    commands_done: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was not booked: where it stands in the file, and what is wrong."""

    lines: str
    source_id: str | None
    code: str
    field: str
    value: str
    rule: str


class Summary(msgspec.Struct, kw_only=True):
    """What an import did.

    ``commands`` = booked + duplicate + conflict + refused + waiting. ``quarantined``: how many of them stand open in
    quarantine now. ``problems``: the first of those that were not booked. ``seconds``: how long it took.
    """

    file_digest: str
    rows: int = 0
    commands: int = 0
    booked: int = 0
    duplicate: int = 0
    conflict: int = 0
    refused: int = 0
    waiting: int = 0
    quarantined: int = 0
    problems: list[Problem] = []
    seconds: float = 0.0


class _Taken(NamedTuple):
    """One message on its way in, how many rows it is made of, and who its customer is."""

    entry: Submission | Unreadable
    rows: int
    party: Party | None = None


Tell = Callable[[Progress], None]


def import_file(
    ledger: "Ledger",
    path: Path,
    *,
    book: str,
    mapping: Mapping | None = None,
    batch_size: int = 500,
    progress: Tell | None = None,
    now_us: int | None = None,
) -> Summary:
    """Book what a file holds, ``batch_size`` commands a commit, and say what became of it.

    What cannot be booked goes to quarantine with code, field and line. Raises ``ImportFailed`` where the file cannot be
    read at all; then nothing of a table was booked. ``now_us``: the instant of recording, by default the clock's.
    """
    started = perf_counter()
    path = Path(path)
    with failing(path):
        digest, lines = _digest(path)
    tell = progress or (lambda at: None)
    with _collecting_between_batches():
        if mapping is None:
            if format_of(path) != "jsonl":
                raise ImportFailed("mapping_must_be_given", file=path.name)
            summary = _submit_all(ledger, _commands(path, book, digest), digest, batch_size, tell, lines, now_us)
        else:
            summary = _import_table(ledger, path, book, mapping, digest, batch_size, tell, now_us)
    summary.problems.sort(key=lambda problem: int(re.split(r"\D", problem.lines, maxsplit=1)[0]))
    summary.seconds = perf_counter() - started
    return summary


@contextmanager
def _collecting_between_batches() -> Iterator[None]:
    """No garbage collection while a batch is made and booked: it would walk what is alive, a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _digest(path: Path) -> tuple[str, int | None]:
    """SHA-256 of a file's bytes as hexadecimal text, and how many lines it has, if it is not packed."""
    hashed, lines, packed = hashlib.sha256(), 0, path.suffix.lower() == ".gz"
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
            lines += chunk.count(b"\n")
    return hashed.hexdigest(), None if packed else lines


def _commands(path: Path, book: str, digest: str) -> Iterator[_Taken]:
    """Commands as lines."""
    with failing(path), open_bytes(path) as stream:
        for line, text in enumerate(stream, 1):
            text = text.removeprefix(b"\xef\xbb\xbf").strip() if line == 1 else text.strip()
            if text:
                yield _Taken(parse_command(text, origin=f"file:{digest}:{line}", book=book, quarantine=True), 1)


def _holds_commands(path: Path) -> bool:
    """Whether the first line of a file is a command or an event, rather than a row."""
    with failing(path), open_bytes(path) as stream:
        first = next((line for line in stream if line.strip()), b"")
    try:
        return not {"command", "specversion"}.isdisjoint(msgspec.json.decode(first, type=dict[str, msgspec.Raw]))
    except msgspec.DecodeError:
        return False


def _import_table(
    ledger: "Ledger",
    path: Path,
    book: str,
    mapping: Mapping,
    digest: str,
    batch_size: int,
    tell: Tell,
    now_us: int | None,
) -> Summary:
    if format_of(path, mapping.source) == "jsonl" and _holds_commands(path):
        raise ImportFailed("mapping_must_fit_format", file=path.name, format="JSON lines of commands")
    opened = ledger.book(book)
    if opened is None:
        raise ImportFailed("book_must_exist", book=book)
    suspects: dict[str, int] = {}
    assembler = Assembler(mapping, opened, digest, suspects)
    with Spool() as spool:
        for row in read_rows(path, mapping.source, mapping.used):
            day, key = assembler.key(row.line, row.cells)
            spool.put(day, key, row.line, row.cells, row.fits)
            for cell in row.stray:
                suspects.setdefault(cell, row.line)
            if spool.rows % _TELL_EVERY == 0:
                tell(Progress(spool.rows, None, 0))
        taken = (
            _Taken(made.entry, len(gathered.lines), made.party)
            for gathered in spool.documents()
            for made in (assembler.assemble(gathered),)
        )
        return _submit_all(ledger, taken, digest, batch_size, tell, spool.rows, now_us)


def _submit_all(
    ledger: "Ledger",
    messages: Iterator[_Taken],
    digest: str,
    batch_size: int,
    tell: Tell,
    total: int | None,
    now_us: int | None,
) -> Summary:
    summary = Summary(file_digest=digest)
    parties: dict[str, Party] = {}
    batch: list[_Taken] = []

    def submit() -> None:
        new = {taken.party.customer: taken.party for taken in batch if taken.party is not None}
        changed = [party for customer, party in new.items() if parties.get(customer) != party]
        if changed:
            ledger.put_parties(changed)
            parties.update(new)
        outcomes = ledger.submit([taken.entry for taken in batch], now_us=now_us)
        before = summary.commands
        _count(summary, batch, outcomes)
        batch.clear()
        # Now and then also what has grown old since.
        gc.collect(2 if before // _FULL_COLLECTION != summary.commands // _FULL_COLLECTION else 1)
        tell(Progress(summary.rows, total, summary.commands))

    for message in messages:
        batch.append(message)
        if len(batch) >= batch_size:
            submit()
    if batch:
        submit()
    return summary


def _count(summary: Summary, batch: Sequence[_Taken], outcomes: Sequence[Outcome]) -> None:
    """Add what became of a batch."""
    counted = Counter(outcome.status for outcome in outcomes)
    for status, count in counted.items():
        setattr(summary, status.value, getattr(summary, status.value) + count)
    summary.commands += len(batch)
    summary.rows += sum(taken.rows for taken in batch)
    if not counted.keys() & _NOT_BOOKED:
        return
    for taken, outcome in zip(batch, outcomes, strict=True):
        if outcome.status in _NOT_BOOKED:
            summary.quarantined += 1
            if len(summary.problems) < PROBLEMS_SHOWN:
                summary.problems.append(_problem(taken.entry, outcome))


def _problem(entry: Submission | Unreadable, outcome: Outcome) -> Problem:
    return Problem(
        lines=(entry.origin or "").split(":", 2)[-1],
        source_id=entry.command.source_id if isinstance(entry, Submission) else entry.source_id,
        code=outcome.code or "",
        field=outcome.field or "",
        value=outcome.value or "",
        rule=outcome.rule or "",
    )
