"""The mapping of a shop's sales that the tests of the import share."""

SALES = """
    [source]
    name = "shop"
    [defaults]
    currency = "EUR"
    due_days = 30
    [columns]
    number = "Number"
    customer = "Customer"
    effective_on = "Date"
    quantity = "Quantity"
    unit_price = "Price"
    [kind]
    prefix = { C = "credit-note" }
"""
