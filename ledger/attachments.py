"""Attachments: what is too large for an event's body, kept beside the log by the digest of its bytes.

Events stay small enough to be read by the page. A document with very many lines keeps them in an attachment: its event
has ``lines_digest`` (SHA-256, hexadecimal) instead of ``lines``, so that the lines are as immutable as the event. Its
postings, tax and instalments stay in the event.
"""

from hashlib import sha256
from typing import NamedTuple

import msgspec

from domain.events import CreditNoteIssued, Event, InvoiceIssued, Line

LARGEST = 50_000
"""Bytes of encoded lines that an event carries itself."""
_FEW = 20
"""So many lines are never measured: nearly all documents have no more."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Line]).decode


class Attachment(NamedTuple):
    """A row of ``attachments``."""

    digest: bytes
    bytes: bytes


def detached(event: Event) -> tuple[Event, Attachment | None]:
    """The event as it is stored, and the attachment that its lines have become, if they are too many."""
    if type(event) not in (InvoiceIssued, CreditNoteIssued):
        return event, None
    assert isinstance(event, (InvoiceIssued, CreditNoteIssued))
    if len(event.lines) <= _FEW:
        return event, None
    lines = _encode(event.lines)
    if len(lines) <= LARGEST:
        return event, None
    digest = sha256(lines).digest()
    return msgspec.structs.replace(event, lines=[], lines_digest=digest.hex()), Attachment(digest, lines)


def attached_lines(attachment: bytes) -> list[Line]:
    """The lines in an attachment."""
    return _decode(attachment)
