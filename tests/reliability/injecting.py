"""What is done to a round while messages come in: processes killed and frozen, servers killed, connections cut.

Each injection sends its share of the messages in its own midst, so that it meets work going on. Processes are killed at
a random moment, or at a chosen statement (``process.Plan``): before or after a commit, in its middle, between an
acknowledgement and the position that is stored after it. What has really happened is counted, under the names of
``INJECTIONS``.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from crashing import until

from tests.reliability.process import Plan, Worker

if TYPE_CHECKING:
    from tests.reliability.rounds import Round

PATIENCE = 15.0
"""Seconds in which somebody should have come to where he is awaited."""

_PLACES: dict[str, list[Plan]] = {
    # Before a batch is written; in the middle of its transaction, or after it if it is one statement; when it is done.
    "consume": [
        Plan("KILL", "before", "UPDATE ledger_head"),
        Plan("KILL", "after", "UPDATE ledger_head"),
        Plan("KILL", "before", "FROM paused"),
    ],
    # Before a page is merged in; in the middle; when it is done.
    "project": [
        Plan("KILL", "before", "UPDATE tracking"),
        Plan("KILL", "after", "UPDATE tracking"),
        Plan("KILL", "before", "pg_advisory_unlock"),
    ],
    # When a page is acknowledged; when its position is stored.
    "publish": [Plan("KILL", "before", "UPDATE tracking"), Plan("KILL", "after", "UPDATE tracking")],
    "parked": [
        Plan("KILL", "before", "UPDATE ledger_head"),
        Plan("KILL", "before", "DELETE FROM parked"),
        Plan("KILL", "after", "DELETE FROM parked"),
    ],
}
_COMMITTING = """SELECT pid FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'
    AND query LIKE '%%UPDATE ledger_head%%'"""
_DONE = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND wait_event = 'SyncRep'"
_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
_NO_STANDBY = ("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
_STANDBY_AWAY = ("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")


# --- processes


def kill(at: "Round", name: str, part: str) -> None:
    """``kill -9`` at a random moment."""
    worker = at.random.choice(at.of(part))
    at.send_share(0.5)
    at.pause(0.1)
    worker.kill()
    at.count(name)
    at.send_share()
    at.pause(0.1)
    worker.start()


def kill_at_statement(at: "Round", name: str, part: str) -> None:
    """``kill -9`` of whoever comes to a statement first."""
    place = at.random.choice(_PLACES[part])
    _follow_plan(at, name, at.of(part), place, at.send_share)


def kill_taking_up(at: "Round", name: str) -> None:
    """``kill -9`` of a member that books what was parked."""
    if at.dismissed_would_free():
        _follow_plan(at, name, at.of("consume"), at.random.choice(_PLACES["parked"]), at.dismiss_and_go_on)


def _follow_plan(at: "Round", name: str, workers: Sequence[Worker], plan: Plan, work: Callable[[], None]) -> None:
    for worker in workers:
        worker.intend(plan)
    work()
    until(lambda: any(worker.has_followed() for worker in workers), PATIENCE)
    # More than one may have got there before the rest are told to forget it.
    followed = [worker for worker in workers if not worker.forget()]
    for worker in followed:
        until(lambda worker=worker: not worker.is_alive, PATIENCE)
        at.count(name)
        at.pause(0.1)
        worker.start()


def freeze_member(at: "Round", name: str) -> None:
    """A member stands still with a batch in hand, past its session, until others have done its work; then it wakes.

    Its batch is refused, or its connection is found lost, and with it the batch.
    """
    frozen = _frozen(at, Plan("STOP", "before", "UPDATE ledger_head"))
    since = frozen.log.stat().st_size
    frozen.thaw()
    until(
        lambda: any(frozen.has_said(word, since) for word in ("kafka_position_stale", "kafka_database_away")), PATIENCE
    )
    at.count(name)


def freeze_in_commit(at: "Round", name: str) -> None:
    """The same in the middle of a commit, which keeps everybody from writing until the server ends its session."""
    _frozen(at, Plan("STOP", "after", "UPDATE ledger_head")).thaw()
    at.count(name)


def _frozen(at: "Round", plan: Plan) -> Worker:
    """A member that stands still by a plan, when the others have done all there is."""
    members = at.of("consume")
    for member in members:
        member.intend(plan)
    at.send_share(0.5)
    until(lambda: any(member.has_followed() for member in members), PATIENCE)
    frozen = [member for member in members if not member.forget()]
    for member in frozen:
        until(lambda member=member: member.is_frozen, PATIENCE)
    for member in frozen[1:]:
        member.thaw()
    at.send_share()
    at.drain()
    return frozen[0]


# --- servers


def kill_database(at: "Round", name: str) -> None:
    """``kill -9`` of the database, whatever it is at."""
    at.send_share(0.5)
    at.pause(0.1)
    _restart_database(at, name)


def kill_database_over_commits(at: "Round", name: str) -> None:
    """``kill -9`` of the database while commits are done and nobody was told: see ``cut_commits_done``."""
    at.database.run(*_STANDBY_AWAY)
    at.send_share(0.5)
    until(lambda: _found(at, _DONE), PATIENCE)
    _restart_database(at, name)
    at.database.run(*_NO_STANDBY)


def _restart_database(at: "Round", name: str) -> None:
    at.database.kill()
    at.count(name)
    at.pause(0.2)
    at.database.start()
    at.send_share()


def kill_broker(at: "Round", name: str) -> None:
    """``kill -9`` of the broker, and of somebody who then has to start without it."""
    at.send_share(0.5)
    at.pause(0.1)
    at.broker.kill()
    at.count(name)
    if at.random.random() < 0.5:
        part = at.random.choice(["consume", "publish"])
        worker = at.random.choice(at.of(part))
        worker.kill()
        at.count(f"{part} killed")
        worker.start()
    at.broker.start()
    at.send_share()


# --- connections


def cut_sessions(at: "Round", name: str) -> None:
    """Connections are cut, some at a time, whatever they are at."""
    for _ in range(4):
        at.send_share(0.25)
        at.pause(0.05)
        _cut(at, name, [pid for pid in _found(at, _SESSIONS) if at.random.random() < 0.6])
    at.send_share()


def cut_commits_undone(at: "Round", name: str) -> None:
    """Connections are cut in the middle of a commit, which then is not done."""
    with psycopg.connect(at.books.url) as holder:
        holder.execute("SELECT 1 FROM ledger_head FOR UPDATE")
        at.send_share()
        _cut(at, name, until(lambda: _found(at, _COMMITTING), PATIENCE))


def cut_commits_done(at: "Round", name: str) -> None:
    """Connections are cut in the middle of commits that are done, before anybody is told.

    The server is made to wait for a standby that does not exist: what is committed then waits to be acknowledged.
    """
    at.database.run(*_STANDBY_AWAY)
    try:
        for _ in range(3):
            at.send_share(0.4)
            _cut(at, name, until(lambda: _found(at, _DONE), PATIENCE))
    finally:
        at.database.run(*_NO_STANDBY)
    at.send_share()


def _found(at: "Round", statement: str) -> list[int]:
    return [int(pid) for (pid,) in at.database.rows("postgres", statement, (at.name,))]


def _cut(at: "Round", name: str, pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(psycopg.OperationalError):
            if at.database.rows("postgres", "SELECT pg_terminate_backend(%s)", (pid,))[0][0]:
                at.count(name)


Injection = Callable[["Round", str], None]
INJECTIONS: Mapping[str, Injection] = {
    "consume killed": partial(kill, part="consume"),
    "consume killed at a statement": partial(kill_at_statement, part="consume"),
    "project killed": partial(kill, part="project"),
    "project killed at a statement": partial(kill_at_statement, part="project"),
    "publish killed": partial(kill, part="publish"),
    "publish killed at a statement": partial(kill_at_statement, part="publish"),
    "consume frozen past its session": freeze_member,
    "consume frozen in a commit": freeze_in_commit,
    "database killed": kill_database,
    "database killed over commits": kill_database_over_commits,
    "broker killed": kill_broker,
    "connections cut": cut_sessions,
    "commits cut, not done": cut_commits_undone,
    "commits cut, done and not told": cut_commits_done,
}
"""While messages come in: name → what is done."""
TAKING_UP = "consume killed over parked messages"
"""When an operator has dismissed what they were parked behind."""
