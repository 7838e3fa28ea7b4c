"""Whether somebody may have a command booked: by the role that it takes, and in nobody's name but his own.

The routes of single commands see to both before they read a body. Here it is asked of commands that name themselves:
lines of many, what stands in quarantine, and what somebody else is asked to approve.
"""

from collections.abc import Iterator

from consumers.problems import Fault, invalid
from domain.commands import Command, RequestApproval
from tieout.api.problems import RULES, ApiCode
from tieout.api.roles import Principal, Role

_ROLES: dict[str, tuple[Role, ...]] = {
    "OpenBook": (Role.ADMIN,),
    "ChangePostingTemplate": (Role.ADMIN,),
    "ChangeBookPolicies": (Role.ADMIN,),
    "ChangeAuthorities": (Role.ADMIN,),
    "ChangeAllowanceMatrix": (Role.ADMIN,),
    "ClosePeriod": (Role.CLOSER,),
    "ReopenPeriod": (Role.CLOSER,),
    "PostAllowance": (Role.CLOSER,),
    "PostRevaluation": (Role.CLOSER,),
    "RecogniseRevenue": (Role.CLOSER, Role.POSTER),
    "GiveApproval": (Role.APPROVER,),
    # Whoever made a request may take it back.
    "RefuseApproval": (Role.APPROVER, Role.POSTER),
    "RequestApproval": (Role.POSTER, Role.CLOSER),
}
"""Who may send a command, where it is not a poster."""


def roles_of(command: str) -> tuple[Role, ...]:
    """The roles of which any is enough for a command."""
    return _ROLES.get(command, (Role.POSTER,))


def fault_of(principal: Principal, book: str, command: Command, *, in_own_name: bool = True) -> Fault | None:
    """Why it is not booked for him; None where it may be. ``in_own_name``: whoever it names as actor must be himself."""
    if command.book != book:
        return invalid("book", "", f"must be {book}")
    if not _may(principal, book, command.command):
        return _fault(ApiCode.ROLE, "command")
    # Who may not do a thing is not its maker either, whoever approves it.
    if isinstance(command, RequestApproval) and not _may(principal, book, command.instruction.command):
        return _fault(ApiCode.ROLE, "instruction.command")
    if in_own_name:
        for field, actor in _actors(command):
            if actor not in (None, principal.subject):
                return _fault(ApiCode.ACTOR, field)
    return None


def _may(principal: Principal, book: str, command: str) -> bool:
    return any(principal.may(role, book) for role in roles_of(command))


def _actors(command: Command) -> Iterator[tuple[str, str | None]]:
    yield "actor", command.actor
    if isinstance(command, RequestApproval):
        yield "instruction.actor", command.instruction.actor


def _fault(code: ApiCode, field: str) -> Fault:
    return Fault(code.value, field, "", RULES[code])
