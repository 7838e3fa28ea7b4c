"""Any number of documents, cheaply: invoices of one to three lines and payments in the year's mix, for measuring.

Lines are commands as JSON, in order of their dates, and each of them can be booked. Text is put together by hand here,
since encoding would take longer than the ledger's own reading; every value in it is a number or one of our own words.
"""

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from random import Random

from tieout.demo import words
from tieout.demo.company import CURRENCIES
from tieout.demo.days import FIRST, rate_of

_DAYS = [FIRST + timedelta(n) for n in range(365 + 61)]
_ISO = [day.isoformat() for day in _DAYS]
_CLASSES = [[p for p in words.PRODUCTS if p.tax_code == code] for code in ("VAT13", "VAT13", "VAT13", "VAT9")]
_COUNT_OF_LINES = (1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3)
_INVOICES = 148
"""Of 256 documents; the others are payments."""
_OPEN_EACH = 4
"""Invoices that a customer has open, about."""


def documents(seed: int, count: int, customers: int = 5000, book: str = "demo") -> Iterator[bytes]:
    """``count`` commands as JSON lines over the year 2025, of so many customers in the four currencies."""
    draw = Random(seed).getrandbits
    bulk = _Bulk(customers, book)
    enough = min(_OPEN_EACH * customers, count // 8)
    for n in range(count):
        bits = draw(96)
        day = n * 365 // count
        if bits & 255 < _INVOICES or bulk.open <= enough:
            yield bulk.invoice(n + 1, day, bits >> 8)
        else:
            yield bulk.payment(n + 1, day, bits >> 8)


class _Bulk:
    """``turn``: customers in the order of their unpaid invoices; ``unpaid``: number and amount of those, by customer.

    ``open`` counts the unpaid invoices; an invoice that was paid together with an earlier one leaves its turn behind.
    """

    def __init__(self, customers: int, book: str) -> None:
        self.customers = customers
        self.book = book
        self.open = 0
        self.turn: deque[int] = deque()
        self.unpaid: list[list[tuple[int, int]]] = [[] for _ in range(customers)]
        self.rates = {c: [f'"rate":"{r}",' if (r := rate_of(c, day)) else "" for day in _DAYS] for c in CURRENCIES}

    def invoice(self, n: int, day: int, bits: int) -> bytes:
        """An invoice of the ``n``-th document's number; ``bits`` are its chances."""
        customer = (bits & 0xFFFFF) % self.customers
        currency = CURRENCIES[(0, 0, 0, 1, 2, 3)[customer % 6]]
        numerator, denominator = words.PRICE_IN[currency]
        goods = _CLASSES[bits >> 20 & 3]
        lines = []
        base = 0
        for k in range(_COUNT_OF_LINES[bits >> 22 & 15]):
            chance = bits >> (26 + 18 * k)
            product = goods[(chance & 0xFF) % len(goods)]
            net = max(1, product.price * numerator // denominator) * (1 + (chance >> 8 & 0x3FF) % 200)
            base += net
            lines.append(f'{{"net":{net},"dimensions":{{"goods":"{product.goods}"}}}}')
        if currency == "CNY":
            code, rate = goods[0].tax_code, goods[0].tax_rate
            tax = (base * int(rate) + 50) // 100
        else:
            code, rate, tax = "EXPORT", "0", 0
        total = base + tax
        self.open += 1
        self.turn.append(customer)
        self.unpaid[customer].append((n, total))
        return (
            f'{{"command":"IssueInvoice","source":"billing","source_id":"INV-{n:09d}","book":"{self.book}",'
            f'"customer":"C{customer + 1:06d}","currency":"{currency}","series":"2025","number":"{n:09d}",'
            f'"effective_on":"{_ISO[day]}",{self.rates[currency][day]}"dimensions":{{"region":"{words.REGIONS[customer % 5]}"}},'
            f'"lines":[{",".join(lines)}],"tax":[{{"code":"{code}","rate":"{rate}","base":{base},"amount":{tax}}}],'
            f'"total":{total},"instalments":[{{"due_on":"{_ISO[day + 30]}","amount":{total}}}]}}'
        ).encode()

    def payment(self, n: int, day: int, bits: int) -> bytes:
        """A payment of up to three invoices by the customer whose turn it is; one in sixteen pays only a part."""
        unpaid = self.unpaid[customer := self.turn.popleft()]
        while not unpaid:
            unpaid = self.unpaid[customer := self.turn.popleft()]
        currency = CURRENCIES[(0, 0, 0, 1, 2, 3)[customer % 6]]
        pays = unpaid[: (1, 1, 1, 2, 2, 2, 3, 3)[bits & 7]]
        del unpaid[: len(pays)]
        self.open -= len(pays)
        if bits >> 3 & 15 == 0 and pays[-1][1] > 1:
            number, amount = pays[-1]
            pays[-1] = (number, amount // 2)
            unpaid.insert(0, (number, amount - amount // 2))
            self.turn.append(customer)
            self.open += 1
        remittance = ",".join(f'{{"series":"2025","number":"{i:09d}","amount":{part}}}' for i, part in pays)
        return (
            f'{{"command":"RecordPayment","source":"bank","source_id":"BK-{n:09d}","book":"{self.book}",'
            f'"customer":"C{customer + 1:06d}","currency":"{currency}","series":"bank","number":"{n:09d}",'
            f'"effective_on":"{_ISO[day]}",{self.rates[currency][day]}'
            f'"amount":{sum(part for _, part in pays)},"remittance":[{remittance}]}}'
        ).encode()
