"""Allocation and release by hand: ``Allocate`` with explicit links or a policy, ``ReleaseAllocation`` of one link.

The date of either is derived: of an allocation the first day on which both items have room, of a release the
allocation's own, since a release by hand undoes an error.
"""

from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_account, check_currency, check_positive
from domain.commands import Allocate, AllocateLine, ReleaseAllocation
from domain.documents import document_of
from domain.draft import Draft, Named
from domain.refusals import Code, Refusal
from domain.settlement import allocate, apply_policy, release
from domain.template import SECURITY


def allocate_by_hand(account: Account, named: Named, command: Allocate, book: Book, today: date) -> Draft:
    """Allocated events of explicit links, or of a policy over credit items.

    Refuses items of another account, items that are not open, a security deposit, more than either side has open.
    """
    del today  # its dates are derived from the items
    check_currency(account, *named.histories.values())
    draft = Draft(account, book, command)
    if command.policy is not None:
        _spread(draft, named, command, command.policy)
        return draft
    links = []
    used: dict[str, int] = {}
    for n, line in enumerate(command.lines):
        if line.amount is not None:
            check_positive(line.amount, f"lines.{n}.amount")
    for n, line in enumerate(command.lines):
        amount = _check_line(draft, named, line, f"lines.{n}", used)
        links.append((line.credit_item, line.debit_item, amount))
        for name in (line.credit_item, line.debit_item):
            used[name] = used.get(name, 0) + amount
    allocate(draft, links, "hand")
    return draft


def _spread(draft: Draft, named: Named, command: Allocate, policy: str) -> None:
    """The items named are spent in full, all others only as far as they do not wait for a document that they name."""
    for n, name in enumerate(command.credit_items):
        check_account(draft.account, named.get(document_of(name)), f"credit_items.{n}")
    for n, name in enumerate(command.credit_items):
        credit = draft.get(name)
        if credit is None or credit.side != "C":
            raise Refusal(Code.CREDIT_ITEM_OPEN, f"credit_items.{n}", name)
    spendable = {name: draft.account.items[name].open for name in command.credit_items}
    if not command.credit_items:
        spendable = {item.item: draft.account.unreserved(item) for item in draft.credits() if item.role != SECURITY}
        if not any(spendable.values()):
            raise Refusal(Code.CREDIT_ITEM_OPEN, "policy", policy)
    if next(draft.debits(), None) is None:
        raise Refusal(Code.DEBIT_ITEM_OPEN, "policy", policy)
    for n, name in enumerate(command.credit_items):
        if draft.account.items[name].role == SECURITY:
            raise Refusal(Code.SECURITY_DEPOSIT, f"credit_items.{n}", name)
    apply_policy(draft, ((name, amount) for name, amount in spendable.items() if amount), policy, "hand")


def _check_line(draft: Draft, named: Named, line: AllocateLine, field: str, used: dict[str, int]) -> int:
    """The amount of one explicit link, given what earlier lines have ``used`` of its items."""
    check_account(draft.account, named.get(document_of(line.credit_item)), f"{field}.credit_item")
    check_account(draft.account, named.get(document_of(line.debit_item)), f"{field}.debit_item")
    credit, debit = draft.get(line.credit_item), draft.get(line.debit_item)
    credit_open = credit.open - used.get(credit.item, 0) if credit is not None and credit.side == "C" else 0
    debit_open = debit.open - used.get(debit.item, 0) if debit is not None and debit.side == "D" else 0
    if credit is None or not credit_open:
        raise Refusal(Code.CREDIT_ITEM_OPEN, f"{field}.credit_item", line.credit_item)
    if not debit_open:
        raise Refusal(Code.DEBIT_ITEM_OPEN, f"{field}.debit_item", line.debit_item)
    if credit.role == SECURITY:
        raise Refusal(Code.SECURITY_DEPOSIT, f"{field}.credit_item", line.credit_item)
    amount = min(credit_open, debit_open) if line.amount is None else line.amount
    if amount > credit_open:
        raise Refusal(Code.ALLOCATION_CREDIT, f"{field}.amount", f"{amount} (open: {credit_open})")
    if amount > debit_open:
        raise Refusal(Code.ALLOCATION_DEBIT, f"{field}.amount", f"{amount} (open: {debit_open})")
    return amount


def release_by_hand(account: Account, named: Named, command: ReleaseAllocation, book: Book, today: date) -> Draft:
    """AllocationReleased of one link or a part of it. Refuses a link that is not live, and more than is left of it."""
    del today  # its date is the allocation's
    if command.amount is not None:
        check_positive(command.amount, "amount")
    for history in named.histories.values():
        link = history.allocations.get(command.allocation)
        if link is not None and history.stream == account.stream:
            break
    else:
        raise Refusal(Code.ALLOCATION_LIVE, "allocation", command.allocation)
    if command.amount is not None and command.amount > link.amount:
        raise Refusal(Code.RELEASE, "amount", f"{command.amount} (left: {link.amount})")
    draft = Draft(account, book, command)
    release(draft, named, link, link.effective_on, command.amount)
    return draft
