"""An account may settle by a policy of its own, or only have it suggested; what was allocated says who set the policy."""

from given import given, invoice, kinds, payment, policies, resettle, terms

from domain.account import from_snapshot, payload, snapshot
from domain.events import AccountTerms, AccountTermsChanged, Allocated
from domain.suggestion import suggested


def test_a_change_of_terms_is_an_event_of_the_account_with_what_was_before() -> None:
    books = given(terms(allocation="none"))
    [event] = books.booked(terms(allocation="largest_first", settlement="automatic"))
    assert isinstance(event, AccountTermsChanged)
    assert (event.before, event.after) == (AccountTerms("none"), AccountTerms("largest_first", "automatic"))
    account = books.account()
    assert (account.version, account.terms, account.terms_version) == (2, event.after, 2)
    assert payload(from_snapshot(snapshot(account))) == payload(account)


def test_the_policy_of_the_account_goes_before_that_of_the_book_and_its_event_is_named() -> None:
    books = given(terms(allocation="largest_first"), invoice("1", 50), invoice("2", 100, "01-11"))
    allocated = books.booked(payment("P", 100))[1]
    assert isinstance(allocated, Allocated)
    assert (allocated.policy, allocated.policy_version, allocated.policy_of) == ("largest_first", 1, "account")
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1")) == (50, 0)


def test_terms_that_name_nothing_are_those_of_the_book() -> None:
    books = given(terms(allocation="none"), terms(), invoice("1", 50))
    allocated = books.booked(payment("P", 50))[1]
    assert isinstance(allocated, Allocated)
    assert (allocated.policy, allocated.policy_version, allocated.policy_of) == ("oldest_due_first", 1, "book")


def test_the_terms_of_one_account_are_not_those_of_another() -> None:
    books = given(terms(allocation="none"), invoice("1", 50, customer="C2"), invoice("2", 50))
    assert kinds(books.booked(payment("P", 50))) == ["PaymentReceived"]
    assert kinds(books.booked(payment("Q", 50, customer="C2"))) == ["PaymentReceived", "Allocated"]


def test_what_is_only_suggested_is_not_allocated_but_references_are() -> None:
    books = given(invoice("1", 50), invoice("2", 100, "01-11"), settlement="suggested")
    assert kinds(books.booked(payment("P", 70))) == ["PaymentReceived"]
    assert kinds(books.booked(payment("Q", 30, pays=["2"]))) == ["PaymentReceived", "Allocated"]
    assert kinds(books.booked(invoice("3", 5))) == ["InvoiceIssued"]
    assert suggested(books.account(), books.book) == [
        ("payment::P:1#1", "invoice::1:1#1", 50),
        ("payment::P:1#1", "invoice::3:1#1", 5),
        ("payment::P:1#1", "invoice::2:1#1", 15),
    ]


def test_an_account_may_settle_by_itself_in_a_book_that_only_suggests_and_the_other_way_round() -> None:
    books = given(terms(settlement="automatic"), invoice("1", 50), settlement="suggested")
    assert kinds(books.booked(payment("P", 50))) == ["PaymentReceived", "Allocated"]
    books = given(terms(settlement="suggested"), invoice("1", 50))
    assert kinds(books.booked(payment("P", 50))) == ["PaymentReceived"]


def test_money_that_waits_for_its_document_is_not_suggested_otherwise() -> None:
    books = given(invoice("1", 50), settlement="suggested")
    books.booked(payment("P", 70, pays=[("9", 60)]))
    assert suggested(books.account(), books.book) == [("payment::P:1#1", "invoice::1:1#1", 10)]


def test_nothing_is_suggested_where_the_policy_is_none_or_in_a_house_account() -> None:
    house = {"customer": "~shop:2024-01"}
    books = given(terms(allocation="none"), invoice("1", 50), payment("P", 50), settlement="suggested")
    assert suggested(books.account(), books.book) == []
    books.booked(invoice("2", 50, **house))
    books.booked(payment("Q", 50, **house))
    assert suggested(books.account(**house), books.book) == []


def test_a_book_begins_to_suggest_and_its_allocation_policy_is_still_of_its_first_event() -> None:
    books = given()
    books.booked(policies(settlement="suggested"))
    assert (books.book.settlement, books.book.policy_version, books.book.version) == ("suggested", 1, 3)


def test_resettling_an_account_whose_settlement_is_suggested_leaves_references_only() -> None:
    books = given(invoice("1", 50), payment("P", 70), terms(settlement="suggested"))
    assert kinds(books.booked(resettle())) == ["AllocationReleased"]
    assert (books.open("invoice::1:1#1"), books.open("payment::P:1#1")) == (50, 70)
