"""Questions that a worked case asks of the projections, and the answers in an accountant's words.

A line ``{"ask": "exposure", "as_of": "2026-03-31"}`` among the commands of a step: what has been booked until then is
written into a store of its own, followed, and asked.
"""

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import logs
from given import BOOK, Books

from domain.money import minor_digits
from ledger.outcomes import read_token, token
from projections.answers import AsOf
from projections.follow import follow
from projections.reader import Reader

REASONS = {"over_limit": "超额度", "overdue": "逾期过久"}


def answer(books: Books, question: dict[str, Any]) -> list[str]:
    """The lines of the answer to one question."""
    with tempfile.TemporaryDirectory() as folder:
        events = [(source.stream, source.event) for source in books.log]
        store = logs.write(Path(folder) / "case.sqlite", events)
        follow(store)
        with Reader(store) as reader:
            return _ASKED[question["ask"]](reader, question)


def _exposure(reader: Reader, question: dict[str, Any]) -> list[str]:
    on = date.fromisoformat(question["as_of"])
    lines = []
    for row in reader.exposures(BOOK, AsOf(on), question.get("overdue", 30)):
        limit = "无" if row.limit is None else _money(row.limit, row.currency)
        held = f"暂停：{'、'.join(REASONS[reason] for reason in row.reasons)}" if row.hold else "不暂停"
        owed, credit, exposed = (_money(one, row.currency) for one in (row.open, row.unapplied, row.exposure))
        lines.append(f"问 {on} 的信用敞口 {row.customer}")
        lines.append(f"答 未清 {owed} 减预收 {credit} 为敞口 {exposed}，额度 {limit}，逾期 {row.overdue} 天，{held}")
    return lines


def _statement(reader: Reader, question: dict[str, Any]) -> list[str]:
    on = date.fromisoformat(question["as_of"])
    found = reader.statement(BOOK, "C1", "CNY", None, AsOf(on))
    return [
        f"问 {on} 的对账单 {found.customer}",
        f"答 期末 {_money(found.closing, 'CNY')}，位置 {token(reader.position)}",
    ]


def _changes(reader: Reader, question: dict[str, Any]) -> list[str]:
    then = AsOf(date.fromisoformat(question["on"]), read_token(question["since"]))
    found = reader.changes(BOOK, "C1", "CNY", then, AsOf(date.fromisoformat(question["as_of"])))
    lines = [f"问 {found.on} 的对账单（位置 {found.since}）以来的变化 {found.customer}"]
    lines.append(f"答 当时期末 {_money(found.before, 'CNY')}")
    for change in found.changes:
        belongs = "属对账单期间" if change.prior else "其后"
        lines.append(f"   {change.effective_on} {change.document} {_money(change.amount, 'CNY')}，{belongs}")
    return [*lines, f"   {found.effective_on} 期末 {_money(found.after, 'CNY')}"]


_ASKED = {"exposure": _exposure, "statement": _statement, "changes": _changes}


def _money(amount: int, currency: str) -> str:
    digits = minor_digits(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    text = f"{whole:,}.{rest:0{digits}d}" if digits else f"{whole:,}"
    return f"{'-' if amount < 0 else ''}{text}"
