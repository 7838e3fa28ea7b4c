"""A decision in the making: the events so far, and the items as they stand after them.

A draft reads through to the account and does not change it before ``apply``. Planned movements are put on the draft's own
items, so that each further step of one decision (a release, then the refund that needed it) sees what the earlier ones
did.
"""

from collections.abc import Iterator

from domain.account import Account, changed_items, evolve_beside_items
from domain.book import Book
from domain.commands import AccountCommand
from domain.documents import document_of
from domain.events import Event, Voucher
from domain.history import History, LiveAllocation
from domain.items import OpenItem


class Named:
    """What the ledger hands to decide beside the account: the histories of the documents that a command names.

    ``live_references``: references (``kind:series:number``) of which a booked, unreversed revision exists. ``rate``: what
    the book's source of rates states for the command's day, where the command brings no rate.
    """

    __slots__ = ("histories", "live_references", "rate")

    def __init__(
        self,
        histories: dict[str, History] | None = None,
        live_references: frozenset[str] = frozenset(),
        rate: str | None = None,
    ) -> None:
        self.histories = histories or {}
        self.live_references = live_references
        self.rate = rate

    def at_rate(self, rate: str | None) -> "Named":
        """The same, with a rate."""
        return self if rate is None else Named(self.histories, self.live_references, rate)

    def get(self, document: str) -> History | None:
        """The history of a document that has been booked, or None."""
        history = self.histories.get(document)
        return history if history is not None and history.own is not None else None


NOTHING_NAMED = Named()


class Draft:
    """Events and their effects, not yet the account's. ``caused_by``: the document that this command enters."""

    __slots__ = ("account", "book", "caused_by", "command", "events", "items", "links")

    def __init__(self, account: Account, book: Book, command: AccountCommand, caused_by: str | None = None) -> None:
        self.account = account
        self.book = book
        self.command = command
        self.caused_by = caused_by
        self.events: list[Event] = []
        self.items: dict[str, OpenItem] = {}
        self.links: dict[str, LiveAllocation] = {}

    @property
    def next_version(self) -> int:
        """The version that the next event will have in the account's stream."""
        return self.account.version + len(self.events) + 1

    @property
    def policy(self) -> str:
        """The policy by which payments settle by themselves: the account's, else the book's; none if only suggested."""
        terms, book = self.account.terms, self.book
        if (terms.settlement or book.settlement) == "suggested":
            return "none"
        return terms.allocation or book.allocation

    def get(self, item: str) -> OpenItem | None:
        """An item as it stands in the draft; None where it is settled or unknown."""
        found = self._find(item)
        return found if found is not None and found.open else None

    def get_settled(self, item: str, named: Named) -> OpenItem:
        """An item that something is given back to: as it stands, or as its document's history has it, settled."""
        return self._find(item) or named.histories[document_of(item)].items[item]

    def _find(self, item: str) -> OpenItem | None:
        return self.items.get(item) or self.account.items.get(item)

    def link(self, link: LiveAllocation) -> LiveAllocation:
        """What the draft leaves of a live allocation."""
        return self.links.get(link.allocation, link)

    def put(self, item: OpenItem) -> None:
        """An item as it stands after a planned movement."""
        self.items[item.item] = item

    def add(self, event: Event) -> None:
        """An event whose movements are on the draft's items already."""
        self.events.append(event)

    def emit(self, event: Voucher) -> None:
        """An event, and its movements."""
        for item in changed_items(self._find, event):
            self.items[item.item] = item
        self.events.append(event)

    def apply(self) -> None:
        """Leave the account as ``evolve`` would after the draft's events."""
        for item in self.items.values():
            self.account.set(item)
        for event in self.events:
            evolve_beside_items(self.account, event)

    def debits(self) -> Iterator[OpenItem]:
        """The open debit items in due order."""
        yield from self._in_order("D")

    def credits(self) -> Iterator[OpenItem]:
        """The open credit items, oldest first."""
        yield from self._in_order("C")

    def _in_order(self, side: str) -> Iterator[OpenItem]:
        account = self.account
        if not self.items:
            order = account.debits if side == "D" else account.credits
            for key in order:
                yield account.items[key[-1]]
            return
        # Few items differ from the account's; merging them in keeps a payment cheap in an account with many open items.
        changed = sorted((i for i in self.items.values() if i.side == side and i.open), key=_order)
        order = account.debits if side == "D" else account.credits
        position = 0
        for key in order:
            if key[-1] in self.items:
                continue
            item = account.items[key[-1]]
            while position < len(changed) and _order(changed[position]) < _order(item):
                yield changed[position]
                position += 1
            yield item
        yield from changed[position:]


def _order(item: OpenItem) -> tuple[object, ...]:
    return (item.due_on, item.effective_on, item.item) if item.side == "D" else (item.effective_on, item.item)
