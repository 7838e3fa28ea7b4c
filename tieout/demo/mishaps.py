"""What goes wrong on the way: wrong data, the same number twice, deliveries that come again, money of nobody known.

Every bad message is a good one spoilt. Of some the right version follows days later under the same source id, as when
billing has mended its record; of the others it never does.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from tieout.demo import company
from tieout.demo.days import FIRST, after, is_working, rate_of, recorded_on, working_day
from tieout.demo.outbox import BANK, BILLING, DESK, MONEY, Message, Outbox, changed
from tieout.demo.setbacks import Stranger

_INVALID = "command_must_be_valid"


Fields = dict[str, Any]


def _total_off(content: Fields) -> Fields:
    return {"total": content["total"] + 100}


def _instalments_off(content: Fields) -> Fields:
    first, *others = content["instalments"]
    return {"instalments": [first | {"amount": first["amount"] + 1}, *others]}


def _as_text(content: Fields) -> Fields:
    return {"amount": f"{content['amount'] // 100:,}.{content['amount'] % 100:02d}"}


def _far_year(content: Fields) -> Fields:
    return {"effective_on": content["effective_on"].replace("2025", "2052")}


def _with(**fields: Any) -> Callable[[Fields], Fields]:
    return lambda content: fields


_SPOILERS: tuple[tuple[str, str, bool, Callable[[Fields], Fields] | None], ...] = (
    ("IssueInvoice", _INVALID, True, _with(customer=None)),
    ("IssueInvoice", "lines_and_tax_must_sum_to_total", True, _total_off),
    ("RecordPayment", _INVALID, True, _as_text),
    ("IssueInvoice", "instalments_must_sum_to_total", True, _instalments_off),
    ("IssueInvoice", "effective_date_must_be_within_horizon", True, _far_year),
    ("RecordPayment", "method_must_be_configured", False, _with(method="voucher")),
    ("IssueInvoice", _INVALID, True, _with(remark="urgent")),
    ("RecordPayment", _INVALID, False, _with(currency="RMB")),
    ("IssueCreditNote", "lines_and_tax_must_sum_to_total", True, _total_off),
    ("IssueInvoice", _INVALID, False, _with(customer="")),
    ("RecordPayment", "cash_and_deductions_must_sum_to_amount", False, _with(cash=1)),
    ("IssueInvoice", _INVALID, True, None),
)
"""Command, the code it should be refused with, whether the right version follows, which fields are spoilt (None: cut off)."""


def spoil(outbox: Outbox) -> None:
    """A dozen messages of wrong data."""
    rng = outbox.rng
    plain: dict[str, list[tuple[Message, Fields]]] = {}
    for message in rng.sample(outbox.messages, min(len(outbox.messages), 1500)):
        if message.plain:
            content = msgspec.json.decode(message.line)
            plain.setdefault(content["command"], []).append((message, content))
    for command, code, mended, spoiler in _SPOILERS:
        if not plain.get(command):
            continue
        message, content = plain[command].pop()
        line = message.line
        spoilt = changed(line, **spoiler(content)) if spoiler else line[: len(line) * 2 // 3]
        outbox.repeat(spoilt, message.source, message.recorded, "refused", code)
        if mended:
            message.recorded = after(message.recorded, 1 + rng.randrange(6))
            message.plain = False
        else:
            outbox.messages.remove(message)
    _without_rate(outbox, [one for some in plain.values() for one in some])


def _without_rate(outbox: Outbox, plain: list[tuple[Message, Fields]]) -> None:
    """An invoice in foreign currency whose rate was forgotten; it follows next day."""
    for message, content in plain:
        if content["command"] == "IssueInvoice" and "rate" in content:
            outbox.repeat(changed(message.line, rate=None), BILLING, message.recorded, "refused", "rate_must_be_given")
            message.recorded = after(message.recorded, 1)
            message.plain = False
            return


def contradict(outbox: Outbox, count: int) -> None:
    """Documents that come a second time with other content: by the same way, or under another source id."""
    rng = outbox.rng
    done = 0
    for message in rng.sample(outbox.messages, min(len(outbox.messages), 50 * count)):
        if done == count or not message.plain or b'"IssueInvoice"' not in message.line:
            continue
        content = msgspec.json.decode(message.line)
        total, dues = content["total"] + 1000, content["instalments"]
        fields: Fields = {
            "lines": [content["lines"][0] | {"net": content["lines"][0]["net"] + 1000}, *content["lines"][1:]],
            "total": total,
            "instalments": [dues[0] | {"amount": dues[0]["amount"] + 1000}, *dues[1:]],
        }
        code = "same_source_id_must_have_same_content"
        if done % 2:
            fields["source_id"] = f"{content['source_id']}-B"
            code = "same_number_must_have_same_content"
        night = after(message.recorded, rng.randrange(10))
        outbox.repeat(changed(message.line, **fields), BILLING, night, "conflict", code)
        done += 1


def redeliver(outbox: Outbox) -> None:
    """The same again: single lines, a whole night's delivery, and documents that the desk entered from a letter too."""
    rng = outbox.rng
    booked = [message for message in outbox.messages if message.outcome == "booked" and message.awaits is None]
    for message in rng.sample(booked, len(booked) // 90):
        outbox.repeat(message.line, message.source, after(message.recorded, rng.randrange(6)), "duplicate")
    night = working_day(FIRST.replace(month=5, day=20))
    for message in [one for one in booked if one.recorded == night]:
        outbox.repeat(message.line, message.source, after(night, 1), "duplicate")
    for message in rng.sample([one for one in booked if b'"IssueInvoice"' in one.line], min(8, len(booked) // 100)):
        line = changed(message.line, source=DESK, source_id=f"LTR-{outbox.number('letter'):04d}", actor="clerk-2")
        outbox.repeat(line, DESK, after(message.recorded, 1 + rng.randrange(5)), "duplicate")


def receive_from_nobody(outbox: Outbox, count: int) -> list[Stranger]:
    """Payments whose payer nobody knows: the house account of their month."""
    rng = outbox.rng
    strangers = []
    for _ in range(count):
        on = FIRST + timedelta(rng.randrange(360))
        if not is_working(on):
            on = working_day(on)
        currency = rng.choice(company.CURRENCIES)
        number = outbox.bank_number(on)
        customer = f"~{BANK}:{on:%Y-%m}"
        fields: Fields = {
            "customer": customer,
            "currency": currency,
            "series": "bank",
            "number": number,
            "effective_on": on,
            "amount": 10_000 + 10 * rng.randrange(100_000),
        }
        rate = rate_of(currency, on)
        if rate is not None:
            fields["rate"] = rate
        message = outbox.send(BANK, f"BK-{number}", "RecordPayment", fields, recorded_on(rng, on), MONEY)
        strangers.append(Stranger(customer, currency, number, on, message))
    return strangers
