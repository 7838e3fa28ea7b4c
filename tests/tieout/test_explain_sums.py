"""Each amount of each answer explains itself: the postings behind it sum to it, in amount and in base amount."""

import pytest
from commandline import Run, amounts

ANSWERS = [
    ["balance"],
    ["balance", "--as-of", "2026-02-28"],
    ["balance", "--known-as-of", "0:9"],
    ["items", "--settled"],
    ["items", "--as-of", "2026-03-31", "--known-as-of", "0:12"],
    ["ageing", "--as-of", "2026-06-30"],
    ["ageing", "--as-of", "2026-03-31", "--buckets", "10,20"],
    ["ageing", "--total", "--as-of", "2026-06-30"],
    ["statement", "C1"],
    ["statement", "C2", "--from", "2026-05-01", "--to", "2026-06-05"],
    ["statement", "C3", "--as-of", "2026-06-30"],
    ["dso", "--as-of", "2026-03-31"],
    ["dso", "--total"],
    ["exposure", "--as-of", "2026-03-31"],
    ["changes", "C1", "--on", "2026-02-28", "--since", "0:8"],
    ["trial-balance"],
    ["trial-balance", "--from", "2026-02-15", "--to", "2026-05-31"],
]


@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
def test_each_amount_is_the_sum_of_its_postings(arguments: list[str], books: Run) -> None:
    found = list(amounts(books(*arguments, "--json").json))
    assert found
    for name, amount, base_amount, selector in found:
        ran = books("explain", selector, "--json")
        assert ran.code == 0, (name, selector, ran.err)
        answer = ran.json
        assert (answer["selector"], answer["amount"]) == (selector, amount), (name, selector)
        assert sum(one["contribution"] for one in answer["postings"]) == amount, (name, selector)
        if base_amount is not None:
            assert answer["base_amount"] == base_amount, (name, selector)
            assert sum(one["base_contribution"] for one in answer["postings"]) == base_amount, (name, selector)


def test_every_figure_of_an_answer_explains_itself(books: Run) -> None:
    names = {name for arguments in ANSWERS for name, *_ in amounts(books(*arguments, "--json").json)}
    assert names == {
        *("amount", "open", "not_due", "unapplied", "net", "opening", "running", "closing", "debit", "credit"),
        *("receivable", "overdue", "unapplied", "exposure", "before", "after"),
    }
