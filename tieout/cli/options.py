"""Options that several commands share; their help texts are keys of the message table."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="option.json")]
AsOfDay = Annotated[str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="option.as_of")]
ToDay = Annotated[str | None, typer.Option("--to", "--as-of", metavar="YYYY-MM-DD", help="option.to")]
FromDay = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="option.from")]
KnownAsOf = Annotated[str | None, typer.Option("--known-as-of", metavar="WHEN", help="option.known_as_of")]
Currency = Annotated[str | None, typer.Option("--currency", "-c", metavar="CODE", help="option.currency")]
Account = Annotated[str | None, typer.Option("--account", metavar="CODE", help="option.account")]
AnyCustomer = Annotated[str | None, typer.Argument(metavar="CUSTOMER", help="argument.any_customer")]
OneCustomer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="argument.customer")]
OneDocument = Annotated[str, typer.Argument(metavar="DOCUMENT", help="argument.document")]
Limit = Annotated[int | None, typer.Option("--limit", min=0, metavar="N", help="option.limit")]
Actor = Annotated[str | None, typer.Option("--actor", metavar="WHO", help="option.actor")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="option.reason")]
Dimensions = Annotated[bool, typer.Option("--dimensions", help="option.dimensions")]
