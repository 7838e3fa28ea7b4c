"""The terms of a customer account 客户结算条件: how its payments settle by themselves, where that is not as in its book.

They are an event of the account's own stream, so that an account can be told from its events alone, and whatever is
allocated by them names the version that set them.
"""

from datetime import date

from domain.account import Account
from domain.book import Book
from domain.commands import ChangeAccountTerms
from domain.draft import Draft, Named
from domain.events import AccountTerms, AccountTermsChanged


def change_terms(account: Account, named: Named, command: ChangeAccountTerms, book: Book, today: date) -> Draft:
    """AccountTermsChanged: as they were, and as they are for what is booked from now on."""
    del named, today
    draft = Draft(account, book, command)
    draft.add(
        AccountTermsChanged(
            source=command.source,
            source_id=command.source_id,
            actor=command.actor,
            reason=command.reason,
            sequence=command.sequence,
            before=account.terms,
            after=AccountTerms(command.allocation, command.settlement),
        )
    )
    return draft
