"""The allowance for bad debts: the matrix, what it requires, and that only the difference is posted."""

from datetime import date

from given import Books, close, given, matrix, post_allowance, postings
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.allowance import group_of, required
from domain.commands import ChangePostingTemplate
from domain.events import AllowanceBucket, AllowanceMatrix, AllowanceMatrixChanged, AllowancePosted
from domain.refusals import Code

BY_AGE = [(0, "0.5"), (30, "2"), (90, "10"), (None, "50")]
TODAY = date(2024, 12, 31)


def posted(books: Books, *lines: tuple[int, int], before: int = 0) -> AllowancePosted:
    """The allowance that this evidence leads to."""
    (event,) = books.booked(post_allowance(books, *lines, before=before), TODAY)
    assert isinstance(event, AllowancePosted)
    return event


def test_the_matrix_is_kept_as_it_was_and_as_it_is() -> None:
    books = given(matrix(*BY_AGE))
    (event,) = books.booked(matrix((None, "3"), reason="by last year's losses"))
    assert isinstance(event, AllowanceMatrixChanged)
    assert event.before == AllowanceMatrix([AllowanceBucket(days, rate) for days, rate in BY_AGE])
    assert (event.after, event.reason) == (AllowanceMatrix([AllowanceBucket(None, "3")]), "by last year's losses")
    assert books.book.matrix == event.after


def test_the_first_allowance_is_an_impairment_loss() -> None:
    event = posted(given(matrix(*BY_AGE)), (1, 100_000), (2, 20_000), (4, 3_001))
    assert [line.required for line in event.lines] == [500, 400, 1_501], "rounded half away from zero, each"
    assert (event.required, event.before, event.difference) == (2_401, 0, 2_401)
    assert postings(event) == [("6702", "D", 2_401, 2_401), ("1231", "C", 2_401, 2_401)]
    assert (event.currency, event.effective_on) == ("CNY", TODAY)


def test_only_the_difference_is_posted_and_what_is_not_needed_any_more_is_given_back() -> None:
    books = given(matrix(*BY_AGE))
    assert posted(books, (4, 5_000), before=2_401).difference == 99
    back = posted(books, (4, 1_000), before=2_500)
    assert back.difference == -2_000
    assert postings(back) == [("1231", "D", 2_000, 2_000), ("6702", "C", 2_000, 2_000)]


def test_an_allowance_overdrawn_by_write_offs_is_filled_up() -> None:
    assert posted(given(matrix(*BY_AGE)), (1, 2_000), before=-700).difference == 710


def test_groups_have_rates_of_their_own_where_a_bucket_gives_them() -> None:
    books = given(matrix((30, "1", {"export": "4"}), (None, "20"), dimension="segment"))
    command = post_allowance(books, (1, 1_000), (1, 1_000, "export"), (2, 1_000, "export"))
    (event,) = books.booked(command, TODAY)
    assert [(line.group, line.required) for line in event.lines] == [("", 10), ("export", 40), ("export", 200)]
    known = event.matrix
    assert [group_of(known, labels) for labels in ({"segment": "export"}, {"segment": "home"}, {})] == [
        "export",
        "",
        "",
    ]


def test_the_same_evidence_is_posted_once() -> None:
    books = given(matrix(*BY_AGE))
    first, again = (post_allowance(books, (1, 100_000)) for _ in range(2))
    books.booked(first, TODAY)
    assert books.refused(again, TODAY).code is Code.EVIDENCE, "it was collected before the first was posted"
    fresh = post_allowance(books, (1, 100_000), before=500)
    assert books.refused(fresh, TODAY).code is Code.DIFFERENCE


def test_evidence_by_another_matrix_is_refused() -> None:
    books = given(matrix(*BY_AGE))
    outcome = books.refused(post_allowance(books, (5, 100)), TODAY)
    assert (outcome.code, outcome.field, outcome.value) == (Code.EVIDENCE, "lines.0.bucket", "5")
    outcome = books.refused(post_allowance(books, (1, 100, "export")), TODAY)
    assert (outcome.code, outcome.field, outcome.value) == (Code.EVIDENCE, "lines.0.group", "export")


def test_small_enterprises_have_no_allowance_to_post() -> None:
    books = Books(standard="cas-small")
    books.booked(matrix(*BY_AGE))
    outcome = books.refused(post_allowance(books, (1, 100_000)), TODAY)
    assert (outcome.code, outcome.value) == (Code.ROLE, "impairment")


def test_another_chart_has_its_own_accounts() -> None:
    books = given(matrix(*BY_AGE))
    roles = {"impairment": "6701", "allowance": "1231.01"}
    books.booked(ChangePostingTemplate(source="test", source_id="template", book=books.book.book, roles=roles))
    assert [line[0] for line in postings(posted(books, (1, 100_000)))] == ["6701", "1231.01"]


def test_nothing_is_posted_into_a_closed_period() -> None:
    books = given(matrix(*BY_AGE), close("2024-01"))
    outcome = books.refused(post_allowance(books, (1, 100_000), on="01-31"), TODAY)
    assert (outcome.code, outcome.value) == (Code.PERIOD_OPEN, "2024-01-31")


RATES = st.decimals(0, 100, places=2).map(str)
LINES = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 10**12)), max_size=3, unique_by=lambda line: line[0])


@drawn(rates=st.tuples(RATES, RATES, RATES), lines=LINES, before=st.integers(-(10**12), 10**12))
def test_what_is_posted_brings_the_allowance_to_what_is_required(
    rates: tuple[str, str, str], lines: list[tuple[int, int]], before: int
) -> None:
    books = given(matrix((0, rates[0]), (30, rates[1]), (None, rates[2])))
    rules = books.book.matrix
    assert rules is not None
    needed = sum(required(rules, bucket, "", base) for bucket, base in lines)
    assert 0 <= needed <= sum(base for _, base in lines)
    outcome = books.when(post_allowance(books, *lines, before=before), TODAY)
    if needed == before:
        assert getattr(outcome, "code", None) is Code.DIFFERENCE
        return
    assert isinstance(outcome, list)
    (event,) = outcome
    assert isinstance(event, AllowancePosted)
    assert event.required == sum(line.required for line in event.lines) == needed
    # A function of its own fields: the allowance stands at what is required, and the voucher balances.
    signed = [(p.role, p.base_amount if p.side == "D" else -p.base_amount) for p in event.postings]
    assert signed in (
        [("impairment", event.difference), ("allowance", -event.difference)],
        [
            ("allowance", -event.difference),
            ("impairment", event.difference),
        ],
    )
    assert event.before + event.difference == event.required
