"""Revenue over time 收入确认: what a document defers is earned over its service period, by the day or by the month.

Each document that has deferrals is a schedule of its own; a credit note's is negative, and the sum of both is the cut.
Recognised up to a day is round(amount × elapsed / whole), in amount and base amount, less what was recognised before: so
any runs give the same cumulative amounts, and the last day takes all. Days are counted with both ends. Source: IFRS 15.35
and B18 (time elapsed), CAS 14 article 12. Identity: of each deferral what is recognised lies between nothing and all.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date

from msgspec.structs import replace

from domain.account import Account
from domain.book import Book
from domain.checks import check_account, check_accounting_date, check_currency, terms
from domain.commands import RecogniseRevenue, ReverseDocument
from domain.draft import Draft, Named
from domain.events import (
    CreditNoteIssued,
    Deferral,
    InvoiceIssued,
    Posting,
    RecognisedPart,
    RevenueRecognised,
    Voucher,
)
from domain.history import History
from domain.money import round_half_away
from domain.refusals import Code, Refusal
from domain.settlement import reversed_posting
from domain.template import DEFERRED_REVENUE


def recognise_revenue(account: Account, named: Named, command: RecogniseRevenue, book: Book, today: date) -> Draft:
    """RevenueRecognised. Refuses a document that has deferred nothing or is reversed, and a day by which no more is earned."""
    name = command.document.document
    history = named.get(name)
    check_currency(account, history)
    effective_on = command.effective_on or command.until_on
    check_accounting_date(effective_on, book, today)
    if history is not None and history.own is not None and effective_on < history.own.effective_on:
        raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", effective_on)
    check_account(account, history, "document")
    own = history.own if history is not None and history.booked else None
    if history is None or not isinstance(own, (InvoiceIssued, CreditNoteIssued)) or not own.deferrals:
        raise Refusal(Code.DEFERRED, "document", name)
    parts = earned_parts(own, history.recognised, command.until_on)
    if not parts:
        raise Refusal(Code.EARNED, "until_on", command.until_on)
    draft = Draft(account, book, command, name)
    draft.emit(
        RevenueRecognised(
            **terms(command, book),
            effective_on=effective_on,
            postings=_postings(own, parts),
            document=name,
            until_on=command.until_on,
            parts=parts,
            amount=sum(part.amount for part in parts),
            base_amount=sum(part.base_amount for part in parts),
        )
    )
    return draft


def reverse_recognitions(draft: Draft, history: History, command: ReverseDocument) -> None:
    """Each recognition of a document in red, on its own day or the first open one: the document is reversed after them."""
    book = draft.book
    for source in history.recognitions:
        undone = source.event
        assert isinstance(undone, RevenueRecognised)
        on = max(undone.effective_on, book.open_from)
        event = RevenueRecognised(
            **terms(command, book, history.document),
            effective_on=on,
            requested_effective_on=undone.effective_on if undone.effective_on != on else None,
            postings=[reversed_posting(posting) for posting in undone.postings],
            document=history.document,
            until_on=undone.until_on,
            parts=[RecognisedPart(part.deferral, -part.amount, -part.base_amount) for part in undone.parts],
            amount=-undone.amount,
            base_amount=-undone.base_amount,
            reverses=source.event_id,
        )
        draft.emit(event)


def earned_parts(
    own: Voucher | None, recognised: Mapping[int, tuple[int, int]], until_on: date
) -> list[RecognisedPart]:
    """What of a document's deferrals is earned up to a day and not ``recognised`` (amount and base amount) yet.

    An earlier day than was recognised up to before takes nothing back.
    """
    assert isinstance(own, (InvoiceIssued, CreditNoteIssued))
    sign = -1 if isinstance(own, CreditNoteIssued) else 1
    parts = []
    for n, deferral in enumerate(own.deferrals, 1):
        elapsed, whole = time_elapsed(deferral, until_on)
        before, base_before = recognised.get(n, (0, 0))
        amount = _more(sign * deferral.amount, elapsed, whole, before)
        base_amount = _more(sign * deferral.base_amount, elapsed, whole, base_before)
        if amount or base_amount:
            parts.append(RecognisedPart(n, amount, base_amount))
    return parts


def _more(amount: int, elapsed: int, whole: int, before: int) -> int:
    """What has been earned of an amount beyond what was recognised before, of the amount's own sign."""
    earned = round_half_away(amount * elapsed, whole)
    return earned - before if abs(earned) > abs(before) else 0


def time_elapsed(deferral: Deferral, until_on: date) -> tuple[int, int]:
    """How much of the service period lies up to a day, and the whole of it: in days, or in months where these are whole.

    By the month a month counts when it has ended.
    """
    first, last = deferral.service_from, deferral.service_to
    if deferral.method == "month" and first.day == 1 and _ends_month(last):
        whole = _month(last) - _month(first) + 1
        ended = _month(until_on) - _month(first) + (1 if _ends_month(until_on) else 0)
    else:
        whole = (last - first).days + 1
        ended = (until_on - first).days + 1
    return min(max(ended, 0), whole), whole


def _month(day: date) -> int:
    return 12 * day.year + day.month


def _ends_month(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


def _postings(own: InvoiceIssued | CreditNoteIssued, parts: list[RecognisedPart]) -> list[Posting]:
    """Deferred revenue by its accounts and dimensions, against what each deferral is earned as, likewise."""
    held: dict[object, list[Posting]] = {}
    earned: dict[object, list[Posting]] = {}
    for part in parts:
        deferral = own.deferrals[part.deferral - 1]
        amount, base, dimensions = part.amount, part.base_amount, deferral.dimensions
        key = tuple(sorted(dimensions.items()))
        debit = Posting(DEFERRED_REVENUE, deferral.deferred_account, "D", amount, base, None, dimensions)
        held.setdefault((deferral.deferred_account, key), []).append(debit)
        credit = Posting(deferral.role, deferral.account, "C", amount, base, None, dimensions)
        earned.setdefault((deferral.role, deferral.account, key), []).append(credit)
    postings = [_summed(same) for same in (*held.values(), *earned.values())]
    return [posting for posting in postings if posting.amount or posting.base_amount]


def _summed(same: list[Posting]) -> Posting:
    amount, base = sum(one.amount for one in same), sum(one.base_amount for one in same)
    return replace(same[0], amount=amount, base_amount=base)
