"""What is dismissed from quarantine: a message that could not be booked, of which somebody decides that it never shall be.

It posts nothing and changes nothing: it stands in a stream of its entry, so that whoever replays the log sees what was
thrown away, by whom, when and why. A message may name a book that was never opened, or none at all, and can be dismissed
all the same.
"""

import re

import msgspec

from domain.commands import BOOK_ID, DismissMessage
from domain.events import MessageDismissed
from domain.refusals import Code, Refusal


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A message in quarantine, as far as its dismissal tells of it. ``source`` is empty where none could be read.

    ``code``: why it stands there; ``digest`` (hex) tells it from any other message.
    """

    book: str
    source: str
    source_id: str | None
    code: str
    digest: str
    is_open: bool


def book_of(named: str) -> str:
    """The book under which a message is dismissed: the one that it names, empty where no book can be called so."""
    return named if re.fullmatch(BOOK_ID, named) else ""


def dismissed(command: DismissMessage, held: Held | None, *, is_opened: bool) -> MessageDismissed:
    """The event by which a message is dismissed. ``held``: what stands under the number of its entry, if anything does.

    Refuses an entry that is not of the command's book, and one that is booked or dismissed already. ``is_opened``: whether
    that book was opened; one that was not is there only as far as messages name it.
    """
    if held is None or book_of(held.book) != command.book:
        if command.book and not is_opened:
            raise Refusal(Code.BOOK_MUST_EXIST, "book", command.book)
        raise Refusal(Code.ENTRY_EXISTS, "entry", command.entry)
    if not held.is_open:
        raise Refusal(Code.ENTRY_OPEN, "entry", command.entry)
    return MessageDismissed(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        entry=command.entry,
        message_source=held.source or None,
        message_source_id=held.source_id or None,
        code=held.code,
        digest=held.digest,
    )
