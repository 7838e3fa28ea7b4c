"""Credit limits 信用额度: what a customer account may owe.

A limit is a decision, not a fact of value: it posts nothing and blocks nothing. It is an event of the account's own
stream, so that the limit known at any log position can be told, with who set it and why.
"""

from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_limit
from domain.commands import SetCreditLimit
from domain.draft import Draft, Named
from domain.events import CreditLimitSet


def set_credit_limit(account: Account, named: Named, command: SetCreditLimit, book: Book, today: date) -> Draft:
    """CreditLimitSet: as it was, and as it is from here on. Refuses a limit beyond what amounts may be."""
    del named, today
    if command.limit is not None:
        check_limit(command.limit, "limit")
    draft = Draft(account, book, command)
    draft.add(
        CreditLimitSet(
            source=command.source,
            source_id=command.source_id,
            actor=command.actor,
            reason=command.reason,
            sequence=command.sequence,
            before=account.credit_limit,
            after=command.limit,
        )
    )
    return draft
