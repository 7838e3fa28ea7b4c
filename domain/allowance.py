"""The allowance for bad debts 坏账准备 by a provision matrix 账龄分析法: only the difference is posted.

What is required on a day is the sum, over currencies, groups and buckets of days past due, of the open debit items in base
amounts × the expected loss rate, each rounded half away from zero. What the allowance account has already on that day,
write-offs from it and recoveries into it included, is taken off. Posted again for the same day with the same evidence
the difference is zero. Source: IFRS 9 5.5.15 (simplified approach) and B5.5.35 (provision matrix), CAS 22.
"""

from datetime import date

from domain.book import Book
from domain.book_voucher import book_terms, check_evidence, transfer
from domain.checks import check_accounting_date, check_limit
from domain.commands import ChangeAllowanceMatrix, PostAllowance
from domain.events import AllowanceBucket, AllowanceLine, AllowanceMatrix, AllowanceMatrixChanged, AllowancePosted
from domain.money import fraction, round_half_away
from domain.refusals import Code, Refusal
from domain.template import ALLOWANCE, IMPAIRMENT


def change_matrix(book: Book, command: ChangeAllowanceMatrix) -> AllowanceMatrixChanged:
    """The matrix as it was and as it is from now on."""
    return AllowanceMatrixChanged(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        before=book.matrix,
        after=matrix_of(command),
    )


def matrix_of(command: ChangeAllowanceMatrix) -> AllowanceMatrix:
    """The matrix of a command, as events store it."""
    buckets = [AllowanceBucket(one.to_days, one.rate, one.groups) for one in command.buckets]
    return AllowanceMatrix(buckets, command.dimension)


def group_of(matrix: AllowanceMatrix, dimensions: dict[str, str]) -> str:
    """The group of an item: the value of the matrix' dimension, if any bucket has a rate for it; else none."""
    value = dimensions.get(matrix.dimension or "", "")
    return value if any(value in bucket.groups for bucket in matrix.buckets) else ""


def required(matrix: AllowanceMatrix, bucket: int, group: str, base_amount: int) -> int:
    """What is required for a base amount in a bucket, counted from 1."""
    row = matrix.buckets[bucket - 1]
    exact = base_amount * fraction(row.groups.get(group, row.rate)) / 100
    return round_half_away(exact.numerator, exact.denominator)


def post_allowance(book: Book, command: PostAllowance, today: date) -> AllowancePosted:
    """AllowancePosted by the difference.

    Refuses a closed day, a template without accounts for it, a book without a matrix, evidence of another version of the
    book, and a difference of zero.
    """
    check_accounting_date(command.effective_on, book, today)
    accounts = {role: book.account_of_role(role, "effective_on") for role in (IMPAIRMENT, ALLOWANCE)}
    matrix = book.matrix
    if matrix is None:
        raise Refusal(Code.MATRIX, "book", book.book)
    check_evidence(book, command.book_version)
    known = {"", *(group for bucket in matrix.buckets for group in bucket.groups)}
    lines = []
    for n, line in enumerate(command.lines):
        if line.bucket > len(matrix.buckets):
            raise Refusal(Code.EVIDENCE, f"lines.{n}.bucket", line.bucket)
        if line.group not in known:
            raise Refusal(Code.EVIDENCE, f"lines.{n}.group", line.group)
        needed = required(matrix, line.bucket, line.group, line.base_amount)
        lines.append(AllowanceLine(line.currency, line.bucket, line.amount, line.base_amount, needed, line.group))
    total = sum(line.required for line in lines)
    difference = total - command.before
    check_limit(difference, "before")
    if difference == 0:
        raise Refusal(Code.DIFFERENCE, "before", command.before)
    return AllowancePosted(
        **book_terms(command, book),
        effective_on=command.effective_on,
        postings=transfer(accounts, IMPAIRMENT, ALLOWANCE, difference),
        position=command.position,
        matrix=matrix,
        lines=lines,
        required=total,
        before=command.before,
        difference=difference,
    )
