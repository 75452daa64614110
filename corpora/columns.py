"""Names of columns for text fields, whatever the fields are called.

A field keeps its name unless that would clash with another column, now or by the rule itself: then ``text_`` stands in
front. The rule looks at the name alone, so two fields never share a column, and the field is found again.
"""

from collections.abc import Callable, Collection

PREFIX = "text_"


def column_of(field: str, taken: Collection[str] | Callable[[str], bool], prefix: str = PREFIX) -> str:
    """The column of a text field.

    Args:
        field: Its name.
        taken: Columns that are not text fields, none of which starts with the prefix, or a function that decides
            whether a name is one.
        prefix: What is put in front.

    >>> [column_of(field, {"id"}) for field in ("id", "text_id", "question", "text_a")]
    ['text_id', 'text_text_id', 'question', 'text_a']
    """
    return prefix + field if _is_taken(_bare(field, prefix), taken) else field


def field_of(column: str, taken: Collection[str] | Callable[[str], bool], prefix: str = PREFIX) -> str:
    """Reverse of ``column_of``.

    >>> [field_of(column, {"id"}) for column in ("text_id", "text_text_id", "question", "text_a")]
    ['id', 'text_id', 'question', 'text_a']
    """
    is_ours = column.startswith(prefix) and _is_taken(_bare(column, prefix), taken)
    return column.removeprefix(prefix) if is_ours else column


def _bare(name: str, prefix: str) -> str:
    while name.startswith(prefix):
        name = name.removeprefix(prefix)
    return name


def _is_taken(name: str, taken: Collection[str] | Callable[[str], bool]) -> bool:
    return taken(name) if callable(taken) else name in taken


# What stands beside the text fields in a Label Studio task of ours.
LABEL_STUDIO_OURS, LABEL_STUDIO_SOURCE = "spanferry", "source_"


def is_label_studio_key(name: str) -> bool:
    """Whether a key or a tag of a Label Studio task that is not a text field's has this name."""
    return name in (LABEL_STUDIO_OURS, "class") or name.startswith((LABEL_STUDIO_SOURCE, "label_"))
