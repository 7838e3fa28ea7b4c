"""From settings to adapters: what reads the messages of a topic, or of an inbox, that are no commands of our own."""

from pathlib import Path
from typing import TYPE_CHECKING

from tieout.errors import NotFound
from tieout.settings_file import STRIPE

if TYPE_CHECKING:
    from consumers.adapters.adapter import Adapter
    from ledger.ledger import Ledger


def adapter_of(name: str, adapter: str, book: str, ledger: "Ledger") -> "Adapter":
    """The adapter ``stripe``, or of a feed file; ``name`` is the topic or inbox. Raises ``NotFound``, ``MappingError``."""
    from consumers.adapters import feeds

    found = ledger.book(book)
    if found is None:
        raise NotFound("error.book_missing", book=book)
    if adapter == STRIPE:
        return feeds.adapter(feeds.read_feed("[stripe]"), found)
    path = Path(adapter)
    if not path.is_file():
        raise NotFound("error.feed_file_missing", topic=name, path=path)
    return feeds.adapter(feeds.load_feed(path), found)
