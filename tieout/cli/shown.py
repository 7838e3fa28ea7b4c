"""Long answers: a table for people has an end, an answer for a program has all of it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from tieout.cli import output
from tieout.cli.session import Question, Session

SHOWN = 500
"""How many rows a table for people has at most, unless ``--limit`` says otherwise; 0 means all."""


class Shown:
    """The first rows of an answer that may be long, and whether there are more."""

    def __init__(self, found: Iterable[Any], limit: int | None) -> None:
        self.limit = SHOWN if limit is None else limit
        rows = list(islice(found, self.limit + 1) if self.limit else found)
        self.rows = rows[: self.limit] if self.limit else rows
        self._more = len(rows) > len(self.rows)

    def tell(self, session: Session) -> None:
        """Say so under the table where rows were left out."""
        if self._more:
            session.say("footer.more", limit=f"{self.limit:,}")


def show(
    session: Session, asked: Question, shown: Shown, table: Callable[..., Any], empty: str | None = None, **more: Any
) -> None:
    """An answer for people: its table (given ``more``), or the message where it is ``empty``, and what it is of."""
    if shown.rows or empty is None:
        output.show(table(shown.rows, session.texts, **more))
        shown.tell(session)
    else:
        session.say(empty)
    session.footer(asked)


def limited(found: Iterable[Any], limit: int | None) -> Iterator[Any]:
    """All of it for a program, unless it asked for less."""
    return islice(found, limit) if limit else iter(found)
