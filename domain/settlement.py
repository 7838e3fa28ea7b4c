"""Settling debit items with credit items 核销, and undoing it 反核销.

An allocation's date is derived: the first day on which both items have room; one ``Allocated``, one date, so links of
different days become events of their own. Base amounts follow rule 8: round(open base × part / open amount), the last
part takes all; what the two sides differ by is exchange difference. A release gives back exactly what was taken.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from domain.account import Waiting
from domain.allocation import POLICIES
from domain.book import Book
from domain.checks import terms
from domain.documents import document_of, reference_of
from domain.draft import Draft, Named
from domain.events import Allocated, AllocationLine, AllocationReleased, ItemImage, Posting, Remittance
from domain.history import LiveAllocation
from domain.items import OpenItem
from domain.money import share
from domain.template import EXCHANGE, SECURITY, UNAPPLIED

Link = tuple[str, str, int]
"""Credit item, debit item, amount."""


def allocate(draft: Draft, links: Iterable[Link], mode: str, policy: str | None = None) -> None:
    """Add the ``Allocated`` events of these links, one a day; each amount is at most what both items have open."""
    by_day: dict[date, list[tuple[OpenItem, OpenItem, int, int, int]]] = {}
    for credit_item, debit_item, amount in links:
        credit, debit = draft.get(credit_item), draft.get(debit_item)
        assert credit is not None, credit_item
        assert debit is not None, debit_item
        on = max(credit.first_day_with_room(amount), debit.first_day_with_room(amount))
        credit_base = share(credit.open_base, amount, credit.open)
        debit_base = share(debit.open_base, amount, debit.open)
        draft.put(credit.moved(on, -amount, -credit_base))
        draft.put(debit.moved(on, -amount, -debit_base))
        by_day.setdefault(on, []).append((credit, debit, amount, credit_base, debit_base))
    for on, taken in by_day.items():
        version = draft.next_version
        lines = [
            AllocationLine(f"{version}.{n}", credit.item, debit.item, amount, credit_base, debit_base)
            for n, (credit, debit, amount, credit_base, debit_base) in enumerate(taken, 1)
        ]
        draft.add(
            Allocated(
                **terms(draft.command, draft.book, draft.caused_by),
                effective_on=on,
                lines=lines,
                mode=mode,  # type: ignore[arg-type]
                policy=policy,
                policy_version=draft.book.policy_version if policy else None,
                postings=_postings(draft.book, taken),
            )
        )


def _postings(book: Book, taken: Sequence[tuple[OpenItem, OpenItem, int, int, int]]) -> list[Posting]:
    """D each credit item's account, C each debit item's account, ± exchange difference: summed per item."""
    moved: dict[str, tuple[OpenItem, str, int, int]] = {}
    exchange = 0
    for credit, debit, amount, credit_base, debit_base in taken:
        exchange += debit_base - credit_base
        for item, side, base in ((credit, "D", credit_base), (debit, "C", debit_base)):
            before = moved.get(item.item)
            if before is None:
                moved[item.item] = (item, side, amount, base)
            else:
                moved[item.item] = (item, side, before[2] + amount, before[3] + base)
    postings = [
        Posting(item.role, item.account, side, amount, base, item.item, item.dimensions)  # type: ignore[arg-type]
        for item, side, amount, base in moved.values()
    ]
    postings.extend(exchange_posting(book, exchange))
    return postings


def exchange_posting(book: Book, loss: int) -> list[Posting]:
    """The exchange difference that balances an event in base: a loss on the debit side, a gain on the credit side."""
    if loss == 0:
        return []
    account = book.account_of_role(EXCHANGE, "currency")
    return [Posting(EXCHANGE, account, "D" if loss > 0 else "C", 0, abs(loss))]


def reversed_posting(posting: Posting) -> Posting:
    """红字: the same account and side, the amounts negated, so that turnover does not swell."""
    return Posting(
        posting.role,
        posting.account,
        posting.side,
        -posting.amount,
        -posting.base_amount,
        posting.item,
        posting.dimensions,
    )


def release(
    draft: Draft, named: Named, link: LiveAllocation, on: date, amount: int | None = None, caused_by: str | None = None
) -> None:
    """Add the ``AllocationReleased`` of what is left of a live link, or of a part of it, dated ``on``."""
    link = draft.link(link)
    amount = link.amount if amount is None else amount
    credit_base = share(link.credit_base, amount, link.amount)
    debit_base = share(link.debit_base, amount, link.amount)
    credit, debit = draft.get_settled(link.credit_item, named), draft.get_settled(link.debit_item, named)
    restored: list[ItemImage] = [item.image() for item in (credit, debit) if item.open == 0]
    postings = [
        Posting(credit.role, credit.account, "D", -amount, -credit_base, credit.item, credit.dimensions),
        Posting(debit.role, debit.account, "C", -amount, -debit_base, debit.item, debit.dimensions),
    ]
    postings.extend(reversed_posting(p) for p in exchange_posting(draft.book, debit_base - credit_base))
    draft.put(credit.moved(on, amount, credit_base))
    draft.put(debit.moved(on, amount, debit_base))
    draft.add(
        AllocationReleased(
            **terms(draft.command, draft.book, caused_by),
            effective_on=on,
            mode=link.mode,  # type: ignore[arg-type]
            allocation=link.allocation,
            credit_item=credit.item,
            debit_item=debit.item,
            amount=amount,
            credit_base=credit_base,
            debit_base=debit_base,
            restored=restored,
            postings=postings,
        )
    )
    draft.links[link.allocation] = link.reduced(amount, credit_base, debit_base)


def reallocate(draft: Draft, released: AllocationReleased) -> None:
    """Settle again what an undone event had released, as far as both items are open."""
    credit, debit = draft.get(released.credit_item), draft.get(released.debit_item)
    if credit is not None and debit is not None:
        amount = min(released.amount, credit.open, debit.open)
        allocate(draft, [(credit.item, debit.item, amount)], released.mode)


def resolve(draft: Draft, named: Named, reference: str, amount: int | None, settles: bool) -> Remittance:
    """A reference as it is stored: waiting, unless a live document of that name is in the books.

    What ``settles`` nothing by itself (in a house account, a security deposit) has nothing to wait for.
    """
    known = reference in draft.account.live or reference in named.live_references
    return Remittance(reference, amount, settles and not known)


def pay_by_reference(draft: Draft, credit_item: str, remittance: Iterable[Remittance]) -> None:
    """A credit item settles the documents that its own remittance names, in their order, each in due order."""
    links: list[Link] = []
    credit = draft.get(credit_item)
    left = credit.open if credit is not None else 0
    taken: dict[str, int] = {}
    for entry in remittance:
        wanted = left if entry.amount is None else min(entry.amount, left)
        for name in draft.account.open_items_of(entry.reference):
            debit = draft.get(name)
            if debit is None or debit.side != "D":
                continue
            part = min(wanted, debit.open - taken.get(name, 0))
            if part > 0:
                links.append((credit_item, name, part))
                taken[name] = taken.get(name, 0) + part
                wanted -= part
                left -= part
    allocate(draft, _summed(links), "reference")


def be_paid_by_reference(draft: Draft, debit_items: Sequence[str], remittance: Iterable[Remittance]) -> None:
    """Debit items (in due order) are settled with the open credit items that their document says prepaid it."""
    for entry in remittance:
        amount = entry.amount
        for name in draft.account.open_items_of(entry.reference):
            amount = settle(draft, name, debit_items, amount)


def fire(draft: Draft, waiting: Iterable[Waiting], arrived: Sequence[str]) -> None:
    """References that waited for a document fire, once, now that its items (in due order) have arrived."""
    for document, amount in waiting:
        others = draft.account.open_items_of(reference_of(document))
        for other in others:
            if document_of(other) == document:
                item = draft.get(other)
                if item is not None and item.side == "C":
                    settle(draft, other, arrived, amount)
                elif item is not None and arrived and draft.get(arrived[0]) is not None:
                    amount = settle(draft, arrived[0], [other], amount)


def settle(draft: Draft, credit_item: str, debit_items: Iterable[str], amount: int | None) -> int | None:
    """Settle debit items by reference with one credit item up to an amount (None: all); what of it is left.

    A security deposit settles nothing, whoever refers to it.
    """
    credit = draft.get(credit_item)
    if credit is None or credit.side != "C" or credit.role == SECURITY:
        return amount
    left = credit.open if amount is None else min(credit.open, amount)
    links: list[Link] = []
    for name in debit_items:
        debit = draft.get(name)
        part = min(left, debit.open) if debit is not None and debit.side == "D" else 0
        if part:
            links.append((credit_item, name, part))
            left -= part
    allocate(draft, links, "reference")
    return None if amount is None else amount - sum(part for _, _, part in links)


def apply_policy(draft: Draft, credit_items: Iterable[tuple[str, int]], policy: str, mode: str = "policy") -> None:
    """Spread credit items, each up to an amount, over the open debit items of the account by a policy."""
    for credit_item, available in credit_items:
        amount = available
        opens: list[tuple[str, int]] = []
        for debit in draft.debits():
            opens.append((debit.item, debit.open))
            amount -= debit.open
            if amount <= 0 and policy == "oldest_due_first":
                break
        if not opens:
            return
        spread = POLICIES[policy](available, opens)
        allocate(draft, [(credit_item, debit_item, part) for debit_item, part in spread], mode, policy)


def spend_unapplied(draft: Draft, fired: str | None = None) -> None:
    """What payments have unapplied settles open debit items by the book's policy, the oldest payment first."""
    policy = draft.book.allocation
    if policy == "none":
        return
    for credit in draft.credits():
        if next(draft.debits(), None) is None:
            return
        available = unreserved(draft, credit, fired=fired) if credit.role == UNAPPLIED else 0
        if available:
            apply_policy(draft, [(credit.item, available)], policy)


def unreserved(draft: Draft, credit: OpenItem, own: Iterable[Remittance] = (), fired: str | None = None) -> int:
    """What of a credit item the policy may spend: money that waits for a document it names is not spent otherwise.

    ``own`` are the references of a payment that is being booked, ``fired`` the reference that has just been met.
    """
    left = credit.open
    reserved = [entry.amount for entry in own if entry.waits]
    waits = draft.account.waits.get(document_of(credit.item), ())
    reserved += [amount for reference, amount in waits if reference != fired]
    for amount in reserved:
        if amount is None:
            return 0
        left -= amount
    return max(0, left)


def _summed(links: Iterable[Link]) -> list[Link]:
    """Links between the same two items made one."""
    summed: dict[tuple[str, str], int] = {}
    for credit_item, debit_item, amount in links:
        summed[credit_item, debit_item] = summed.get((credit_item, debit_item), 0) + amount
    return [(credit_item, debit_item, amount) for (credit_item, debit_item), amount in summed.items()]
