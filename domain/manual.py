"""Allocation and release by hand: ``Allocate`` with explicit links or a policy, ``ReleaseAllocation`` of one link.

The date of either is derived: of an allocation the first day on which both items have room, of a release the
allocation's own, since a release by hand undoes an error.
"""

from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_positive
from domain.commands import Allocate, AllocateLine, ReleaseAllocation
from domain.documents import document_of
from domain.draft import Draft, Named
from domain.events import Voucher
from domain.items import OpenItem
from domain.refusals import Code, Refusal
from domain.settlement import allocate, apply_policy, release


def allocate_by_hand(account: Account, named: Named, command: Allocate, book: Book, today: date) -> list[Voucher]:
    """Allocated events of explicit links, or of a policy over the credit items named (all open ones, if none is).

    Refuses items of another account, items that are not open, a security deposit, more than either side has open.
    """
    del today  # its dates are derived from the items
    draft = Draft(account, book, command)
    if command.policy is not None:
        names = command.credit_items or [c.item for c in draft.credits() if c.role != "security"]
        for n, name in enumerate(names):
            _allocatable(draft, named, name, f"credit_items.{n}")
        for name in names:
            credit = draft.get(name)
            if credit is not None:
                apply_policy(draft, [(name, credit.open)], command.policy, "hand")
        if not draft.events:
            raise Refusal(Code.DEBIT_ITEM_OPEN, "policy", command.policy)
        return draft.events
    links = []
    used: dict[str, int] = {}
    for n, line in enumerate(command.lines):
        amount = _check_line(draft, named, line, f"lines.{n}", used)
        links.append((line.credit_item, line.debit_item, amount))
        for name in (line.credit_item, line.debit_item):
            used[name] = used.get(name, 0) + amount
    allocate(draft, links, "hand")
    return draft.events


def _check_line(draft: Draft, named: Named, line: AllocateLine, field: str, used: dict[str, int]) -> int:
    if line.amount is not None:
        check_positive(line.amount, f"{field}.amount")
    for side, name in (("credit_item", line.credit_item), ("debit_item", line.debit_item)):
        _of_account(draft, named, name, f"{field}.{side}")
    credit = _allocatable(draft, named, line.credit_item, f"{field}.credit_item", used)
    debit = draft.get(line.debit_item)
    if debit is None or debit.side != "D" or debit.open == used.get(debit.item, 0):
        raise Refusal(Code.DEBIT_ITEM_OPEN, f"{field}.debit_item", line.debit_item)
    if credit.role == "security":
        raise Refusal(Code.SECURITY_DEPOSIT, f"{field}.credit_item", line.credit_item)
    credit_open = credit.open - used.get(credit.item, 0)
    debit_open = debit.open - used.get(debit.item, 0)
    amount = min(credit_open, debit_open) if line.amount is None else line.amount
    if amount > credit_open:
        raise Refusal(Code.ALLOCATION_CREDIT, f"{field}.amount", f"{amount} (open: {credit_open})")
    if amount > debit_open:
        raise Refusal(Code.ALLOCATION_DEBIT, f"{field}.amount", f"{amount} (open: {debit_open})")
    return amount


def _of_account(draft: Draft, named: Named, name: str, field: str) -> None:
    history = named.get(document_of(name))
    if name not in draft.account.items and history is not None and history.stream != draft.account.stream:
        raise Refusal(Code.ITEMS_SHARE_ACCOUNT, field, name)


def _allocatable(draft: Draft, named: Named, name: str, field: str, used: dict[str, int] | None = None) -> OpenItem:
    _of_account(draft, named, name, field)
    credit = draft.get(name)
    if credit is None or credit.side != "C" or credit.open == (used or {}).get(name, 0):
        raise Refusal(Code.CREDIT_ITEM_OPEN, field, name)
    if used is None and credit.role == "security":
        raise Refusal(Code.SECURITY_DEPOSIT, field, name)
    return credit


def release_by_hand(
    account: Account, named: Named, command: ReleaseAllocation, book: Book, today: date
) -> list[Voucher]:
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
    return draft.events
