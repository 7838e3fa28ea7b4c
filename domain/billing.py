"""Invoices 应收单 and credit notes 红字发票.

An invoice debits receivable, an item an instalment, and credits its lines and tax (an opening item: migration); a
credit note is its mirror with one credit item. Amounts are minor units. The total is converted once; instalments,
lines and tax share the base amount by largest remainder. Both are settled on arrival: references first, then by the
book's policy what payments have unapplied; a credit note by reference only.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from domain.account import Account
from domain.book import Book
from domain.checks import base_total, check_horizon, check_limit, check_positive, terms
from domain.commands import Billing, IssueCreditNote, IssueInvoice
from domain.commands import Line as LineModel
from domain.commands import Tax as TaxModel
from domain.documents import document_id, document_of, item_id, reference_of
from domain.draft import Draft, Named
from domain.events import (
    CreditNoteIssued,
    DiscountTerms,
    Instalment,
    InvoiceIssued,
    Line,
    Posting,
    Remittance,
    Side,
    Tax,
    Voucher,
)
from domain.history import History, gross_by_code
from domain.money import apportion
from domain.refusals import Code, Refusal
from domain.settlement import apply_policy, be_paid_by_reference, fire, resolve, settle, unreserved
from domain.template import MIGRATION, OUTPUT_TAX, RECEIVABLE


def issue_invoice(account: Account, named: Named, command: IssueInvoice, book: Book, today: date) -> list[Voucher]:
    """InvoiceIssued, then what it is settled with on arrival.

    Refuses: rate, base, amount and horizon in common; a negative total, lines and tax or instalments that do not sum
    to the total, a role without account.
    """
    document = document_id(command.kind, command.series, command.number, command.revision)
    total = command.total
    check_limit(total, "total")
    base = base_total(book, account.currency, total, command.rate, command.base_total) if total >= 0 else 0
    for n, instalment in enumerate(command.instalments):
        check_positive(instalment.amount, f"instalments.{n}.amount")
    check_horizon(command.effective_on, book, today)
    if total < 0:
        raise Refusal(Code.NEGATIVE_TOTAL, "total", total)
    _check_sum(command)
    amounts = [instalment.amount for instalment in command.instalments]
    if sum(amounts) != total:
        raise Refusal(Code.INSTALMENTS, "instalments", sum(amounts))
    receivable = book.account_of_role(RECEIVABLE, "customer")
    bases = amounts if account.currency == book.base_currency else apportion(base, amounts)
    postings = [
        Posting(RECEIVABLE, receivable, "D", amount, bases[n], item_id(document, n + 1), command.dimensions)
        for n, amount in enumerate(amounts)
    ]
    postings += _contra_postings(command, book, base, "C")
    draft = Draft(account, book, command, document)
    remittance = [resolve(draft, named, paid.reference, paid.amount) for paid in command.remittance]
    discount = command.discount
    event = InvoiceIssued(
        **_common(command, book, document, base),
        postings=postings,
        instalments=[Instalment(i.due_on, i.amount) for i in command.instalments],
        remittance=remittance,
        discount=DiscountTerms(discount.percent, discount.until_on) if discount else None,
    )
    if account.is_house or not (account.credits or remittance):
        draft.add(event)
    else:
        draft.emit(event)
        _settle_invoice(draft, event, remittance)
    return draft.events


def _settle_invoice(draft: Draft, event: InvoiceIssued, remittance: Iterable[Remittance]) -> None:
    """References first, those that waited for this invoice before its own; then unapplied payments by the policy."""
    account, policy = draft.account, draft.book.allocation
    reference = reference_of(event.document)
    order = sorted(range(len(event.instalments)), key=lambda n: event.instalments[n].due_on)
    arrived = [item_id(event.document, n + 1) for n in order]
    fire(draft, account.awaiting.get(reference, ()), arrived)
    be_paid_by_reference(draft, arrived, remittance)
    if policy != "none":
        spend_unapplied(draft, reference)


def spend_unapplied(draft: Draft, fired: str | None = None) -> None:
    """What payments have unapplied settles open debit items by the book's policy, the oldest payment first."""
    unapplied = [credit for credit in draft.credits() if credit.role == "unapplied"]
    for credit in unapplied:
        available = unreserved(draft, credit, fired=fired)
        if available:
            apply_policy(draft, [(credit.item, available)], draft.book.allocation)


def issue_credit_note(
    account: Account, named: Named, command: IssueCreditNote, book: Book, today: date
) -> list[Voucher]:
    """CreditNoteIssued, then its allocation to the invoice that it names.

    A fact beyond its invoice is booked and flagged; an instruction is refused.
    """
    document = document_id("credit-note", command.series, command.number, command.revision)
    total = command.total
    if total < 0:
        raise Refusal(Code.AMOUNT_MUST_BE_POSITIVE, "total", total)
    base = base_total(book, account.currency, total, command.rate, command.base_total)
    check_limit(total, "total")
    check_horizon(command.effective_on, book, today)
    _check_sum(command)
    against = command.against.document if command.against else None
    history = named.get(against) if against else None
    common = _common(command, book, document, base)
    common["flags"] = [*common["flags"], *_check_credit(account, command, against, history)]
    postings = _contra_postings(command, book, base, "D")
    if total:
        receivable = book.account_of_role(RECEIVABLE, "customer")
        item = item_id(document, 1)
        postings.append(Posting(RECEIVABLE, receivable, "C", total, base, item, command.dimensions))
    waits = against is not None and (history is None or history.reversed)
    draft = Draft(account, book, command, document)
    event = CreditNoteIssued(**common, postings=postings, against=against, against_waits=waits)
    draft.emit(event)
    if total and not account.is_house:
        _settle_credit_note(draft, event, against)
    return draft.events


def _settle_credit_note(draft: Draft, event: CreditNoteIssued, against: str | None) -> None:
    credit_item = item_id(event.document, 1)
    if against is not None and not event.against_waits:
        credited = [name for name in draft.account.open_items_of(reference_of(against)) if document_of(name) == against]
        settle(draft, credit_item, credited, None)
    fire(draft, draft.account.awaiting.get(reference_of(event.document), ()), [credit_item])


def _check_credit(
    account: Account, command: IssueCreditNote, against: str | None, history: History | None
) -> list[str]:
    """Whether the credited invoice can bear it: refuses an instruction, flags a fact."""
    if against is None:
        return []
    instruction = command.nature == "instruction"
    own = history.own if history is not None else None
    if history is None or not isinstance(own, InvoiceIssued) or history.stream != account.stream:
        if instruction:
            raise Refusal(Code.CREDITED_INVOICE, "against", against)
        return []
    left = gross_by_code(own.tax, own.total)
    for credit in history.credits.values():
        for code, amount in gross_by_code(credit.tax, credit.total).items():
            left[code] = left.get(code, 0) - amount
    for code, amount in gross_by_code([_tax(t) for t in command.tax], command.total).items():
        if amount > left.get(code, 0):
            if instruction:
                raise Refusal(Code.CREDIT_CAP, "total", amount)
            return ["credit_exceeds_invoice"]
    return []


def _check_sum(command: Billing) -> None:
    if command.opening and not command.lines and not command.tax:
        return
    summed = sum(line.net for line in command.lines) + sum(tax.amount for tax in command.tax)
    if summed != command.total:
        raise Refusal(Code.LINES_AND_TAX, "total", f"{command.total} (lines and tax: {summed})")


def _contra_postings(command: Billing, book: Book, base: int, side: Side) -> list[Posting]:
    """The revenue and tax side of a document (an opening item: migration), summed by (role, account, dimensions)."""
    total = command.total
    if command.opening:
        account = book.account_of_role(MIGRATION, "opening")
        return [Posting(MIGRATION, account, side, total, base, None, command.dimensions)] if total else []
    amounts = [line.net for line in command.lines]
    amounts += [tax.amount for tax in command.tax]
    bases = amounts if command.currency == book.base_currency else apportion(base, amounts)
    keys: list[tuple[str, dict[str, str]]] = []
    for n, line in enumerate(command.lines):
        book.account_of_role(line.role, f"lines.{n}.role")
        keys.append((line.role, command.dimensions | line.dimensions if line.dimensions else command.dimensions))
    keys += [(OUTPUT_TAX, command.dimensions)] * len(command.tax)
    summed: dict[tuple[Any, ...], list[int]] = {}
    dimensions_of: dict[tuple[Any, ...], dict[str, str]] = {}
    for (role, dimensions), amount, base_amount in zip(keys, amounts, bases, strict=True):
        key = (role, *sorted(dimensions.items())) if dimensions else (role,)
        entry = summed.get(key)
        if entry is None:
            summed[key] = [amount, base_amount]
            dimensions_of[key] = dimensions
        else:
            entry[0] += amount
            entry[1] += base_amount
    return [
        Posting(key[0], book.account_of_role(key[0], "tax"), side, amount, base_amount, None, dimensions_of[key])
        for key, (amount, base_amount) in summed.items()
        if amount or base_amount
    ]


def _common(command: Billing, book: Book, document: str, base: int) -> dict[str, Any]:
    """The fields that an invoice and a credit note have in common, but for their postings."""
    return {
        **terms(command, book),
        "effective_on": command.effective_on,
        "flags": _tax_flags(command.tax, len(command.lines)),
        "document": document,
        "total": command.total,
        "base_total": base,
        "rate": command.rate,
        "opening": command.opening,
        "fiscal_number": command.fiscal_number,
        "document_on": command.document_on or command.effective_on,
        "tax_point_on": command.tax_point_on or command.effective_on,
        "lines": [_line(line) for line in command.lines],
        "tax": [_tax(tax) for tax in command.tax],
        "bill_to": command.bill_to,
        "sold_to": command.sold_to,
        "dimensions": command.dimensions,
    }


def _tax_flags(tax: Sequence[TaxModel], lines: int) -> list[str]:
    """A warning where rate × base is off by more than one minor unit a line: upstream's amounts are taken anyway."""
    for line in tax:
        if abs(Fraction(line.rate) * line.base / 100 - line.amount) > max(1, lines):
            return ["tax_differs_from_rate"]
    return []


def _line(line: LineModel) -> Line:
    return Line(line.net, line.role, line.dimensions, line.service_from, line.service_to)


def _tax(tax: TaxModel) -> Tax:
    return Tax(tax.code, tax.rate, tax.base, tax.amount)
