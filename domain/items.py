"""Open items 未清项: what is left of a document's instalment, with the days on which it changed.

Identity 3: as of any day no item is below zero. An item's *room* on a day is the least that is open on any day from
that day on; whatever takes from the item needs room on its date. Amounts are minor units, positive for debit items and
credit items alike; ``side`` gives the direction.
"""

from datetime import date

import msgspec

from domain.events import ItemImage, Side


class OpenItem(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An item as it stands; immutable, so that a draft may share it with the account. Snapshots hold it as an array.

    ``movements``: (day, change of the open amount), netted per day, ascending; they sum to ``open``.
    """

    item: str
    side: Side
    role: str
    account: str
    dimensions: dict[str, str]
    due_on: date
    effective_on: date
    amount: int
    base_amount: int
    open: int
    open_base: int
    movements: tuple[tuple[date, int], ...]

    def moved(self, on: date, amount: int, base_amount: int) -> "OpenItem":
        """The item after a movement on a day."""
        movements = self.movements
        if movements and movements[-1][0] < on:
            movements = (*movements, (on, amount))
        else:
            movements = _merged(movements, on, amount)
        return OpenItem(
            self.item,
            self.side,
            self.role,
            self.account,
            self.dimensions,
            self.due_on,
            self.effective_on,
            self.amount,
            self.base_amount,
            self.open + amount,
            self.open_base + base_amount,
            movements,
        )

    def room(self, on: date) -> int:
        """The least that is open on any day from ``on`` on."""
        running = least = self.open
        for day, change in reversed(self.movements):
            if day <= on:
                break
            running -= change
            least = min(least, running)
        return max(least, 0)

    def first_day_with_room(self, amount: int, not_before: date | None = None) -> date:
        """The first day (not before one, if given) from which on ``amount`` is open; ``amount`` at most what is open."""
        assert 0 < amount <= self.open, (self.item, amount, self.open)
        running = self.open
        first = self.effective_on
        for day, change in reversed(self.movements):
            running -= change
            if running < amount:
                first = day
                break
        return first if not_before is None or first > not_before else not_before

    def image(self) -> ItemImage:
        """What an event that reopens this settled item carries."""
        return ItemImage(
            item=self.item,
            side=self.side,
            role=self.role,
            account=self.account,
            due_on=self.due_on,
            effective_on=self.effective_on,
            amount=self.amount,
            base_amount=self.base_amount,
            movements=list(self.movements),
            dimensions=self.dimensions,
        )


def from_image(image: ItemImage) -> OpenItem:
    """The settled item of an image."""
    return OpenItem(
        image.item,
        image.side,
        image.role,
        image.account,
        image.dimensions,
        image.due_on,
        image.effective_on,
        image.amount,
        image.base_amount,
        0,
        0,
        tuple((on, amount) for on, amount in image.movements),
    )


def _merged(movements: tuple[tuple[date, int], ...], on: date, amount: int) -> tuple[tuple[date, int], ...]:
    by_day = dict(movements)
    by_day[on] = by_day.get(on, 0) + amount
    return tuple(sorted((day, change) for day, change in by_day.items() if change))
