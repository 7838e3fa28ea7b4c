"""A book as a client of the API has it: commands by their path, questions by theirs, and bodies of a line each.

Amounts are minor units of CNY; all days lie in the first months of 2026.
"""

from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

import httpx2

FIRST_ON = "2026-01-01"
_numbers = count(1)

Body = dict[str, Any]


class Book(NamedTuple):
    """A book of a server, and the client that talks about it."""

    client: httpx2.Client
    name: str

    def path(self, within: str) -> str:
        """The path of what is within the book."""
        return f"/v1/books/{self.name}/{within}"

    def key(self, key: str) -> str:
        """A key as the server gets it: a source names what it sends once, whatever book it is for."""
        return f"{self.name}/{key}"

    def send(self, command: str, body: Any, key: str | None = None, **more: Any) -> httpx2.Response:
        """Send a command, by its name in kebab case, under a key of the book.

        ``more``: ``dry_run``, and headers with underscores for hyphens.
        """
        query = {"dry_run": "true"} if more.pop("dry_run", False) else {}
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if key is not None:
            headers["Idempotency-Key"] = self.key(key)
        return self.client.post(self.path(f"commands/{command}"), json=body, headers=headers, params=query)

    def booked(self, command: str, body: Body) -> Body:
        """Send a command that must be booked, under a name of its own; the answer."""
        answer = self.send(command, body, f"n{next(_numbers)}")
        assert answer.status_code in (200, 201, 202), answer.text
        found: Body = answer.json()
        return found

    def ask(self, within: str, **parameters: Any) -> httpx2.Response:
        """Ask a question."""
        return self.client.get(self.path(within), params=parameters or None)

    def answer(self, within: str, **parameters: Any) -> Any:
        """The data of a question that must be answered, as of what was booked before."""
        answer = self.ask(within, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def head(self) -> str:
        """The log position."""
        found: str = self.client.get("/v1/me").json()["position"]
        return found

    def by(self, client: httpx2.Client) -> "Book":
        """The same book as somebody else has it."""
        return Book(client, self.name)


def opened(client: httpx2.Client, name: str | None = None, **more: Any) -> Book:
    """A new book."""
    book = Book(client, name or f"book-{next(_numbers)}")
    book.booked("open-book", {"base_currency": "CNY", "first_on": FIRST_ON, **more})
    return book


def key_of(client: httpx2.Client, *grants: str) -> str:
    """A new key, made by an administrator."""
    answer = client.post("/v1/keys", json={"name": f"key-{next(_numbers)}", "grants": list(grants)})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["data"]["key"]
    return found


def invoice(number: str, total: int = 10_000, customer: str = "C1", on: str = "2026-01-05", **more: Any) -> Body:
    """An invoice that is due a month later."""
    due_on = "2026-02-04"
    return {
        "customer": customer,
        "currency": "CNY",
        "number": number,
        "effective_on": on,
        "total": total,
        "lines": [{"net": total}],
        "instalments": [{"due_on": due_on, "amount": total}],
        **more,
    }


def payment(number: str, amount: int, customer: str = "C1", on: str = "2026-02-03", **more: Any) -> Body:
    """A payment that names what it settles only where ``remittance`` says so."""
    return {
        "customer": customer,
        "currency": "CNY",
        "number": number,
        "effective_on": on,
        "amount": amount,
        "remittance": [],
        **more,
    }


def chargeback(number: str, of: str, amount: int = 100, customer: str = "C1") -> Body:
    """A chargeback of a payment; it waits where the payment is not known."""
    return {
        "customer": customer,
        "currency": "CNY",
        "number": number,
        "effective_on": "2026-02-20",
        "kind": "chargeback",
        "payment": {"kind": "payment", "number": of},
        "amount": amount,
    }


def write_off(number: str, item: str, amount: int, customer: str = "C1") -> Body:
    """A write-off, an instruction that authorities may limit."""
    return {
        "customer": customer,
        "currency": "CNY",
        "number": number,
        "effective_on": "2026-03-01",
        "reason": "gone",
        "items": [{"item": item, "amount": amount}],
    }


def line(command: str, source_id: str, body: Body) -> Body:
    """A command as a line of many."""
    return {"command": command, "source_id": source_id, **body}


def invoices(numbers: Sequence[str], **more: Any) -> list[Body]:
    """Invoices as lines of many."""
    return [line("IssueInvoice", f"i-{number}", invoice(number, **more)) for number in numbers]
