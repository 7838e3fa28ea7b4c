"""Transfers 应收冲应收: what an item has open goes to another customer account of the book, through transfer clearing.

Two events, each balanced in itself and each in its own account's stream, written in one commit: Out takes from the item,
In opens an item in the other account with the same dates, base amount and dimensions, so that ageing does not restart.
Over all accounts clearing is zero (identity 2). Live allocations of the item stay where they are. A transfer is undone by
its opposite. Money of an unknown payer, in a house account, becomes the customer's deposit that way.
"""

from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_account, check_accounting_date, check_currency, check_positive, terms
from domain.commands import TransferItem
from domain.documents import document_id, document_of, is_house, item_id
from domain.draft import Draft, Named
from domain.events import ItemTransferredIn, ItemTransferredOut, Posting, Side
from domain.items import OpenItem
from domain.money import share
from domain.refusals import Code, Refusal
from domain.settlement import apply_policy, spend_unapplied
from domain.template import CLEARING, DEPOSIT_CLASSES, UNAPPLIED, UNIDENTIFIED


def transfer_item(account: Account, named: Named, command: TransferItem, book: Book, today: date) -> Draft:
    """ItemTransferredOut; ``receive_item`` gives the other half.

    Refuses the same account, an item that is not open, more than it has open, a class for what is no deposit.
    """
    document = document_id("transfer", command.series, command.number, command.revision)
    owner = named.get(document_of(command.item))
    check_currency(account, owner)
    if command.amount is not None:
        check_positive(command.amount, "amount")
    check_accounting_date(command.effective_on, book, today)
    item = account.items.get(command.item)
    if item is not None and item.open >= (command.amount or item.open) > item.room(command.effective_on):
        raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", command.effective_on)
    clearing = book.account_of_role(CLEARING, "item")
    role, receiving = _received_as(item, command, book)
    check_account(account, owner, "item")
    if command.to_customer == command.customer:
        raise Refusal(Code.ACCOUNTS_DIFFER, "to_customer", command.to_customer)
    if item is None:
        raise Refusal(Code.ITEM_OPEN, "item", command.item)
    amount = item.open if command.amount is None else command.amount
    if amount > item.open:
        raise Refusal(Code.TRANSFER, "amount", f"{amount} (open: {item.open})")
    base = share(item.open_base, amount, item.open)
    closing: Side = "C" if item.side == "D" else "D"
    draft = Draft(account, book, command, document)
    draft.emit(
        ItemTransferredOut(
            **terms(command, book),
            effective_on=command.effective_on,
            postings=[
                Posting(item.role, item.account, closing, amount, base, item.item, item.dimensions),
                Posting(CLEARING, clearing, item.side, amount, base, None, item.dimensions),
            ],
            transfer=document,
            item=item.item,
            amount=amount,
            base_amount=base,
            to_customer=command.to_customer,
            due_on=item.due_on,
            received_role=role,
            received_account=receiving,
        )
    )
    return draft


def _received_as(item: OpenItem | None, command: TransferItem, book: Book) -> tuple[str, str]:
    """Role and account code of the item that opens: its own, but a deposit has the class that the command gives.

    What was unidentified is so no more, unless it goes to a house account, where every deposit is.
    """
    if item is None or item.role not in DEPOSIT_CLASSES:
        if item is not None and command.deposit_class is not None:
            raise Refusal(Code.DEPOSIT_CLASS, "deposit_class", command.deposit_class)
        return (item.role, item.account) if item is not None else ("", "")
    role = command.deposit_class or (UNAPPLIED if item.role == UNIDENTIFIED else item.role)
    if is_house(command.to_customer):
        role = UNIDENTIFIED
    return role, book.account_of_role(role, "deposit_class")


def receive_item(receiving: Account, out: ItemTransferredOut, command: TransferItem, book: Book) -> Draft:
    """ItemTransferredIn in the other account, then what it settles by the policy. Nothing is refused any more."""
    item = item_id(out.transfer, 1)
    draft = Draft(receiving, book, command, out.transfer)
    clearing = next(posting for posting in out.postings if posting.role == CLEARING)
    other: Side = "C" if clearing.side == "D" else "D"
    draft.emit(
        ItemTransferredIn(
            **terms(command, book),
            effective_on=out.effective_on,
            requested_effective_on=out.requested_effective_on,
            postings=[
                Posting(CLEARING, clearing.account, other, out.amount, out.base_amount, None, clearing.dimensions),
                Posting(
                    out.received_role,
                    out.received_account,
                    clearing.side,
                    out.amount,
                    out.base_amount,
                    item,
                    clearing.dimensions,
                ),
            ],
            document=out.transfer,
            item=out.item,
            amount=out.amount,
            base_amount=out.base_amount,
            from_customer=command.customer,
            due_on=out.due_on,
        )
    )
    if not receiving.is_house and clearing.side == "D":
        spend_unapplied(draft)
    elif not receiving.is_house and out.received_role == UNAPPLIED and draft.policy != "none":
        apply_policy(draft, [(item, out.amount)], draft.policy)
    return draft
