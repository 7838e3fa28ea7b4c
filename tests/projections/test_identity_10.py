"""Identity 10: the projections of a log are the same however it was paged, and K looks back as if nothing had come after."""

import logs
import pytest
import whole

from ledger.database import Location
from projections.answers import AsOf
from projections.follow import follow
from projections.rebuild import rebuild


@pytest.mark.parametrize("page", [1, 2, 7, 100, 10_000])
def test_any_page_size_gives_the_rows_of_a_rebuild(year: Location, store: Location, page: int) -> None:
    end = logs.commit_ends(year)[60 if page < 3 else 250]
    rebuild(logs.cut(year, end, store))
    rebuilt = whole.rows(store)
    follow(logs.set_back(store), page=page)
    assert whole.rows(store) == rebuilt


@pytest.mark.parametrize("share", [0.1, 0.5, 0.83])
def test_known_as_of_a_position_is_what_was_answered_when_the_log_ended_there(
    year: Location, store: Location, share: float
) -> None:
    with whole.Reader(year) as reader:
        position = next(end for end in logs.commit_ends(year) if end >= reader.position * share)
        on = next(row.effective_on for row in reader.audit("main", after=position - 1) if row.effective_on)
    follow(logs.cut(year, position, store))
    for effective_on in (None, on):
        then = whole.answers(store, AsOf(effective_on))
        now = whole.answers(year, AsOf(effective_on, position))
        for question, answer in then.items():
            assert now[question] == answer, question


def test_a_page_never_cuts_a_commit(store: Location) -> None:
    logs.trade(store, seed=3, commits=30)
    reached: list[int] = []
    follow(logs.set_back(store), lambda position, head: reached.append(position), page=1)
    assert set(reached) <= set(logs.commit_ends(store))
    assert len(reached) > 20
