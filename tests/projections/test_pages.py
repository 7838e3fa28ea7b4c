"""Pages of a list, joined, are the list: whatever their length, and whatever is booked between them."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date
from typing import Any

import given
import logs
import msgspec
import pytest
from databases import KINDS, store_of
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st

from domain.book import Book
from domain.documents import account_stream, parse_account_stream
from domain.events import AdjustmentPosted
from ledger.database import Connection, Location, connect
from ledger.ledger import Ledger
from projections import accounts
from projections.answers import AsOf
from projections.follow import follow
from projections.reader import Reader

E = date(2024, 8, 1)
Page = Callable[[Reader, Book, AsOf, Any, int | None], Sequence[Any]]


def position(row: Any) -> int:
    return int(row.position.partition(":")[2])


def key(row: Any) -> Any:
    return row.key


LISTS: dict[str, tuple[Callable[[Any], Any], Page]] = {
    "accounts": (key, lambda r, b, at, after, n: list(r.accounts("main", None, None, at, after, n))),
    "accounts in USD": (key, lambda r, b, at, after, n: list(r.accounts("main", None, "USD", at, after, n))),
    "balances": (key, lambda r, b, at, after, n: r.balances("main", None, None, at, after, n)),
    "balances in USD": (key, lambda r, b, at, after, n: r.balances("main", None, "USD", at, after, n)),
    "balances of one": (key, lambda r, b, at, after, n: r.balances("main", "C:2", None, at, after, n)),
    "items": (key, lambda r, b, at, after, n: list(r.items("main", None, None, at, after=after, limit=n))),
    "settled items": (
        key,
        lambda r, b, at, after, n: list(r.items("main", None, None, at, settled=True, after=after, limit=n)),
    ),
    "items on an account": (
        key,
        lambda r, b, at, after, n: list(r.items("main", None, None, at, account="1122", after=after, limit=n)),
    ),
    "items of one": (key, lambda r, b, at, after, n: list(r.items("main", "C1", "CNY", at, after=after, limit=n))),
    "ageing": (
        key,
        lambda r, b, at, after, n: r.ageing("main", AsOf(at.effective_on or E, at.position), after=after, limit=n),
    ),
    "dso": (
        key,
        lambda r, b, at, after, n: r.dso("main", AsOf(at.effective_on or E, at.position), after=after, limit=n),
    ),
    "payers": (
        key,
        lambda r, b, at, after, n: r.payers(
            "main", date(2024, 1, 1), AsOf(at.effective_on or E, at.position), after=after, limit=n
        ),
    ),
    "exposures": (
        key,
        lambda r, b, at, after, n: r.exposures("main", AsOf(at.effective_on or E, at.position), after=after, limit=n),
    ),
    "due recognitions": (key, lambda r, b, at, after, n: list(r.due_recognitions("main", E, None, at, after, n))),
    "differences": (key, lambda r, b, at, after, n: list(r.differences(b, None, None, None, at, after, n))),
    "documents": (position, lambda r, b, at, after, n: list(r.documents("main", None, None, None, at, after or 0, n))),
    "payments in USD": (
        position,
        lambda r, b, at, after, n: list(r.documents("main", None, "USD", "payment", at, after or 0, n)),
    ),
    "documents of one": (
        position,
        lambda r, b, at, after, n: list(r.documents("main", "C:2", None, None, at, after or 0, n)),
    ),
    "journal": (position, lambda r, b, at, after, n: list(r.journal("main", as_of=at, after=after or 0, limit=n))),
    "journal of an account": (
        position,
        lambda r, b, at, after, n: list(r.journal("main", account="1002", as_of=at, after=after or 0, limit=n)),
    ),
    "journal of one": (
        position,
        lambda r, b, at, after, n: list(
            r.journal("main", date(2024, 3, 1), None, "C1", "1122", at, after=after or 0, limit=n)
        ),
    ),
    "allocations": (key, lambda r, b, at, after, n: list(r.allocations("main", None, None, None, at, after, n))),
    "allocations of one": (
        key,
        lambda r, b, at, after, n: list(r.allocations("main", "C:2", None, None, at, after, n)),
    ),
    "audit": (position, lambda r, b, at, after, n: list(r.audit("main", None, None, after or 0, n, at))),
    "audit of one": (position, lambda r, b, at, after, n: list(r.audit("main", "C1", None, after or 0, n, at))),
    "moved": (position, lambda r, b, at, after, n: list(r.moved("main", None, at, after or 0, n))),
}


def pages(name: str, reader: Reader, book: Book, as_of: AsOf, limit: int) -> Iterator[Sequence[Any]]:
    """The pages of a list, until one is empty."""
    key_of, page = LISTS[name]
    after = None
    while rows := page(reader, book, as_of, after, limit):
        assert len(rows) <= limit
        assert after is None or key_of(rows[0]) > after
        yield rows
        after = key_of(rows[-1])


def extend(store: Location, ledger: Ledger) -> None:
    """Late facts of a closed period, and whatever else a random year is short of."""
    outcomes = logs.book(
        ledger,
        [
            given.policies(late_facts="move"),
            given.close("2024-01", position=f"0:{ledger.head().position}"),
            *(given.invoice(f"S{n}", 50, "01-20", customer=f"S{n}") for n in range(12)),
            *(given.invoice(f"late{n}", 100 + n, "01-10", customer=f"C{n % 12}") for n in range(30)),
            *(
                given.adjustment(f"small{n}", f"invoice::late{n}:1#1", 3, "02-20", customer=f"C{n % 12}")
                for n in range(9)
            ),
        ],
    )
    assert {outcome.status.value for outcome in outcomes} == {"booked"}, outcomes
    follow(store)


@pytest.fixture(scope="module")
def business(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Location, Ledger]]:
    """A store of a random half year, to which tests may add, and its ledger."""
    with store_of(kind, tmp_path_factory.mktemp("pages")) as store:
        logs.trade(store, seed=3, commits=100)
        with Ledger.open(store) as ledger:
            extend(store, ledger)
            yield store, ledger


@pytest.mark.parametrize("name", LISTS)
def test_pages_joined_are_the_list(business: tuple[Location, Ledger], name: str) -> None:
    store, ledger = business
    book = ledger.book("main")
    with Reader(store) as reader:
        early = reader.position * 2 // 3
        for as_of in (AsOf(), AsOf(E), AsOf(None, early), AsOf(E, early)):
            whole = LISTS[name][1](reader, book, as_of, None, None)
            keys = [LISTS[name][0](row) for row in whole]
            assert keys == sorted(set(keys))
            for limit in (1, 2, 7, 64, 1000):
                found = list(pages(name, reader, book, as_of, limit))
                assert [row for page in found for row in page] == whole, (as_of, limit)
                assert {len(page) for page in found[:-1]} <= {limit}
            assert whole or (name == "moved" and as_of.position), as_of


@pytest.mark.parametrize("recent", [accounts._RECENT, 0])
def test_what_is_booked_between_pages_is_in_none_of_them(
    business: tuple[Location, Ledger], monkeypatch: pytest.MonkeyPatch, recent: int
) -> None:
    store, ledger = business
    monkeypatch.setattr(accounts, "_RECENT", recent)
    book, pick = ledger.book("main"), random.Random(recent)
    with Reader(store) as reader:
        pinned = [AsOf(None, reader.position), AsOf(E, reader.position)]
        whole = {(name, at): LISTS[name][1](reader, book, at, None, None) for name in LISTS for at in pinned}
    limits = {asked: max(1, len(rows) // 4) for asked, rows in whole.items()}
    found: dict[tuple[str, AsOf], list[Any]] = {asked: [] for asked in whole}
    for n in range(6):
        # Some accounts have nothing open any more when their page is asked for.
        more = [
            given.payment(f"S{recent}{n}", 50, "07-20", customer=f"S{n + 6 if recent else n}"),
            *(
                given.payment(f"b{recent}{n}{c}", pick.randrange(1, 900), "07-20", customer=c)
                for c in logs.CUSTOMERS[:4]
            ),
            *(given.invoice(f"b{recent}{n}{c}", 50, "06-20", customer=f"{c}{n}") for c in ("B", "C1", "C:2", "D", "C")),
        ]
        assert {outcome.status.value for outcome in logs.book(ledger, more)} == {"booked"}
        follow(store)
        with Reader(store) as reader:
            for (name, at), rows in found.items():
                key_of, page = LISTS[name]
                after = key_of(rows[-1]) if rows else None
                rows += page(reader, book, at, after, limits[name, at])
    assert found == whole


@pytest.fixture(scope="module", params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A connection to a store that streams are put into."""
    with store_of(request.param, tmp_path_factory.mktemp("streams")) as store, closing(connect(store)) as connection:
        yield connection


# What sorts before a colon, the colon, what sorts after it; and texts that look like currencies.
CUSTOMER = st.lists(st.sampled_from(["C", "1", "0", " ", ":", "~", "客", "CNY", "Z"]), min_size=1, max_size=5)
ACCOUNT = st.tuples(CUSTOMER.map("".join), st.sampled_from(["CNY", "EUR", "USD"]))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_any(st.sets(ACCOUNT, max_size=40), st.none() | ACCOUNT, st.integers(1, 5))
def test_accounts_are_found_in_order(
    empty: Connection, named: set[tuple[str, str]], since: tuple[str, str] | None, size: int
) -> None:
    streams = [account_stream("main", *one) for one in sorted(named)]
    others = ["acct:mai:C1:CNY", "acct:main-2:C1:CNY", "book:main", "wait:main:invoice::1:1"]
    with empty.writing():
        empty.execute("DELETE FROM events")
        rows = [(n, stream) for n, stream in enumerate([*streams, *others], 1)]
        empty.executemany("INSERT INTO events VALUES (?, 0, ?, 1, 't', '', 0)", rows)
    found = list(accounts.in_order(empty, accounts.LOG, "main", since or ("", ""), size))
    assert [parse_account_stream(stream)[1:] for stream in found] == sorted(  # type: ignore[index]
        one for one in named if since is None or one >= since
    )


def test_an_account_has_its_first_and_last_event(business: tuple[Location, Ledger]) -> None:
    store, _ = business
    with closing(connect(store, read_only=True)) as connection:
        rows = connection.execute(
            "SELECT originator_id, originator_version, position FROM events WHERE originator_id LIKE 'acct:main:%'"
        ).fetchall()
    with Reader(store) as reader:
        for upto in (reader.position, reader.position // 2, 3, 0):
            expected: dict[tuple[str, str], tuple[int, int, int]] = {}
            for stream, version, at in sorted(rows, key=lambda row: int(row[2])):
                if at <= upto:
                    name = parse_account_stream(stream)
                    assert name is not None
                    first = expected.get(name[1:], (0, at, 0))[1]
                    expected[name[1:]] = (version, first, at)
            found = list(reader.accounts("main", as_of=AsOf(None, upto)))
            assert [row.key for row in found] == sorted(expected)
            for row in found:
                version, first, last = expected[row.key]
                assert (row.version, row.first_position, row.last_position) == (version, f"0:{first}", f"0:{last}")
                assert reader.account_version("main", *row.key, AsOf(None, upto)) == version
            own = list(reader.accounts("main", "C:2", as_of=AsOf(None, upto)))
            assert own == [row for row in found if row.customer == "C:2"]
        assert list(reader.accounts("main", "nobody", "CNY")) == []
        assert reader.account_version("main", "nobody", "CNY") == 0


def test_postings_of_one_event_to_one_role_have_a_page_each(store: Location) -> None:
    books = given.given(given.invoice("1", 100), given.adjustment("2", "invoice::1:1#1", 5))
    events = [(source.stream, source.event) for source in books.log]
    stream, adjusted = events[-1]
    assert isinstance(adjusted, AdjustmentPosted)
    twice = [
        msgspec.structs.replace(posting, dimensions={"dept": dept}) for posting in adjusted.postings for dept in "ab"
    ]
    logs.write(store, [*events[:-1], (stream, msgspec.structs.replace(adjusted, postings=twice))])
    follow(store)
    with Reader(store) as reader, Ledger.open(store) as ledger:
        book = ledger.book("main")
        whole = list(reader.differences(book))
        assert [row.key for row in whole] == sorted({row.key for row in whole})
        assert len({row.position for row in whole}) < len(whole)
        assert [row for page in pages("differences", reader, book, AsOf(), 1) for row in page] == whole
