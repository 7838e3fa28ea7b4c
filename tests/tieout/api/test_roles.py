"""Roles: each may read, admin may do what any other may, and a grant holds in its book or in all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.api.roles import ROLES, Grant, Principal, Role, WrongGrant


def principal(*grants: str) -> Principal:
    return Principal("li", frozenset(map(Grant.parse, grants)), "key")


@pytest.mark.parametrize("has", Role)
@pytest.mark.parametrize("asked", Role)
def test_a_role_is_enough_for_itself_and_for_reading_and_admin_for_all(has: Role, asked: Role) -> None:
    enough = asked in (has, Role.READER) or has is Role.ADMIN
    assert principal(f"{has}:main").may(asked, "main") == enough
    assert not principal(f"{has}:main").may(asked, "other")
    assert principal(f"{has}:*").may(asked, "other") == enough


def test_only_a_grant_in_every_book_holds_in_every_book() -> None:
    assert principal("poster:*").may(Role.POSTER, "*")
    assert not principal("poster:main", "poster:shop").may(Role.POSTER, "*")


def test_the_books_of_a_role() -> None:
    one = principal("poster:main", "reader:shop", "approver:main")
    assert one.books(Role.READER) == {"main", "shop"}
    assert one.books(Role.POSTER) == {"main"}
    assert one.books(Role.CLOSER) == frozenset()
    assert principal("reader:*", "poster:main").books(Role.READER) is None
    assert principal("reader:*", "poster:main").books(Role.POSTER) == {"main"}
    assert principal("admin:shop").books(Role.AUDITOR) == {"shop"}


@given(st.sampled_from(ROLES), st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}|\*", fullmatch=True))
def test_a_grant_is_read_as_it_is_written(role: str, book: str) -> None:
    assert str(Grant.parse(f"{role}:{book}")) == f"{role}:{book}"


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("", "role"),
        ("main", "role"),
        ("Reader:main", "role"),
        ("owner:main", "role"),
        ("reader", "book"),
        ("reader:", "book"),
        ("reader:Main", "book"),
        ("reader:main:x", "book"),
        ("reader:**", "book"),
        ("reader:main\n", "book"),
        (f"reader:{'a' * 33}", "book"),
    ],
)
def test_what_is_no_grant_is_told_by_what_it_lacks(text: str, lacks: str) -> None:
    with pytest.raises(WrongGrant, match=lacks):
        Grant.parse(text)
