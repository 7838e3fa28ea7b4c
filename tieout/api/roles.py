"""Who may do what: roles, the grants of a role in a book or in all books, and the principal that has them.

Every role may read. ``admin`` may do whatever any other may; that nobody approves what he made himself holds for it all
the same, since the ledger sees to that.
"""

import re
from enum import StrEnum
from typing import Literal, NamedTuple, Self

import msgspec

EVERY_BOOK = "*"
_BOOK = re.compile(r"[a-z0-9][a-z0-9-]{0,31}|\*")


class Role(StrEnum):
    """What somebody is in a book."""

    READER = "reader"
    POSTER = "poster"
    APPROVER = "approver"
    CLOSER = "closer"
    AUDITOR = "auditor"
    ADMIN = "admin"


ROLES = tuple(role.value for role in Role)
_HAVE = {role: frozenset(Role) if role is Role.READER else frozenset((role, Role.ADMIN)) for role in Role}
"""The roles that are enough where one is asked for."""


class WrongGrant(ValueError):
    """A text is no grant; the error's own text says what it is that it lacks: ``role`` or ``book``."""


class Grant(NamedTuple):
    """A role in a book, or in every book (``*``)."""

    role: Role
    book: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The grant of a text such as ``poster:main`` or ``reader:*``; ``WrongGrant`` where it is none."""
        role, _, book = text.partition(":")
        if role not in ROLES:
            raise WrongGrant("role")
        if not _BOOK.fullmatch(book):
            raise WrongGrant("book")
        return cls(Role(role), book)

    def __str__(self) -> str:
        return f"{self.role}:{self.book}"


class Principal(msgspec.Struct, frozen=True):
    """Who a request is from. ``subject`` is what events name as their actor; ``kind`` what it was recognised by."""

    subject: str
    grants: frozenset[Grant]
    kind: Literal["key", "token"]

    def may(self, role: Role, book: str) -> bool:
        """Whether it has a role in a book; of ``*``: in every book, also in those that are opened later."""
        return any(grant.role in _HAVE[role] and grant.book in (book, EVERY_BOOK) for grant in self.grants)

    def books(self, role: Role) -> frozenset[str] | None:
        """The books in which it has a role; None: all there are."""
        books = frozenset(grant.book for grant in self.grants if grant.role in _HAVE[role])
        return None if EVERY_BOOK in books else books
