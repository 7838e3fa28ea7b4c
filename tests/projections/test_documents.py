"""Given documents that settle, credit, refund, adjust and reverse each other, then each shows what became of it."""

from datetime import date
from typing import Any

import given
import logs
import pytest

from ledger.database import Location
from ledger.ledger import Ledger
from projections.answers import AsOf, DocumentRow, DocumentView, Link
from projections.follow import follow
from projections.reader import Reader

FEB = AsOf(date(2024, 2, 29))


def booked(ledger: Ledger, *commands: Any) -> None:
    outcomes = logs.book(ledger, commands, origin="file:abc:7")
    assert {outcome.status.value for outcome in outcomes} <= {"booked", "waiting"}, outcomes


def view(store: Location, document: str, as_of: AsOf = AsOf()) -> DocumentView:
    follow(store)
    with Reader(store) as reader:
        found = reader.document("main", document, as_of)
    assert found is not None
    return found


def ties(view: DocumentView) -> list[tuple[str, str, str, int]]:
    return [(link.kind, link.from_document, link.to_document, link.amount) for link in view.links]


def test_who_settled_whom(store: Location, ledger: Ledger) -> None:
    booked(ledger, given.invoice("1", 100, "01-10"), given.payment("2", 60, "01-20"))
    invoice, payment = view(store, "invoice::1:1"), view(store, "payment::2:1")
    [link] = invoice.links
    assert payment.links == [link]
    assert link == Link(
        kind="settles",
        from_document="payment::2:1",
        from_item="payment::2:1#1",
        to_document="invoice::1:1",
        to_item="invoice::1:1#1",
        amount=60,
        effective_on=date(2024, 1, 20),
        event="acct:main:C1:CNY:3",
        position="0:5",
        allocation="3.1",
    )
    assert (invoice.row.status, invoice.row.open, invoice.row.amount) == ("partly", 40, 100)
    assert (payment.row.status, payment.row.open) == ("settled", 0)
    assert [item.item for item in invoice.items] == ["invoice::1:1#1"]
    assert [(row.kind, row.origin) for row in invoice.history] == [
        ("invoice-issued", "file:abc:7"),
        ("allocated", "file:abc:7"),
    ]


def test_who_credited_refunded_and_adjusted_whom(store: Location, ledger: Ledger) -> None:
    booked(
        ledger,
        given.invoice("1", 100, "01-10"),
        given.credit_note("3", 30, "01-12", against="invoice::1:1"),
        given.adjustment("4", "invoice::1:1#1", 5, "01-13"),
        given.payment("2", 200, "01-20"),
        given.refund("5", 50, "01-25", of="payment::2:1"),
    )
    assert ties(view(store, "invoice::1:1")) == [
        ("credits", "credit-note::3:1", "invoice::1:1", 30),
        ("settles", "credit-note::3:1", "invoice::1:1", 30),
        ("adjusts", "adjustment::4:1", "invoice::1:1", 5),
        ("settles", "payment::2:1", "invoice::1:1", 65),
    ]
    assert ties(view(store, "payment::2:1")) == [
        ("settles", "payment::2:1", "invoice::1:1", 65),
        ("refunds", "refund::5:1", "payment::2:1", 50),
    ]
    assert ties(view(store, "adjustment::4:1")) == [("adjusts", "adjustment::4:1", "invoice::1:1", 5)]
    assert view(store, "adjustment::4:1").row.status == "settled"
    assert view(store, "refund::5:1").row.kind == "refund"
    assert (view(store, "refund::5:1").row.amount, view(store, "refund::5:1").row.open) == (50, 0)


def test_what_was_written_off_and_recovered(store: Location, ledger: Ledger) -> None:
    item = "invoice::1:1#1"
    booked(
        ledger,
        given.invoice("1", 100, "01-10"),
        given.write_off("2", (item, 80), on="03-31"),
        given.recover("3", "write-off::2:1", item, 50, "04-30"),
        given.payment("4", 60, "05-02", pays=["1"]),
    )
    found = view(store, "invoice::1:1")
    assert ties(found) == [
        ("writes_off", "write-off::2:1", "invoice::1:1", 80),
        ("recovers", "recovery::3:1", "invoice::1:1", 50),
        ("settles", "payment::4:1", "invoice::1:1", 60),
    ]
    assert (found.row.open, view(store, "invoice::1:1", AsOf(date(2024, 4, 1))).row.open) == (10, 20)
    assert ties(view(store, "write-off::2:1")) == [
        ("writes_off", "write-off::2:1", "invoice::1:1", 80),
        ("recovers", "recovery::3:1", "write-off::2:1", 50),
    ]
    assert view(store, "write-off::2:1").row.amount == 80
    with Reader(store) as reader:
        [allowance] = [row for row in reader.trial_balance("main") if row.account == "1231"]
        assert (allowance.debit, allowance.credit, allowance.closing) == (80, 50, 30)


def test_what_was_returned_and_reinstated(store: Location, ledger: Ledger) -> None:
    booked(
        ledger,
        given.invoice("1", 100, "01-10"),
        given.payment("2", 100, "01-20", pays=["1"]),
        given.returned("3", "payment::2:1", 100, "02-10", "chargeback", fee=15),
        given.reinstated("4", "return::3:1", 100, "03-10"),
    )
    assert ties(view(store, "payment::2:1")) == [
        ("settles", "payment::2:1", "invoice::1:1", 100),
        ("releases", "payment::2:1", "invoice::1:1", 100),
        ("returns", "return::3:1", "payment::2:1", 100),
        ("reinstates", "reinstatement::4:1", "payment::2:1", 100),
        ("settles", "payment::2:1", "invoice::1:1", 100),
    ]
    assert [view(store, "invoice::1:1", AsOf(on)).row.open for on in (date(2024, 2, 9), date(2024, 3, 9))] == [0, 100]
    returned = view(store, "return::3:1")
    assert (returned.row.amount, returned.row.status, returned.items) == (100, "settled", [])
    assert ("reinstates", "reinstatement::4:1", "return::3:1", 100) in ties(returned)


def test_a_refund_funded_by_others_still_names_its_payment(store: Location, ledger: Ledger) -> None:
    booked(
        ledger,
        given.payment("1", 50, "01-10"),
        given.payment("2", 50, "01-11"),
        given.refund("3", 20, "01-25", of="payment::1:1", funded_by=[{"item": "payment::2:1#1", "amount": 20}]),
    )
    assert ties(view(store, "payment::1:1")) == [("refunds", "refund::3:1", "payment::1:1", 0)]
    assert ("refunds", "refund::3:1", "payment::2:1", 20) in ties(view(store, "refund::3:1"))


def test_a_reversal_releases_and_shows_on_both(store: Location, ledger: Ledger) -> None:
    booked(ledger, given.invoice("1", 100, "01-10"), given.payment("2", 60, "01-20"), given.reverse("payment::2:1"))
    payment, invoice = view(store, "payment::2:1"), view(store, "invoice::1:1")
    assert (payment.row.status, payment.row.open) == ("reversed", 0)
    assert (payment.row.reversed_on, payment.row.reversed_by) == (date(2024, 1, 20), "acct:main:C1:CNY:5")
    assert ("reverses", "payment::2:1", "payment::2:1", 60) in ties(payment)
    assert [link.kind for link in invoice.links] == ["settles", "releases"]
    assert (invoice.row.status, invoice.row.open) == ("open", 100)


def test_a_failed_refund_shows_its_undoing_on_the_payment(store: Location, ledger: Ledger) -> None:
    booked(
        ledger,
        given.payment("1", 50, "01-10"),
        given.refund("2", 20, "01-25", of="payment::1:1"),
        given.reverse("refund::2:1", failed_on="03-05"),
    )
    payment = view(store, "payment::1:1")
    assert ties(payment) == [
        ("refunds", "refund::2:1", "payment::1:1", 20),
        ("reverses", "refund::2:1", "refund::2:1", 20),
    ]
    assert (payment.row.status, payment.row.open) == ("open", 50)
    before = view(store, "payment::1:1", FEB)
    assert (before.row.status, before.row.open) == ("partly", 30)
    assert view(store, "refund::2:1", FEB).row.status == "settled"
    assert view(store, "refund::2:1").row.status == "reversed"


def test_as_of_before_it_there_is_none(store: Location, ledger: Ledger) -> None:
    booked(ledger, given.invoice("1", 100, "03-10"))
    follow(store)
    with Reader(store) as reader:
        assert reader.document("main", "invoice::1:1", FEB) is None
        assert reader.document("main", "invoice::1:1", AsOf(None, 2)) is None
        assert reader.document("main", "invoice::9:1") is None
        assert list(reader.documents("main", as_of=FEB)) == []


def test_what_waits_is_no_document_until_it_is_applied(store: Location, ledger: Ledger) -> None:
    booked(ledger, given.refund("5", 50, "02-25", of="payment::2:1"))
    follow(store)
    with Reader(store) as reader:
        waits = reader.position
        assert reader.document("main", "refund::5:1") is None
        [row] = reader.audit("main", customer="C1")
        assert (row.kind, row.document, row.currency) == ("fact-deferred", "refund::5:1", "CNY")
    booked(ledger, given.payment("2", 60, "02-20"))
    refund = view(store, "refund::5:1")
    assert [row.kind for row in refund.history] == ["fact-deferred", "refund-paid"]
    assert ties(refund) == [("refunds", "refund::5:1", "payment::2:1", 50)]
    with Reader(store) as reader:
        assert reader.document("main", "refund::5:1", AsOf(None, waits)) is None
        assert [row.kind for row in reader.audit("main", customer="C1")] == [
            "fact-deferred", "payment-received", "refund-paid", "deferred-fact-applied",
        ]  # fmt: skip
        assert list(reader.items("main", document="refund::5:1", settled=True)) == []


def test_an_excess_is_the_refunds_own_item(store: Location, ledger: Ledger) -> None:
    booked(ledger, given.payment("1", 50, "01-10"), given.refund("2", 70, "01-25", of="payment::1:1", nature="fact"))
    refund = view(store, "refund::2:1")
    assert (refund.row.amount, refund.row.open, refund.row.status) == (70, 20, "open")
    assert [(item.side, item.open) for item in refund.items] == [("D", 20)]


def test_instalments_are_items_with_their_own_due_days(store: Location, ledger: Ledger) -> None:
    parts = [{"due_on": date(2024, 2, 9), "amount": 30}, {"due_on": date(2024, 3, 9), "amount": 70}]
    booked(ledger, given.invoice("A#1:1", 100, "01-10", instalments=parts), given.invoice("A", 1, "01-11"))
    invoice = view(store, "invoice::A#1:1:1", FEB)
    assert [(i.item, i.instalment, i.due_on, i.overdue) for i in invoice.items] == [
        ("invoice::A#1:1:1#1", 1, date(2024, 2, 9), 20),
        ("invoice::A#1:1:1#2", 2, date(2024, 3, 9), -9),
    ]
    assert [item.overdue for item in view(store, "invoice::A#1:1:1").items] == [None, None]


def test_the_list_agrees_with_each_view(reader: Reader) -> None:
    for as_of in (AsOf(), AsOf(date(2024, 8, 1)), AsOf(None, 600), AsOf(date(2024, 8, 1), 900)):
        listed = list(reader.documents("main", as_of=as_of))
        assert len(listed) > 100
        assert {"open", "partly", "settled", "reversed"} == {row.status for row in listed}
        for row in listed[::5]:
            shown = reader.document("main", row.document, as_of)
            assert shown is not None
            assert shown.row == row
            assert sum(item.open for item in shown.items) == row.open
            assert any(entry.event == row.event for entry in shown.history)


def test_the_list_by_customer_currency_and_kind(reader: Reader) -> None:
    everything = list(reader.documents("main"))

    def those(**wanted: str) -> list[DocumentRow]:
        return [row for row in everything if all(getattr(row, name) == value for name, value in wanted.items())]

    assert [int(row.position[2:]) for row in everything] == sorted(int(row.position[2:]) for row in everything)
    assert list(reader.documents("main", "C:2")) == those(customer="C:2") != []
    assert list(reader.documents("main", "C:2", "USD")) == those(customer="C:2", currency="USD") != []
    assert list(reader.documents("main", currency="USD")) == those(currency="USD") != []
    assert list(reader.documents("main", kind="debit-note")) == those(kind="debit-note") != []


@pytest.mark.parametrize("link_kind", ["settles", "releases"])
def test_links_lead_both_ways(reader: Reader, link_kind: str) -> None:
    count = 0
    for row in list(reader.documents("main", kind="payment"))[::4]:
        shown = reader.document("main", row.document)
        assert shown is not None
        for link in shown.links:
            if link.kind == link_kind:
                other = reader.document("main", link.to_document)
                assert other is not None
                assert link in other.links
                count += 1
    assert count
