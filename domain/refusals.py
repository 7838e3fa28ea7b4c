"""Why a command is not booked: one closed list, phrased as the rule, in the order in which the rules are checked.

    Refusal                 a coded answer to the caller; never an error of ours
        code                the rule, as in ``RULES``
        field               the field of the command at fault, dotted (``instalments.1.amount``)
        value               its value, as text; ids and amounts only, never names
        rule                the rule in words

``conflict`` codes say that the same id came with another content: nothing is booked and the difference can be seen.
Source of the rules: docs/architecture.md and the event catalogue.
"""

from enum import StrEnum


class Code(StrEnum):
    """Every refusal there is, in the order of the checks: common ones, each event's own."""

    COMMAND_MUST_BE_VALID = "command_must_be_valid"
    BOOK_MUST_EXIST = "book_must_exist"
    BOOK_MUST_NOT_EXIST = "book_must_not_exist"
    SAME_SOURCE_ID = "same_source_id_must_have_same_content"
    SAME_NUMBER = "same_number_must_have_same_content"
    VERSION = "version_must_be_the_current_one"
    FACT_WAITING = "fact_must_be_waiting"
    ENTRY_EXISTS = "entry_must_exist"
    ENTRY_OPEN = "entry_must_be_open"
    APPROVAL_PENDING = "approval_must_be_pending"
    CHECKER_DIFFERS = "checker_must_differ_from_maker"
    INSTRUCTION_NEW = "instruction_must_not_be_booked_yet"
    REVISION = "previous_revision_must_be_reversed"
    CURRENCY_MUST_MATCH = "currency_must_match_account"
    RATE_MUST_BE_GIVEN = "rate_must_be_given"
    BASE_MUST_MATCH = "base_amount_must_equal_amount_in_base_currency"
    AMOUNT_MUST_BE_POSITIVE = "amount_must_be_positive"
    AMOUNT_WITHIN_LIMIT = "amount_must_be_within_limit"
    DATE_WITHIN_HORIZON = "effective_date_must_be_within_horizon"
    PERIOD_OPEN = "period_must_be_open"
    DATE_PRECEDES_ITEM = "effective_date_must_not_precede_item"
    NEGATIVE_TOTAL = "negative_total_must_be_credit_note"
    LINES_AND_TAX = "lines_and_tax_must_sum_to_total"
    INSTALMENTS = "instalments_must_sum_to_total"
    ROLE = "role_must_be_configured"
    SERVICE_PERIOD = "service_period_must_have_both_days_in_order"
    METHOD = "method_must_be_configured"
    REASON = "reason_must_be_configured"
    CASH_AND_DEDUCTIONS = "cash_and_deductions_must_sum_to_amount"
    ITEMS_SHARE_ACCOUNT = "items_must_share_account"
    CREDITED_INVOICE = "credited_invoice_must_be_of_account"
    CREDIT_CAP = "credit_must_not_exceed_invoice_by_tax_code"
    CREDIT_ITEM_OPEN = "credit_item_must_be_open"
    DEBIT_ITEM_OPEN = "debit_item_must_be_open"
    SECURITY_DEPOSIT = "security_deposit_must_not_be_allocated"
    ALLOCATION_CREDIT = "allocation_must_not_exceed_credit"
    ALLOCATION_DEBIT = "allocation_must_not_exceed_debit"
    ALLOCATION_LIVE = "allocation_must_be_live"
    RELEASE = "release_must_not_exceed_allocation"
    REFUNDABLE = "refund_must_not_exceed_refundable"
    FUNDED = "refund_must_be_funded"
    REINSTATEMENT = "reinstatement_must_not_exceed_return"
    ITEM_OPEN = "item_must_be_open"
    ADJUSTMENT = "adjustment_must_not_exceed_open"
    LEFT_BY_PAYMENT = "only_what_a_payment_left_open_is_rounded_off"
    SETTLED_OTHERWISE = "what_can_be_settled_must_not_be_rounded_off"
    TOLERANCE = "tolerance_must_not_be_exceeded"
    WRITE_OFF = "write_off_must_not_exceed_open"
    ITEM_WRITTEN_OFF = "item_must_be_written_off"
    RECOVERY = "recovery_must_not_exceed_written_off"
    DEPOSIT_CLASS = "only_a_deposit_has_a_class"
    ACCOUNTS_DIFFER = "accounts_must_differ"
    TRANSFER = "transfer_must_not_exceed_open"
    DEFERRED = "document_must_have_deferred_revenue"
    EARNED = "schedule_must_have_more_than_was_recognised"
    RELIEF = "vat_relief_must_not_exceed_tax_written_off"
    MATRIX = "allowance_matrix_must_be_set"
    EVIDENCE = "evidence_must_be_of_the_book_as_it_stands"
    DIFFERENCE = "difference_must_not_be_zero"
    PERIOD_ENDED = "period_must_have_ended"
    EARLIER_PERIODS = "earlier_periods_must_be_closed"
    NO_FACT_WAITING = "no_fact_may_be_waiting"
    CHECKS_HOLD = "closing_checks_must_hold"
    LAST_PERIOD = "only_the_period_closed_last_can_be_reopened"
    AUTHORITIES_CHANGEABLE = "authorities_must_be_changeable"
    REVERSED_TWICE = "document_must_not_be_reversed_twice"
    TRANSFER_BACK = "transfer_must_be_undone_by_its_opposite"
    FISCAL = "fiscal_invoice_must_be_credited"
    REVERSAL_MODE = "only_a_refund_can_have_failed"
    DEPENDANTS = "dependants_must_be_undone_first"
    REASON_GIVEN = "reason_must_be_given"
    APPROVAL = "approval_must_be_given"
    CHECKER_AUTHORITY = "checker_must_have_authority"
    UNEXPECTED = "unexpected_error_must_be_reported"


CONFLICTS = frozenset({Code.SAME_SOURCE_ID, Code.SAME_NUMBER, Code.BOOK_MUST_NOT_EXIST})
"""Codes that are answered as a conflict: the id is known, its content is another."""

RULES: dict[Code, str] = {
    Code.COMMAND_MUST_BE_VALID: "a command must have every required field, of the right type, and no other",
    Code.BOOK_MUST_EXIST: "the book must have been opened",
    Code.BOOK_MUST_NOT_EXIST: "a book is opened once; it is open already, with other content",
    Code.SAME_SOURCE_ID: "the same source and source id must always come with the same content",
    Code.SAME_NUMBER: "the same document number must always come with the same content",
    Code.VERSION: "a command that names the version it was made for is booked at that version only",
    Code.FACT_WAITING: "only a fact that waits for a document can be rejected",
    Code.ENTRY_EXISTS: "only an entry of the book's own quarantine can be dismissed",
    Code.ENTRY_OPEN: "only an open entry of the quarantine can be tried again or dismissed",
    Code.APPROVAL_PENDING: "only a request that nobody has approved or refused yet can be decided",
    Code.CHECKER_DIFFERS: "nobody approves what he made or asked for himself",
    Code.INSTRUCTION_NEW: "what is to be approved must not be in the books already",
    Code.REVISION: "revision n+1 of a document is taken only when revision n has been reversed",
    Code.CURRENCY_MUST_MATCH: "what a command names must be in the currency of the account",
    Code.RATE_MUST_BE_GIVEN: "a currency other than the book's base needs a rate or a base amount",
    Code.BASE_MUST_MATCH: "in the book's base currency the base amount is the amount, and the base of nothing is nothing",
    Code.AMOUNT_MUST_BE_POSITIVE: "an amount must be positive; the kind of document gives the direction",
    Code.AMOUNT_WITHIN_LIMIT: "an amount must not exceed 10^15 minor units, in its currency and in base currency",
    Code.DATE_WITHIN_HORIZON: "the accounting date must lie between the book's first day and a year from today",
    Code.PERIOD_OPEN: "nothing is booked into a closed period, and a period is closed once",
    Code.DATE_PRECEDES_ITEM: "an instruction takes from an item only on a day from which on there is enough open",
    Code.NEGATIVE_TOTAL: "a document with a negative total is a credit note",
    Code.LINES_AND_TAX: "lines and tax must sum to the total",
    Code.INSTALMENTS: "instalments must sum to the total (none, if that is zero)",
    Code.ROLE: "the book's posting template must have an account for the role",
    Code.SERVICE_PERIOD: "a service period has both its days, the first not after the last",
    Code.METHOD: "the book's posting template must have an account for the method of payment",
    Code.REASON: "the book's posting template must have a role for the reason",
    Code.CASH_AND_DEDUCTIONS: "cash and deductions must sum to the amount",
    Code.ITEMS_SHARE_ACCOUNT: "what a command names must be of its own customer account",
    Code.CREDITED_INVOICE: "the credited invoice must be one of the same customer account",
    Code.CREDIT_CAP: "credit notes must not exceed their invoice, per tax code",
    Code.CREDIT_ITEM_OPEN: "the credit item must be open",
    Code.DEBIT_ITEM_OPEN: "the debit item must be open",
    Code.SECURITY_DEPOSIT: "a security deposit is never allocated",
    Code.ALLOCATION_CREDIT: "an allocation must not exceed what the credit item has open",
    Code.ALLOCATION_DEBIT: "an allocation must not exceed what the debit item has open",
    Code.ALLOCATION_LIVE: "the allocation must exist and not be released yet",
    Code.RELEASE: "a release must not exceed what is left of the allocation",
    Code.REFUNDABLE: "an instructed refund must not exceed what can be refunded",
    Code.FUNDED: "an instructed refund must be funded in full by what is open or released",
    Code.REINSTATEMENT: "an instructed reinstatement must not exceed what is left of the return",
    Code.ITEM_OPEN: "the item must be open",
    Code.ADJUSTMENT: "an adjustment must not exceed what the item has open",
    Code.LEFT_BY_PAYMENT: "only what payments have left of an item that they settle is rounded off",
    Code.SETTLED_OTHERWISE: "what the account has open otherwise settles an item before it is rounded off",
    Code.TOLERANCE: "adjustments within tolerance must not exceed the book's limit for the item, all together",
    Code.WRITE_OFF: "a write-off must not exceed what the item has open",
    Code.ITEM_WRITTEN_OFF: "a recovery names a write-off that is in the books and the item that it wrote off",
    Code.RECOVERY: "recoveries must not exceed, all together, what the write-off took from the item",
    Code.DEPOSIT_CLASS: "only money that was received, and is not applied, has a deposit class",
    Code.ACCOUNTS_DIFFER: "a transfer goes to the account of another customer",
    Code.TRANSFER: "a transfer must not exceed what the item has open",
    Code.DEFERRED: "revenue is recognised of an invoice or credit note that is in the books and has deferred some",
    Code.EARNED: "by its schedule more must be earned up to the day than has been recognised",
    Code.RELIEF: "VAT relief must not exceed the invoice's tax in what is written off, all claims together",
    Code.MATRIX: "an allowance needs the book's provision matrix",
    Code.EVIDENCE: "evidence is of the book at its present version, by the buckets and groups of its matrix",
    Code.DIFFERENCE: "only a difference is posted; where there is none, the books stand as required",
    Code.PERIOD_ENDED: "a period is closed once its last day has passed",
    Code.EARLIER_PERIODS: "periods are closed in their order, none is left out",
    Code.NO_FACT_WAITING: "a period is not closed while a fact of it waits for its document",
    Code.CHECKS_HOLD: "every point of the closing list must be there and hold, or be accepted for a reason",
    Code.LAST_PERIOD: "periods are opened again from the one that was closed last",
    Code.AUTHORITIES_CHANGEABLE: "the authorities must leave somebody who may change them",
    Code.REVERSED_TWICE: "a document is reversed once, and a reversal never; enter a new revision",
    Code.TRANSFER_BACK: "a transfer is undone by transferring the item back",
    Code.FISCAL: "an invoice with a fiscal number is undone by a credit note only",
    Code.REVERSAL_MODE: "only a refund can have failed; anything else is reversed as an error",
    Code.DEPENDANTS: "what was built upon a document is undone before it",
    Code.REASON_GIVEN: "the book's authorities ask for a reason with this command",
    Code.APPROVAL: "what goes beyond its maker's limit needs the approval of somebody else",
    Code.CHECKER_AUTHORITY: "who approves must have a role that may approve as much",
    Code.UNEXPECTED: "an error of Tieout itself, not of the command; nothing was booked",
}


class Refusal(Exception):
    """A command is not booked, and why; raised by decide, answered to the caller as an outcome."""

    def __init__(self, code: Code, field: str, value: object = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.field = field
        self.value = str(value)

    @property
    def rule(self) -> str:
        """The rule in words."""
        return RULES[self.code]

    def __str__(self) -> str:
        return f"{self.code.value}: {self.field} {self.value!r} ({self.rule})"
