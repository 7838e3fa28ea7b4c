"""A book 账套: one legal entity's set of accounts, as its own stream of events makes it.

Dates are days in the book's time zone and calendar; base amounts are minor units of its base currency.
"""

from datetime import date, timedelta
from typing import Literal

import msgspec

from domain.commands import ChangeBookPolicies, ChangePostingTemplate, OpenBook
from domain.events import (
    AllowanceMatrix,
    AllowanceMatrixChanged,
    Authorities,
    AuthoritiesChanged,
    BookOpened,
    BookPolicies,
    BookPoliciesChanged,
    BookVoucher,
    Event,
    PeriodClosed,
    PeriodReopened,
    PostingTemplateChanged,
    Settlement,
)
from domain.money import percent_of
from domain.refusals import Code, Refusal
from domain.template import PostingTemplate, default_template


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a book. ``policy_version`` is the version of the event that set the allocation policy.

    ``closed``: the last days of the periods that were closed, in order; a later one closes all before it.
    """

    book: str
    name: str | None
    standard: str
    base_currency: str
    time_zone: str
    calendar: str
    first_on: date
    allocation: str
    settlement: Settlement
    tolerances: dict[str, int]
    tolerance_percents: dict[str, str]
    late_facts: Literal["refuse", "move"]
    recognition: Literal["day", "month"]
    template: PostingTemplate
    policy_version: int
    version: int
    closed: tuple[date, ...] = ()
    authorities: Authorities = Authorities()
    matrix: AllowanceMatrix | None = None
    rate_source: str = ""

    @property
    def open_from(self) -> date:
        """The first day that is open."""
        return self.closed[-1] + timedelta(days=1) if self.closed else self.first_on

    def tolerance(self, currency: str, amount: int) -> int | None:
        """How much of an item of an amount may be rounded off, all together; None where nothing says so."""
        limits = [self.tolerances[currency]] if currency in self.tolerances else []
        if currency in self.tolerance_percents:
            limits.append(percent_of(amount, self.tolerance_percents[currency]))
        return min(limits, default=None)

    def account_of_role(self, role: str, field: str) -> str:
        """The account code of a role; refused where the template has none."""
        account = self.template.roles.get(role)
        if account is None:
            raise Refusal(Code.ROLE, field, role)
        return account

    def account_of_method(self, method: str) -> str:
        """The account code of a method of payment; refused where the template has none."""
        account = self.template.methods.get(method)
        if account is None:
            raise Refusal(Code.METHOD, "method", method)
        return account

    def role_of_reason(self, reason: str, field: str) -> str:
        """The role that a reason of deduction or adjustment is posted to; refused where the template has none."""
        role = self.template.reasons.get(reason)
        if role is None or role not in self.template.roles:
            raise Refusal(Code.REASON, field, reason)
        return role


def open_book(command: OpenBook) -> list[Event]:
    """BookOpened and, in the same commit, the whole template as version 1."""
    template = default_template(command.standard).changed(command.roles, command.methods, command.reasons)
    _check_reasons(template)
    return [
        BookOpened(
            source=command.source,
            source_id=command.source_id,
            actor=command.actor,
            reason=command.reason,
            sequence=command.sequence,
            book=command.book,
            name=command.name,
            standard=command.standard,
            base_currency=command.base_currency,
            time_zone=command.time_zone,
            calendar=command.calendar,
            first_on=command.first_on,
            allocation=command.allocation,
            settlement=command.settlement,
            tolerances=command.tolerances,
            tolerance_percents=command.tolerance_percents,
            late_facts=command.late_facts,
            recognition=command.recognition,
        ),
        _template_changed(command, template),
    ]


def change_template(book: Book, command: ChangePostingTemplate) -> list[Event]:
    """The next version of the template, whole."""
    template = book.template.changed(command.roles, command.methods, command.reasons)
    _check_reasons(template)
    return [_template_changed(command, template)]


_POLICIES = BookPolicies.__struct_fields__


def change_policies(book: Book, command: ChangeBookPolicies) -> list[Event]:
    """The policies as they were and as they are from now on."""
    before = BookPolicies(**{name: getattr(book, name) for name in _POLICIES})
    given = {name: value for name in _POLICIES if (value := getattr(command, name)) is not None}
    after = msgspec.structs.replace(before, **given)
    return [
        BookPoliciesChanged(
            source=command.source,
            source_id=command.source_id,
            actor=command.actor,
            reason=command.reason,
            sequence=command.sequence,
            before=before,
            after=after,
        )
    ]


def evolve_book(book: Book | None, event: Event) -> Book:
    """The book after an event of its stream; never refuses."""
    if isinstance(event, BookOpened):
        assert book is None
        return Book(
            book=event.book,
            name=event.name,
            standard=event.standard,
            base_currency=event.base_currency,
            time_zone=event.time_zone,
            calendar=event.calendar,
            first_on=event.first_on,
            allocation=event.allocation,
            settlement=event.settlement,
            tolerances=event.tolerances,
            tolerance_percents=event.tolerance_percents,
            late_facts=event.late_facts,
            recognition=event.recognition,
            template=default_template(),
            policy_version=1,
            version=1,
        )
    assert book is not None
    if isinstance(event, BookPoliciesChanged):
        version = book.version + 1
        return msgspec.structs.replace(
            book,
            **msgspec.structs.asdict(event.after),
            policy_version=version if event.after.allocation != book.allocation else book.policy_version,
            version=version,
        )
    if isinstance(event, AuthoritiesChanged):
        return msgspec.structs.replace(book, authorities=event.after, version=book.version + 1)
    if isinstance(event, PeriodClosed):
        return msgspec.structs.replace(book, closed=(*book.closed, event.last_on), version=book.version + 1)
    if isinstance(event, PeriodReopened):
        return msgspec.structs.replace(book, closed=book.closed[:-1], version=book.version + 1)
    if isinstance(event, AllowanceMatrixChanged):
        return msgspec.structs.replace(book, matrix=event.after, version=book.version + 1)
    if isinstance(event, BookVoucher):
        return msgspec.structs.replace(book, version=book.version + 1)
    assert isinstance(event, PostingTemplateChanged)
    template = PostingTemplate(version=event.version, roles=event.roles, methods=event.methods, reasons=event.reasons)
    return msgspec.structs.replace(book, template=template, version=book.version + 1)


def _check_reasons(template: PostingTemplate) -> None:
    for reason, role in template.reasons.items():
        if role not in template.roles:
            raise Refusal(Code.ROLE, f"reasons.{reason}", role)


def _template_changed(command: OpenBook | ChangePostingTemplate, template: PostingTemplate) -> PostingTemplateChanged:
    return PostingTemplateChanged(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        version=template.version,
        roles=template.roles,
        methods=template.methods,
        reasons=template.reasons,
    )
