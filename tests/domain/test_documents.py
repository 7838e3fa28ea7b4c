"""Names can be read from both ends, whatever a customer or a number contains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import (
    KINDS,
    account_stream,
    book_stream,
    document_id,
    document_of,
    house_customer,
    is_house,
    item_id,
    parse_account_stream,
    parse_document,
    reference,
    reference_of,
    waiting_stream,
)

ANY = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
SERIES = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=":"), max_size=8)


@given(st.sampled_from(KINDS), SERIES, ANY, st.integers(1, 9999), st.integers(1, 99))
def test_a_document_is_read_back_from_its_id(kind: str, series: str, number: str, revision: int, part: int) -> None:
    document = document_id(kind, series, number, revision)
    assert parse_document(document) == (kind, series, number, revision)
    assert parse_document(document).reference == reference_of(document) == reference(kind, series, number)
    assert document_of(item_id(document, part)) == document


@pytest.mark.parametrize(
    "text", ["", "invoice", "invoice::1", "bill::1:1", "invoice:::1", "invoice::1:0", "invoice::1:x", "invoice::1:01"]
)
def test_what_is_no_document_id_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match="not a document id"):
        parse_document(text)


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True), ANY, st.sampled_from(["CNY", "USD"]))
def test_an_account_is_read_back_from_its_stream(book: str, customer: str, currency: str) -> None:
    assert parse_account_stream(account_stream(book, customer, currency)) == (book, customer, currency)


def test_other_streams_are_no_accounts() -> None:
    assert parse_account_stream(book_stream("main")) is None
    assert parse_account_stream(waiting_stream("main", "payment::1:1")) is None


def test_only_house_accounts_begin_with_a_tilde() -> None:
    assert is_house(house_customer("shop", "2024-01"))
    assert not is_house("C1")
