"""One run of a command: its settings, its language, the program's parts, and how a question's two clocks are read."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from tieout.cli import output
from tieout.errors import UsageFault
from tieout.messages import Texts, from_locale

if TYPE_CHECKING:
    from domain.book import Book
    from projections.answers import AsOf
    from projections.reader import Reader
    from tieout.settings import Settings
    from tieout.wiring import App


class Session:
    """A context manager around a command's work. ``as_json``: the answer is for a program."""

    def __init__(self, overrides: Mapping[str, Any], *, as_json: bool = False) -> None:
        self._overrides = {name: value for name, value in overrides.items() if name != "debug"}
        self.as_json = as_json

    def __enter__(self) -> Self:
        from tieout.logging import configure

        configure(self.settings.log_level, self.settings.log_format)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if "app" in self.__dict__:
            self.app.close()

    @property
    def overrides(self) -> Mapping[str, Any]:
        """The settings that the command line gave."""
        return {name: value for name, value in self._overrides.items() if value is not None}

    def override(self, **given: Any) -> "Settings":
        """The settings, with what a command's own options give."""
        self._overrides |= {name: value for name, value in given.items() if value is not None}
        del self.settings
        return self.settings

    @cached_property
    def settings(self) -> "Settings":
        """The settings; raises ``UsageFault`` where one is wrong."""
        from tieout.settings import load

        return load(self._overrides)

    @cached_property
    def texts(self) -> Texts:
        """The message table of the language chosen."""
        import os

        return Texts(self.settings.lang or from_locale(os.environ))

    @cached_property
    def app(self) -> "App":
        """The program's parts."""
        from tieout.wiring import build

        return build(self.settings)

    def say(self, key: str, **values: object) -> None:
        """A line of the answer, from the message table."""
        output.write(self.texts(key, **values))

    def note(self, key: str, **values: object) -> None:
        """A line beside the answer, from the message table."""
        output.note(self.texts(key, **values))

    def log(self, event: str, **values: object) -> None:
        """A line of the log, at level info."""
        import structlog

        structlog.get_logger("tieout").info(event, **values)

    def reader(self) -> "Reader":
        """A reader that has followed the log to its head, with a bar where that takes long."""
        with output.bar(self.texts("word.following"), self.texts("unit.events")) as told:
            reader = self.app.reader(told)
        self.log("followed", position=reader.position)
        return reader

    def question(self, as_of: str | None = None, known_as_of: str | None = None, *, today: bool = False) -> "Question":
        """The two clocks of a question, resolved. ``today``: without a day, the day it is in the book."""
        from ledger.outcomes import token
        from projections.answers import AsOf

        effective_on = day(as_of, "--as-of")
        book = self.app.book()
        reader = self.reader()
        known = None if known_as_of is None else position(reader, book, known_as_of)
        if effective_on is None and today:
            effective_on = self.app.today(book)
        answered = token(reader.position if known is None else known)
        return Question(book, reader, AsOf(effective_on, known), answered, known_as_of)

    def footer(self, question: "Question") -> None:
        """What an answer for people is of: under every table."""
        effective_on = question.as_of.effective_on
        day_words = (
            self.texts("footer.every_day") if effective_on is None else self.texts("footer.day", day=effective_on)
        )
        output.write("")
        self.say("footer.position", book=question.book.book, position=question.position, day=day_words)


class Question(NamedTuple):
    """What is asked of whom: the book, the reader, the two clocks; ``position`` is the token that the answer is of."""

    book: "Book"
    reader: "Reader"
    as_of: "AsOf"
    position: str
    known_as_of: str | None

    @property
    def head(self) -> dict[str, Any]:
        """The first fields of every JSON answer."""
        return {
            "book": self.book.book,
            "as_of": self.as_of.effective_on,
            "known_as_of": self.known_as_of,
            "position": self.position,
        }


def day(text: str | None, option: str) -> date | None:
    """A day from the command line; ``UsageFault`` unless it is an ISO date that exists."""
    if text is None:
        return None
    try:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise UsageFault("error.day_wrong", option=option, value=text) from None


def position(reader: "Reader", book: "Book", text: str) -> int:
    """The log position that an option names: a token, an instant, or a day (its end, in the book's time zone)."""
    from ledger.outcomes import read_token

    if ":" in text and text.replace(":", "").isdigit() and text.count(":") == 1:
        try:
            known = read_token(text)
        except ValueError:
            raise UsageFault("error.position_wrong", value=text) from None
        if known > reader.position:
            raise UsageFault("error.position_ahead", value=text, head=f"0:{reader.position}")
        return known
    return reader.position_at(_instant(text, ZoneInfo(book.time_zone)))


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), zone) - timedelta(
                microseconds=1
            )
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageFault("error.instant_wrong", value=text) from None
    return instant.replace(tzinfo=zone) if instant.tzinfo is None else instant
