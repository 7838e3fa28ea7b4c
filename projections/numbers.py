"""Numbers that a source gives to its messages, from 1 on without gaps: which are there, by a hash total of all of them.

A hash total 散列总数 is a sum that means nothing but is the same only for the same numbers. Ours is the sum of their
fifth powers modulo a prime: it needs no memory, merges by sum, and what it must be for 1 to n is a formula. As many
numbers as the highest of them, with that hash total, are all of them, each once.
"""

from collections.abc import Iterable, Iterator

_PRIME = 2**31 - 1
"""The sum of four thousand million hashes stays within 64 bits."""

Range = tuple[int, int]
"""The first and the last of consecutive numbers."""


def hashed(number: int) -> int:
    """What a number adds to the hash total."""
    return pow(number, 5, _PRIME)


def is_complete(count: int, highest: int, total: int) -> bool:
    """Whether so many numbers with this highest one and this hash total are 1 to ``highest``, each once."""
    n = highest
    whole = n * n * (n + 1) * (n + 1) * (2 * n * n + 2 * n - 1) // 12
    return count == n and total % _PRIME == whole % _PRIME


def missing(there: Iterable[int], highest: int) -> list[Range]:
    """The ranges of numbers from 1 to ``highest`` that are not there."""
    found: list[Range] = []
    before = 0
    for number in sorted(there):
        if number > highest:
            break
        if number > before + 1:
            found.append((before + 1, number - 1))
        before = max(before, number)
    if before < highest:
        found.append((before + 1, highest))
    return found


def twice(numbers: Iterable[int]) -> Iterator[int]:
    """The numbers that are there more than once, each once, in order."""
    before = given = 0
    for number in sorted(numbers):
        if number == before and number != given:
            given = number
            yield number
        before = number
