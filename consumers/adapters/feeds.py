"""The file of a feed: which adapter reads it, and how. Its format is docs/adapters.md.

A file with the section ``[stripe]`` is Stripe's; any other maps messages to documents (``generic_mapping``).
"""

from pathlib import Path

from pydantic import ValidationError

from consumers.adapters.adapter import Adapter
from consumers.adapters.generic import Generic
from consumers.adapters.generic_mapping import FeedMapping, explained, read_mapping
from consumers.adapters.stripe import Stripe
from consumers.adapters.stripe_message import Settings
from consumers.mapping import Section, SourceName, parsed_toml, text_of
from domain.book import Book


class StripeSource(Section):
    """Which Stripe account sends."""

    name: SourceName = "stripe"


class StripeFeed(Section):
    """The file of a Stripe account's feed."""

    source: StripeSource = StripeSource()
    stripe: Settings


Feed = StripeFeed | FeedMapping


def load_feed(path: Path) -> Feed:
    """The feed in a file. Raises ``MappingError``; where the file cannot be read, with an empty field."""
    return read_feed(text_of(path))


def read_feed(text: str) -> Feed:
    """The feed in TOML text; raises ``MappingError``."""
    parsed = parsed_toml(text)
    if "stripe" not in parsed:
        return read_mapping(parsed)
    try:
        return StripeFeed.model_validate(parsed)
    except ValidationError as error:
        raise explained(StripeFeed, error) from None


def adapter(feed: Feed, book: Book) -> Adapter:
    """The adapter that reads a feed for a book."""
    if isinstance(feed, StripeFeed):
        return Stripe(feed.source.name, feed.stripe, book)
    return Generic(feed, book)
