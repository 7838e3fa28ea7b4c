"""Authorities 授权: who may do what alone, and who may approve what another one made (maker and checker 不相容职务分离).

A rule names a command and, if it is not for everybody, a role. Once any rule names a command, whatever no rule lets its
maker do alone needs an approval; the sensitive ones do as soon as there is any rule at all. Without rules nothing does.
Facts never do: they happened anyway (domain rule 3). The amount of a command is the debit side of the events that are
its own, not of those that it causes; a limit in a currency is compared with the amount, one without with the base
amount, and what posts nothing counts as 0. Source: COSO, Internal Control – Integrated Framework, principle 10.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from domain.book import Book
from domain.commands import ChangeAuthorities, ReverseDocument
from domain.events import Authorities, AuthoritiesChanged, Event, Limit, Voucher
from domain.refusals import Code, Refusal

SENSITIVE = frozenset(
    {"ChangePostingTemplate", "ChangeBookPolicies", "ChangeAllowanceMatrix", "ChangeAuthorities", "ReopenPeriod"}
)
"""Commands that need an approval in every book that has limits, unless one lets their maker do them alone."""

E = TypeVar("E", bound=Event)


class Approval(NamedTuple):
    """By which request something is booked, and who approved it; None while it is only asked for."""

    request: str
    checker: str | None


class _Deed(NamedTuple):
    """What a command does, as far as limits look at it. ``kind``: of the document that it reverses, if it does."""

    command: str
    kind: str | None
    currency: str | None
    amount: int
    base_amount: int


def under_control(book: Book, command: Any, events: list[E], approval: Approval | None) -> list[E]:
    """The events of a command as they may be booked: those of an approved one name the approval.

    Refuses what must say why and does not, what its maker may not do alone, and what the checker may not approve.
    """
    authorities = book.authorities
    if approval is None and not (authorities.limits or authorities.reason_required):
        return events
    name = type(command).__name__
    fact = _is_fact(command)
    if name in authorities.reason_required and not fact and not (command.reason or "").strip():
        raise Refusal(Code.REASON_GIVEN, "reason")
    kind = command.document.kind if isinstance(command, ReverseDocument) else None
    deed = _Deed(name, kind, getattr(command, "currency", None), *amounts(events))
    if not fact and not _may_alone(authorities, command.actor, deed):
        if approval is None:
            raise Refusal(Code.APPROVAL, "actor", f"{command.actor} ({deed.amount})")
        if approval.checker is not None and not _is_within(authorities, approval.checker, deed, "approves"):
            raise Refusal(Code.CHECKER_AUTHORITY, "actor", f"{approval.checker} ({deed.amount})")
    return events if approval is None else [replace(event, approval=approval.request) for event in events]


def amounts(events: Sequence[Event]) -> tuple[int, int]:
    """What the events of a command come to, in its currency and in base currency."""
    amount = base_amount = 0
    for event in events:
        # A mirror takes back what it mirrors: it is no second deed.
        if isinstance(event, Voucher) and event.caused_by is None and getattr(event, "mirrors", None) is None:
            amount += abs(sum(posting.amount for posting in event.postings if posting.side == "D"))
            base_amount += abs(sum(posting.base_amount for posting in event.postings if posting.side == "D"))
    return amount, base_amount


def change_authorities(book: Book, command: ChangeAuthorities) -> AuthoritiesChanged:
    """The authorities as they were and as they are from now on. Refuses those that nobody could change any more."""
    before = book.authorities
    limits = None if command.limits is None else [Limit(**one.model_dump()) for one in command.limits]
    after = Authorities(
        before.roles if command.roles is None else command.roles,
        before.limits if limits is None else limits,
        before.reason_required if command.reason_required is None else list(command.reason_required),
    )
    known = {role for roles in after.roles.values() for role in roles}
    changing = [limit for limit in after.limits if limit.command == "ChangeAuthorities"]
    if after.limits and not any(limit.role is None or limit.role in known for limit in changing):
        raise Refusal(Code.AUTHORITIES_CHANGEABLE, "limits", "ChangeAuthorities")
    return AuthoritiesChanged(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        before=before,
        after=after,
    )


def _is_fact(command: Any) -> bool:
    """Whether a command tells what happened anyway: so does a refund that the bank sent back."""
    if isinstance(command, ReverseDocument):
        return command.mode == "failed"
    return getattr(command, "nature", "instruction") == "fact"


def _may_alone(authorities: Authorities, actor: str, deed: _Deed) -> bool:
    named = any(limit.command == deed.command for limit in authorities.limits)
    if not named and not (authorities.limits and deed.command in SENSITIVE):
        return True
    return _is_within(authorities, actor, deed, "alone")


def _is_within(authorities: Authorities, actor: str, deed: _Deed, what: str) -> bool:
    """Whether any limit lets an actor do so much; ``what``: alone, or approves."""
    roles = authorities.roles.get(actor, ())
    for limit in authorities.limits:
        upto = getattr(limit, what)
        if upto is None or limit.command != deed.command or limit.kind not in (None, deed.kind):
            continue
        if limit.role is not None and limit.role not in roles:
            continue
        if limit.currency is None and deed.base_amount <= upto:
            return True
        if limit.currency is not None and limit.currency == deed.currency and deed.amount <= upto:
            return True
    return False
