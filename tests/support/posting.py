"""A writer of its own process, for tests: posts invoices around the first open day until its input ends.

``python posting.py LOCATION NUMBER``: says ``ready``, then how many of its invoices were booked.
"""

import random
import sys
import threading
from datetime import timedelta
from pathlib import Path

from domain.commands import IssueInvoice
from ledger.ledger import Ledger
from ledger.outcomes import Status, Submission

BATCH = 3


def main(location: str, number: int) -> None:
    """Post at full speed, to accounts that the other writers post to as well."""
    chance = random.Random(number)
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    booked = sent = 0
    with Ledger.open(location if "://" in location else Path(location)) as ledger:
        print("ready", flush=True)
        while not done.is_set():
            book = ledger.book("main")
            assert book is not None
            batch = []
            for _ in range(BATCH):
                sent += 1
                on = book.open_from + timedelta(days=chance.randint(-20, 40))
                batch.append(
                    Submission(
                        IssueInvoice.model_validate(
                            {
                                "source": f"writer-{number}",
                                "source_id": str(sent),
                                "book": "main",
                                "customer": f"C{chance.randint(1, 8)}",
                                "currency": "CNY",
                                "number": f"{number}-{sent}",
                                "effective_on": on,
                                "total": 100,
                                "lines": [{"net": 100}],
                                "instalments": [{"due_on": on, "amount": 100}],
                            }
                        )
                    )
                )
            booked += sum(outcome.status is Status.BOOKED for outcome in ledger.submit(batch))
    print(sent, booked, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
