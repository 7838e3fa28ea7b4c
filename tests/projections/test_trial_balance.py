"""The trial balance at any K sums whole blocks of the log and reads the way from there."""

from collections.abc import Iterator

import logs
import pytest
from databases import store_of
from plain_fold import Plain

from ledger.database import Location
from projections.answers import AsOf
from projections.reader import Reader
from projections.rebuild import rebuild
from projections.tables import BLOCK

LENGTH = BLOCK + 3_000


@pytest.fixture(scope="module")
def long(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    with store_of(kind, tmp_path_factory.mktemp("long")) as store:
        logs.write(store, logs.long_log(LENGTH))
        rebuild(store)
        yield store


@pytest.fixture(scope="module")
def lines(long: Location) -> Plain:
    return Plain(long)


@pytest.mark.parametrize(
    "position",
    [0, 1, 1000, BLOCK // 2, BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 2_000, LENGTH - 1, LENGTH],
)
def test_around_the_ends_of_blocks(long: Location, lines: Plain, position: int) -> None:
    on = logs.START.replace(day=6)
    with Reader(long) as reader:
        assert reader.position == LENGTH
        for from_on, as_of in ((None, AsOf(None, position)), (on.replace(day=4), AsOf(on, position))):
            expected = lines.trial_balance("main", from_on, as_of.effective_on, position)
            found = reader.trial_balance("main", from_on, as_of)
            assert {(r.account, r.currency, "{}"): (r.opening, r.debit, r.credit) for r in found} == {
                key: row[:3] for key, row in expected.items()
            }
