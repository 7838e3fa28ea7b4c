"""What the policy would settle now: for accounts whose settlement is only suggested, or to see before it is done."""

from domain.account import Account
from domain.book import Book
from domain.settlement import Link, policy_links


def suggested(account: Account, book: Book) -> list[Link]:
    """The links that the account's policy, or else the book's, would make of what payments have unapplied."""
    policy = account.terms.allocation or book.allocation
    if policy == "none" or account.is_house:
        return []
    credit_items = [(name, account.unreserved(account.items[name])) for _, name in account.spendable]
    return policy_links((account.items[key[-1]] for key in account.debits), credit_items, policy)
