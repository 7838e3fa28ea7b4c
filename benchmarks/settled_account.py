"""Posting to an account with 100,000 settled documents, against posting to an empty one.

Once by a ledger that is running, and once by one that has just been opened, which loads the account from its snapshot
and the events since (an empty one has nothing to load): that is where a long past would be paid for.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median

from benchmarks.importing import new_store
from benchmarks.measure import Measure, median_ratio, seconds
from domain.commands import Instalment, IssueInvoice, Line, PaidDocument, RecordPayment
from ledger.ledger import Ledger
from ledger.outcomes import Status, Submission

ON = date(2025, 6, 1)


def _pair(customer: str, number: str) -> list[Submission]:
    """An invoice and the payment that settles it."""
    common = {"source": "bench", "book": "demo", "customer": customer, "currency": "CNY", "effective_on": ON}
    invoice = IssueInvoice(
        **common,  # type: ignore[arg-type]
        source_id=f"i-{customer}-{number}",
        number=f"{customer}-{number}",
        total=100,
        lines=[Line(net=100)],
        instalments=[Instalment(due_on=ON, amount=100)],
    )
    payment = RecordPayment(
        **common,  # type: ignore[arg-type]
        source_id=f"p-{customer}-{number}",
        number=f"{customer}-{number}",
        amount=100,
        remittance=[PaidDocument(number=f"{customer}-{number}")],
    )
    return [Submission(invoice), Submission(payment)]


def run(folder: Path, quick: bool) -> Iterator[Measure]:
    """The ratio of the two, the median of many postings in turn."""
    settled = 5_000 if quick else 50_000
    store = folder / "settled.sqlite"
    with new_store(store) as ledger:
        for start in range(0, settled, 250):
            ledger.submit([entry for n in range(start, start + 250) for entry in _pair("LONG", str(n))])
    rounds = 40 if quick else 200
    with Ledger.open(store) as ledger:
        _post(ledger, "LONG", "warm")
        warm = [(_post(ledger, "LONG", f"w{n}"), _post(ledger, f"WARM{n}", "x")) for n in range(rounds)]
    cold = []
    for n in range(rounds // 4):
        with Ledger.open(store) as ledger:
            ledger.book("demo")
            cold.append((_post(ledger, "LONG", f"c{n}"), _post(ledger, f"COLD{n}", "x")))
    for name, turns, goal in (("settled_account", warm, 1.2), ("settled_account_cold", cold, None)):
        detail = f"{2 * settled} settled documents, {median(e for _, e in turns) * 1e6:.0f} us for an invoice and its payment"
        yield Measure(name=name, ratio=median_ratio(turns), goal=goal, detail=detail)


def _post(ledger: Ledger, customer: str, number: str) -> float:
    batch = _pair(customer, number)

    def post() -> None:
        assert all(outcome.status == Status.BOOKED for outcome in ledger.submit(batch))

    return seconds(post)
