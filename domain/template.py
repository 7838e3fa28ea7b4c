"""The posting template 凭证模板: which account of the chart each role means.

Events name roles beside account codes, so that a chart can change while old postings stay what they were. The whole
template is stored in ``PostingTemplateChanged`` and numbered; each event stores the number it was posted by. The
defaults are the codes of the Chinese standard chart (企业会计准则), read from here once, when a book is opened.
"""

import msgspec

RECEIVABLE = "receivable"
REVENUE = "revenue"
DEFERRED_REVENUE = "deferred_revenue"
OUTPUT_TAX = "output_tax"
MIGRATION = "migration"
CLEARING = "transfer_clearing"
EXCHANGE = "exchange_difference"
UNAPPLIED = "unapplied"
UNIDENTIFIED = "unidentified"
SECURITY = "security"
ALLOWANCE = "allowance"
IMPAIRMENT = "impairment"
REVALUATION = "revaluation"
UNREALISED = "unrealised_exchange"
FEE = "fee"
DEPOSIT_CLASSES = (UNAPPLIED, "contract", UNIDENTIFIED, SECURITY)
"""Classes of deposit; the role of a payment's credit item is the class itself."""

ROLES = {
    RECEIVABLE: "1122",
    UNAPPLIED: "2203",
    "contract": "2205",
    UNIDENTIFIED: "2241",
    SECURITY: "2241",
    DEFERRED_REVENUE: "220502",
    REVENUE: "6001",
    OUTPUT_TAX: "2221",
    MIGRATION: "1901",
    CLEARING: "112299",
    EXCHANGE: "6603",
    REVALUATION: "112298",
    UNREALISED: "6603",
    ALLOWANCE: "1231",
    IMPAIRMENT: "6702",
    FEE: "6603",
    "short_payment": "6603",
    "cash_discount": "6603",
    "withholding_tax": "2221",
    "small_balance": "6711",
    "overpayment_kept": "6301",
}
"""Deferred revenue is no control account: it has a sub-account of contract liabilities 合同负债 of its own, so that 2205 stays
what the deposits on contracts are (identity 2)."""
SMALL_ENTERPRISES = {ALLOWANCE: "5711"}
"""What differs by the standard for small enterprises (小企业会计准则), which know no allowance: a loss when it occurs.

So they have no account for impairment, and no allowance is posted.
"""
METHODS = {"bank": "1002", "provider": "1012", "bill": "1121", "contra": "2202", "cash": "1001"}
REASONS = {
    "bank_charge": "fee",
    "provider_fee": "fee",
    "withholding": "withholding_tax",
    "short_payment": "short_payment",
    "cash_discount": "cash_discount",
    "small_balance": "small_balance",
    "overpayment_kept": "overpayment_kept",
}
CONTROL_ROLES = (RECEIVABLE, *DEPOSIT_CLASSES)
"""Roles whose postings move open items: subledger = control is asserted per account code of these."""
MONETARY_ROLES = (RECEIVABLE, UNIDENTIFIED, SECURITY)
"""Control roles whose items will be settled in money; advances will be settled in goods and keep their rate."""


class PostingTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """Roles, cash methods and reasons of a book, as of one version.

    ``roles``: role → account code; ``methods``: method of payment → account code; ``reasons``: reason of a deduction or
    adjustment → role.
    """

    version: int
    roles: dict[str, str]
    methods: dict[str, str]
    reasons: dict[str, str]

    def changed(self, roles: dict[str, str], methods: dict[str, str], reasons: dict[str, str]) -> "PostingTemplate":
        """The next version, with these entries set and the others kept."""
        return PostingTemplate(
            version=self.version + 1,
            roles=self.roles | roles,
            methods=self.methods | methods,
            reasons=self.reasons | reasons,
        )


def default_template(standard: str = "cas") -> PostingTemplate:
    """Version 0: what a new book of an accounting standard starts from."""
    roles = dict(ROLES)
    if standard == "cas-small":
        roles |= SMALL_ENTERPRISES
        del roles[IMPAIRMENT]
    return PostingTemplate(version=0, roles=roles, methods=dict(METHODS), reasons=dict(REASONS))
