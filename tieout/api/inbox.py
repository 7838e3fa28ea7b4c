"""The route for webhooks: signed messages of another system, read by an adapter of the settings (``inboxes``).

The signature is the credential: HMAC-SHA256 over time and body in ``Stripe-Signature``, or in the same form in
``Tieout-Signature``. What is answered with 200 is kept: booked, counted as meaning nothing, or in quarantine.
"""

import time
from functools import cache
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response
from msgspec import Meta

from consumers.adapters.adapter import Adapter
from consumers.adapters.webhook_signature import SignatureError, check_signature
from ledger.outcomes import Status
from tieout.adapting import adapter_of
from tieout.api import intake, schemas
from tieout.api.asking import BookPath
from tieout.api.pages import record
from tieout.api.problems import ApiCode, Problem
from tieout.api.service import Service
from tieout.errors import UserError

HEADERS = ("stripe-signature", "tieout-signature")
Inbox = Annotated[
    str,
    Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="The inbox, as the settings name it.", examples=["stripe"]),
]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message."""

    statuses: Annotated[
        list[str], Meta(description="One for each thing that it says: booked, duplicate, waiting, refused, ... .")
    ]
    quarantined: Annotated[bool, Meta(description="Whether anything of it stands in quarantine now.")]


def router() -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/books/{book}", tags=["commands"])
    routes.add_api_route(
        "/inbox/{inbox}",
        receive,
        methods=["POST"],
        operation_id="receive",
        summary="A signed message of another system",
        responses=schemas.of_record(Kept),
        openapi_extra={"x-tieout-signed": True},
    )
    return routes


async def receive(request: Request, book: BookPath, inbox: Inbox) -> Response:
    """The same message again books nothing again; one that cannot be booked is kept in quarantine, and answered with 200."""
    service: Service = request.app.state.service
    header = next((value for name in HEADERS if (value := request.headers.get(name)) is not None), None)
    if header is None:
        raise Problem(ApiCode.CREDENTIAL_GIVEN, parameter="Stripe-Signature", headers={"WWW-Authenticate": "Signature"})
    found = service.settings.inboxes.get(inbox)
    body = await request.body()
    if found is None or found.book != book:
        raise Problem(ApiCode.FOUND, parameter="inbox")
    try:
        check_signature(body, header, found.secret.get_secret_value(), now=int(time.time()))
    except SignatureError as error:
        raise Problem(ApiCode.SIGNATURE, reason=error.code.value, headers={"WWW-Authenticate": "Signature"}) from None
    adapter = await service.in_thread(lambda: _adapter(service, inbox))
    entries = adapter.read(body, origin=intake.origin(request))
    outcomes = await service.desk.submit(entries)
    for outcome in outcomes:
        service.metrics.booked(f"inbox:{inbox}", outcome)
    kept = Kept(
        statuses=[outcome.status.value for outcome in outcomes],
        quarantined=any(outcome.status in (Status.REFUSED, Status.CONFLICT) for outcome in outcomes),
    )
    return record(kept, max((outcome.position or 0 for outcome in outcomes), default=0))


@cache
def _adapter(service: Service, inbox: str) -> Adapter:
    """Made once: of a book it depends on what never changes."""
    found = service.settings.inboxes[inbox]
    try:
        return adapter_of(inbox, found.adapter, found.book, service.ledger)
    except UserError:
        raise Problem(ApiCode.FOUND, parameter="inbox") from None
