"""What a question may say: the two clocks, how fresh the answer must be, and which page of it. Unknown names are refused."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from domain.documents import KINDS
from ledger.outcomes import read_token
from projections.answers import AsOf
from projections.reader import Reader
from tieout.api.problems import ApiCode, Problem

LIMIT = 100
MOST = 1_000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TOKEN = re.compile(r"\d+:\d+")


def _day(text: Any) -> Any:
    """Only as it is written by everybody: other forms would be taken for numbers of seconds."""
    if isinstance(text, str) and not _DAY.fullmatch(text):
        raise ValueError("must be a date, YYYY-MM-DD")
    return text


NO_CONTROLS = r"^[^\x00-\x1f\x7f]+$"
TOKEN = r"^[0-9]{1,4}:[0-9]{1,18}$"
_KNOWN = (
    r"^([0-9]{1,4}:[0-9]{1,18}|(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|[+ -][0-1][0-9]:[0-5][0-9]))$"
)
_CODE = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
Day = Annotated[
    date,
    BeforeValidator(_day),
    Field(ge=date(1900, 1, 1), le=date(2199, 12, 31), examples=["2026-01-31"]),
]
Customer = Annotated[
    str,
    Field(
        min_length=1, max_length=200, pattern=NO_CONTROLS, description="Only of this customer.", examples=["C000123"]
    ),
]
Currency = Annotated[
    str, Field(pattern="^[A-Z]{3}$", description="Only in this currency (ISO 4217).", examples=["CNY"])
]
Account = Annotated[str, Field(pattern=_CODE, description="Only this account, by its code.", examples=["1122"])]
Document = Annotated[
    str,
    Field(
        max_length=220,
        pattern=NO_CONTROLS,
        description="Only this document, kind:series:number:revision.",
        examples=["invoice::4711:1"],
    ),
]
BookPath = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="The book 账套, by its id.", examples=["main"])
]
CustomerPath = Annotated[
    str, Path(min_length=1, max_length=200, pattern=NO_CONTROLS, description="The customer.", examples=["C000123"])
]
CurrencyPath = Annotated[str, Path(pattern="^[A-Z]{3}$", description="The currency (ISO 4217).", examples=["CNY"])]
KindPath = Annotated[Literal[KINDS], Path(description="The kind of the document.", examples=["invoice"])]  # type: ignore[valid-type]
NumberPath = Annotated[
    str,
    Path(min_length=1, max_length=90, pattern=NO_CONTROLS, description="The document's number.", examples=["4711"]),
]
Series = Annotated[
    str,
    Query(max_length=100, pattern=r"^[^\x00-\x1f\x7f:]*$", description="The document's series; none by default."),
]
Revision = Annotated[int, Query(ge=1, le=9999, description="The document's revision.")]


class Fresh(BaseModel):
    """How fresh an answer must be."""

    model_config = ConfigDict(extra="forbid")

    min_position: str | None = Field(
        None,
        pattern=TOKEN,
        description="Answer from at least this log position, as a write returned it. Waits for some seconds; then 503.",
        examples=["0:3"],
    )


class Asked(Fresh):
    """A question with its two clocks."""

    as_of: Day | None = Field(
        None, description="Effective as of this day of the book's calendar; without it, all that is booked."
    )
    known_as_of: str | None = Field(
        None,
        max_length=40,
        pattern=_KNOWN,
        description="Known as of this log position, or instant with its offset; without it, all that is known.",
        examples=["0:3", "2026-02-01T00:00:00Z"],
    )

    def moment(self, reader: Reader) -> AsOf:
        """The two clocks, resolved. Raises ``Problem``."""
        return AsOf(self.as_of, position_of(reader, self.known_as_of))


class Page(Asked):
    """A question whose answer is a list."""

    limit: int = Field(LIMIT, ge=1, le=MOST, description="Rows of a page of JSON.")
    cursor: str | None = Field(
        None, max_length=2_000, description="`next` of the page before; with the same other parameters."
    )


def position_of(reader: Reader, known_as_of: str | None) -> int | None:
    """The log position of ``known_as_of``; None where it is not given. Raises ``Problem``."""
    if known_as_of is None:
        return None
    if _TOKEN.fullmatch(known_as_of):
        try:
            position = read_token(known_as_of)
        except ValueError:
            raise Problem(ApiCode.KNOWN, parameter="known_as_of") from None
        if position > reader.position:
            raise Problem(ApiCode.POSITION if position <= reader.head() else ApiCode.KNOWN, parameter="known_as_of")
        return position
    try:
        # A plus that was not escaped came as a space.
        instant = datetime.fromisoformat(known_as_of.replace(" ", "+"))
        return reader.position_at(instant)
    except (ValueError, OverflowError):
        raise _wrong() from None


def _wrong() -> Problem:
    rule = "known_as_of: must be a position, such as 0:123, or an instant with its offset"
    return Problem(ApiCode.PARAMETER, parameter="known_as_of", rule=rule)
