"""Random histories on a real store: the identities of ``histories``, of what was stored, and those that only a store has.

7: what is delivered again is booked once, and the same key with another content changes nothing and can be seen. 10: the
projections are the same however paged, and K looks back as if nothing had come after. 11: a statement's opening and its
movements are its closing, and between two statements of one account lie the movements that the first did not know. 12:
not yet due and all buckets less unapplied are the net balance, per account and in total.
"""

import tempfile
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import whole
from databases import store_of
from given import BOOK, Books
from histories import FIRST, LAST, MOSTLY, Histories, signed
from hypothesis import strategies as st
from stored_books import StoredBooks

from domain.account import Account, payload
from domain.commands import Command
from domain.events import Voucher
from domain.template import CONTROL_ROLES
from ledger.outcomes import Status
from projections.answers import AsOf
from projections.follow import Follower
from projections.reader import Reader
from projections.replay import replay

SELDOM = MOSTLY.map(lambda mostly: not mostly)
SOMETIMES = st.sampled_from([True, False, False])
Statement = tuple[str, str, date, int, int]
"""Customer, currency, day, position and closing of a statement that was issued."""


class StoredHistories(Histories):
    """Any commands in any order, through a ledger on a store of a ``kind``."""

    kind: ClassVar[str]

    def opened(self, **settings: Any) -> Books:
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.location = self.stack.enter_context(store_of(self.kind, Path(folder)))
        self.stored = StoredBooks(self.location, **settings)
        self.stack.callback(self.stored.close)
        self.follower = self.stack.enter_context(Follower(self.location))
        self.kept: list[tuple[AsOf, dict[str, Any]]] = []
        self.issued: list[Statement] = []
        return self.stored

    def send(self, data: st.DataObject, command: Command, entering: str | None = None) -> None:
        super().send(data, command, entering)
        if self.stored.sent and data.draw(SOMETIMES, label="again"):
            self.delivered_again(data)
        if data.draw(SOMETIMES, label="asked"):
            self.asked(data)

    def delivered_again(self, data: st.DataObject) -> None:
        """Identity 7."""
        known, outcome = data.draw(st.sampled_from(self.stored.sent), label="known")
        again = self.stored.submit(known)
        assert (again.status, again.position) == (Status.DUPLICATE, outcome.position), again
        other = known.model_copy(update={"book": known.book, **altered(known)})
        if other != known:
            refused = self.stored.submit(other)
            assert refused.status is Status.CONFLICT, refused
            assert refused.code is not None
        assert self.stored.read() == []

    def asked(self, data: st.DataObject) -> None:
        """Identities 2, 11 and 12 of what the projections answer; and answers kept for identity 10."""
        self.follower.follow(page=data.draw(st.integers(1, 9), label="page"))
        on = data.draw(st.dates(FIRST, LAST + timedelta(days=5)), label="E")
        with Reader(self.location) as reader:
            now = AsOf(on)
            assert all(row.holds for row in reader.control(BOOK, now))
            assert all(row.holds for row in reader.deferred(BOOK, now))
            self.aged(reader, now)
            for account in list(self.books.accounts.values()):
                self.stated(reader, account, now)
        if data.draw(SELDOM, label="kept"):
            position = len(self.books.log)
            self.kept.append((AsOf(on, position), whole.answers(self.location, AsOf(on, position))))

    def aged(self, reader: Reader, now: AsOf) -> None:
        """Identity 12."""
        owed: dict[tuple[str, str], int] = {}
        for balance in reader.balances(BOOK, as_of=now):
            key = (balance.customer, balance.currency)
            owed[key] = owed.get(key, 0) + balance.amount
        rows = reader.ageing(BOOK, now)
        for row in rows:
            assert row.not_due + sum(bucket.amount for bucket in row.buckets) - row.unapplied == row.net, row
            assert row.customer is not None
            assert row.net == owed.pop((row.customer, row.currency), 0), row
        assert not any(owed.values()), owed
        for total in reader.ageing_totals(BOOK, now):
            of_currency = [row for row in rows if row.currency == total.currency]
            assert total.net == sum(row.net for row in of_currency)
            assert total.unapplied == sum(row.unapplied for row in of_currency)
            assert total.not_due == sum(row.not_due for row in of_currency)

    def stated(self, reader: Reader, account: Account, now: AsOf) -> None:
        """Identity 11, against the log alone."""
        on, position = now.effective_on, len(self.books.log)
        assert on is not None
        statement = reader.statement(BOOK, account.customer, account.currency, FIRST + timedelta(days=20), now)
        assert statement.opening + sum(line.amount for line in statement.movements) == statement.closing
        moved = self.moved(account)
        assert statement.closing == sum(amount for at, day, amount in moved if at <= position and day <= on)
        for customer, currency, earlier_on, earlier, closing in self.issued:
            if (customer, currency) == (account.customer, account.currency) and earlier_on <= on:
                new = [
                    amount
                    for at, day, amount in moved
                    if at <= position and day <= on and not (at <= earlier and day <= earlier_on)
                ]
                assert closing + sum(new) == statement.closing
        self.issued.append((account.customer, account.currency, on, position, statement.closing))

    def moved(self, account: Account) -> list[tuple[int, date, int]]:
        """Position, day and net effect of every event of an account: the store has one book, and positions are dense."""
        return [
            (
                at,
                source.event.effective_on,
                sum(signed(p.side, p.amount) for p in source.event.postings if p.role in CONTROL_ROLES),
            )
            for at, source in enumerate(self.books.log, 1)
            if source.stream == account.stream and isinstance(source.event, Voucher)
        ]

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        with self.stack:
            self.follower.follow()
            for as_of, then in self.kept:
                now = whole.answers(self.location, as_of)
                for question, answer in then.items():
                    assert now[question] == answer, (question, as_of)
            assert not replay(self.location).differences
            for stream, account in self.books.accounts.items():
                if account.version:
                    found = self.stored.ledger.account(account.book, account.customer, account.currency)
                    assert payload(found) == payload(account), stream


def altered(command: Command) -> dict[str, Any]:
    """Another content under the same source id: one unit more of whatever it is about."""
    for name in ("total", "amount", "number"):
        value = getattr(command, name, None)
        if value is not None:
            return {name: value + 1 if isinstance(value, int) else f"{value}x"}
    return {}
