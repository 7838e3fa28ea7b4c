"""The story of one customer: small enough to be read on one page, with everything in it that a statement has to bear.

Late and partial payments, an invoice keyed wrong, reversed and entered again, a credit note, a payment of too much, an
allocation that is taken back by hand so that the money can be refunded, and money that is recorded after the year's
end. The allocation's id names the event that made it (``<version>.<line>``), so the order of what is recorded until then
is fixed.
"""

from datetime import date, timedelta
from typing import Any

from tieout.demo.company import Customer
from tieout.demo.days import rate_of
from tieout.demo.outbox import AGAIN, BANK, BILLING, CORRECTIONS, DESK, DOCUMENTS, HAND, MONEY, OPENING, Message, Outbox
from tieout.demo.sales import Account, billing_fields, opening_fields, reverse

SERIES = "2025X"
_TERMS = 30
_TAKEN_BACK = "22.1"


def tell(outbox: Outbox, customer: Customer) -> None:
    """Send the customer's year."""
    teller = _Teller(outbox, customer)
    teller.first_half()
    teller.second_half()


class _Teller:
    def __init__(self, outbox: Outbox, customer: Customer) -> None:
        self.outbox = outbox
        self.account = Account(customer, customer.currency)

    def first_half(self) -> None:
        """Late and partial payments, and an invoice that was keyed ten times too high."""
        opening = opening_fields(self.account, "E0417", date(2024, 12, 21), date(2025, 1, 20), 420_000)
        self.outbox.send(BILLING, "OPN-E0417", "IssueInvoice", opening, date(2025, 1, 2), OPENING)
        self.invoice("X001", date(2025, 1, 15), [1_250_000])
        self.payment(date(2025, 1, 24), 420_000, {"series": "2024", "number": "E0417"}, charge=2_500)
        self.payment(date(2025, 3, 6), 500_000, {"series": SERIES, "number": "X001"})
        self.invoice("X002", date(2025, 3, 10), [450_000, 450_000])
        self.payment(date(2025, 4, 2), 750_000, {"series": SERIES, "number": "X001"})
        wrong = self.invoice("X003", date(2025, 4, 11), [8_360_000])
        reverse(self.outbox, self.account, "invoice", SERIES, "X003", wrong, date(2025, 4, 14), "keyed wrong")
        self.invoice("X003", date(2025, 4, 11), [836_000], revision=2, recorded=date(2025, 4, 14))
        self.payment(date(2025, 4, 28), 450_000)
        self.credit_note("X901", date(2025, 5, 20), 86_000, "X003", 2)

    def second_half(self) -> None:
        """Too much money, of which a part goes back; a rebate; and what is known only after the year's end."""
        self.payment(date(2025, 6, 3), 500_000)
        self.payment(date(2025, 7, 3), 750_000, {"series": SERIES, "number": "X003"}, number="20250703-X01")
        self.invoice("X004", date(2025, 7, 15), [600_000])
        self.by_hand("ReleaseAllocation", date(2025, 7, 17), {"allocation": _TAKEN_BACK}, "the customer wants it back")
        self.refund(date(2025, 7, 21), 50_000, "20250703-X01")
        self.payment(date(2025, 9, 30), 300_000, {"series": SERIES, "number": "X004"})
        self.invoice("X005", date(2025, 10, 9), [340_000])
        self.credit_note("X902", date(2025, 10, 13), 40_000)
        credit, debit = f"credit-note:{SERIES}:X902:1#1", f"invoice:{SERIES}:X005:1#1"
        links = {"lines": [{"credit_item": credit, "debit_item": debit, "amount": 40_000}]}
        self.by_hand("Allocate", date(2025, 10, 15), links, "the rebate pays for this one")
        paid = {"series": SERIES, "number": "X005"}
        self.payment(date(2025, 11, 20), 300_000, paid, recorded=date(2025, 12, 8))
        self.invoice("X006", date(2025, 12, 1), [725_000])
        paid = {"series": SERIES, "number": "X006"}
        self.payment(date(2025, 12, 19), 150_000, paid, recorded=date(2026, 1, 9))

    def invoice(
        self, number: str, on: date, parts: list[int], revision: int = 1, recorded: date | None = None
    ) -> Message:
        total = sum(parts)
        fields = billing_fields(self.account, number, revision, on) | {
            "series": SERIES,
            "lines": [{"net": total, "dimensions": {"goods": "power-tools"}}],
            "tax": [{"code": "EXPORT", "rate": "0", "base": total, "amount": 0}],
            "total": total,
            "instalments": [
                {"due_on": on + timedelta(_TERMS * (n + 1)), "amount": part} for n, part in enumerate(parts)
            ],
        }
        source_id = f"INV-{SERIES}-{number}" + (f"-R{revision}" if revision > 1 else "")
        stage = AGAIN if revision > 1 else DOCUMENTS
        return self.outbox.send(BILLING, source_id, "IssueInvoice", fields, recorded or on, stage)

    def credit_note(self, number: str, on: date, total: int, against: str | None = None, revision: int = 1) -> None:
        fields = billing_fields(self.account, number, 1, on) | {
            "series": SERIES,
            "lines": [{"net": total, "dimensions": {"goods": "power-tools" if against else "rebate"}}],
            "tax": [{"code": "EXPORT", "rate": "0", "base": total, "amount": 0}],
            "total": total,
        }
        if against is not None:
            fields["against"] = {"kind": "invoice", "series": SERIES, "number": against, "revision": revision}
        self.outbox.send(BILLING, f"CRN-{SERIES}-{number}", "IssueCreditNote", fields, on, DOCUMENTS)

    def payment(
        self,
        on: date,
        amount: int,
        paid: dict[str, Any] | None = None,
        charge: int = 0,
        number: str | None = None,
        recorded: date | None = None,
    ) -> None:
        number = number or f"{on:%Y%m%d}-X01"
        fields: dict[str, Any] = self._money(number, on, amount)
        if charge:
            fields |= {"cash": amount - charge, "deductions": [{"reason": "bank_charge", "amount": charge}]}
        if paid is not None:
            fields["remittance"] = [paid | {"amount": amount}]
        self.outbox.send(BANK, f"BK-{number}", "RecordPayment", fields, recorded or on, MONEY)

    def refund(self, on: date, amount: int, payment: str) -> None:
        number = f"{on:%Y%m%d}-X01"
        original = {"kind": "payment", "series": "bank", "number": payment}
        fields = self._money(number, on, amount) | {"nature": "fact", "original_payment": original}
        self.outbox.send(BANK, f"BK-{number}", "RecordRefund", fields, on, MONEY)

    def by_hand(self, command: str, on: date, fields: dict[str, Any], reason: str) -> None:
        given = self.account.named | {"actor": "clerk-1", "reason": reason} | fields
        stage = CORRECTIONS if command == "ReleaseAllocation" else HAND
        self.outbox.send(DESK, f"HND-{on:%Y%m%d}", command, given, on, stage)

    def _money(self, number: str, on: date, amount: int) -> dict[str, Any]:
        return self.account.named | {
            "series": "bank",
            "number": number,
            "effective_on": on,
            "amount": amount,
            "rate": rate_of(self.account.currency, on),
        }
