"""Cells of tables that people open in a spreadsheet."""

from typing import Any

# What makes a spreadsheet take a cell for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: Any) -> Any:
    """The value as a cell that no spreadsheet runs: text that starts like a formula gets an apostrophe in front.

    Only for tables that are there to be looked at: what is read back by programs stays as it is.

    >>> [safe_cell(value) for value in ("=1+1", "-0.5", -0.5, "@here", "word")]
    ["'=1+1", '-0.5', -0.5, "'@here", 'word']
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value if value.isprintable() else f"'{value}"
