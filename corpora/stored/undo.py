"""From a code-switched row back to its source, by its own record of changes."""

from collections.abc import Mapping
from typing import Any

from spanferry.corpora.stored.switch_schema import column_of


def undone(row: Mapping[str, Any]) -> dict[str, str]:
    """The texts that the row was made from, by field.

    Args:
        row: An emitted row: the text columns, and ``switches``.

    >>> switch = {"field": "text", "start": 4, "end": 8, "source_text": "house"}
    >>> undone({"text": "The casa.", "switches": [switch]})
    {'text': 'The house.'}
    """
    texts: dict[str, str] = {}
    rest: dict[str, int] = {}
    for switch in row["switches"]:
        field = switch["field"]
        text, at = row[column_of(field)], rest.get(field, 0)
        texts[field] = texts.get(field, "") + text[at : switch["start"]] + switch["source_text"]
        rest[field] = switch["end"]
    return {field: done + row[column_of(field)][rest[field] :] for field, done in texts.items()}
