"""VAT relief on bad debts: claimed by the tax in what was written off, given back with a recovery, or undone."""

from typing import Any

from given import Books, credit_note, given, invoice, payment, postings, recover, relieve, reverse, write_off

from domain.refusals import Code

ITEM = "invoice::1:1#1"
WRITTEN = "write-off::W:1"
TAXED: dict[str, Any] = {
    "lines": [{"net": 10_000}],
    "tax": [{"code": "VAT13", "rate": "13", "base": 10_000, "amount": 1_300}],
    "dimensions": {"shop": "north"},
}


def written_off(amount: int = 11_300, **more: Any) -> Books:
    """An invoice of 100.00 and 13.00 tax, of which an amount is written off."""
    return given(invoice("1", 11_300, **TAXED, **more), write_off("W", (ITEM, amount), **_place(more)))


def _place(more: dict[str, Any]) -> dict[str, Any]:
    return {"currency": more["currency"]} if "currency" in more else {}


def test_the_tax_in_what_was_written_off_goes_back_to_the_allowance() -> None:
    books = written_off()
    [event] = books.booked(relieve("V", WRITTEN, ITEM, 1_300))
    assert postings(event) == [("2221", "D", 1_300, 1_300), ("1231", "C", 1_300, 1_300)]
    assert [posting.dimensions for posting in event.postings] == [{"shop": "north"}] * 2
    assert books.history(WRITTEN).dependants == ["vat-relief::V:1"]


def test_no_more_is_claimed_than_the_share_of_tax_in_what_is_written_off() -> None:
    books = written_off(5_651)
    assert books.refused(relieve("V", WRITTEN, ITEM, 651)).value == "651 (claimable: 650)"
    books.booked(relieve("V", WRITTEN, ITEM, 400))
    assert books.refused(relieve("V2", WRITTEN, ITEM, 251)).value == "251 (claimable: 250)"
    books.booked(reverse("vat-relief::V:1"))
    books.booked(relieve("V2", WRITTEN, ITEM, 650))


def test_what_has_no_tax_has_no_relief() -> None:
    books = given(invoice("1", 100), write_off("W", ITEM))
    assert books.refused(relieve("V", WRITTEN, ITEM, 1)).code is Code.RELIEF


def test_an_invoice_that_is_less_than_its_tax_has_no_more_relief_than_was_written_off() -> None:
    lines = [{"net": 10_000}, {"net": -10_700, "role": "fee"}]
    books = given(invoice("1", 600, lines=lines, tax=TAXED["tax"]), write_off("W", ITEM))
    assert books.refused(relieve("V", WRITTEN, ITEM, 601)).value == "601 (claimable: 600)"
    books.booked(relieve("V", WRITTEN, ITEM, 600))


def test_relief_names_a_write_off_and_an_item_of_it() -> None:
    books = written_off()
    assert books.refused(relieve("V", "write-off::X:1", ITEM, 1)).code is Code.ITEM_WRITTEN_OFF
    assert books.refused(relieve("V", WRITTEN, "invoice::2:1#1", 1)).field == "item"
    assert books.refused(relieve("V", WRITTEN, ITEM, 1, "03-30")).code is Code.DATE_PRECEDES_ITEM
    assert books.refused(relieve("V", WRITTEN, ITEM, 1, customer="C2")).code is Code.ITEMS_SHARE_ACCOUNT


def test_a_recovery_gives_back_its_share_and_the_last_one_the_rest() -> None:
    books = written_off()
    books.booked(relieve("V", WRITTEN, ITEM, 1_300))
    [first] = books.booked(recover("R", WRITTEN, ITEM, 3_333))
    assert postings(first) == [
        ("1122", "D", 3_333, 3_333),
        ("1231", "C", 3_333, 3_333),
        ("1231", "D", 383, 383),
        ("2221", "C", 383, 383),
    ]
    [rest] = books.booked(recover("R2", WRITTEN, ITEM, 7_967))
    assert [part.amount for part in rest.relief] == [917]


def test_what_was_recovered_before_is_not_claimed() -> None:
    books = written_off()
    [event] = books.booked(recover("R", WRITTEN, ITEM, 5_650))
    assert event.relief == []
    assert books.refused(relieve("V", WRITTEN, ITEM, 651)).value == "651 (claimable: 650)"


def test_relief_is_undone_after_the_recovery_that_gave_it_back_and_the_write_off_after_both() -> None:
    books = written_off()
    books.booked(relieve("V", WRITTEN, ITEM, 1_300))
    books.booked(recover("R", WRITTEN, ITEM, 1_130))
    assert books.refused(reverse("vat-relief::V:1")).value == "recovery::R:1"
    assert books.refused(reverse(WRITTEN)).value == "recovery::R:1, vat-relief::V:1"
    for document in ("recovery::R:1", "vat-relief::V:1", WRITTEN):
        books.booked(reverse(document))
    assert books.open(ITEM) == 11_300
    net: dict[str, int] = {}
    for source in books.log[3:]:
        for account, side, amount, _ in postings(source.event) if hasattr(source.event, "postings") else ():
            net[account] = net.get(account, 0) + (amount if side == "D" else -amount)
    assert set(net.values()) == {0}


def test_an_undone_recovery_claims_its_share_again() -> None:
    books = written_off()
    books.booked(relieve("V", WRITTEN, ITEM, 1_000))
    books.booked(recover("R", WRITTEN, ITEM, 11_300))
    assert books.refused(relieve("V2", WRITTEN, ITEM, 1)).code is Code.RELIEF
    books.booked(reverse("recovery::R:1"))
    assert books.refused(relieve("V2", WRITTEN, ITEM, 301)).value == "301 (claimable: 300)"


def test_in_a_foreign_currency_the_relief_takes_its_share_of_the_base_written_off() -> None:
    books = written_off(currency="USD", rate="7.1")
    [event] = books.booked(relieve("V", WRITTEN, ITEM, 1_300, currency="USD"))
    assert postings(event) == [("2221", "D", 1_300, 9_230), ("1231", "C", 1_300, 9_230)]


def test_what_was_credited_or_paid_before_leaves_the_share_of_the_rest() -> None:
    books = given(invoice("1", 11_300, **TAXED), payment("P", 5_650, pays=["1"]), write_off("W", ITEM))
    books.booked(relieve("V", WRITTEN, ITEM, 650))
    assert isinstance(books.when(credit_note("K", 100, "04-20")), list)
