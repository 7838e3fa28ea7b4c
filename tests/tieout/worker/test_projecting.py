"""How a follower that has a pace leaves the machine to whoever writes."""

import pytest

from tieout.worker.projecting import rest_after


@pytest.mark.parametrize(
    ("worked", "rested"),
    [(0.0, 0.03), (0.01, 0.03), (0.02, 0.06), (1.0, 0.2)],
    ids=["nothing", "little", "more", "most"],
)
def test_the_longer_a_page_took_the_longer_is_rested_within_bounds(worked: float, rested: float) -> None:
    assert rest_after(worked, 0.03) == pytest.approx(rested)
