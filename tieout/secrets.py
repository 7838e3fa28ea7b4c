"""What must not be shown: who logs in to a server, and with which password.

Settings that are secrets are never put into a text. This is for the texts of others, which may quote what they were
given: a driver names the user, a command line that went wrong is repeated.
"""

import re

HIDDEN = "[hidden]"
_CREDENTIALS = re.compile(r"(:/{1,2})\S*@")
_PARAMETERS = re.compile(r"\b(user|password|sslpassword|options)=[^&\s]+")
_USER = re.compile(r"\b([Uu]ser|[Rr]ole) (?:\"[^\"]*\"|'[^']*')")
_ANY_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:/")
# One @ at most, and no / before it: with one that is not written as %40 or %2F, a part of the password would be taken
# for the host or the database, whose names are shown.
_POSTGRES_URL = re.compile(r"postgres(?:ql)?://(?:[^@/]*@)?[^@]*")
_PORTS = re.compile(r"(\d*,)*\d*")


def without_secrets(text: str) -> str:
    """A text without user and password of any URL in it, and without the user of a driver's message."""
    text = _CREDENTIALS.sub(rf"\1{HIDDEN}@", text)
    text = _PARAMETERS.sub(rf"\1={HIDDEN}", text)
    return _USER.sub(rf"\1 {HIDDEN}", text)


def is_any_url(text: str) -> bool:
    """Whether a text looks like a URL of any kind, also after it went through a path."""
    return _ANY_URL.match(text) is not None


def is_postgres_url(text: str) -> bool:
    """Whether a text is a URL of a PostgreSQL database, with every sign of a password that means something escaped."""
    if not _POSTGRES_URL.fullmatch(text):
        return False
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(text)
    except ProgrammingError:
        return False
    return _PORTS.fullmatch(str(parts.get("port", ""))) is not None
