"""What a made-up billing system sends: CloudEvents with invoices, payments and some credit notes, for trying out Kafka.

The first messages of a seed are the same however many are asked for, so that more of them continue what was sent, and
the same again books nothing. Each can be booked in the order of its customer; customers do not depend on one another.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

import msgspec

from consumers.envelope import event_type

CUSTOMERS = 300
CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "demo-billing"
_FIRST = date(2025, 1, 1)
_A_DAY = 40
"""Documents a day, until the year is full; the others are of its last day."""
_TERMS = (14, 30, 30, 45)
_RATE = 13

_encode = msgspec.json.Encoder().encode


class Message(NamedTuple):
    """A message as it is sent: key and value."""

    key: bytes
    value: bytes


class _Unpaid(NamedTuple):
    number: str
    total: int
    tax: int


def messages(
    seed: int, count: int, *, book: str, currency: str = "CNY", customers: int = CUSTOMERS
) -> Iterator[Message]:
    """``count`` messages, to be sent in this order."""
    rng = Random(seed)
    billing = _Billing(rng, f"feed-{seed}", {"book": book, "currency": currency})
    for n in range(count):
        on = _FIRST + timedelta(min(n // _A_DAY, 364))
        yield billing.next(n + 1, f"F{rng.randrange(customers) + 1:04d}", on)


class _Billing:
    """The billing system: who has not paid which invoices yet, oldest first."""

    def __init__(self, rng: Random, series: str, common: dict[str, str]) -> None:
        self._rng, self._series, self._common = rng, series, common
        self._unpaid: dict[str, list[_Unpaid]] = {}

    def next(self, n: int, customer: str, on: date) -> Message:
        """The next message of a customer: an invoice, or something about one."""
        unpaid = self._unpaid.setdefault(customer, [])
        drawn = self._rng.randrange(100)
        if not unpaid or drawn < 50:
            command, fields = "IssueInvoice", self._invoice(n, on, unpaid)
        elif drawn < 92:
            command, fields = "RecordPayment", self._payment(unpaid)
        else:
            command, fields = "IssueCreditNote", self._credit_note(unpaid)
        document = {"customer": customer, "series": self._series, "number": f"{n:08d}", "effective_on": on.isoformat()}
        return self._event(command, f"{self._series}-{n:08d}", customer, self._common | document | fields)

    def _invoice(self, n: int, on: date, unpaid: list[_Unpaid]) -> dict[str, Any]:
        nets = [self._rng.randrange(1_000, 2_000_000) for _ in range(self._rng.randrange(1, 4))]
        base = sum(nets)
        tax = (base * _RATE + 50) // 100
        unpaid.append(_Unpaid(f"{n:08d}", base + tax, tax))
        due_on = on + timedelta(self._rng.choice(_TERMS))
        return {
            **_billed(base, tax, nets),
            "instalments": [{"due_on": due_on.isoformat(), "amount": base + tax}],
        }

    def _payment(self, unpaid: list[_Unpaid]) -> dict[str, Any]:
        """The oldest invoice is paid; one in eight of them in part, for now."""
        oldest = unpaid.pop(0)
        paid = oldest.total
        if oldest.total > 1 and self._rng.randrange(8) == 0:
            paid = oldest.total // 2
            unpaid.insert(0, oldest._replace(total=oldest.total - paid, tax=0))
        named = {"series": self._series, "number": oldest.number, "amount": paid}
        return {"amount": paid, "remittance": [named]}

    def _credit_note(self, unpaid: list[_Unpaid]) -> dict[str, Any]:
        """Of the newest invoice, whole; of one that is paid in part, a credit of what is left without tax."""
        newest = unpaid.pop()
        against = {"kind": "invoice", "series": self._series, "number": newest.number}
        net = newest.total - newest.tax
        return _billed(net, newest.tax, [net]) | ({"against": against} if newest.tax else {})

    def _event(self, command: str, identity: str, customer: str, data: dict[str, Any]) -> Message:
        event = {
            "specversion": "1.0",
            "id": identity,
            "source": SOURCE,
            "type": event_type(command),
            "subject": customer,
            "datacontenttype": "application/json",
            "data": data,
        }
        return Message(customer.encode(), _encode(event))


def _billed(base: int, tax: int, nets: list[int]) -> dict[str, Any]:
    taxes = [{"code": "VAT13", "rate": str(_RATE), "base": base, "amount": tax}] if tax else []
    return {"lines": [{"net": net} for net in nets], "tax": taxes, "total": base + tax}
