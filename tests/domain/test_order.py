"""Facts in any order, delivered any number of times, end in the same net amount of every account as of every day.

Identities 6, 7 and 8 (first half; the second is in test_resettled_order.py) of the domain: what the order changes is which
item settles which, never what is owed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from given import Books, credit_note, invoice, payment, refund, reverse
from hypothesis import given
from hypothesis import strategies as st

from domain.commands import AccountCommand, Command
from domain.decide import entered_document
from domain.events import AllocationReleased, Event, Voucher
from domain.history import History
from domain.refusals import Refusal
from domain.template import CONTROL_ROLES

FIRST = date(2024, 1, 1)
DATES = st.integers(0, 20).map(lambda n: FIRST + timedelta(n))
AMOUNTS = st.integers(1, 50)
NUMBERS = st.integers(1, 5).map(str)
PLACES = st.sampled_from([{}, {}, {}, {"currency": "USD", "rate": "7.1"}, {"customer": "C2"}])
POLICIES = st.sampled_from(["oldest_due_first", "proportional", "none"])


@st.composite
def facts(draw: st.DrawFn) -> list[Command]:
    """What happened: invoices, credit notes, payments, each number once; and either refunds or invoices keyed in error.

    Not both: a refund that releases an invoice's allocation reopens it on the refund's day, and the reversal of that
    invoice then is dated that day (domain rule 6).
    """
    found: list[Command] = []
    of_invoice: dict[str, Any] = {}
    of_payment: dict[str, Any] = {}
    for number in draw(st.lists(NUMBERS, unique=True)):
        of_invoice[number] = draw(PLACES)
        found.append(invoice(number, draw(AMOUNTS), draw(DATES), **of_invoice[number]))
    for number in draw(st.lists(NUMBERS, unique=True)):
        of_payment[number] = draw(PLACES)
        pays = draw(st.lists(NUMBERS, max_size=2))
        found.append(payment(number, draw(AMOUNTS), draw(DATES), pays=pays, **of_payment[number]))
    credited = set()
    for number in draw(st.lists(NUMBERS, unique=True, max_size=3)):
        against = draw(st.none() | NUMBERS)
        credited.add(against)
        name = f"invoice::{against}:1" if against else None
        found.append(credit_note(number, draw(AMOUNTS), draw(DATES), name, **draw(PLACES)))
    if draw(st.booleans()):
        for number in draw(st.lists(NUMBERS, unique=True, max_size=3)):
            of = draw(st.none() | NUMBERS)
            place = of_payment.get(of, {}) if of else draw(PLACES)
            name = f"payment::{of}:1" if of else None
            found.append(refund(number, draw(AMOUNTS), draw(DATES), name, nature="fact", **place))
    else:
        for number in draw(st.lists(NUMBERS, unique=True, max_size=2)):
            if number not in credited and number in of_invoice:
                place = {key: value for key, value in of_invoice[number].items() if key != "rate"}
                found.append(reverse(f"invoice::{number}:1", **place))
    return found


def deliver(commands: Iterable[Command], allocation: str) -> Books:
    """Book commands, and leave out what has been booked before, as the ledger does by its register."""
    books = Books(allocation=allocation)
    seen: set[tuple[str, str]] = set()
    for command in commands:
        assert isinstance(command, AccountCommand)
        if (command.source, command.source_id) not in seen:
            seen.add((command.source, command.source_id))
            outcome = books.when(command)
            assert not isinstance(outcome, Refusal), outcome
    return books


def net(books: Books) -> dict[tuple[str, date], int]:
    """Debit less credit of all control accounts, by customer account and day."""
    found: dict[tuple[str, date], int] = defaultdict(int)
    for source in books.log:
        if isinstance(source.event, Voucher):
            for posting in source.event.postings:
                if posting.role in CONTROL_ROLES:
                    amount = posting.amount if posting.side == "D" else -posting.amount
                    found[source.stream, source.event.effective_on] += amount
    return {key: amount for key, amount in found.items() if amount}


def documents(books: Books) -> set[str]:
    """The documents that are in the books, those reversed left out."""
    names = {name for source in books.log if (name := getattr(source.event, "document", None)) is not None}
    return {name for name in names if books.history(name).booked}


def releases(event: Event, history: History) -> bool:
    """Whether a refund has reopened an item of the document."""
    return isinstance(event, AllocationReleased) and bool({event.credit_item, event.debit_item} & history.items.keys())


@given(st.data(), facts(), POLICIES)
def test_any_order_of_the_same_facts_gives_the_same_net_on_every_day(
    data: st.DataObject, commands: list[Command], policy: str
) -> None:
    books = deliver(commands, policy)
    other = deliver(data.draw(st.permutations(commands)), policy)
    assert net(books) == net(other)
    assert documents(books) == documents(other)
    assert len(books.waiting()) == len(other.waiting())


@given(st.data(), facts(), POLICIES)
def test_any_multiset_of_deliveries_gives_the_documents_of_the_set(
    data: st.DataObject, commands: list[Command], policy: str
) -> None:
    again = data.draw(st.lists(st.sampled_from(commands), max_size=8)) if commands else []
    books = deliver(data.draw(st.permutations([*commands, *again])), policy)
    entered = {name for command in commands if (name := entered_document(command)) is not None}
    reversed_ = {c.document.document for c in commands if hasattr(c, "document")}
    waiting = {fact.document for fact in books.waiting()}
    assert documents(books) == entered - reversed_ - waiting
    assert net(books) == net(deliver(commands, policy))


@given(st.data(), facts(), POLICIES)
def test_an_error_and_its_reversal_leave_the_net_as_if_neither_had_been(
    data: st.DataObject, commands: list[Command], policy: str
) -> None:
    on, amount = data.draw(DATES), data.draw(AMOUNTS)
    errors: Sequence[Command] = [
        invoice("E", amount, on, remittance=[{"kind": "payment", "number": "1"}]),
        payment("E", amount, on, pays=data.draw(st.lists(NUMBERS, max_size=2))),
        credit_note("E", amount, on),
    ]
    error = data.draw(st.sampled_from(errors))
    at = data.draw(st.integers(0, len(commands)))
    books = deliver([*commands[:at], error, *commands[at:]], policy)
    document = entered_document(error)
    assert document is not None
    history = books.history(document)
    if history.dependants or any(releases(source.event, history) for source in books.log):
        return  # a refund took from it, which is undone first, or reopened it on a later day
    undone = books.when(reverse(document))
    assert not isinstance(undone, Refusal), undone
    assert net(books) == net(deliver(commands, policy))
