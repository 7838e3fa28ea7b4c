"""Payments 收款: cash and deductions against the customer's deposit, then settlement on arrival.

A payment always credits the deposit of its class in full (one credit item); what it settles is an ``Allocated`` of its
own. References first: those of its own remittance, then what waited for it; the rest by the book's policy, except what
waits for a document that it names. In a house account of unknown payers nothing is allocated.
"""

from collections.abc import Iterable
from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import (
    base_parts,
    base_total,
    check_accounting_date,
    check_each_positive,
    check_limit,
    check_positive,
    check_remittance,
    terms,
)
from domain.commands import RecordPayment
from domain.documents import document_id, item_id, reference_of
from domain.draft import Draft, Named
from domain.events import Deduction, PaymentReceived, Posting, Remittance
from domain.refusals import Code, Refusal
from domain.settlement import apply_policy, fire, pay_by_reference, resolve
from domain.template import MIGRATION, SECURITY, UNAPPLIED, UNIDENTIFIED


def record_payment(account: Account, named: Named, command: RecordPayment, book: Book, today: date) -> Draft:
    """PaymentReceived, then what it settles on arrival.

    Refuses: rate, base, amount and horizon in common; an unknown method or reason; cash and deductions that do not sum.
    """
    document = document_id("payment", command.series, command.number, command.revision)
    base = base_total(book, account.currency, command.amount, command.rate, command.base_total)
    check_positive(command.amount, "amount")
    check_remittance(command.remittance)
    check_limit(base, "base_total")
    deductions = [deduction.amount for deduction in command.deductions]
    check_each_positive(deductions, "deductions")
    check_accounting_date(command.effective_on, book, today)
    deducted = sum(deductions)
    cash = command.cash if command.cash is not None else command.amount - deducted
    deposit = UNIDENTIFIED if account.is_house else command.deposit_class
    deposit_account = book.account_of_role(deposit, "deposit_class")
    contra = _contra(command, book, cash)
    if cash < 0 or cash + deducted != command.amount:
        raise Refusal(Code.CASH_AND_DEDUCTIONS, "cash", cash)
    bases = base_parts(book, account.currency, base, list(contra.values()), command.rate)
    item = item_id(document, 1)
    dimensions = command.dimensions
    postings = [
        Posting(role, code, "D", amount, bases[n], None, dimensions)
        for n, ((role, code), amount) in enumerate(contra.items())
        if amount
    ]
    postings.append(Posting(deposit, deposit_account, "C", command.amount, base, item, dimensions))
    draft = Draft(account, book, command, document)
    settles = not account.is_house and deposit != SECURITY
    remittance = [resolve(draft, named, paid.reference, paid.amount, settles) for paid in command.remittance]
    event = PaymentReceived(
        **terms(command, book),
        effective_on=command.effective_on,
        postings=postings,
        document=document,
        amount=command.amount,
        base_amount=base,
        rate=command.rate,
        opening=command.opening,
        value_on=command.value_on or command.effective_on,
        method=command.method,
        cash=cash,
        deductions=[Deduction(d.reason, d.amount) for d in command.deductions],
        deposit_class=deposit,
        remittance=remittance,
        dimensions=dimensions,
    )
    draft.emit(event)
    if settles and account.debits:
        _settle(draft, event, item)
    return draft


def _settle(draft: Draft, event: PaymentReceived, item: str) -> None:
    pay_by_reference(draft, item, event.remittance)
    fire(draft, draft.account.awaiting.get(reference_of(event.document), ()), [item])
    credit = draft.get(item)
    if credit is not None and draft.policy != "none" and event.deposit_class == UNAPPLIED:
        available = _unreserved(credit.open, event.remittance)
        if available:
            apply_policy(draft, [(item, available)], draft.policy)


def _unreserved(left: int, remittance: Iterable[Remittance]) -> int:
    """What of a new payment does not wait for a document that it names."""
    for entry in remittance:
        if entry.waits:
            left = 0 if entry.amount is None else left - entry.amount
    return max(0, left)


def _contra(command: RecordPayment, book: Book, cash: int) -> dict[tuple[str, str], int]:
    """What a payment debits, by role and account: cash, and the roles of its deductions (an opening item: migration)."""
    if command.opening:
        return {(MIGRATION, book.account_of_role(MIGRATION, "opening")): command.amount}
    contra = {("cash", book.account_of_method(command.method)): cash}
    for n, deduction in enumerate(command.deductions):
        role = book.role_of_reason(deduction.reason, f"deductions.{n}.reason")
        key = (role, book.account_of_role(role, f"deductions.{n}.reason"))
        contra[key] = contra.get(key, 0) + deduction.amount
    return contra
