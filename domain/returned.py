"""Payments that are returned 退票/拒付, and reinstated 拒付胜诉: cash goes out again, or comes back once more.

A return is a fact, never refused for its amount: it takes what the payment has open on its day, then releases the
payment's own allocations, those that the command names first, then the newest; the rest is excess, a debit item, flagged.
Once the payment is wholly returned, the adjustments that are linked to it are undone, on the day of the return.
A reinstatement gives the payment's item back what the return took, at most; the rest is a credit item of its own. Then
what the return had released is allocated again, as far as it is still open. Source: domain rules 3 and 6.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import (
    base_total,
    check_account,
    check_accounting_date,
    check_currency,
    check_each_positive,
    check_limit,
    check_positive,
    terms,
)
from domain.commands import CashBack, ReinstatePayment, ReturnPayment
from domain.documents import document_id, item_id
from domain.draft import Draft, Named
from domain.events import Deduction, PaymentReceived, PaymentReinstated, PaymentReturned, Posting, Side
from domain.funding import CreditTaken
from domain.history import History, LiveAllocation
from domain.money import apportion, round_half_away, share
from domain.refusals import Code, Refusal
from domain.reversal import undo
from domain.settlement import exchange_posting, reallocate, settle, spend_unapplied
from domain.template import FEE, RECEIVABLE, UNAPPLIED


def return_payment(account: Account, named: Named, command: ReturnPayment, book: Book, today: date) -> Draft:
    """The releases that it needs, PaymentReturned, and what settles its excess. The payment must be known."""
    document = document_id("return", command.series, command.number, command.revision)
    payment = named.get(command.payment.document)
    assert payment is not None, f"{command.payment.document} is unknown: the return waits and is not decided"
    own = payment.own
    assert isinstance(own, PaymentReceived)
    base = _checked(account, payment, command, book, today, "payment")
    draft = Draft(account, book, command, document)
    money = _Money(book, command, base, own, "C")
    item, excess_item = item_id(payment.document, 1), item_id(document, 1)
    if _wholly_returned(payment, own, command):
        for source in payment.linked.values():
            undo(draft, named, source, "failed", command.effective_on, caused_by=document)
    funds = CreditTaken(draft, named, command.effective_on, command.amount)
    funds.take(item, funds.left)
    for link in _in_order(payment, command.allocations):
        if funds.left:
            funds.release_and_take(link, funds.left)
    parts, postings = funds.postings()
    taken_base = sum(part.base_amount for part in parts)
    excess = funds.left
    excess_base = share(base, excess, command.amount) if excess else 0
    if excess:
        receivable = book.account_of_role(RECEIVABLE, "customer")
        postings.append(Posting(RECEIVABLE, receivable, "D", excess, excess_base, excess_item, command.dimensions))
    postings.extend(money.postings)
    postings.extend(exchange_posting(book, base - excess_base - taken_base))
    draft.emit(
        PaymentReturned(
            **terms(command, book),
            effective_on=command.effective_on,
            flags=["return_exceeds_payment"] if excess else [],
            postings=postings,
            document=document,
            payment=payment.document,
            kind=command.kind,
            amount=command.amount,
            base_amount=base,
            rate=command.rate,
            value_on=command.value_on or command.effective_on,
            cash=money.cash,
            deductions=money.deductions,
            fee=command.fee,
            taken=command.amount - excess,
            taken_base=taken_base,
            excess=excess,
            dimensions=command.dimensions,
        )
    )
    if excess and not account.is_house:
        settle(draft, item, [excess_item], None)
        spend_unapplied(draft)
    return draft


def reinstate_payment(account: Account, named: Named, command: ReinstatePayment, book: Book, today: date) -> Draft:
    """PaymentReinstated, then allocations again. The return must be known.

    Refuses an instruction before the return's day, or for more than is left of it. A fact is booked with its excess and
    flagged, and not before the return: nothing can be given back that is not taken yet.
    """
    document = document_id("reinstatement", command.series, command.number, command.revision)
    history = named.get(command.returned.document)
    assert history is not None, f"{command.returned.document} is unknown: the reinstatement waits and is not decided"
    returned = history.own
    assert isinstance(returned, PaymentReturned)
    payment = named.histories[returned.payment].own
    assert isinstance(payment, PaymentReceived)
    base = _checked(account, history, command, book, today, "returned")
    asked, on = command.effective_on, max(command.effective_on, returned.effective_on)
    if command.nature == "instruction" and asked != on:
        raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", asked)
    left = returned.amount - sum(one.amount for one in history.reinstatements.values()) if history.booked else 0
    if command.nature == "instruction" and command.amount > left:
        raise Refusal(Code.REINSTATEMENT, "amount", f"{command.amount} (left: {left})")
    draft = Draft(account, book, command, document)
    money = _Money(book, command, base, payment, "D")
    postings = money.postings
    given, given_base = _given_back(history, returned, command.amount)
    restored = []
    if given:
        item = draft.get_settled(item_id(returned.payment, 1), named)
        restored = [item.image()] if item.open == 0 else []
        postings.append(Posting(item.role, item.account, "C", given, given_base, item.item, item.dimensions))
    excess, excess_item = command.amount - given, item_id(document, 1)
    excess_base = share(base, excess, command.amount) if excess else 0
    if excess:
        unapplied = book.account_of_role(UNAPPLIED, "customer")
        postings.append(Posting(UNAPPLIED, unapplied, "C", excess, excess_base, excess_item, command.dimensions))
    postings.extend(exchange_posting(book, given_base + excess_base - base))
    draft.emit(
        PaymentReinstated(
            **terms(command, book),
            effective_on=on,
            requested_effective_on=asked if asked != on else None,
            flags=["reinstatement_exceeds_return"] if command.amount > left else [],
            postings=postings,
            document=document,
            returned=history.document,
            payment=returned.payment,
            amount=command.amount,
            base_amount=base,
            rate=command.rate,
            value_on=command.value_on or command.effective_on,
            cash=money.cash,
            deductions=money.deductions,
            fee=command.fee,
            given=given,
            given_base=given_base,
            excess=excess,
            dimensions=command.dimensions,
            restored=restored,
        )
    )
    for released in history.caused_releases:
        reallocate(draft, released)
    if not account.is_house:
        settle(draft, excess_item, [item_id(history.document, 1)], None)
        spend_unapplied(draft)
    return draft


def _checked(
    account: Account, named: History, command: ReturnPayment | ReinstatePayment, book: Book, today: date, field: str
) -> int:
    """What both may be refused for; the base amount."""
    check_currency(account, named)
    base = base_total(book, account.currency, command.amount, command.rate, command.base_total)
    check_positive(command.amount, "amount")
    check_limit(command.fee, "fee")
    check_each_positive([one.amount for one in command.deductions], "deductions")
    check_limit(base, "base_total")
    check_accounting_date(command.effective_on, book, today)
    for n, deduction in enumerate(command.deductions):
        book.role_of_reason(deduction.reason, f"deductions.{n}.reason")
    deducted = sum(one.amount for one in command.deductions)
    if deducted > command.amount:
        raise Refusal(Code.CASH_AND_DEDUCTIONS, "deductions", deducted)
    check_account(account, named, field)
    return base


def _wholly_returned(payment: History, own: PaymentReceived, command: ReturnPayment) -> bool:
    """Whether returns, this one with them, take all of a payment, whatever of them was reinstated."""
    before = [source.event for source in payment.returns.values()]
    return sum(one.amount for one in before if isinstance(one, PaymentReturned)) + command.amount >= own.amount


def _in_order(payment: History, first: Sequence[str]) -> Iterable[LiveAllocation]:
    """The live links of a payment: those that are named, then the newest first."""
    named = [payment.allocations[name] for name in first if name in payment.allocations]
    return [*named, *(link for link in payment.newest_first() if link.allocation not in first)]


def _given_back(history: History, returned: PaymentReturned, amount: int) -> tuple[int, int]:
    """What a reinstatement gives back to the payment's item, at most what the return took, and its share of the base."""
    if not history.booked:
        return 0, 0
    before = history.reinstatements.values()
    left = returned.taken - sum(one.given for one in before)
    given = min(amount, left)
    base_left = returned.taken_base - sum(one.given_base for one in before)
    return given, share(base_left, given, left) if given else 0


class _Money:
    """The side of cash: what moves in cash, deductions and fee, in amount and base amount.

    ``cash`` = amount − deductions + fee. The amount's base is split over deductions and the rest; the fee has as much as
    it would have of the amount.
    """

    def __init__(self, book: Book, command: CashBack, base: int, payment: PaymentReceived, side: Side) -> None:
        amount, fee = command.amount, command.fee
        parts = [one.amount for one in command.deductions]
        *bases, rest = apportion(base, [*parts, amount - sum(parts)])
        fee_base = round_half_away(base * fee, amount)
        self.cash = amount - sum(parts) + fee
        self.deductions = [Deduction(one.reason, one.amount) for one in command.deductions]
        self.postings: list[Posting] = []
        for n, (one, its_base) in enumerate(zip(self.deductions, bases, strict=True)):
            role = book.role_of_reason(one.reason, f"deductions.{n}.reason")
            account = book.account_of_role(role, f"deductions.{n}.reason")
            self.postings.append(Posting(role, account, side, one.amount, its_base, None, command.dimensions))
        if fee:
            other: Side = "D" if side == "C" else "C"
            account = book.account_of_role(FEE, "fee")
            self.postings.append(Posting(FEE, account, other, fee, fee_base, None, command.dimensions))
        if self.cash or rest + fee_base:
            account = _cash_account(book, payment)
            self.postings.append(Posting("cash", account, side, self.cash, rest + fee_base, None, command.dimensions))


def _cash_account(book: Book, payment: PaymentReceived) -> str:
    """Where the payment's money had gone; of an opening one that of its method today."""
    for posting in payment.postings:
        if posting.role == "cash":
            return posting.account
    return book.account_of_method(payment.method)
