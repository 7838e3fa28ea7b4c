"""Both halves of a transfer are one commit, on both databases, whoever else writes to either account."""

from concurrent.futures import ThreadPoolExecutor

from shop import account, day, invoice, payment, submit

from domain.commands import TransferItem
from ledger.ledger import Ledger
from ledger.outcomes import Status


def transfer(number: str, item: str, to: str, amount: int | None = None, customer: str = "C1") -> TransferItem:
    return TransferItem(
        **account(customer),
        source_id=f"transfer-{number}",
        number=number,
        effective_on=day("02-10"),
        item=item,
        amount=amount,
        to_customer=to,
    )


def test_both_halves_are_one_commit_and_the_second_time_a_duplicate(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100))
    position = ledger.head().position
    [outcome] = submit(ledger, transfer("1", "invoice::1:1#1", "C2"))
    assert (outcome.status, outcome.events, outcome.document) == (Status.BOOKED, 2, "transfer::1:1")
    assert ledger.head().position == position + 2
    assert ledger.account("main", "C1", "CNY").items == {}
    assert ledger.account("main", "C2", "CNY").items["transfer::1:1#1"].open == 100
    [again] = submit(ledger, transfer("1", "invoice::1:1#1", "C2"))
    assert (again.status, again.position) == (Status.DUPLICATE, outcome.position)


def test_what_was_received_is_found_by_its_own_name(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100), transfer("1", "invoice::1:1#1", "C2"))
    [outcome] = submit(ledger, transfer("2", "transfer::1:1#1", "C3", 40, customer="C2"))
    assert outcome.status is Status.BOOKED
    assert ledger.account("main", "C2", "CNY").items["transfer::1:1#1"].open == 60
    [wrong] = submit(ledger, transfer("3", "transfer::1:1#1", "C3", customer="C1"))
    assert (wrong.status, wrong.code) == (Status.REFUSED, "items_must_share_account")


def test_two_writers_transfer_to_and_fro_and_lose_nothing(pair: tuple[Ledger, Ledger]) -> None:
    first, second = pair
    count = 30
    # So much that all payments together settle none of them: each invoice has something to give whoever is first.
    amount = 7 * count + 1
    submit(first, *(invoice(f"A{n}", amount) for n in range(count)))
    submit(first, *(payment(f"B{n}", 7, customer="C2") for n in range(count)))

    def give(ledger: Ledger, item: str, customer: str, to: str) -> list[Status]:
        made = (transfer(f"{item}{n}", f"{item}{n}:1#1", to, customer=customer) for n in range(count))
        return [submit(ledger, one)[0].status for one in made]

    with ThreadPoolExecutor(2) as pool:
        invoices = pool.submit(give, first, "invoice::A", "C1", "C2")
        payments = pool.submit(give, second, "payment::B", "C2", "C1")
        booked = invoices.result().count(Status.BOOKED) + payments.result().count(Status.BOOKED)
    # A payment that an invoice met on arrival has nothing open any more: it is refused, not lost.
    assert invoices.result().count(Status.BOOKED) == count
    left = [ledger_net(first, customer) for customer in ("C1", "C2")]
    assert sum(left) == count * amount - count * 7
    assert booked >= count


def ledger_net(ledger: Ledger, customer: str) -> int:
    items = ledger.account("main", customer, "CNY").items.values()
    return sum(item.open if item.side == "D" else -item.open for item in items)
