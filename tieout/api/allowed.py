"""Whether somebody may have a command booked: by the role that it takes, and in nobody's name but his own.

The routes of single commands see to both before they read a body. Here it is asked of commands that name themselves:
lines of many, and what stands in quarantine.
"""

from collections.abc import Iterator

from consumers.problems import Fault, invalid
from domain.commands import Command, RequestApproval
from tieout.api.commands import ROLES
from tieout.api.problems import RULES, ApiCode
from tieout.api.roles import Principal, Role


def fault_of(principal: Principal, book: str, command: Command, *, in_own_name: bool = True) -> Fault | None:
    """Why it is not booked for him; None where it may be. ``in_own_name``: whoever it names as actor must be himself."""
    if command.book != book:
        return invalid("book", "", f"must be {book}")
    if not any(principal.may(role, book) for role in ROLES.get(command.command, (Role.POSTER,))):
        return _fault(ApiCode.ROLE, "command")
    if in_own_name:
        for field, actor in _actors(command):
            if actor not in (None, principal.subject):
                return _fault(ApiCode.ACTOR, field)
    return None


def _actors(command: Command) -> Iterator[tuple[str, str | None]]:
    yield "actor", command.actor
    if isinstance(command, RequestApproval):
        yield "instruction.actor", command.instruction.actor


def _fault(code: ApiCode, field: str) -> Fault:
    return Fault(code.value, field, "", RULES[code])
