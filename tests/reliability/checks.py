"""What must hold after a round, found out by plain reading: of tables, topics and stored JSON.

Nothing here but the two proofs that the product gives of itself (``replay`` and ``control``) shares code with what is
checked; both stand beside a sum of our own. A check that fails raises ``AssertionError`` with what it found.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from crashing import Database
from members import Brokers
from plain_fold import Plain
from receiver import Received

from projections.reader import Reader
from projections.replay import replay
from tests.reliability.expected import Expected
from tests.reliability.messages import BOOK, CURRENCY, SOURCE, Content

_ENTERS = {"invoice": "invoice-issued", "payment": "payment-received", "credit-note": "credit-note-issued"}
_ENTERS |= {"refund": "refund-paid", "": "document-reversed"}


class Books:
    """The store of a round, table by table."""

    def __init__(self, database: Database, name: str) -> None:
        self.url = database.url(name)
        self._database, self._name = database, name

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return self._database.rows(self._name, statement, parameters)

    def tracked(self, prefix: str) -> dict[str, int]:
        """The rest of a name → position, of all that are tracked under such a name."""
        found = self.rows("SELECT application_name, notification_id FROM tracking")
        return {name.removeprefix(prefix): at for name, at in found if name.startswith(prefix)}

    def head(self) -> int:
        """The position of the last event."""
        return int(self.rows("SELECT max(position) FROM events")[0][0])


def same(what: str, found: Any, wanted: Any) -> None:
    """Fail with the differences, the first few of them."""
    if found == wanted:
        return
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        pairs = [(k, found.get(k), wanted.get(k)) for k in {**wanted, **found} if found.get(k) != wanted.get(k)]
        raise AssertionError(f"{what}: {len(pairs)} differ (name, found, wanted): {pairs[:5]}")
    if isinstance(found, set) and isinstance(wanted, set):
        more, less = sorted(found - wanted), sorted(wanted - found)
        raise AssertionError(f"{what}: {len(more)} too many {more[:5]}, {len(less)} missing {less[:5]}")
    raise AssertionError(f"{what}: found {str(found)[:300]}, wanted {str(wanted)[:300]}")


def check_log(books: Books, expected: Expected) -> None:
    """Nothing lost, nothing doubled, each customer in order, and what each owes."""
    log = [
        (position, stream, topic.partition(".")[0], json.loads(bytes(state)))
        for position, stream, topic, state in books.rows(
            "SELECT position, originator_id, topic, state FROM events ORDER BY position"
        )
    ]
    same("positions are dense", [position for position, *_ in log], list(range(1, len(log) + 1)))
    wanted = {customer: list(ids) for customer, ids in expected.booked.items() if ids}
    whose = {name: customer for customer, ids in wanted.items() for name in ids}
    order: dict[str, list[str]] = defaultdict(list)
    for _, _, _, event in log:
        name = event["source_id"]
        if event["source"] == SOURCE and name not in order[whose.get(name, "nobody")]:
            order[whose.get(name, "nobody")].append(name)
    same("each customer's messages in order", dict(order), wanted)

    contents = [delivery.content for ids in expected.booked.values() for delivery in ids.values()]
    documents = Counter((_ENTERS[one.enters], one.document) for one in contents)
    found = Counter((kind, event["document"]) for _, _, kind, event in log if kind in _ENTERS.values())
    same("documents entered and reversed", found, documents)
    waited = Counter(event["source_id"] for _, _, kind, event in log if kind == "fact-deferred")
    applied = [event for _, _, kind, event in log if kind == "deferred-fact-applied"]
    same("what waited", Counter(event["source_id"] for event in applied if event["outcome"] == "booked"), waited)

    plain = Plain(books.url)
    sums: dict[str, int] = defaultdict(int)
    for line in plain.lines:
        sums[line.customer] += line.signed if line.item is not None else 0
    same("what customers owe", {customer: amount for customer, amount in sums.items() if amount}, expected.owed)


def check_register(books: Books, expected: Expected) -> None:
    """Receipts name the delivery that counts; doubles, quarantine and parked messages are those expected, no others."""
    receipts = dict(books.rows("SELECT source_id, origin FROM receipts WHERE source = %s", SOURCE))
    same("receipts", receipts, {n: d.origin for ids in expected.booked.values() for n, d in ids.items()})
    same("doubles", set(books.rows("SELECT source_id, origin FROM doubles")), expected.doubles)
    quarantine = books.rows("SELECT origin, lane FROM quarantine ORDER BY id")
    same("quarantine", Counter(quarantine), Counter(expected.quarantine.items()))
    same("attempts", dict(books.rows("SELECT origin, attempts FROM quarantine")), dict(expected.attempts))
    counted = books.rows("SELECT kind, count FROM acknowledgements")
    same("messages without a value", counted, [("tombstone", expected.counted)])
    parked: dict[str, list[str]] = defaultdict(list)
    for lane, origin in books.rows("SELECT lane, origin FROM parked ORDER BY id"):
        parked[lane].append(origin)
    same("parked", dict(parked), dict(expected.parked))


def check_positions(books: Books, topic: str, partitions: Mapping[int, Sequence[Content]]) -> None:
    """Reading has got to the end of each partition, and no further."""
    stored = books.tracked(f"kafka:main:{topic}:")
    same("positions", stored, {str(n): len(contents) for n, contents in partitions.items() if contents})


def check_projections(books: Books) -> None:
    """They have reached the head, they are what a replay gives and what a plain sum gives, and items = postings."""
    head = books.head()
    same("the projections' position", books.tracked("projections").get(""), head)
    report = replay(books.url)
    assert report.differences == 0, f"replay finds {report.differences} differences: {report.first[:3]}"
    plain = Plain(books.url)
    with Reader(books.url) as reader:
        control = reader.control(BOOK)
        assert control, "control accounts are compared"
        broken = [row for row in control if not row.holds]
        assert not broken, f"subledger and control differ: {broken}"
        balances: dict[Hashable, tuple[int, int]] = {
            (b.customer, b.currency, b.role, b.account): (b.amount, b.base_amount) for b in reader.balances(BOOK)
        }
        same("balances", balances, plain.balances(BOOK, None, head))
        items = {i.item: (i.open, i.base_open) for i in reader.items(BOOK, settled=True)}
        same("items", items, {name: one[1:] for name, one in plain.open_items(BOOK, None, head).items()})
        trial = {
            (r.account, r.currency, json.dumps(r.dimensions)): (
                r.opening, r.debit, r.credit, r.base_opening, r.base_debit, r.base_credit,
            )
            for r in reader.trial_balance(BOOK)
        }  # fmt: skip
        same("trial balance", trial, plain.trial_balance(BOOK, None, None, head))
        assert sum(row.closing for row in reader.trial_balance(BOOK) if row.currency == CURRENCY) == 0


def check_outbound(books: Books, brokers: Brokers, topic: str) -> int:
    """The topic has every event of the log, each key in order once repeats are dropped; how many repeats."""
    received = Received(brokers, topic)
    received.assert_whole_and_in_order(books.url)
    same("the publisher's position", books.tracked(f"outbound:{topic}").get(""), books.head())
    return received.repeats


def check_dead_letters(books: Books, brokers: Brokers, topic: str) -> None:
    """Each entry of the quarantine was sent at least once, and nothing else."""
    messages = brokers.read(topic, sum(brokers.ends(topic).values()))
    ids = {int(dict(message.headers)["tieout-quarantine-id"]) for message in messages}
    same("dead letters", ids, {one for (one,) in books.rows("SELECT id FROM quarantine")})
