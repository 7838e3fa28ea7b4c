"""Which addresses only this machine reaches, and which an issuer may have.

The keys of an issuer decide who is let in, so nobody on the way may exchange them.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

HERE = frozenset(("localhost", "127.0.0.1"))
"""Machines that may do without encryption: only this one."""


def is_of_this_machine(host: str) -> bool:
    """Whether what listens there is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_protected(url: str) -> bool:
    """Whether a URL is https, or http on this machine; and names no user, since it may be shown."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in HERE)
