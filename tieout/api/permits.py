"""Who may call a route: a credential that is valid, of somebody who has one of the route's roles in its book.

What else a route demands of every request is looked at after that, so that nobody else learns of it.
"""

from typing import Any

import structlog
from fastapi import Depends, Request

from tieout.api.denied import AccessDenied, Reason
from tieout.api.parameters import refuse_unknown
from tieout.api.problems import ApiCode, Problem
from tieout.api.roles import EVERY_BOOK, Principal, Role
from tieout.api.service import Service

log = structlog.get_logger(__name__)


class Permit:
    """Lets in who has one of the ``roles``, in the book of the path or, where the path has none, in every book.

    ``somewhere``: in any book is enough, and the answer is of those books. ``by_password``: a browser may ask for the
    key, as the password of HTTP Basic; for pages only.
    """

    def __init__(self, *roles: Role, somewhere: bool = False, by_password: bool = False) -> None:
        self.roles, self.somewhere, self.by_password = roles, somewhere, by_password

    async def __call__(self, request: Request) -> None:
        """Raises ``Problem`` where the request may not pass; ``request.state.principal`` is who makes it."""
        service: Service = request.app.state.service
        try:
            principal = await service.access.authenticate(_authorization(request), basic=self.by_password)
        except AccessDenied as denied:
            raise self._not_known(denied) from None
        request.scope["state"] |= {"principal": principal, "subject": principal.subject}
        book = request.path_params.get("book", EVERY_BOOK)
        if not self._passes(principal, book):
            log.warning(
                "access_denied",
                reason="role",
                subject=principal.subject,
                book=book,
                roles=[role.value for role in self.roles],
                request_id=request.state.request_id,
            )
            raise Problem(ApiCode.ROLE, roles=[role.value for role in self.roles], book=book)
        refuse_unknown(request)

    def _passes(self, principal: Principal, book: str) -> bool:
        if self.somewhere:
            return any(principal.books(role) != frozenset() for role in self.roles)
        return any(principal.may(role, book) for role in self.roles)

    def _not_known(self, denied: AccessDenied) -> Problem:
        if denied.is_temporary:
            return Problem(ApiCode.ROOM, reason=denied.reason.value)
        challenge = 'Bearer realm="tieout"'
        if self.by_password:
            challenge = 'Basic realm="tieout: any name, an API key as password", charset="UTF-8"'
        if denied.reason is Reason.MISSING:
            return Problem(ApiCode.CREDENTIAL_GIVEN, headers={"WWW-Authenticate": challenge})
        if not self.by_password:
            challenge += ', error="invalid_token"'
        return Problem(ApiCode.CREDENTIAL_VALID, reason=denied.reason.value, headers={"WWW-Authenticate": challenge})


def _authorization(request: Request) -> str | None:
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            found: str = value.decode("latin-1")
            return found
    return None


def permitted(*roles: Role, somewhere: bool = False, by_password: bool = False) -> Any:
    """The dependency of a route that these may call."""
    return Depends(Permit(*roles, somewhere=somewhere, by_password=by_password))
