"""Stripe: webhook events and the objects of its API → entries, by a table of types.

An event only brings an object; what is booked depends on the object's own state. So a fact is the same by webhook, by a
retrieved object and in a list, however often: its source id is the object's id (with ``:voided``, ``:failed``, … for
what happens to it later), never the event's.
"""

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from msgspec import structs

from consumers.adapters.adapter import MessageFault, decode, unread
from consumers.adapters.stripe_billing import credit_note, invoice
from consumers.adapters.stripe_cash import balance_transaction, charge, refund
from consumers.adapters.stripe_disputes import dispute
from consumers.adapters.stripe_message import Message, Reading, Settings
from domain.book import Book
from ledger.outcomes import Entry, Unreadable

BOOKED: dict[str, Callable[[Message, Reading], list[Entry]]] = {
    "invoice": invoice,
    "credit_note": credit_note,
    "charge": charge,
    "refund": refund,
    "balance_transaction": balance_transaction,
    "dispute": dispute,
}
"""Objects that can be facts of receivables."""
UNSUPPORTED = frozenset({"payment_record", "customer_balance_transaction", "customer_cash_balance_transaction"})
"""Objects that matter for receivables and cannot be booked yet."""
_FAMILIES = """
    account account_link account_session apple_pay_domain application application_fee apps balance balance_settings
    bank_account billing billing_portal capability card cash_balance checkout climate confirmation_token
    country_spec coupon credit_note_line_item customer customer_session discount entitlements ephemeral_key
    exchange_rate fee_refund file file_link financial_connections forwarding funding_instructions identity
    invoice_payment invoice_rendering_template invoiceitem issuing item line_item login_link mandate
    payment_attempt_record payment_intent payment_intent_amount_details_line_item payment_link payment_method
    payment_method_configuration payment_method_domain payout person plan price product product_feature
    promotion_code quote radar reporting reserve review scheduled_query_run setup_attempt setup_intent shipping_rate
    sigma source source_mandate_notification source_transaction subscription subscription_item subscription_schedule
    tax tax_code tax_id tax_rate terminal test_helpers token topup transfer transfer_reversal treasury
    webhook_endpoint
"""
MEANINGLESS = frozenset(_FAMILIES.split())
"""Families of objects (what stands before the first dot) that say nothing about what a customer owes, or nothing that
another object does not say: a payment intent's money is its charge's."""


class Stripe:
    """Reads what one Stripe account sends, for one book. ``source`` is the account's name; see ``Settings``."""

    def __init__(self, source: str, settings: Settings, book: Book) -> None:
        self._source = source
        self._settings = settings
        self._book = book.book
        self._zone = ZoneInfo(book.time_zone)
        self._acknowledged = frozenset(settings.acknowledge)

    def read(self, data: bytes, *, origin: str, lane: str | None = None, key: str | None = None) -> list[Entry]:
        """What an event, an object or a list of either becomes."""
        message = Message(
            book=self._book,
            zone=self._zone,
            source=self._source,
            settings=self._settings,
            origin=origin,
            lane=lane,
            key=key,
            kind="",
        )
        try:
            part = Reading(decode(data))
        except MessageFault as error:
            return [Unreadable(self._book, self._source, None, origin, *error.fault, raw=unread(data), lane=lane)]
        return list(self._each(message, part))

    def _each(self, message: Message, part: Reading) -> Iterator[Entry]:
        """The entries of one event or object, or of each in a list."""
        name = part.part.get("id")
        name = name if isinstance(name, str) else None
        try:
            if part.text("object") != "list":
                yield from self._one(message, part, name)
                return
            members = part.each("data")
        except MessageFault as error:
            yield message.held(name, part, error.fault)
            return
        for member in members:
            yield from self._each(message, member)
        if not members:
            yield structs.replace(message, kind="list").acknowledged("empty")

    def _one(self, message: Message, part: Reading, name: str | None) -> list[Entry]:
        told, inner = _unwrapped(message, part)
        if part.flag("livemode") is (not self._settings.livemode):
            return [told.acknowledged("live mode" if part.flag("livemode") else "test mode")]
        return self._by_type(told, inner, name)

    def _by_type(self, message: Message, part: Reading, name: str | None) -> list[Entry]:
        type_ = part.text("object") or message.kind
        family = type_.partition(".")[0]
        if {type_, family, message.kind} & self._acknowledged or part.flag("deleted"):
            return [message.acknowledged()]
        if type_ in BOOKED:
            return BOOKED[type_](message, part)
        if type_ not in UNSUPPORTED and family in MEANINGLESS:
            return [message.acknowledged()]
        # What is new at Stripe may be about money: it is kept until somebody has said what it means.
        return [message.unsupported(name, part)]


def _unwrapped(message: Message, part: Reading) -> tuple[Message, Reading]:
    """An event's object with what the event says of it; a bare object as it is."""
    if part.text("object") != "event":
        return structs.replace(message, kind=part.needed("object")), part
    data = part.inner("data")
    before = data and data.inner("previous_attributes")
    told = structs.replace(
        message,
        kind=part.needed("type"),
        event=part.text("id"),
        told_at=part.whole("created"),
        changed=frozenset(before.part if before else ()),
    )
    # So-called thin events bring no object.
    return told, (data and data.inner("object")) or Reading({"id": part.text("id")})
