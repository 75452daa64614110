"""The arguments of a request, checked by type: JSON from a stranger may hold anything in any place."""

from collections.abc import Mapping
from typing import Any

from spanferry.flows.inspector.edits import Refused


def string(asked: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """The string at ``key``.

    Args:
        asked: The request.
        key: Of the argument.
        default: Where it is missing; None: it must be there.

    Raises:
        Refused: It is missing, is not a string, or can't be stored as UTF-8.
    """
    value = asked.get(key, default)
    if not isinstance(value, str):
        raise Refused(f"{key} must be a string")
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise Refused(f"{key} holds half a character")
    return value


def whole(asked: Mapping[str, Any], key: str) -> int:
    """The whole number at ``key``; true and false are not numbers.

    Raises:
        Refused: It is missing or is not one.
    """
    value = asked.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(f"{key} must be a whole number")
    return value


def place(value: Any, key: str) -> int | None:
    """An offset, or None where there is none.

    Raises:
        Refused: It is neither.
    """
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise Refused(f"{key} must be a whole number")
    return value


def pairs(asked: Mapping[str, Any], key: str) -> list[tuple[int, int]]:
    """The list of (start, end) at ``key``; empty where it is missing.

    Raises:
        Refused: It is not one.
    """
    value = asked.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(part, list) and len(part) == 2 for part in value):
        raise Refused(f"{key} must be a list of pairs")
    if not all(isinstance(edge, int) and not isinstance(edge, bool) for part in value for edge in part):
        raise Refused(f"{key} must hold whole numbers")
    return [(a, b) for a, b in value]


def strings(asked: Mapping[str, Any], key: str) -> dict[str, str]:
    """The object of strings at ``key``.

    Raises:
        Refused: It is not one.
    """
    value = asked.get(key)
    if not isinstance(value, dict):
        raise Refused(f"{key} must be an object")
    return {name: string(value, name) for name in value}
