"""Whatever is asked for, requested, approved or refused by whomever: nothing beyond its maker's limit is booked alone.

The rules are computed here a second time, from the events of the log alone.
"""

from typing import Any

from given import Books, approve, authorities, disapprove, given, invoice, kinds, payment, refund, request, write_off
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from domain.commands import Command
from domain.documents import approval_stream
from domain.events import (
    ApprovalGiven,
    ApprovalRequested,
    Authorities,
    AuthoritiesChanged,
    Event,
    RefundPaid,
    WrittenOff,
)
from domain.refusals import Refusal

ACTORS = ("ann", "bob", "cid")
NAMES = {RefundPaid: "RecordRefund", WrittenOff: "WriteOff", AuthoritiesChanged: "ChangeAuthorities"}

actors = st.sampled_from(ACTORS)
amounts = st.integers(1, 12)
roles = st.fixed_dictionaries({actor: st.lists(st.sampled_from(("clerk", "chief")), max_size=2) for actor in ACTORS})
limit = st.fixed_dictionaries(
    {"command": st.sampled_from(sorted(NAMES.values()))},
    optional={
        "role": st.sampled_from(("clerk", "chief")),
        "currency": st.sampled_from(("CNY", "USD")),
        "alone": st.integers(0, 8),
        "approves": st.integers(0, 12),
    },
).filter(lambda one: "alone" in one or "approves" in one)
CHANGEABLE = {"command": "ChangeAuthorities", "approves": 0}
rules = st.lists(limit, min_size=1, max_size=5).map(lambda found: [*found, CHANGEABLE]) | st.just([])
changes = st.tuples(st.just("change"), actors, roles, rules)
deeds = st.tuples(st.sampled_from(("refund", "write_off")), actors, amounts)
instructions = deeds | deeds | deeds | changes
steps = st.lists(
    st.tuples(st.just("do"), instructions)
    | st.tuples(st.just("request"), actors, instructions)
    | st.tuples(st.sampled_from(("approve", "disapprove")), actors, st.integers(0, 5)),
    min_size=5,
    max_size=25,
)


def command(instruction: tuple[Any, ...], number: str) -> Command:
    kind, actor, *rest = instruction
    if kind == "change":
        return authorities(roles=rest[0], limits=rest[1], actor=actor)
    if kind == "refund":
        return refund(number, rest[0], actor=actor)
    return write_off(number, ("invoice::I:1#1", rest[0]), actor=actor)


def play(books: Books, number: int, step: tuple[Any, ...]) -> list[Event] | Refusal:
    if step[0] == "do":
        return books.when(command(step[1], str(number)))
    if step[0] == "request":
        return books.when(request(str(number), command(step[2], str(number)), actor=step[1]))
    pending = sorted(asked.request for asked in books.pending())
    wanted = pending[step[2] % len(pending)] if pending else "none"
    return books.when(approve(wanted, step[1]) if step[0] == "approve" else disapprove(wanted, step[1]))


def may(authorities: Authorities, actor: str, name: str, amount: int, what: str) -> bool:
    return any(
        one.command == name
        and (one.role is None or one.role in authorities.roles.get(actor, ()))
        and (one.currency is None or (name != "ChangeAuthorities" and one.currency == "CNY"))
        and (getattr(one, what) is not None and amount <= getattr(one, what))
        for one in authorities.limits
    )


def needs_nobody(authorities: Authorities, actor: str, name: str, amount: int) -> bool:
    sensitive = name == "ChangeAuthorities" and bool(authorities.limits)
    named = any(one.command == name for one in authorities.limits)
    return not (named or sensitive) or may(authorities, actor, name, amount, "alone")


@settings(max_examples=300, deadline=None)
@drawn(changes, steps)
def test_nothing_beyond_its_makers_limit_is_booked_without_the_approval_of_another(
    first: Any, later: list[Any]
) -> None:
    books = given(invoice("I", 100), payment("P", 100), allocation="none")
    now = Authorities()
    for number, step in enumerate([("do", first), *later]):
        outcome = play(books, number, step)
        if isinstance(outcome, Refusal):
            continue
        for event in outcome:
            if type(event) in NAMES:
                check(books, now, event, outcome)
            if isinstance(event, AuthoritiesChanged):
                assert event.before == now
                now = event.after


def check(books: Books, authorities: Authorities, event: Any, commit: list[Event]) -> None:
    name = NAMES[type(event)]
    amount = 0 if isinstance(event, AuthoritiesChanged) else event.amount
    if event.approval is None:
        assert needs_nobody(authorities, event.actor, name, amount)
        return
    [(_, asked), (_, given_)] = books.events(approval_stream("main", event.approval))
    assert isinstance(asked, ApprovalRequested)
    assert isinstance(given_, ApprovalGiven)
    assert given_ is commit[0], "the approval is of the same commit, and goes before what it books"
    assert (asked.maker, asked.instruction) == (event.actor, name)
    assert given_.actor not in (asked.maker, asked.actor)
    assert needs_nobody(authorities, event.actor, name, amount) or may(
        authorities, given_.actor, name, amount, "approves"
    )


def test_the_property_sees_approvals() -> None:
    rules = [
        {"command": "WriteOff", "role": "clerk", "alone": 1},
        {"command": "WriteOff", "role": "chief", "approves": 9},
        {"command": "ChangeAuthorities", "approves": 0},
    ]
    books = given(invoice("I", 50), authorities(roles={"ann": ["clerk"], "bob": ["chief"]}, limits=rules))
    wanted = ("write_off", "ann", 5)
    assert isinstance(play(books, 1, ("do", wanted)), Refusal)
    play(books, 2, ("request", "ann", wanted))
    assert isinstance(play(books, 3, ("approve", "cid", 0)), Refusal)
    assert kinds(play(books, 4, ("approve", "bob", 0))) == ["ApprovalGiven", "WrittenOff"]
