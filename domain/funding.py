"""Taking back what credit items hold, for money that goes out: a refund, or a payment that is returned.

Identity 3: no item is below zero as of any day.
"""

from datetime import date

from domain.draft import Draft, Named
from domain.events import Funding, Posting
from domain.history import LiveAllocation
from domain.money import share
from domain.settlement import release


class CreditTaken:
    """What credit items give on a day, by item; releases go into the draft. ``left`` is what is not found yet.

    Each taking needs room on the day. A release is dated the day, or that of the allocation, if that is later, and only
    what makes room is released.
    """

    def __init__(self, draft: Draft, named: Named, on: date, amount: int) -> None:
        self.draft = draft
        self.named = named
        self.on = on
        self.left = amount
        self.taken: dict[str, int] = {}

    def take(self, name: str, wanted: int) -> int:
        """What an item has room for on the day; how much of ``wanted`` that is."""
        item = self.draft.get(name)
        if item is None or item.side != "C":
            return 0
        return self._took(name, min(wanted, item.room(self.on) - self.taken.get(name, 0)))

    def release_and_take(self, link: LiveAllocation, wanted: int) -> int:
        """What the release of a live allocation makes room for; how much of ``wanted`` that is."""
        link = self.draft.link(link)
        credit = self.draft.get_settled(link.credit_item, self.named)
        on = max(self.on, link.effective_on)
        made = credit.moved(on, link.amount, 0).room(self.on) - credit.room(self.on)
        amount = min(wanted, made)
        if amount > 0:
            release(self.draft, self.named, link, on, amount, self.draft.caused_by)
        return self._took(link.credit_item, amount)

    def _took(self, name: str, amount: int) -> int:
        if amount <= 0:
            return 0
        self.taken[name] = self.taken.get(name, 0) + amount
        self.left -= amount
        return amount

    def postings(self) -> tuple[list[Funding], list[Posting]]:
        """What each item gives, with its share of the base amount, and the postings that take it."""
        parts: list[Funding] = []
        postings: list[Posting] = []
        for name, amount in self.taken.items():
            item = self.draft.get(name)
            assert item is not None
            relieved = share(item.open_base, amount, item.open)
            parts.append(Funding(name, amount, relieved))
            postings.append(Posting(item.role, item.account, "D", amount, relieved, name, item.dimensions))
        return parts, postings
