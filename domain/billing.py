"""Invoices 应收单 and credit notes 红字发票.

An invoice debits receivable, an item an instalment, and credits its lines and tax (an opening item: migration); a
credit note is its mirror with one credit item. A line with a service period goes to deferred revenue, and the event
says how it is earned (``domain.recognition``); an opening item is taken over as it is, and defers nothing. Amounts are
minor units. The total is converted once; instalments, and lines with tax, share the base amount by largest remainder.
Both are settled on arrival: references first, then by the book's policy what payments have unapplied; a credit note by
reference only.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

from domain.account import Account
from domain.book import Book
from domain.checks import (
    base_parts,
    base_total,
    check_accounting_date,
    check_currency,
    check_each_limit,
    check_each_positive,
    check_limit,
    check_remittance,
)
from domain.commands import Billing, IssueCreditNote, IssueInvoice
from domain.commands import Line as LineModel
from domain.documents import document_id, item_id, reference_of
from domain.draft import Draft, Named
from domain.events import (
    CreditNoteIssued,
    Deferral,
    DiscountTerms,
    Instalment,
    InvoiceIssued,
    Line,
    Posting,
    Remittance,
    Side,
    Tax,
)
from domain.history import History, gross_by_code
from domain.money import decimal_ratio
from domain.refusals import Code, Refusal
from domain.settlement import be_paid_by_reference, fire, resolve, settle, spend_unapplied
from domain.template import DEFERRED_REVENUE, MIGRATION, OUTPUT_TAX, RECEIVABLE

_Billed = TypeVar("_Billed", InvoiceIssued, CreditNoteIssued)


def issue_invoice(account: Account, named: Named, command: IssueInvoice, book: Book, today: date) -> Draft:
    """InvoiceIssued, then what it is settled with on arrival.

    Refuses: rate, base, amount and horizon in common; a negative total, lines and tax or instalments that do not sum
    to the total, a role without account.
    """
    document = document_id(command.kind, command.series, command.number, command.revision)
    total = command.total
    base = base_total(book, account.currency, total, command.rate, command.base_total)
    amounts = _amounts(command)
    parts = [instalment.amount for instalment in command.instalments]
    if total >= 0:
        # A negative document is refused as such, not for the negative instalments that it is bound to have.
        check_each_positive(parts, "instalments")
    check_remittance(command.remittance)
    _check_limits(command, base, amounts)
    check_accounting_date(command.effective_on, book, today)
    if total < 0:
        raise Refusal(Code.NEGATIVE_TOTAL, "total", total)
    _check_sum(command, amounts)
    if sum(parts) != total:
        raise Refusal(Code.INSTALMENTS, "instalments", sum(parts))
    receivable = book.account_of_role(RECEIVABLE, "customer")
    bases = base_parts(book, account.currency, base, parts, command.rate)
    postings = [
        Posting(RECEIVABLE, receivable, "D", amount, bases[n - 1], item_id(document, n), command.dimensions)
        for n, amount in enumerate(parts, 1)
    ]
    contra, deferrals = _contra_postings(command, book, base, "C", amounts)
    postings += contra
    draft = Draft(account, book, command, document)
    settles = not account.is_house
    remittance = [resolve(draft, named, paid.reference, paid.amount, settles) for paid in command.remittance]
    discount = command.discount
    event = _document(
        InvoiceIssued,
        command,
        book,
        document,
        base,
        flags=_tax_flags(command),
        postings=postings,
        instalments=[Instalment(i.due_on, i.amount) for i in command.instalments],
        remittance=remittance,
        discount=DiscountTerms(discount.percent, discount.until_on) if discount else None,
        deferrals=deferrals,
    )
    draft.emit(event)
    if settles and account.credits:
        _settle_invoice(draft, event, remittance)
    return draft


def _settle_invoice(draft: Draft, event: InvoiceIssued, remittance: Iterable[Remittance]) -> None:
    """References first, those that waited for this invoice before its own; then unapplied payments by the policy."""
    account = draft.account
    reference = reference_of(event.document)
    order = sorted(range(len(event.instalments)), key=lambda n: event.instalments[n].due_on)
    arrived = [item_id(event.document, n + 1) for n in order]
    fire(draft, account.awaiting.get(reference, ()), arrived)
    be_paid_by_reference(draft, arrived, remittance)
    spend_unapplied(draft, reference)


def issue_credit_note(account: Account, named: Named, command: IssueCreditNote, book: Book, today: date) -> Draft:
    """CreditNoteIssued, then its allocation to the invoice that it names.

    A fact beyond its invoice is booked and flagged; an instruction is refused.
    """
    document = document_id("credit-note", command.series, command.number, command.revision)
    total = command.total
    against = command.against.document if command.against else None
    history = named.get(against) if against else None
    if command.nature == "instruction":
        check_currency(account, history)
    base = base_total(book, account.currency, total, command.rate, command.base_total)
    if total < 0:
        raise Refusal(Code.AMOUNT_MUST_BE_POSITIVE, "total", total)
    amounts = _amounts(command)
    _check_limits(command, base, amounts)
    check_accounting_date(command.effective_on, book, today)
    _check_sum(command, amounts)
    postings, deferrals = _contra_postings(command, book, base, "D", amounts)
    flags = _tax_flags(command) + _check_credit(account, command, against, history)
    if total:
        receivable = book.account_of_role(RECEIVABLE, "customer")
        item = item_id(document, 1)
        postings.append(Posting(RECEIVABLE, receivable, "C", total, base, item, command.dimensions))
    draft = Draft(account, book, command, document)
    waits = against is not None and resolve(draft, named, reference_of(against), None, not account.is_house).waits
    own = {"flags": flags, "postings": postings, "against": against, "against_waits": waits}
    event = _document(CreditNoteIssued, command, book, document, base, **own, deferrals=deferrals)
    draft.emit(event)
    if total and not account.is_house:
        _settle_credit_note(draft, event)
    return draft


def _settle_credit_note(draft: Draft, event: CreditNoteIssued) -> None:
    """The invoice that it names, of whichever revision is live, then what waited for it."""
    credit_item = item_id(event.document, 1)
    if event.against is not None:
        settle(draft, credit_item, draft.account.open_items_of(reference_of(event.against)), None)
    fire(draft, draft.account.awaiting.get(reference_of(event.document), ()), [credit_item])


def _check_credit(
    account: Account, command: IssueCreditNote, against: str | None, history: History | None
) -> list[str]:
    """Whether the credited invoice can bear it: refuses an instruction, flags a fact."""
    if against is None:
        return []
    instruction = command.nature == "instruction"
    own = history.own if history is not None and history.booked and history.stream == account.stream else None
    if history is None or not isinstance(own, InvoiceIssued):
        if instruction:
            raise Refusal(Code.CREDITED_INVOICE, "against", against)
        return ["credited_invoice_is_of_other_account"] if history is not None and history.booked else []
    left = gross_by_code(own.tax, own.total)
    for credit in history.credits.values():
        for code, amount in gross_by_code(credit.tax, credit.total).items():
            left[code] = left.get(code, 0) - amount
    for code, amount in gross_by_code(command.tax, command.total).items():
        if amount > max(0, left.get(code, 0)):
            if instruction:
                raise Refusal(Code.CREDIT_CAP, "total", f"{amount} (left of {code or 'untaxed'}: {left.get(code, 0)})")
            return ["credit_exceeds_invoice"]
    return []


def _amounts(command: Billing) -> list[int]:
    """What the contra side is made of: the lines' net amounts, then the taxes'."""
    amounts = [line.net for line in command.lines]
    if command.tax:
        amounts += [tax.amount for tax in command.tax]
    return amounts


def _check_limits(command: Billing, base: int, amounts: Sequence[int]) -> None:
    check_limit(command.total, "total")
    lines = len(command.lines)
    check_each_limit(amounts[:lines], "lines", "net")
    if command.tax:
        check_each_limit([tax.base for tax in command.tax], "tax", "base")
        check_each_limit(amounts[lines:], "tax")
    check_limit(base, "base_total")


def _check_sum(command: Billing, amounts: Sequence[int]) -> None:
    if command.opening and not amounts:
        return
    summed = sum(amounts)
    if summed != command.total:
        raise Refusal(Code.LINES_AND_TAX, "total", f"{command.total} (lines and tax: {summed})")


def _contra_postings(
    command: Billing, book: Book, base: int, side: Side, amounts: Sequence[int]
) -> tuple[list[Posting], list[Deferral]]:
    """The revenue and tax side of a document (an opening item: migration), summed by (role, account, dimensions).

    With it what of that is deferred.
    """
    own = command.dimensions
    if command.opening:
        account = book.account_of_role(MIGRATION, "opening")
        return [Posting(MIGRATION, account, side, command.total, base, None, own)] if command.total else [], []
    keys: list[tuple[str, dict[str, str]]] = []
    deferred = []
    for n, line in enumerate(command.lines):
        if line.role not in book.template.roles:
            raise Refusal(Code.ROLE, f"lines.{n}.role", line.role)
        role = line.role
        if line.service_from is not None or line.service_to is not None:
            _check_service_period(line, n, book)
            deferred.append(n)
            role = DEFERRED_REVENUE
        keys.append((role, own | line.dimensions if line.dimensions else own))
    keys += [(OUTPUT_TAX, own)] * len(command.tax)
    bases = base_parts(book, command.currency, base, amounts, command.rate)
    deferrals = _deferrals(command, book, deferred, bases) if deferred else []
    summed: dict[object, tuple[str, dict[str, str], int, int]] = {}
    for (role, dimensions), amount, base_amount in zip(keys, amounts, bases, strict=True):
        key = (role, *sorted(dimensions.items())) if dimensions else role
        before = summed.get(key)
        if before is None:
            summed[key] = (role, dimensions, amount, base_amount)
        else:
            summed[key] = (role, dimensions, before[2] + amount, before[3] + base_amount)
    postings = []
    for role, dimensions, amount, base_amount in summed.values():
        # Lines that nearly cancel out may be worth far more than their total.
        check_limit(amount, "lines")
        check_limit(base_amount, "lines")
        if amount or base_amount:
            account = book.account_of_role(role, "tax")
            postings.append(Posting(role, account, side, amount, base_amount, None, dimensions))
    return postings, deferrals


def _check_service_period(line: LineModel, n: int, book: Book) -> None:
    if line.service_from is None or line.service_to is None or line.service_from > line.service_to:
        raise Refusal(Code.SERVICE_PERIOD, f"lines.{n}.service_to", line.service_to or "")
    book.account_of_role(DEFERRED_REVENUE, f"lines.{n}.service_from")


def _deferrals(command: Billing, book: Book, deferred: Iterable[int], bases: Sequence[int]) -> list[Deferral]:
    """What the ``deferred`` lines, by their number, are earned as: one deferral a role, dimensions and service period."""
    summed: dict[object, Deferral] = {}
    roles = book.template.roles
    for n in deferred:
        line = command.lines[n]
        assert line.service_from is not None
        assert line.service_to is not None
        dimensions = command.dimensions | line.dimensions
        key = (line.role, line.service_from, line.service_to, *sorted(dimensions.items()))
        before = summed.get(key)
        summed[key] = Deferral(
            line.role,
            roles[line.role],
            roles[DEFERRED_REVENUE],
            line.net + (before.amount if before is not None else 0),
            bases[n] + (before.base_amount if before is not None else 0),
            line.service_from,
            line.service_to,
            book.recognition,
            dimensions,
        )
    for deferral in summed.values():
        check_limit(deferral.amount, "lines")
        check_limit(deferral.base_amount, "lines")
    return [deferral for deferral in summed.values() if deferral.amount or deferral.base_amount]


def _document(kind: type[_Billed], command: Billing, book: Book, document: str, base: int, **own: Any) -> _Billed:
    """The event of an invoice or credit note: what both have in common, and what is its ``own``."""
    effective_on = command.effective_on
    return kind(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        template=book.template.version,
        effective_on=effective_on,
        document=document,
        total=command.total,
        base_total=base,
        rate=command.rate,
        opening=command.opening,
        fiscal_number=command.fiscal_number,
        document_on=command.document_on or effective_on,
        tax_point_on=command.tax_point_on or effective_on,
        lines=[Line(n.net, n.role, n.dimensions, n.service_from, n.service_to) for n in command.lines],
        tax=[Tax(n.code, n.rate, n.base, n.amount) for n in command.tax],
        bill_to=command.bill_to,
        sold_to=command.sold_to,
        dimensions=command.dimensions,
        **own,
    )


def _tax_flags(command: Billing) -> list[str]:
    """A warning where rate × base is off by more than one minor unit a line: upstream's amounts are taken anyway."""
    for tax in command.tax:
        percent, scale = decimal_ratio(tax.rate)
        if abs(percent * tax.base - 100 * scale * tax.amount) > 100 * scale * max(1, len(command.lines)):
            return ["tax_differs_from_rate"]
    return []
