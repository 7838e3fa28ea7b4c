"""Which fields of schemas do not say what they are."""

from collections.abc import Iterator
from typing import Any


def described(schema: dict[str, Any]) -> bool:
    """Whether a property says what it is, or each of its alternatives but null does."""
    if schema.get("description"):
        return True
    others = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return bool(others) and all(one.get("description") for one in others)


def undescribed(schema: Any, place: str) -> Iterator[str]:
    """The properties of a schema, and of all that is in it, that do not say what they are."""
    if isinstance(schema, list):
        for n, inner in enumerate(schema):
            yield from undescribed(inner, f"{place}/{n}")
    elif isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            if not described(inner):
                yield f"{place}.{name}"
            yield from undescribed(inner, f"{place}.{name}")
        for name, inner in schema.items():
            if name not in ("properties", "default", "examples"):
                yield from undescribed(inner, f"{place}/{name}")
