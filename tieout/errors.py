"""What a person or program may be told when a command cannot do what was asked, and how the process ends.

    UserError           the caller can do something about it: a message key with its values, and an exit code
        UsageFault      the command line, a date or a setting is wrong (exit 2)
        NotFound        no such store, book, customer, document or entry (exit 5)
    ReaderGone          whoever read our answer has read enough (exit 0)

Everything else that escapes is an error of ours (exit 1).
"""

from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """How the process ends; docs/cli.md documents each."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNPROVED = 4
    NOT_FOUND = 5


class TextKey(str):
    """A value in a message that is itself a text of the message table."""


class UserError(Exception):
    """Something that the caller can put right; ``key`` names the message, which says what to do next."""

    exit: ClassVar[Exit] = Exit.FAILED

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class UsageFault(UserError):
    """The command line, a value on it, or a setting is wrong."""

    exit = Exit.USAGE


class NotFound(UserError):
    """What was named does not exist."""

    exit = Exit.NOT_FOUND


class ReaderGone(Exception):
    """The pipe that the answer goes to was closed at the other end, as by ``head``: nothing is wrong."""
