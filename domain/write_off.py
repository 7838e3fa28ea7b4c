"""Bad debts 坏账: a write-off takes debit items out of the books against the allowance; a recovery opens one again.

A write-off is an instruction: it is refused beyond what is open, and where there is no room on its day. A recovery gives
back at most what the write-off took, with its share of the base amount (domain rule 8), and its share of the VAT relief
that was claimed; what is paid then settles the item as usual. Identity 3: open = original − settled − adjusted − written
off + recovered. Source: IFRS 9 5.4.4 and B5.4.9, CAS 22.
"""

from collections.abc import Sequence
from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_account, check_accounting_date, check_currency, check_positive, terms
from domain.commands import RecoverWriteOff, WriteOff
from domain.documents import document_id, document_of
from domain.draft import Draft, Named
from domain.events import Posting, ReliefReturned, WriteOffLine, WriteOffRecovered, WrittenOff
from domain.history import History
from domain.items import OpenItem
from domain.money import share
from domain.refusals import Code, Refusal
from domain.settlement import spend_unapplied
from domain.template import ALLOWANCE, OUTPUT_TAX


def write_off(account: Account, named: Named, command: WriteOff, book: Book, today: date) -> Draft:
    """WrittenOff. Refuses an item that is no open debit item of the account, and more than it has open."""
    document = document_id("write-off", command.series, command.number, command.revision)
    owners = [named.get(document_of(one.item)) for one in command.items]
    check_currency(account, *owners)
    for n, one in enumerate(command.items):
        if one.amount is not None:
            check_positive(one.amount, f"items.{n}.amount")
    check_accounting_date(command.effective_on, book, today)
    found = [account.items.get(one.item) for one in command.items]
    for one, item in zip(command.items, found, strict=True):
        if item is not None and item.open >= (one.amount or item.open) > item.room(command.effective_on):
            raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", command.effective_on)
    allowance = book.account_of_role(ALLOWANCE, "items")
    for n, owner in enumerate(owners):
        check_account(account, owner, f"items.{n}.item")
    items = [
        _open(item, one.item, one.amount, n) for n, (one, item) in enumerate(zip(command.items, found, strict=True))
    ]
    lines = []
    for one, item in zip(command.items, items, strict=True):
        amount = item.open if one.amount is None else one.amount
        lines.append(WriteOffLine(item.item, amount, share(item.open_base, amount, item.open)))
    event = WrittenOff(
        **terms(command, book),
        effective_on=command.effective_on,
        postings=_postings(allowance, lines, items),
        document=document,
        lines=lines,
        amount=sum(line.amount for line in lines),
        base_amount=sum(line.base_amount for line in lines),
    )
    draft = Draft(account, book, command, document)
    draft.emit(event)
    return draft


def _open(item: OpenItem | None, name: str, amount: int | None, n: int) -> OpenItem:
    if item is not None and item.side != "D":
        raise Refusal(Code.DEBIT_ITEM_OPEN, f"items.{n}.item", name)
    if item is None:
        raise Refusal(Code.ITEM_OPEN, f"items.{n}.item", name)
    if amount is not None and amount > item.open:
        raise Refusal(Code.WRITE_OFF, f"items.{n}.amount", f"{amount} (open: {item.open})")
    return item


def _postings(allowance: str, lines: Sequence[WriteOffLine], items: Sequence[OpenItem]) -> list[Posting]:
    """The allowance, by the items' dimensions, against each item's own account."""
    sums: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for line, item in zip(lines, items, strict=True):
        total = sums.setdefault(tuple(sorted(item.dimensions.items())), [0, 0])
        total[0] += line.amount
        total[1] += line.base_amount
    postings = [Posting(ALLOWANCE, allowance, "D", total[0], total[1], None, dict(key)) for key, total in sums.items()]
    for line, item in zip(lines, items, strict=True):
        postings.append(
            Posting(item.role, item.account, "C", line.amount, line.base_amount, item.item, item.dimensions)
        )
    return postings


def recover_write_off(account: Account, named: Named, command: RecoverWriteOff, book: Book, today: date) -> Draft:
    """WriteOffRecovered, then what the customer has unapplied settles the item by the book's policy.

    Refuses what was not written off, and more than is left of that.
    """
    document = document_id("recovery", command.series, command.number, command.revision)
    history = named.get(command.write_off.document)
    check_currency(account, history)
    check_positive(command.amount, "amount")
    check_accounting_date(command.effective_on, book, today)
    if history is not None and history.own is not None and command.effective_on < history.own.effective_on:
        raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", command.effective_on)
    allowance = book.account_of_role(ALLOWANCE, "write_off")
    check_account(account, history, "write_off")
    left, base_left = left_of(history, command.write_off.document, command.item)
    if command.amount > left:
        raise Refusal(Code.RECOVERY, "amount", f"{command.amount} (written off: {left})")
    base = share(base_left, command.amount, left)
    relief = [
        ReliefReturned(name, part, share(base_claimed, part, claimed))
        for name, (claimed, base_claimed) in claimed_of(history, command.item).items()
        if claimed and (part := share(claimed, command.amount, left))
    ]
    draft = Draft(account, book, command, document)
    item = draft.get_settled(command.item, named)
    event = WriteOffRecovered(
        **terms(command, book),
        effective_on=command.effective_on,
        postings=[
            Posting(item.role, item.account, "D", command.amount, base, item.item, item.dimensions),
            Posting(ALLOWANCE, allowance, "C", command.amount, base, None, item.dimensions),
            *_tax_again(book, allowance, relief, item),
        ],
        document=document,
        write_off=command.write_off.document,
        item=item.item,
        amount=command.amount,
        base_amount=base,
        relief=relief,
        restored=[item.image()] if item.open == 0 else [],
    )
    draft.emit(event)
    if not account.is_house:
        spend_unapplied(draft)
    return draft


def _tax_again(book: Book, allowance: str, relief: Sequence[ReliefReturned], item: OpenItem) -> list[Posting]:
    """What of the relief is output tax again."""
    amount, base = sum(one.amount for one in relief), sum(one.base_amount for one in relief)
    if not amount:
        return []
    output_tax = book.account_of_role(OUTPUT_TAX, "write_off")
    return [
        Posting(ALLOWANCE, allowance, "D", amount, base, None, item.dimensions),
        Posting(OUTPUT_TAX, output_tax, "C", amount, base, None, item.dimensions),
    ]


def claimed_of(history: History | None, item: str) -> dict[str, tuple[int, int]]:
    """Each live claim of VAT relief on an item of a write-off, less what recoveries gave back, in amount and base."""
    if history is None:
        return {}
    found = {one.document: (one.amount, one.base_amount) for one in history.reliefs.values() if one.item == item}
    for recovery in history.recoveries.values():
        for part in recovery.relief:
            if part.relief in found:
                amount, base = found[part.relief]
                found[part.relief] = (amount - part.amount, base - part.base_amount)
    return found


def left_of(history: History | None, document: str, item: str) -> tuple[int, int]:
    """What a write-off took from an item and recoveries have not given back, in amount and base amount."""
    if history is None or not history.booked:
        raise Refusal(Code.ITEM_WRITTEN_OFF, "write_off", document)
    own = history.own
    assert isinstance(own, WrittenOff)
    for line in own.lines:
        if line.item == item:
            given_back = [one for one in history.recoveries.values() if one.item == line.item]
            amount = line.amount - sum(one.amount for one in given_back)
            return amount, line.base_amount - sum(one.base_amount for one in given_back)
    raise Refusal(Code.ITEM_WRITTEN_OFF, "item", item)
