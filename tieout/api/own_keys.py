"""Routes for API keys: list, make, revoke. Only an administrator of all books has them; a key is shown once."""

from contextlib import closing
from datetime import date, datetime, time
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response
from msgspec import Meta

from ledger.api_keys import ApiKey, ApiKeys
from ledger.database import connect
from projections.log import instant
from tieout.api import intake, keys, schemas
from tieout.api.pages import record
from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem
from tieout.api.roles import Grant, Role
from tieout.api.service import Service
from tieout.clock import microseconds

KeyId = Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="The key's id.", examples=["0123456789ab"])]


_NAME = r"^[^\x00-\x1f\x7f]+$"
_GRANT = rf"^({'|'.join(Role)}):([a-z0-9][a-z0-9-]{{0,31}}|\*)$"


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without its secret, which nobody has."""

    key_id: Annotated[str, Meta(description="Its id, the part of its text that is no secret.")]
    name: Annotated[str, Meta(description="What it is called: it acts as key:<name>.")]
    grants: Annotated[list[str], Meta(description="Roles in books: role:book, or role:* for all books.")]
    created_at: Annotated[datetime, Meta(description="When it was made, UTC.")]
    created_by: Annotated[str, Meta(description="Who made it.")]
    expires_at: Annotated[datetime | None, Meta(description="When it ends, UTC; null: when it is revoked.")]
    revoked_at: Annotated[datetime | None, Meta(description="When it was revoked, UTC.")]
    revoked_by: Annotated[str | None, Meta(description="Who revoked it.")]


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """What a key is to be."""

    name: Annotated[
        str,
        Meta(description="What it is called; once among those that are live.", max_length=100, pattern=_NAME),
    ]
    grants: Annotated[
        list[Annotated[str, Meta(pattern=_GRANT)]],
        Meta(description="Roles in books: role:book, or role:*.", min_length=1),
    ]
    expires_on: Annotated[date | None, Meta(description="The day at whose end it ends, UTC; null: never.")] = None


class MadeKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was made."""

    key: Annotated[str, Meta(description="The key itself, shown only now.")]


class Myself(msgspec.Struct, frozen=True, kw_only=True):
    """Who a request is from."""

    subject: Annotated[str, Meta(description="What events name as their actor.")]
    kind: Annotated[str, Meta(description="key or token.")]
    grants: Annotated[list[str], Meta(description="Roles in books: role:book, or role:*.")]


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["access"])
    admin = [permitted(Role.ADMIN)]
    routes.add_api_route(
        "/me",
        myself,
        methods=["GET"],
        dependencies=[permitted(Role.READER, somewhere=True)],
        operation_id="me",
        summary="Who the credential is of, and what it may",
        responses=schemas.of_record(Myself),
    )
    routes.add_api_route(
        "/keys",
        list_keys,
        methods=["GET"],
        dependencies=admin,
        operation_id="list-keys",
        summary="All keys there ever were",
        responses=schemas.of_record(list[KeyRow]),
    )
    routes.add_api_route(
        "/keys",
        make_key,
        methods=["POST"],
        dependencies=admin,
        operation_id="make-key",
        summary="Make a key; its text is shown only now",
        status_code=201,
        responses={201: schemas.of_record(MadeKey)[200]},
        openapi_extra=schemas.with_body(NewKey),
    )
    routes.add_api_route(
        "/keys/{key_id}/revocation",
        revoke_key,
        methods=["POST"],
        dependencies=admin,
        operation_id="revoke-key",
        summary="Revoke a key; every server knows within five seconds",
        responses=schemas.of_record(KeyRow),
    )
    return routes


async def myself(request: Request) -> Response:
    """By the credential of this very request."""
    service: Service = request.app.state.service
    principal = request.state.principal
    found = Myself(subject=principal.subject, kind=principal.kind, grants=sorted(map(str, principal.grants)))
    return record(found, await service.in_thread(service.position))


async def list_keys(request: Request) -> Response:
    """By the time that they were made; revoked and expired ones too."""
    service: Service = request.app.state.service

    def found() -> tuple[list[KeyRow], int]:
        with closing(connect(service.settings.location)) as connection:
            return [_row(key) for key in ApiKeys(connection).all()], service.position()

    return record(*await service.in_thread(found))


async def make_key(request: Request) -> Response:
    """Its secret is kept by nobody: what is stored is a hash."""
    service: Service = request.app.state.service
    wanted: NewKey = await intake.body_of(request, NewKey)
    grants = [Grant.parse(text) for text in wanted.grants]
    expires_us = None if wanted.expires_on is None else microseconds(_end_of(wanted.expires_on))
    by, now_us = request.state.principal.subject, microseconds(service.now())
    if expires_us is not None and expires_us <= now_us:
        raise Problem(
            ApiCode.PARAMETER,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            pointer="/expires_on",
            rule="expires_on: must not be in the past",
        )

    def made() -> str | None:
        with closing(connect(service.settings.location)) as connection:
            return keys.create(connection, wanted.name, grants, by=by, now_us=now_us, expires_us=expires_us)

    text = await service.in_thread(made)
    if text is None:
        raise Problem(ApiCode.NAME, pointer="/name")
    response = record(MadeKey(key=text), await service.in_thread(service.position))
    response.status_code = 201
    return response


async def revoke_key(request: Request, key_id: KeyId) -> Response:
    """For ever; one that was revoked before stays as it is."""
    service: Service = request.app.state.service
    by, now_us = request.state.principal.subject, microseconds(service.now())

    def revoked() -> ApiKey | None:
        with closing(connect(service.settings.location)) as connection:
            known = ApiKeys(connection)
            known.revoke(key_id, by, now_us)
            return known.get(key_id)

    found = await service.in_thread(revoked)
    if found is None:
        raise Problem(ApiCode.FOUND, parameter="key_id")
    return record(_row(found), await service.in_thread(service.position))


def _row(key: ApiKey) -> KeyRow:
    return KeyRow(
        key_id=key.key_id,
        name=key.name,
        grants=list(key.grants),
        created_at=instant(key.created_us),
        created_by=key.created_by,
        expires_at=None if key.expires_us is None else instant(key.expires_us),
        revoked_at=None if key.revoked_us is None else instant(key.revoked_us),
        revoked_by=key.revoked_by,
    )


def _end_of(day: date) -> datetime:
    from datetime import UTC, timedelta

    try:
        return datetime.combine(day + timedelta(days=1), time(), UTC)
    except OverflowError:
        raise Problem(ApiCode.PARAMETER, pointer="/expires_on", rule="expires_on: must be a day of this age") from None
