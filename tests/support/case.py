"""Worked cases: pages of ``docs/cases`` that tell a story by commands, each followed by its voucher and the balances.

A step is a heading that begins with a day, a ``json`` block with one command a line, and a ``text`` block that says what
an accountant would see: this one is compared, or written anew. Fields that every step would repeat are filled in.
"""

import json
import re
from collections import defaultdict
from datetime import date
from typing import Any

import msgspec
from asked import answer
from given import BOOK, Books

from domain.commands import COMMAND, COMMANDS, Command
from domain.events import (
    AllowanceMatrixChanged,
    ApprovalEvent,
    ApprovalGiven,
    ApprovalRequested,
    AuthoritiesChanged,
    CreditLimitSet,
    Event,
    FactDeferred,
    ItemTransferredIn,
    PeriodClosed,
    PeriodReopened,
    Voucher,
)
from domain.money import minor_digits
from domain.periods import CHECKS
from domain.refusals import RULES, Refusal

STEP = re.compile(
    r"^## (?P<day>\d{4}-\d{2}-\d{2})(?P<title>[^\n]*)\n(?P<story>.*?)```json\n(?P<commands>.*?)```\n"
    r"(?:\n```text\n(?P<shown>.*?)```\n)?",
    re.MULTILINE | re.DOTALL,
)
BOOK_BLOCK = re.compile(r"```json book\n(.*?)```", re.DOTALL)
TODAY = date(2026, 12, 31)
NAMES = {
    "1001": "库存现金",
    "1002": "银行存款",
    "1012": "其他货币资金",
    "1121": "应收票据",
    "112298": "应收账款 汇率调整",
    "1122": "应收账款",
    "112299": "往来转移清算",
    "1231": "坏账准备",
    "2202": "应付账款",
    "2203": "预收账款",
    "2205": "合同负债",
    "220501": "合同负债—预收款",
    "220502": "合同负债—递延收入",
    "2221": "应交税费",
    "2241": "其他应付款",
    "5711": "营业外支出",
    "6001": "主营业务收入",
    "6301": "营业外收入",
    "6603": "财务费用",
    "6702": "信用减值损失",
    "6711": "营业外支出",
}
"""Account code → its name in the standard chart."""


class Case:
    """A page being played."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = BOOK_BLOCK.search(text)
        self.books = Books(**(json.loads(found[1]) if found else {}))
        self._count = 0

    def played(self) -> str:
        """The page with the text blocks that its steps lead to."""
        return STEP.sub(self._step, self.text)

    def _step(self, step: re.Match[str]) -> str:
        shown = []
        for line in step["commands"].splitlines():
            fields = json.loads(line)
            if "ask" in fields:
                shown += [*answer(self.books, fields), ""]
                continue
            command = self._command(fields, step["day"])
            shown += [*self._outcome(self.books.when(command, TODAY), getattr(command, "currency", "CNY")), ""]
        shown.extend(self._balances())
        block = "\n".join(shown)
        return (
            f"## {step['day']}{step['title']}\n{step['story']}```json\n{step['commands']}```\n\n```text\n{block}\n```\n"
        )

    def _command(self, fields: dict[str, Any], day: str) -> Command:
        command: Command = COMMAND.validate_json(msgspec.json.encode(self._filled(fields, day)))
        return command

    def _filled(self, fields: dict[str, Any], day: str) -> dict[str, Any]:
        """The fields of a command, those that every step would repeat included."""
        self._count += 1
        known = {"source": "case", "source_id": str(self._count), "book": BOOK, "customer": "C1", "currency": "CNY"}
        given = known | fields
        model = COMMANDS[fields["command"]]
        if "effective_on" in model.model_fields and fields["command"] != "ReverseDocument":
            given.setdefault("effective_on", day)
        if "book_version" in model.model_fields:
            given.setdefault("book_version", self.books.book.version)
        if fields["command"] == "ClosePeriod":
            given |= {"position": "0:0", "checks": [{"check": name, "holds": True} for name in CHECKS]}
        if fields["command"] in ("IssueInvoice", "IssueCreditNote"):
            taxed = sum(tax["amount"] for tax in fields.get("tax", []))
            given.setdefault("lines", [{"net": fields["total"] - taxed}])
        if fields["command"] == "IssueInvoice":
            given.setdefault("instalments", [{"due_on": given["effective_on"], "amount": fields["total"]}])
        if "customer" not in model.model_fields:
            del given["customer"], given["currency"]
        if "instruction" in fields:
            given["instruction"] = self._filled(fields["instruction"], day)
        return given

    def _outcome(self, outcome: list[Event] | Refusal, currency: str) -> list[str]:
        if isinstance(outcome, Refusal):
            return [f"拒绝 {outcome.code.value}: {RULES[outcome.code]}"]
        said = [f"等待 {event.awaited}" for event in outcome if isinstance(event, FactDeferred)]
        said += [f"结账 {event.period}" for event in outcome if isinstance(event, PeriodClosed)]
        said += [_limit(event) for event in outcome if isinstance(event, CreditLimitSet)]
        said += [f"反结账 {event.period}" for event in outcome if isinstance(event, PeriodReopened)]
        said += ["授权变更" for event in outcome if isinstance(event, AuthoritiesChanged)]
        said += [self._approval(event, currency) for event in outcome if isinstance(event, ApprovalEvent)]
        said += [f"比例 {_rates(event)}" for event in outcome if isinstance(event, AllowanceMatrixChanged)]
        said += [""] if said else []
        vouchers: dict[tuple[str, str, str | None], list[Voucher]] = {}
        whose = ""
        for event in outcome:
            if isinstance(event, ItemTransferredIn):
                # It and what follows are of the account that received.
                whose = f"转入 {event.document}，来自 {event.from_customer}"
            if isinstance(event, Voucher):
                # A mirror is a voucher of its own day.
                mirrors = getattr(event, "mirrors", None)
                vouchers.setdefault((event.source_id, whose, mirrors), []).append(event)
        for (_, received, _), events in vouchers.items():
            said += [received] if received else []
            said += [*self._moved(events), *self._voucher(events, currency), ""]
        return said[:-1] or ["无分录"]

    def _approval(self, event: ApprovalEvent, currency: str) -> str:
        """What a request asks for, or what became of it."""
        if isinstance(event, ApprovalRequested):
            amount = "" if event.amount is None else f" {money(event.amount, currency)}"
            return f"提请审批 {event.request}: {event.instruction}{amount}，制单 {event.maker}"
        done = "审批通过" if isinstance(event, ApprovalGiven) else "审批驳回"
        return f"{done} {event.request}: {event.actor}" + (f"，{event.reason}" if event.reason else "")

    def _moved(self, events: list[Voucher]) -> list[str]:
        """Where a voucher was moved to, and where it belonged."""
        if getattr(events[0], "mirrors", None):
            return [f"记账日 {events[0].effective_on}，冲回"]
        own = [event for event in events if event.caused_by is None and event.requested_effective_on is not None]
        return [f"记账日 {event.effective_on}，原属 {event.requested_effective_on}" for event in own]

    def _voucher(self, events: list[Voucher], currency: str) -> list[str]:
        """What the events of a commit come to, an account a line: where both sides met they are netted."""
        sums: dict[str, dict[str, list[int]]] = defaultdict(lambda: {"D": [0, 0], "C": [0, 0]})
        for event in events:
            for posting in event.postings:
                side = sums[posting.account][posting.side]
                side[0] += posting.amount
                side[1] += posting.base_amount
        lines = []
        for account, sides in sums.items():
            (debit, base_debit), (credit, base_credit) = sides["D"], sides["C"]
            if (debit or base_debit) and (credit or base_credit):
                # In red, what is undone stays on its side.
                red = debit < 0 and credit < 0
                debit, base_debit, credit, base_credit = debit - credit, base_debit - base_credit, 0, 0
                if ((debit, base_debit) < (0, 0)) != red:
                    debit, base_debit, credit, base_credit = 0, 0, -debit, -base_debit
            lines += [("借", account, debit, base_debit)] if debit or base_debit else []
            lines += [("贷", account, credit, base_credit)] if credit or base_credit else []
        lines.sort(key=lambda line: line[0] != "借")
        return [self._line(*line, currency=currency) for line in lines]

    def _line(self, side: str, account: str, amount: int, base: int, *, currency: str) -> str:
        indent = "" if side == "借" else "    "
        said = f"{indent}{side} {account} {NAMES.get(account, '')}".rstrip()
        return f"{said} {money(amount, currency)}" + ("" if currency == "CNY" else f" = {money(base, 'CNY')}")

    def _balances(self) -> list[str]:
        """What is open, an item a line."""
        lines = []
        many = len(self.books.accounts) > 1
        for account in self.books.accounts.values():
            whose = f"{account.customer} {account.currency} " if many else ""
            open_items = sorted(account.items.values(), key=lambda item: item.item)
            for item in open_items:
                side = "借" if item.side == "D" else "贷"
                base = "" if account.currency == "CNY" else f" = {money(item.open_base, 'CNY')}"
                lines.append(f"未清 {whose}{item.item} {side} {money(item.open, account.currency)}{base}")
        return lines or ["未清 无"]


def _limit(event: CreditLimitSet) -> str:
    before, after = ("无" if one is None else money(one, "CNY") for one in (event.before, event.after))
    return f"信用额度 {after}，原为 {before}"


def _rates(event: AllowanceMatrixChanged) -> str:
    """A matrix in a line."""
    days = [f"逾期≤{one.to_days}天" if one.to_days is not None else "更久" for one in event.after.buckets]
    return " ".join(f"{name} {one.rate}%" for name, one in zip(days, event.after.buckets, strict=True))


def money(amount: int, currency: str) -> str:
    """Minor units as an amount with the currency's decimals."""
    digits = minor_digits(currency)
    text = f"{abs(amount) // 10**digits:,}"
    if digits:
        text += f".{abs(amount) % 10**digits:0{digits}d}"
    return f"{'-' if amount < 0 else ''}{text}{'' if currency == 'CNY' else f' {currency}'}"
