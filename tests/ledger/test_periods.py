"""Identity 9 under concurrency: whoever books at the same time, a closed period stays closed and nothing is lost."""

import subprocess
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import posting
import pytest
from databases import KINDS, store_of

from domain.commands import ClosePeriod, OpenBook
from domain.events import InvoiceIssued, PeriodClosed
from domain.periods import CHECKS
from ledger.database import connect
from ledger.ledger import Ledger
from ledger.outcomes import Status, Submission
from projections.log import logged

WRITERS = 8
CLOSES = 100
FIRST_YEAR = 2010


def month(number: int) -> str:
    return f"{FIRST_YEAR + number // 12}-{number % 12 + 1:02d}"


def close(period: str) -> Submission:
    checks = [{"check": name, "holds": True} for name in CHECKS]
    fields = {"source": "test", "source_id": f"close-{period}", "book": "main", "period": period, "position": "0:0"}
    return Submission(ClosePeriod.model_validate(fields | {"checks": checks}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_closes_while_eight_writers_post_at_full_speed(kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = stack.enter_context(store_of(kind, tmp_path))
        ledger = stack.enter_context(Ledger.open(store))
        opened = OpenBook(source="test", source_id="open", book="main", base_currency="CNY", allocation="none")
        # The first close, so that the writers know where the open days begin.
        assert [o.status for o in ledger.submit([Submission(opened), close(month(0))])] == [Status.BOOKED] * 2
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, posting.__file__, str(store), str(number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(WRITERS)
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for number in range(1, CLOSES + 1):
            (outcome,) = ledger.submit([close(month(number))])
            assert outcome.status is Status.BOOKED, outcome
        counts = [writer.communicate()[0].split() for writer in writers]
        assert all(writer.returncode == 0 for writer in writers)
        sent, booked = sum(int(c[0]) for c in counts), sum(int(c[1]) for c in counts)
        assert sent == booked, "nothing is refused: what is late is moved"

        closed_until = date.min
        found = moved = 0
        reader = connect(store, read_only=True)
        for one in logged(reader, 0, ledger.head().position):
            if isinstance(one.event, PeriodClosed):
                closed_until = one.event.last_on
            elif isinstance(one.event, InvoiceIssued):
                found += 1
                moved += one.event.requested_effective_on is not None
                assert one.event.effective_on > closed_until, one
        reader.close()
        assert found == booked
        assert moved > 0
        assert closed_until == date(2018, 5, 31)
