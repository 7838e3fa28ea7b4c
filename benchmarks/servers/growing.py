"""What growth does: the ingest rate and the memory of the workers at a large log, against those at a small one.

A store is filled through Kafka to the large size; memory is what its worker processes hold at the small size and at the
end. Then the same new messages are read into it and into a small store in turns, by two workers each, so that whatever
else the machine does meets both.
"""

from collections.abc import Iterable, Iterator
from statistics import median

from benchmarks.measure import Measure, median_ratio
from benchmarks.servers import copying, feed, ingesting
from benchmarks.servers.member import Result
from benchmarks.servers.running import Servers
from tieout.demo.bulk import documents

SMALL, LARGE = 100_000, 5_000_000
QUICK_SMALL, QUICK_LARGE = 10_000, 40_000
_A_DOCUMENT = 1.37
"""Events, about."""
WORKERS = 2
CUSTOMERS = 2_000
"""So few that both stores have all of them, with as many open invoices each."""


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The ratios of both."""
    small, large = (QUICK_SMALL, QUICK_LARGE) if quick else (SMALL, LARGE)
    turns, new = (1, 2_000) if quick else (5, 20_000)
    with servers.store() as small_store, servers.store() as large_store:
        first = int(small / _A_DOCUMENT)
        rest = int(large / _A_DOCUMENT)
        _fill(servers, small_store, first)
        results = _fill(servers, large_store, rest)
        yield _memory(results, first, rest)
        servers.run("VACUUM ANALYZE", url=small_store)
        servers.run("VACUUM ANALYZE", url=large_store)
        sizes = [copying.last_position(store) for store in (small_store, large_store)]
        pairs = []
        for turn in range(turns):
            topic = _topic(servers, _renamed(documents(2 + turn, new, CUSTOMERS), turn))
            walls = []
            for store in (large_store, small_store):
                servers.run("CHECKPOINT")
                walls.append(ingesting.wall(ingesting.read(servers, store, topic, WORKERS)))
            pairs.append((walls[0], walls[1]))
    at = [f"{median(pair[n] for pair in pairs) / new * 1e6:.0f} us" for n in (0, 1)]
    detail = f"{sizes[1]} events {at[0]} a message, {sizes[0]} events {at[1]}"
    yield Measure(name="growth_of_time", ratio=median_ratio(pairs), goal=1.2, detail=detail)


def _memory(results: list[Result], small: int, large: int) -> Measure:
    """Each worker has about half of the messages."""
    before = sum(_memory_at(result, small // len(results)) for result in results)
    after = sum(result.memory[-1][1] for result in results)
    detail = f"{len(results)} workers, {before} MB after {small} messages, {after} MB after {large}"
    return Measure(name="growth_of_memory", ratio=after / before, goal=1.1, detail=detail)


def _memory_at(result: Result, messages: int) -> int:
    return next(held for done, held in result.memory if done >= messages)


def _fill(servers: Servers, store: str, count: int) -> list[Result]:
    topic = _topic(servers, documents(1, count, CUSTOMERS))
    return ingesting.read(servers, store, topic, WORKERS)


def _topic(servers: Servers, commands: Iterable[bytes]) -> str:
    topic = servers.topic(ingesting.PARTITIONS)
    feed.send(servers.bootstrap, topic, commands)
    return topic


def _renamed(commands: Iterable[bytes], turn: int) -> Iterator[bytes]:
    """Commands of the same customers, with names that no other turn has."""
    for command in commands:
        text = command.replace(b'"source_id":"', b'"source_id":"t%d-' % turn)
        yield text.replace(b'"series":"', b'"series":"t%d-' % turn)
