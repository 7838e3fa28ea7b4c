"""Commands about API keys: which there are, and who made them; make one, revoke one."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.api_keys import ApiKey, ApiKeys
from tieout.api.roles import ROLES, Grant, WrongGrant
from tieout.cli import output
from tieout.cli.options import Json
from tieout.cli.program import command, group
from tieout.cli.session import Session, day
from tieout.clock import iso, microseconds
from tieout.errors import NotFound, UsageFault

if TYPE_CHECKING:
    from ledger.database import Connection

Who = Annotated[str | None, typer.Option("--as", "--actor", metavar="WHO", help="option.actor")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "keys")(list_keys)
    key = group("key")
    command(key, "create", key="key_create")(create_key)
    command(key, "revoke", key="key_revoke")(revoke_key)
    app.add_typer(key)


def list_keys(session: Session, json: Json = False) -> None:
    """Every key there ever was."""
    now_us = microseconds(session.app.now())
    with _connection(session) as connection:
        found = ApiKeys(connection).all()
    if session.as_json:
        output.json({"keys": [_fields(key, now_us) for key in found]})
        return
    if not found:
        session.say("keys.empty")
        return
    from tieout.render.grid import grid, row

    table = grid(session.texts, ["key_id", "name", "grants", "since", "maker", "expires_at", "status"])
    for key in found:
        status = session.texts(f"key_status.{_status(key, now_us)}", by=key.revoked_by)
        row(table, key.key_id, key.name, " ".join(key.grants), iso(key.created_us), key.created_by,
            _iso(key.expires_us), status)  # fmt: skip
    output.show(table)


def create_key(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="argument.key_name")],
    grants: Annotated[list[str], typer.Option("--grant", metavar="ROLE:BOOK", help="option.grant")],
    expires: Annotated[str | None, typer.Option("--expires", metavar="YYYY-MM-DD", help="option.expires")] = None,
    actor: Who = None,
) -> None:
    """Make a key. Its text is the whole answer, so that it can be piped to where secrets are kept."""
    # Imported here: hashing is for who makes a key.
    from tieout.api.keys import NAME, SYSTEM, create, read

    if not NAME.fullmatch(name):
        raise UsageFault("error.key_name")
    parsed = [_grant(text) for text in grants]
    now_us = microseconds(session.app.now())
    expires_us = _end_of(expires, now_us)
    with _connection(session) as connection:
        text = create(connection, name, parsed, by=actor or SYSTEM, now_us=now_us, expires_us=expires_us)
    parts = None if text is None else read(text)
    if text is None or parts is None:
        raise UsageFault("error.key_name_taken", name=name)
    output.write(text)
    session.log("key_created", key_id=parts.key_id)
    session.note("key.created", key_id=parts.key_id)


def revoke_key(
    session: Session,
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="argument.key_id")],
    actor: Who = None,
) -> None:
    """Revoke a key; it stays in the list."""
    from tieout.api.keys import SYSTEM

    with _connection(session) as connection:
        keys = ApiKeys(connection)
        if keys.get(key_id) is None:
            raise NotFound("error.key_missing")
        if not keys.revoke(key_id, actor or SYSTEM, microseconds(session.app.now())):
            raise UsageFault("error.key_revoked", key_id=key_id)
    session.log("key_revoked", key_id=key_id)
    session.say("key.revoked", key_id=key_id)


@contextmanager
def _connection(session: Session) -> "Iterator[Connection]":
    from ledger.store import check, connect

    with closing(connect(check(session.settings.location))) as connection:
        yield connection


def _grant(text: str) -> Grant:
    try:
        return Grant.parse(text)
    except WrongGrant as wrong:
        raise UsageFault(f"error.grant_{wrong}", value=text, roles=", ".join(ROLES)) from None


def _end_of(text: str | None, now_us: int) -> int | None:
    """The end of a day, UTC: a key is of no book, and so of no book's time zone."""
    found = day(text, "--expires")
    if found is None:
        return None
    # The last day that there is has no end.
    midnight = datetime.max.replace(tzinfo=UTC)
    if found < midnight.date():
        midnight = datetime.combine(found + timedelta(days=1), time(), UTC)
    end = microseconds(midnight)
    if end <= now_us:
        raise UsageFault("error.expires_past", value=text)
    return end


def _status(key: ApiKey, now_us: int) -> str:
    if key.revoked_us is not None:
        return "revoked"
    return "expired" if key.is_expired(now_us) else "live"


def _iso(instant_us: int | None) -> str | None:
    return None if instant_us is None else iso(instant_us)


def _fields(key: ApiKey, now_us: int) -> dict[str, Any]:
    """A key as JSON fields, without its hash; instants are ISO."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "grants": key.grants,
        "status": _status(key, now_us),
        "created_at": iso(key.created_us),
        "created_by": key.created_by,
        "expires_at": _iso(key.expires_us),
        "revoked_at": _iso(key.revoked_us),
        "revoked_by": key.revoked_by,
    }
