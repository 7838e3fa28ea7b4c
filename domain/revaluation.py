"""Unrealised exchange differences 期末调汇: open foreign items at the rate of a day, taken back on the next.

Posted is, by currency and control account, what the open monetary items are worth at the closing rate, less their base
amount, less what was posted for the same day before. It goes to an account of its own beside the control account, so
that items keep their base amounts and a payment realises its whole difference later, as if nothing had been revalued.
Source: IAS 21 paragraphs 23 and 28, IFRIC 22 and CAS 19 (advances are no monetary items).
"""

from datetime import date, timedelta

from domain.book import Book
from domain.book_voucher import book_terms, check_evidence, transfer
from domain.checks import check_accounting_date, check_limit
from domain.commands import PostRevaluation, RevaluationEvidence
from domain.documents import book_stream
from domain.events import RevaluationLine, RevaluationPosted
from domain.money import convert
from domain.refusals import Code, Refusal
from domain.settlement import reversed_posting
from domain.template import REVALUATION, UNREALISED


def post_revaluation(book: Book, command: PostRevaluation, today: date) -> tuple[RevaluationPosted, RevaluationPosted]:
    """RevaluationPosted on the day, and its mirror on the next.

    Refuses a closed day, a template without accounts for it, evidence of another version of the book or in its base
    currency, and no difference in any line.
    """
    check_accounting_date(command.effective_on, book, today)
    accounts = {role: book.account_of_role(role, "effective_on") for role in (REVALUATION, UNREALISED)}
    check_evidence(book, command.book_version)
    for n, one in enumerate(command.lines):
        if one.currency == book.base_currency:
            raise Refusal(Code.EVIDENCE, f"lines.{n}.currency", one.currency)
    lines = [valued(one, book.base_currency) for one in command.lines]
    for n, line in enumerate(lines):
        check_limit(line.difference, f"lines.{n}.amount")
    if not any(line.difference for line in lines):
        raise Refusal(Code.DIFFERENCE, "lines", 0)
    postings = []
    for line in lines:
        if line.difference:
            labels = labels_of(line.currency, line.account)
            postings += transfer(accounts, REVALUATION, UNREALISED, line.difference, labels)
    shared = book_terms(command, book) | {"position": command.position, "rate_source": command.rate_source}
    difference = sum(line.difference for line in lines)
    posted = RevaluationPosted(
        **shared, effective_on=command.effective_on, postings=postings, lines=lines, difference=difference
    )
    mirror = RevaluationPosted(
        **shared,
        effective_on=command.effective_on + timedelta(days=1),
        postings=[reversed_posting(posting) for posting in postings],
        lines=lines,
        difference=-difference,
        mirrors=f"{book_stream(book.book)}:{book.version + 1}",
    )
    return posted, mirror


def valued(one: RevaluationEvidence, base_currency: str) -> RevaluationLine:
    """A line at its rate."""
    value = convert(one.amount, one.currency, base_currency, one.rate)
    return RevaluationLine(
        currency=one.currency,
        account=one.account,
        amount=one.amount,
        base_amount=one.base_amount,
        rate=one.rate,
        rate_on=one.rate_on,
        value=value,
        before=one.before,
        difference=value - one.base_amount - one.before,
    )


def labels_of(currency: str, account: str) -> dict[str, str]:
    """What a revaluation is of, as dimensions of its postings."""
    return {"currency": currency, "control_account": account}
