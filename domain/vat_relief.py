"""VAT relief on bad debts 坏账税额抵减: the tax in what was written off is no more owed, where the law says so.

A write-off takes the gross amount from the allowance. A claim, which is an event of its own since it needs the tax
office's conditions to be met, gives the tax part back to the allowance from output tax. At most the invoice's tax in
proportion to what is written off and not recovered; a recovery gives back its share by itself (``domain.write_off``).
Source: Directive 2006/112/EC art. 90; China grants none, so nothing is claimed unless somebody does.
"""

from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_account, check_accounting_date, check_currency, check_positive, terms
from domain.commands import ClaimVatRelief
from domain.documents import document_id, document_of
from domain.draft import Draft, Named
from domain.events import InvoiceIssued, Posting, VatReliefClaimed
from domain.history import History
from domain.money import round_half_away, share
from domain.refusals import Code, Refusal
from domain.template import ALLOWANCE, OUTPUT_TAX
from domain.write_off import claimed_of, left_of


def claim_vat_relief(account: Account, named: Named, command: ClaimVatRelief, book: Book, today: date) -> Draft:
    """VatReliefClaimed. Refuses what was not written off, and more than is left of the tax in it."""
    document = document_id("vat-relief", command.series, command.number, command.revision)
    written_off, invoice = named.get(command.write_off.document), named.get(document_of(command.item))
    check_currency(account, written_off)
    check_positive(command.amount, "amount")
    check_accounting_date(command.effective_on, book, today)
    own = written_off.own if written_off is not None else None
    if own is not None and command.effective_on < own.effective_on:
        raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", command.effective_on)
    output_tax, allowance = (book.account_of_role(role, "write_off") for role in (OUTPUT_TAX, ALLOWANCE))
    check_account(account, written_off, "write_off")
    left, base_left = left_of(written_off, command.write_off.document, command.item)
    claimed = sum(amount for amount, _ in claimed_of(written_off, command.item).values())
    claimable = max(0, _tax_in(invoice, left) - claimed)
    if command.amount > claimable:
        raise Refusal(Code.RELIEF, "amount", f"{command.amount} (claimable: {claimable})")
    assert invoice is not None
    labels = invoice.items[command.item].dimensions
    base = share(base_left, command.amount, left)
    event = VatReliefClaimed(
        **terms(command, book),
        effective_on=command.effective_on,
        postings=[
            Posting(OUTPUT_TAX, output_tax, "D", command.amount, base, None, labels),
            Posting(ALLOWANCE, allowance, "C", command.amount, base, None, labels),
        ],
        document=document,
        write_off=command.write_off.document,
        item=command.item,
        amount=command.amount,
        base_amount=base,
    )
    draft = Draft(account, book, command, document)
    draft.emit(event)
    return draft


def _tax_in(invoice: History | None, amount: int) -> int:
    """The tax in an amount of an invoice, in proportion to its total; there is none in anything else.

    An invoice may be less than its tax, by a line that takes more off: no more than the amount itself is tax then.
    """
    own = invoice.own if invoice is not None else None
    if not isinstance(own, InvoiceIssued):
        return 0
    return min(amount, round_half_away(sum(tax.amount for tax in own.tax) * amount, own.total))
