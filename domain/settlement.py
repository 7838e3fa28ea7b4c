"""Settling debit items with credit items 核销, and undoing it 反核销.

An allocation's date is derived: the first open day on which both items have room; one ``Allocated``, one date, so links of
different days become events of their own. Base amounts follow rule 8: round(open base × part / open amount), the last
part takes all; what the two sides differ by is exchange difference. A release gives back exactly what was taken.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from heapq import merge
from typing import Any

from domain.account import Waiting
from domain.allocation import LOOKS_AT_ALL, POLICIES
from domain.book import Book
from domain.checks import terms
from domain.documents import document_of, item_id, reference_of
from domain.draft import Draft, Named
from domain.events import Allocated, AllocationLine, AllocationReleased, ItemImage, Posting, Remittance, Side
from domain.history import LiveAllocation
from domain.items import OpenItem
from domain.money import share
from domain.template import EXCHANGE, SECURITY, UNAPPLIED

Link = tuple[str, str, int]
"""Credit item, debit item, amount."""


def allocate(
    draft: Draft, links: Iterable[Link], mode: str, policy: str | None = None, not_before: date = date.min
) -> None:
    """Add the ``Allocated`` events of these links, one a day; each amount is at most what both items have open."""
    days: dict[date, _Day] = {}
    for credit_item, debit_item, amount in links:
        credit, debit = draft.get(credit_item), draft.get(debit_item)
        assert credit is not None, credit_item
        assert debit is not None, debit_item
        asked = max(credit.first_day_with_room(amount), debit.first_day_with_room(amount), not_before)
        on = max(asked, draft.book.open_from)
        credit_base = share(credit.open_base, amount, credit.open)
        debit_base = share(debit.open_base, amount, debit.open)
        draft.put(credit.moved(on, -amount, -credit_base))
        draft.put(debit.moved(on, -amount, -debit_base))
        day = days.get(on)
        if day is None:
            day = days[on] = _Day(draft.next_version + len(days))
        day.asked = min(day.asked, asked)
        day.link(credit, debit, amount, credit_base, debit_base)
    for on, day in days.items():
        draft.add(
            Allocated(
                **terms(draft.command, draft.book, draft.caused_by),
                effective_on=on,
                requested_effective_on=day.asked if day.asked != on else None,
                lines=day.lines,
                mode=mode,  # type: ignore[arg-type]
                policy=policy,
                **(_set_by(draft) if policy else {}),
                postings=[*day.postings.values(), *exchange_posting(draft.book, day.exchange)],
            )
        )


def _set_by(draft: Draft) -> dict[str, Any]:
    """The event that set the policy: of the account, where it has one of its own, else of the book."""
    account = draft.account
    if account.terms.allocation is not None:
        return {"policy_version": account.terms_version, "policy_of": "account"}
    return {"policy_version": draft.book.policy_version}


class _Day:
    """The links of one day: D each credit item's account, C each debit item's account, ± exchange difference.

    ``asked``: the earliest day that any of them would have had, were no period closed.
    """

    __slots__ = ("asked", "exchange", "lines", "postings", "version")

    def __init__(self, version: int) -> None:
        self.version = version
        self.asked = date.max
        self.lines: list[AllocationLine] = []
        self.postings: dict[str, Posting] = {}
        self.exchange = 0

    def link(self, credit: OpenItem, debit: OpenItem, amount: int, credit_base: int, debit_base: int) -> None:
        """One more link; the event has one posting an item, however many links move it."""
        name = f"{self.version}.{len(self.lines) + 1}"
        self.lines.append(AllocationLine(name, credit.item, debit.item, amount, credit_base, debit_base))
        self.exchange += debit_base - credit_base
        self._post(credit, "D", amount, credit_base)
        self._post(debit, "C", amount, debit_base)

    def _post(self, item: OpenItem, side: Side, amount: int, base_amount: int) -> None:
        before = self.postings.get(item.item)
        if before is not None:
            amount, base_amount = before.amount + amount, before.base_amount + base_amount
        self.postings[item.item] = Posting(
            item.role, item.account, side, amount, base_amount, item.item, item.dimensions
        )


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
    """Add the ``AllocationReleased`` of what is left of a live link, or of a part of it, dated ``on``.

    Where that day is closed it is dated the first open one.
    """
    asked, on = on, max(on, draft.book.open_from)
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
            requested_effective_on=asked if asked != on else None,
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
    """Settle again what an undone event had released, as far as both items are open; in its mode, but by no policy."""
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
        if all(draft.get(name) is None for name in arrived):
            return
        others = draft.account.open_items_of(reference_of(document))
        for other in others:
            if document_of(other) == document:
                item = draft.get(other)
                if item is not None and item.side == "C":
                    settle(draft, other, arrived, amount)
                elif item is not None:
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
    allocate(draft, policy_links(draft.debits(), credit_items, policy), mode, policy)


def policy_links(debits: Iterator[OpenItem], credit_items: Iterable[tuple[str, int]], policy: str) -> list[Link]:
    """Credit items, each up to an amount, spread over debit items (in due order) by a policy."""
    links: list[Link] = []
    opens: list[tuple[str, int]] = []
    for credit_item, available in credit_items:
        missing = available - sum([open_amount for _, open_amount in opens])
        # Only as many debit items as are needed: an account may have a great many.
        while missing > 0 or policy in LOOKS_AT_ALL:
            debit = next(debits, None)
            if debit is None:
                break
            opens.append((debit.item, debit.open))
            missing -= debit.open
        if not opens:
            break
        spread = dict(POLICIES[policy](available, opens))
        links.extend((credit_item, debit_item, part) for debit_item, part in spread.items())
        opens = [(name, left) for name, amount in opens if (left := amount - spread.get(name, 0))]
    return links


def spend_unapplied(draft: Draft, fired: str | None = None) -> None:
    """What payments have unapplied settles open debit items by the policy, the oldest payment first.

    Money that waits for a document that it names is not spent otherwise. ``fired``: the reference that has been met.
    """
    if draft.policy != "none":
        apply_policy(draft, _spendable(draft, fired), draft.policy)


def _spendable(draft: Draft, fired: str | None) -> Iterator[tuple[str, int]]:
    """Unapplied credit items with what they may spend, oldest first: the account's, but for those that have changed."""
    account = draft.account
    waited = account.awaiting.get(fired, ()) if fired is not None else ()
    changed = {*draft.items, *(item_id(document, 1) for document, _ in waited)}
    items = [item for name in changed if (item := draft.get(name)) is not None and item.role == UNAPPLIED]
    unchanged = (key for key in account.spendable if key[1] not in changed)
    for _, name in merge(unchanged, sorted((item.effective_on, item.item) for item in items)):
        credit = draft.get(name)
        assert credit is not None
        available = account.unreserved(credit, fired)
        if available:
            yield name, available


def _summed(links: Iterable[Link]) -> list[Link]:
    """Links between the same two items made one."""
    summed: dict[tuple[str, str], int] = {}
    for credit_item, debit_item, amount in links:
        summed[credit_item, debit_item] = summed.get((credit_item, debit_item), 0) + amount
    return [(credit_item, debit_item, amount) for (credit_item, debit_item), amount in summed.items()]
