"""Where answers go: tables and JSON to stdout, notes, progress and errors to stderr.

Without a terminal there are no colours and no bars, and a table is as wide as its contents, so that nothing is cut.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

if TYPE_CHECKING:
    from rich.table import Table

UNCUT = 10_000
"""Columns of a table that goes to a file or a pipe: more than any table needs."""
ProgressCallback = Callable[[int, int | None], None]


def write(text: str, stream: TextIO | None = None) -> None:
    """A line of text."""
    print(text, file=sys.stdout if stream is None else stream)


def note(text: str) -> None:
    """A line beside the answer."""
    write(text, sys.stderr)


def show(table: "Table") -> None:
    """A table on stdout; on a terminal that is too narrow even for its short columns, with lines as long as they are."""
    if not sys.stdout.isatty():
        write(as_text(table, UNCUT))
        return
    from rich.console import Console

    from tieout.render.grid import narrow

    console = Console(markup=False, highlight=False, emoji=False)
    console.width = max(console.width, narrow(table))
    console.print(table)


def as_text(table: "Table", width: int) -> str:
    """A table as plain lines without colours or trailing blanks."""
    from rich.console import Console

    text = StringIO()
    console = Console(file=text, width=width, color_system=None, force_terminal=False, markup=False, highlight=False)
    console.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def json(answer: Mapping[str, Any]) -> None:
    """One JSON object on a line."""
    write(msgspec.json.encode(answer).decode())


def json_with_rows(
    head: Mapping[str, Any], name: str, rows: Iterable[Any], tail: Callable[[], Mapping[str, Any]] | None = None
) -> None:
    """One JSON object with a list that is written as it is read, a row a line, however many there are.

    ``tail`` gives the fields after the list, once it has been read.
    """
    opening = msgspec.json.encode(head).decode()[:-1]
    sys.stdout.write(f"{opening}{',' if head else ''}{msgspec.json.encode(name).decode()}:[")
    for number, one in enumerate(rows):
        sys.stdout.write(("\n" if number == 0 else ",\n") + msgspec.json.encode(one).decode())
    rest = msgspec.json.encode(tail() if tail else {}).decode()[1:]
    write(f"]{',' if len(rest) > 1 else ''}{rest}")


@contextmanager
def bar(label: str, unit: str) -> Iterator[ProgressCallback | None]:
    """A progress bar on stderr with the rate in ``unit`` a second, from the first word on; None without a terminal.

    The callback is told (done, total); a total of None is not known.
    """
    if not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as stack:
        update: Callable[[int, int | None], None] | None = None

        def told(done: int, total: int | None) -> None:
            nonlocal update
            if update is None:
                update = stack.enter_context(_progress(label, unit))
            update(done, total)

        yield told


@contextmanager
def _progress(label: str, unit: str) -> Iterator[Callable[[int, int | None], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None, rate="")

        def update(done: int, total: int | None) -> None:
            seconds = progress.tasks[0].elapsed or 0
            rate = f"{round(done / seconds):,} {unit}/s" if seconds > 0 else ""
            progress.update(task, completed=done, total=total, rate=rate)

        yield update
