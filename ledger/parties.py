"""Parties: names and addresses of customers, beside the log. Events hold ids, not people; a party can be erased."""

import msgspec


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who a customer id is. ``language``: an IETF tag such as ``zh`` or ``en``, empty if not known."""

    book: str
    customer: str
    name: str
    language: str = ""
    address: str = ""
