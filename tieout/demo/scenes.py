"""What a demo plays with: the made-up year, or real retail sales where the sample data is present."""

import gzip
import os
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from ledger.parties import Party
from tieout.demo import company, year
from tieout.demo.days import FIRST, LAST, night_us
from tieout.errors import NotFound

SAMPLE_DATA = "TIEOUT_SAMPLE_DATA"
_SALES = Path("online_retail", "A_dev_2010-12_to_2011-02.csv.gz")
_MAPPING = Path("examples", "retail.toml")
_NIGHTS = (date(2010, 12, 20), date(2011, 1, 25), date(2011, 2, 28))
"""When the retail file is sent: each time the same file, grown by what was sold since."""
_DAY_OF_ROW = re.compile(rb",(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d,")


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A book, the files that are imported into it with the microseconds of their nights, and what is asked afterwards.

    Questions are asked as of ``day``, from ``first`` on where they have a beginning; ``earlier`` is the day that is
    looked at twice, as known at its own end and as known now. ``customer``: whose story is told; None: one is found.
    """

    opening: dict[str, Any]
    parties: list[Party]
    files: list[tuple[Path, int]]
    mapping: Path | None
    first: date
    day: date
    earlier: date
    customer: str | None
    title: str
    title_values: dict[str, object]

    @property
    def book(self) -> str:
        """The book's id."""
        book: str = self.opening["book"]
        return book


def wholesale(directory: Path, seed: int, customers: int) -> Scene:
    """The made-up year, written as files into a folder."""
    parties = list(company.parties(seed, customers))
    return Scene(
        opening=company.opening(),
        parties=parties,
        files=year.write_deliveries(directory, seed, customers),
        mapping=None,
        first=FIRST,
        day=LAST,
        earlier=LAST,
        customer=parties[0].customer,
        title="demo.wholesale",
        title_values={"customers": customers, "seed": seed},
    )


def retail(directory: Path, environ: Mapping[str, str] = os.environ) -> Scene:
    """Real sales, sent as a file that grows; raises ``NotFound`` where sample data or mapping are not there."""
    sales = Path(environ.get(SAMPLE_DATA) or "../shared/data") / _SALES
    for path, key in ((sales, "demo.no_sample"), (_MAPPING, "demo.no_mapping")):
        if not path.is_file():
            raise NotFound(key, path=path)
    return Scene(
        opening={
            "command": "OpenBook",
            "source": "demo",
            "source_id": "open-retail",
            "book": "retail",
            "name": "Online Retail",
            "base_currency": "GBP",
            "time_zone": "Europe/London",
        },
        parties=[],
        files=_grown(sales, directory),
        mapping=_MAPPING,
        first=date(2010, 12, 1),
        day=_NIGHTS[-1],
        earlier=date(2011, 1, 31),
        customer=None,
        title="demo.retail",
        title_values={},
    )


def _grown(sales: Path, directory: Path) -> list[tuple[Path, int]]:
    """The sales file as it was in each of the nights: its rows are in order of their days."""
    directory.mkdir(parents=True, exist_ok=True)
    rows = gzip.decompress(sales.read_bytes()).splitlines(keepends=True)
    files = []
    for night in _NIGHTS:
        last = night.isoformat().encode()
        path = directory / f"sales-until-{night.isoformat()}.csv"
        path.write_bytes(b"".join(row for row in rows if not (day := _DAY_OF_ROW.search(row)) or day[1] <= last))
        files.append((path, night_us(night)))
    return files
