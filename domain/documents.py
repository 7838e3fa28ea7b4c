"""How documents and their open items are named.

A document's key within a book is (kind, series, number, revision), written ``kind:series:number:revision``; an open
item is (document, instalment), written ``document#instalment``. A series holds no colon, so the text form can be read
from both ends and a number may contain anything. A reference names a document of any revision.
"""

from typing import NamedTuple

KINDS = (
    "invoice",
    "debit-note",
    "credit-note",
    "payment",
    "refund",
    "return",
    "reinstatement",
    "adjustment",
    "write-off",
    "recovery",
    "transfer",
    "vat-relief",
)
"""Document kinds (应收单, 借项通知, 红字发票, 收款, 退款, 退票/拒付, 拒付胜诉, 往来调整, 坏账核销, 坏账收回, 往来转移, 坏账税额抵减)."""


class DocumentKey(NamedTuple):
    """The key of a document within its book (单据)."""

    kind: str
    series: str
    number: str
    revision: int

    @property
    def reference(self) -> str:
        """The key without its revision: what a remittance names."""
        return reference(self.kind, self.series, self.number)


def document_id(kind: str, series: str, number: str, revision: int) -> str:
    """The text form of a document key, ``kind:series:number:revision``."""
    return f"{kind}:{series}:{number}:{revision}"


def reference(kind: str, series: str, number: str) -> str:
    """The text form of a reference, ``kind:series:number``: any revision of the document."""
    return f"{kind}:{series}:{number}"


def parse_document(document: str) -> DocumentKey:
    """The key behind a document id; ValueError where the text is none."""
    try:
        kind, series, rest = document.split(":", 2)
        number, revision = rest.rsplit(":", 1)
        key = DocumentKey(kind, series, number, int(revision))
    except ValueError:
        raise ValueError(f"not a document id (kind:series:number:revision): {document!r}") from None
    if kind not in KINDS or not number or key.revision < 1 or document_id(*key) != document:
        raise ValueError(f"not a document id (kind:series:number:revision): {document!r}")
    return key


def reference_of(document: str) -> str:
    """The reference (``kind:series:number``) of a document id, or of an item id."""
    return document.rsplit(":", 1)[0]


def item_id(document: str, instalment: int) -> str:
    """The id of the open item of a document's instalment, counted from 1."""
    return f"{document}#{instalment}"


def document_of(item: str) -> str:
    """The document id of an item id."""
    return item.rsplit("#", 1)[0]


def account_stream(book: str, customer: str, currency: str) -> str:
    """The event stream of a customer account: ``acct:<book>:<customer>:<currency>``; a customer id may hold colons."""
    return f"acct:{book}:{customer}:{currency}"


def book_stream(book: str) -> str:
    """The event stream of a book."""
    return f"book:{book}"


def waiting_stream(book: str, document: str) -> str:
    """The event stream of the facts that await one document."""
    return f"wait:{book}:{document}"


def feed_stream(book: str, feed: str) -> str:
    """The event stream of what a source states of the messages that it sends for a book: ``feed:<book>:<feed>``."""
    return f"feed:{book}:{feed}"


def approval_stream(book: str, request: str) -> str:
    """The event stream of a request for approval: ``appr:<book>:<request>``."""
    return f"appr:{book}:{request}"


def rate_stream(book: str, source: str) -> str:
    """The event stream of the exchange rates that a source states for a book: ``rate:<book>:<source>``."""
    return f"rate:{book}:{source}"


def quarantine_stream(book: str, entry: int) -> str:
    """The event stream of an entry in quarantine: ``quar:<book>:<entry>``; its book is empty where it names none."""
    return f"quar:{book}:{entry}"


class AccountName(NamedTuple):
    """Book, customer and currency of a customer account, read from its stream."""

    book: str
    customer: str
    currency: str


def parse_account_stream(stream: str) -> AccountName | None:
    """What an account's stream names, or None for a stream of another kind."""
    if not stream.startswith("acct:"):
        return None
    head, currency = stream[5:].rsplit(":", 1)
    book, customer = head.split(":", 1)
    return AccountName(book, customer, currency)


HOUSE_PREFIX = "~"
"""Customer ids of house accounts begin so; no other may."""


def house_customer(source: str, year_month: str) -> str:
    """The house account of unknown customers: ``~<source>:<yyyy-mm>``."""
    return f"{HOUSE_PREFIX}{source}:{year_month}"


def is_house(customer: str) -> bool:
    """Whether a customer id is a house account's."""
    return customer.startswith(HOUSE_PREFIX)
