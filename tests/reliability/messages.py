"""What a billing system sends in a round: a seeded business of some dozen customers, with what goes wrong on the way.

Everything is a fact of its customer, so whatever comes first all of it is booked in the end: a payment may come before
the invoice that it names, and a reversal or refund before what it is of, which then waits. Beside these there are the
same messages again, messages with a known id and another content, messages without a value, which mean nothing and are
counted, and poison.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, Literal, NamedTuple

BOOK = "main"
CURRENCY = "EUR"
SOURCE = "billing"
POISON = 1_000
"""One message in so many, and at least one in a round."""
_START = date(2024, 1, 1)
_TYPES = {
    "IssueInvoice": "tieout.issue-invoice.v1",
    "IssueCreditNote": "tieout.issue-credit-note.v1",
    "RecordPayment": "tieout.record-payment.v1",
    "RecordRefund": "tieout.record-refund.v1",
    "ReverseDocument": "tieout.reverse-document.v1",
}


class Content(NamedTuple):
    """One message as the billing system means it, and what is to become of it.

    ``owed``: by how much it changes what the customer owes; ``names``: the ids of the messages that it needs or refers
    to. ``fate``: what is unreadable is so whenever it comes, what is refused is so in its turn.
    """

    customer: str
    source_id: str
    value: bytes | None
    headers: list[tuple[str, bytes]]
    document: str = ""
    owed: int = 0
    names: tuple[str, ...] = ()
    fate: Literal["fact", "refused", "unreadable", "counted"] = "fact"

    @property
    def enters(self) -> str:
        """The kind of document that it enters; nothing for a reversal or poison."""
        kind, _, rest = self.document.partition("::")
        return kind if rest == f"{self.source_id}:1" else ""


class Business:
    """The contents of a round, and in which order they are sent: ``order`` holds places in ``contents``."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.contents: list[Content] = []
        self.again = self.conflicts = self.poison = self.counted = 0
        wanted = self._random.randrange(600, 1_500)
        customers = [f"C{n}" for n in range(self._random.randrange(30, 61))]
        lanes = [self._lane(customer, wanted // len(customers)) for customer in customers]
        self._spoil(lanes, max(1, round(wanted / POISON)), self._random.randrange(2, 6))
        self.order = self._merged(lanes)

    @property
    def early(self) -> int:
        """How many are sent before one that they name."""
        first: dict[str, int] = {}
        for place, n in enumerate(self.order):
            first.setdefault(self.contents[n].source_id, place)
        sent = {n: place for place, n in reversed(list(enumerate(self.order)))}
        return sum(
            any(first.get(name, 0) > place for name in self.contents[n].names)
            for n, place in sent.items()
            if self.contents[n].fate == "fact"
        )

    def _lane(self, customer: str, count: int) -> list[int]:
        """What a customer's messages are, in the order in which they are sent."""
        made = list(_facts(self._random, customer, count))
        start = len(self.contents)
        self.contents += made
        pick = self._random
        lane = sorted(range(start, start + len(made)), key=lambda n: n + pick.choice([0, 0, 0, pick.uniform(0, 8)]))
        for n in list(lane):
            if pick.random() < 0.05:
                self.again += 1
                lane.insert(pick.randrange(lane.index(n) + 1, len(lane) + 1), n)
        self.contents.append(Content(customer, f"{customer}-nothing", None, [], fate="counted"))
        for _ in range(pick.randrange(1, 2 + count // 10)):
            self.counted += 1
            lane.insert(pick.randrange(len(lane) + 1), len(self.contents) - 1)
        return lane

    def _spoil(self, lanes: list[list[int]], poison: int, conflicts: int) -> None:
        """Put poison and conflicts somewhere, so that most customers have none."""
        pick = self._random
        for number in range(poison):
            lane = pick.choice(lanes)
            customer = self.contents[lane[0]].customer
            self.contents.append(_poison(pick, customer, f"{customer}-bad{number}"))
            lane.insert(pick.randrange(0, len(lane)), len(self.contents) - 1)
        self.poison = poison
        for number in range(conflicts):
            lane = pick.choice(lanes)
            place, n = pick.choice(
                [(p, n) for p, n in enumerate(lane) if self.contents[n].enters in ("invoice", "payment")]
            )
            self.contents.append(_another(self.contents[n], number))
            lane.insert(pick.randrange(place + 1, len(lane) + 1), len(self.contents) - 1)
        self.conflicts = conflicts

    def _merged(self, lanes: list[list[int]]) -> list[int]:
        """All lanes' messages, each lane's in its order."""
        left = [list(reversed(lane)) for lane in lanes]
        whose = [at for at, lane in enumerate(lanes) for _ in lane]
        self._random.shuffle(whose)
        return [left[at].pop() for at in whose]


def _facts(random: Random, customer: str, count: int) -> Iterator[Content]:
    """A customer's business. Refunds and reversals of payments exclude each other: a refund is undone before what it
    was paid from.
    """
    refunds = random.random() < 0.5
    invoices: list[tuple[str, int]] = []
    payments: list[tuple[str, int]] = []
    for n in range(count):
        number = f"{customer}-{n}"
        kinds = ["invoice"] * 4 + ["payment"] * 3
        kinds += ["credit note"] * bool(invoices) + ["reversal"] * bool(invoices)
        kinds += (["refund"] if refunds else ["reversal of a payment"]) * bool(payments)
        kind = random.choice(kinds)
        on = (_START + timedelta(days=random.randrange(300))).isoformat()
        entered = {"number": number, "effective_on": on}
        if kind == "invoice":
            total = random.randrange(100, 10_000)
            yield _message(random, customer, number, "IssueInvoice", entered | _billed(random, on, total), total)
            invoices.append((number, total))
        elif kind == "payment":
            amount = random.randrange(100, 10_000)
            # Of an invoice that was issued before, or of one that comes soon.
            named = random.choice(invoices)[0] if invoices and random.random() < 0.7 else f"{customer}-{n + 1}"
            paid = (
                {"amount": amount, "remittance": [{"number": named}]} if random.random() < 0.6 else {"amount": amount}
            )
            names = (named,) if "remittance" in paid else ()
            yield _message(random, customer, number, "RecordPayment", entered | paid, -amount, names)
            payments.append((number, amount))
        elif kind == "credit note":
            against, total = invoices.pop(random.randrange(len(invoices)))
            part = random.randrange(1, total + 1)
            credited = {"lines": [{"net": part}], "total": part, "against": {"kind": "invoice", "number": against}}
            yield _message(random, customer, number, "IssueCreditNote", entered | credited, -part, (against,))
        elif kind == "refund":
            of, amount = payments.pop(random.randrange(len(payments)))
            part = random.randrange(1, amount + 1)
            paid_back = {"amount": part, "nature": "fact", "original_payment": {"kind": "payment", "number": of}}
            yield _message(random, customer, number, "RecordRefund", entered | paid_back, part, (of,))
        else:
            what, held, sign = ("invoice", invoices, -1) if kind == "reversal" else ("payment", payments, 1)
            of, amount = held.pop(random.randrange(len(held)))
            reversed_ = {"document": {"kind": what, "number": of}}
            yield _message(
                random, customer, number, "ReverseDocument", reversed_, sign * amount, (of,), f"{what}::{of}:1"
            )


def _billed(random: Random, on: str, total: int) -> dict[str, Any]:
    first = random.randrange(total) if random.random() < 0.3 else 0
    parts = [part for part in (first, total - first) if part]
    due = [
        {"due_on": (date.fromisoformat(on) + timedelta(days=30 * n)).isoformat(), "amount": p}
        for n, p in enumerate(parts)
    ]
    return {"lines": [{"net": total}], "total": total, "instalments": due}


_KINDS = {
    "IssueInvoice": "invoice",
    "IssueCreditNote": "credit-note",
    "RecordPayment": "payment",
    "RecordRefund": "refund",
}


def _message(
    random: Random,
    customer: str,
    number: str,
    command: str,
    fields: dict[str, Any],
    owed: int,
    names: tuple[str, ...] = (),
    document: str = "",
) -> Content:
    """A command in one of the three ways in which it may come."""
    data = {"book": BOOK, "customer": customer, "currency": CURRENCY} | fields
    entered = document or f"{_KINDS[command]}::{number}:1"
    attributes = {"specversion": "1.0", "type": _TYPES[command], "source": SOURCE, "id": number}
    way = random.choice(["bare", "structured", "binary"])
    headers: list[tuple[str, bytes]] = []
    if way == "bare":
        whole = {"command": command, "source": SOURCE, "source_id": number} | data
    elif way == "structured":
        headers = [("content-type", b"application/cloudevents+json")]
        whole = attributes | {"data": data}
    else:
        headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
        whole = data
    return Content(customer, number, json.dumps(whole).encode(), headers, entered, owed, names)


def _poison(random: Random, customer: str, name: str) -> Content:
    """What can never be booked."""
    way = random.choice(["cut off", "unknown", "inexact", "too late"])
    made = {"command": "RecordPayment", "source": SOURCE, "source_id": name, "book": BOOK, "customer": customer}
    made |= {"currency": CURRENCY, "number": name, "effective_on": "2024-01-01", "amount": 100}
    fate: Literal["refused", "unreadable"] = "unreadable"
    if way == "unknown":
        made = {"specversion": "1.0", "type": "tieout.forget-invoice.v1", "source": SOURCE, "id": name, "data": made}
    elif way == "inexact":
        made["amount"] = 100.5
    elif way == "too late":
        made["effective_on"] = "2199-12-31"
        fate = "refused"
    value = json.dumps(made).encode()
    return Content(customer, name, value[:-9] if way == "cut off" else value, [], fate=fate)


def _another(content: Content, number: int) -> Content:
    """A message of the same id that says something else: the amount, and with it what is owed."""
    whole = json.loads(content.value or b"")
    data = whole.get("data", whole)
    more = 1 + number
    if "total" in data:
        data["total"] += more
        data["lines"][0]["net"] += more
        data["instalments"][-1]["amount"] += more
    else:
        data["amount"] += more
    owed = content.owed + more if content.owed > 0 else content.owed - more
    return content._replace(value=json.dumps(whole).encode(), owed=owed)
