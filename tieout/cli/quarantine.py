"""Commands about quarantine: what came in and could not be booked, until it is booked after all or dismissed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tieout.cli import options, output
from tieout.cli.entry import submitted
from tieout.cli.program import command, group
from tieout.cli.session import Session
from tieout.cli.shown import Shown, limited
from tieout.errors import Exit, NotFound, UsageFault

Entry = Annotated[int, typer.Argument(metavar="ENTRY", min=1, help="argument.entry")]


def register(app: typer.Typer) -> None:
    """Add the group to the program."""
    entries = group("quarantine")
    command(entries, "list", key="quarantine_list")(list_entries)
    command(entries, "show", key="quarantine_show")(show_entry)
    command(entries, "retry", key="quarantine_retry")(retry_entries)
    command(entries, "dismiss", key="quarantine_dismiss")(dismiss_entry)
    app.add_typer(entries)


def list_entries(
    session: Session,
    every: Annotated[bool, typer.Option("--all", help="option.all_entries")] = False,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """What stands in quarantine."""
    found = session.app.ledger.quarantined(session.settings.book, None if every else "open")
    if session.as_json:
        output.json_with_rows({}, "quarantine", (entry_fields(one) for one in limited(found, limit)))
        return
    from tieout.render.outcomes import quarantine_table

    shown = Shown(found, limit)
    if not shown.rows:
        session.say("quarantine.empty")
        return
    output.show(quarantine_table(shown.rows, session.texts))
    shown.tell(session)
    waiting = next((one for one in shown.rows if one.status == "open"), None)
    if waiting is not None:
        session.say("quarantine.next", entry=waiting.id)


def show_entry(session: Session, entry: Entry, json: options.Json = False) -> None:
    """One entry, with the message itself and what to do about it."""
    found = session.app.ledger.quarantined_entry(entry)
    if found is None:
        raise NotFound("error.entry_missing", entry=entry)
    if session.as_json:
        output.json(entry_fields(found))
        return
    from tieout.render.grid import grid, plain, row
    from tieout.render.outcomes import refusal_text

    table = grid(session.texts, ["fact", "value"])
    for fact, value in (entry_fields(found) | {"status": session.texts(f"entry.{found.status}")}).items():
        if fact not in ("raw", "code", "field", "value", "rule"):
            row(table, session.texts(f"column.{fact}"), value)
    output.show(table)
    output.write("")
    output.write(refusal_text(found, session.texts))
    output.write("")
    output.write(plain(found.raw))


def retry_entries(
    session: Session,
    entries: Annotated[list[int] | None, typer.Argument(metavar="ENTRY", help="argument.entries")] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="option.set")] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="option.fixed")] = None,
    json: options.Json = False,
) -> int:
    """Try to book entries again, as they are, with fields set, or with the command in a file in their place."""
    from consumers.retry import retry

    if (changes or file) and (entries is None or len(entries) != 1):
        raise UsageFault("error.one_entry")
    results = retry(
        session.app.ledger,
        entries or None,
        changes=_changes(changes, file),
        book=session.settings.book,
        now_us=session.settings.now_us,
    )
    worst = Exit.OK
    for entry, outcome in results:
        if outcome.status in ("refused", "conflict"):
            worst = Exit.REFUSED
        _show_result(session, entry, outcome)
    if not results and not session.as_json:
        session.say("quarantine.empty")
    return worst


def dismiss_entry(
    session: Session,
    entry: Entry,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="option.dismiss_reason")],
    actor: options.Actor = None,
) -> int:
    """Close an entry without booking it; it is kept, with the reason."""
    from domain.dismissal import book_of

    found = session.app.ledger.quarantined_entry(entry)
    if found is None:
        raise NotFound("error.entry_missing", entry=entry)
    if found.status != "open":
        raise UsageFault("error.entry_closed", entry=entry)
    given = {"command": "DismissMessage", "book": book_of(found.book), "entry": entry, "reason": reason, "actor": actor}
    if submitted(session, given) is None:
        return Exit.REFUSED
    session.say("quarantine.dismissed", entry=entry)
    return Exit.OK


def entry_fields(entry: Any) -> dict[str, Any]:
    """An entry as JSON fields: its position is a token, its instant ISO."""
    from ledger.outcomes import token
    from tieout.clock import iso

    fields = {name: getattr(entry, name) for name in entry.__struct_fields__ if name != "recorded_us"}
    fields["position"] = None if entry.position is None else token(entry.position)
    fields["recorded_at"] = iso(entry.recorded_us)
    return fields


def _changes(texts: list[str] | None, file: Path | None) -> dict[str, Any]:
    """``--set`` values are text, or null to leave a field out; a file is a whole command."""
    import msgspec

    changes: dict[str, Any] = {}
    if file is not None:
        if not file.is_file():
            raise NotFound("error.file_missing", path=file)
        try:
            changes = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise UsageFault("error.json_wrong", path=file, reason=error) from None
    for text in texts or []:
        name, mark, value = text.partition("=")
        if not (name and mark):
            raise UsageFault("error.pair_wrong", option="--set", value=text)
        # As it was typed: read as a number here, 1.50 would lose what a number of a document may mean.
        changes[name] = None if value == "null" else value
    return changes


def _show_result(session: Session, entry: int, outcome: Any) -> None:
    from tieout.render.outcomes import outcome_fields, outcome_text

    if session.as_json:
        output.json({"entry": entry} | outcome_fields(outcome))
    else:
        output.write(outcome_text(session.texts("outcome.entry", entry=entry), outcome, session.texts))
