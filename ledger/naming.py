"""What ``decide`` needs to know beside the account: the histories of what a command names, read through the register.

As it stands in the middle of a batch: what was decided before counts, though nothing of it is written yet.
"""

from collections.abc import Iterator, Mapping

import msgspec

from domain.account import Account
from domain.commands import AccountCommand
from domain.decide import (
    documents_beyond,
    further_documents,
    named_allocation,
    named_documents,
    named_references,
    reads_whole_account,
    references_beyond,
)
from domain.draft import NOTHING_NAMED, Named
from domain.events import Event
from domain.history import History, Source, allocated_documents, enters, fold, fold_all, touched_documents
from ledger.codec import Recorded
from ledger.register import Known, Register
from ledger.state import State


class Naming:
    """``recorded``: the events of the batch so far, which grows. ``documents``: those that it has met, by book and name."""

    def __init__(self, state: State, register: Register, recorded: list[Recorded]) -> None:
        self._state = state
        self._register = register
        self._recorded = recorded
        self._concerning: dict[tuple[str, str | None], list[Recorded]] = {}
        self._indexed = 0
        self.documents: Mapping[tuple[str, str], Known] = {}

    def named(self, command: AccountCommand, account: Account) -> Named:
        """What ``decide`` is handed beside the account."""
        if reads_whole_account(command):
            histories = fold_all(self._events_of(account))
            beyond = references_beyond(histories)
            return Named(histories, frozenset(r for r in beyond if self._is_live(command.book, r)))
        names = set(named_documents(command))
        references = [r for r in named_references(command) if r not in account.live]
        version = named_allocation(command)
        if version is not None:
            event = self.event(account.stream, version)
            if event is not None:
                names |= allocated_documents(event, getattr(command, "allocation", ""))
        if not names and not references:
            return NOTHING_NAMED
        histories = {name: self._history(command.book, name) for name in names}
        for history in list(histories.values()):
            for name in further_documents(command, history):
                if name not in histories:
                    histories[name] = self._history(command.book, name)
        histories |= {name: self._history(command.book, name) for name in documents_beyond(command, histories)}
        live = frozenset(reference for reference in references if self._is_live(command.book, reference))
        return Named(histories, live)

    def _history(self, book: str, document: str) -> History:
        sources = self._register.concerning(book, document)
        # Few commands name a document, so the batch's own events are looked through only when one does.
        for recorded in self._recorded[self._indexed :]:
            for concerned in {enters(recorded.event), *touched_documents(recorded.event)}:
                self._concerning.setdefault((book_of(recorded), concerned), []).append(recorded)
        self._indexed = len(self._recorded)
        sources += [Source(*msgspec.structs.astuple(r)) for r in self._concerning.get((book, document), ())]
        return fold(document, sources)

    def _events_of(self, account: Account) -> Iterator[Source]:
        """All events of an account as it stands here, from the log and from this batch."""
        mine = [recorded for recorded in self._recorded if recorded.originator_id == account.stream]
        for version, event in self._state.events(account.stream):
            if version <= account.version - len(mine):
                yield Source(account.stream, version, event)
        for recorded in mine:
            yield Source(*msgspec.structs.astuple(recorded))

    def event(self, stream: str, version: int) -> Event | None:
        """One event of an account, from the log or from this batch."""
        for recorded in reversed(self._recorded):
            if recorded.originator_id == stream and recorded.originator_version == version:
                found: Event = recorded.event
                return found
        return self._register.event(stream, version)

    def _is_live(self, book: str, reference: str) -> bool:
        """Whether a booked, unreversed document of this name is in the books, of whatever account."""
        documents = set(self._register.revisions(book, reference))
        documents |= {name for at, name in self.documents if at == book and name.rpartition(":")[0] == reference}
        return any(self._history(book, document).booked for document in documents)


def book_of(recorded: Recorded) -> str:
    """The book of a stream: its second part, whatever kind it is of."""
    return recorded.originator_id.split(":", 2)[1]
