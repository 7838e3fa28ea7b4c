"""``explain``: from a number to its postings, from those to events and documents, from there to the message.

What is asked for may be a selector (every amount of a ``--json`` answer has one), an item, a document or an event. With
``--file`` the rows themselves are shown, if the file has the digest that the origin names.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tieout.cli import options, output
from tieout.cli.program import command
from tieout.cli.session import Question, Session
from tieout.cli.shown import Shown, limited
from tieout.cli.tracing import show_document
from tieout.errors import Exit, NotFound, UsageFault

if TYPE_CHECKING:
    from projections.answers import AuditRow, Explanation, JournalEntry, OpenItem

RowsFile = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="option.rows_file")]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "explain")(explain)


def explain(
    session: Session,
    thing: Annotated[str, typer.Argument(metavar="WHAT", help="argument.thing")],
    file: RowsFile = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> int:
    """What is behind a number, an item, a document or an event."""
    asked = session.question(None, known_as_of)
    explaining = _Explaining(session, asked, file, limit)
    return explaining.run(thing)


class _Explaining:
    """One explanation; collects the origins that it comes upon, so that their rows can be shown at the end."""

    def __init__(self, session: Session, asked: Question, file: Path | None, limit: int | None) -> None:
        self.session, self.asked, self.file, self.limit = session, asked, file, limit
        self.book = asked.book.book
        self.origins: dict[str, None] = {}
        if file is not None and not file.is_file():
            raise NotFound("error.file_missing", path=file)

    def run(self, thing: str) -> int:
        """Find out what is meant and explain it; the exit code."""
        number = self._number(thing)
        if number is not None:
            return self._show_number(number)
        item = self._item(thing)
        if item is not None:
            number = self.asked.reader.explain(item.explain["open"])
            return self._show_number(number, item)
        view = self.asked.reader.document(self.book, thing, self.asked.as_of)
        if view is not None:
            self._show_document(view)
            return Exit.OK
        audit = self._audit(thing)
        if audit is None:
            raise NotFound("error.thing_missing", thing=thing, book=self.book)
        self._show_event(audit)
        return Exit.OK

    def _number(self, selector: str) -> "Explanation | None":
        try:
            return self.asked.reader.explain(selector)
        except ValueError as error:
            # Ids of documents, items and events have a colon before any slash that may be in them.
            if "/" in selector and ":" not in selector.partition("/")[0]:
                raise UsageFault("error.selector_wrong", reason=error) from None
            return None

    def _item(self, thing: str) -> "OpenItem | None":
        document, mark, _ = thing.rpartition("#")
        if not mark:
            return None
        found = self.asked.reader.items(self.book, as_of=self.asked.as_of, settled=True, document=document)
        return next((one for one in found if one.item == thing), None)

    def _audit(self, event: str) -> "AuditRow | None":
        from domain.documents import parse_account_stream

        name = parse_account_stream(event.rpartition(":")[0])
        customer = None if name is None else name.customer
        found = self.asked.reader.audit(self.book, customer, as_of=self.asked.as_of)
        return next((one for one in found if one.event == event), None)

    def _entry(self, audit: "AuditRow") -> "JournalEntry | None":
        if audit.customer is None:
            return None
        found = self.asked.reader.journal(self.book, customer=audit.customer, as_of=self.asked.as_of)
        return next((one for one in found if one.event == audit.event), None)

    def _show_number(self, number: "Explanation", item: "OpenItem | None" = None) -> int:
        from tieout.render.amounts import money

        total = _Total(self.origins)
        postings = total.of(number.postings)
        if self.session.as_json:
            head = self.asked.head | ({} if item is None else {"item": item})
            names = ("selector", "currency", "amount", "base_amount")
            head |= {name: getattr(number, name) for name in names}
            output.json_with_rows(head, "postings", limited(postings, self.limit), self._rows)
            return Exit.OK
        texts, currency = self.session.texts, number.currency
        if item is not None:
            from tieout.render.receivables import items_table

            output.show(items_table([item], texts))
            output.write("")
        self.session.say("explain.number", money=money(number.amount, currency), selector=number.selector)
        self._show_postings(postings, currency)
        for _ in postings:
            pass
        holds = (total.amount, total.base_amount) == (number.amount, number.base_amount)
        shown = {"sum": money(total.amount, currency), "amount": money(number.amount, currency)}
        self.session.say("explain.sum_holds" if holds else "explain.sum_broken", **shown)
        self._end()
        return Exit.OK if holds else Exit.UNPROVED

    def _show_postings(self, postings: Iterable[Any], currency: str) -> None:
        from tieout.render.traces import explanation_table

        shown = Shown(postings, self.limit)
        output.show(explanation_table(shown.rows, currency, self.session.texts))
        shown.tell(self.session)

    def _show_document(self, view: Any) -> None:
        for one in view.history:
            if one.origin:
                self.origins[one.origin] = None
        entries = self._entries_of(view)
        if self.session.as_json:
            output.json(self.asked.head | {"document": view, "entries": entries} | self._rows())
            return
        from tieout.render.accounts import journal_table

        show_document(self.session, view)
        self._show_approvals(view.history)
        output.write("")
        self.session.say("title.postings")
        output.show(journal_table(entries, self.session.texts))
        self._end()

    def _entries_of(self, view: Any) -> "list[JournalEntry]":
        events = {one.event for one in view.history}
        found = self.asked.reader.journal(self.book, customer=view.row.customer, as_of=self.asked.as_of)
        return [one for one in found if one.event in events]

    def _show_event(self, audit: "AuditRow") -> None:
        entry = self._entry(audit)
        if audit.origin:
            self.origins[audit.origin] = None
        if self.session.as_json:
            output.json(self.asked.head | {"event": audit, "entry": entry} | self._rows())
            return
        from tieout.render.accounts import journal_table
        from tieout.render.traces import audit_table

        self.session.say("explain.event", event=audit.event, position=audit.position)
        output.show(audit_table([audit], self.session.texts))
        self._show_approvals([audit])
        if entry is not None:
            output.write("")
            output.show(journal_table([entry], self.session.texts))
        self._end()

    def _show_approvals(self, rows: "Iterable[AuditRow]") -> None:
        """By whose approval events were booked, a request a line."""
        from tieout.render.grid import plain

        approved = {row.approved.request: row for row in rows if row.approved is not None}
        for request, row in approved.items():
            assert row.approved is not None
            who = {"maker": plain(row.actor), "checker": plain(row.approved.by)}
            self.session.say(
                "explain.approved", request=plain(request), at=f"{row.approved.at:%Y-%m-%dT%H:%M:%SZ}", **who
            )

    def _rows(self) -> dict[str, Any]:
        """The rows of ``--file`` behind what was shown, as a JSON field; nothing without a file."""
        if self.file is None:
            return {}
        from tieout.origins import rows_behind

        return {"rows": [{"line": line, "text": text} for line, text in rows_behind(self.origins, self.file)]}

    def _end(self) -> None:
        if self.file is not None:
            from tieout.origins import rows_behind
            from tieout.render.grid import plain

            rows = rows_behind(self.origins, self.file)
            output.write("")
            self.session.say("explain.rows_of", path=self.file)
            for line, text in rows:
                self.session.say("explain.row", line=line, text=plain(text))
        self.session.footer(self.asked)


class _Total:
    """Sums contributions and collects origins while postings are walked, once."""

    def __init__(self, origins: dict[str, None]) -> None:
        self.amount = self.base_amount = 0
        self.origins = origins

    def of(self, postings: Iterable[Any]) -> Iterable[Any]:
        """The postings, counted as they go by."""
        for one in postings:
            self.amount += one.contribution
            self.base_amount += one.base_contribution
            if one.origin:
                self.origins[one.origin] = None
            yield one
