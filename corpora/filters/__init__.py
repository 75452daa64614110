"""Noise filters: each scores rows, and separately accepts them, so a threshold changes without scoring again.

The order of ``FILTERS`` is the order of columns and of reasons. All but the ``OPTIONAL`` ones
were made mild for labelled data: none drops a row for being short, in title case, full of numbers or holding a
placeholder.
"""

from spanferry.corpora.filters.apply import build, counted, decide, score
from spanferry.corpora.filters.base import Column, Filter
from spanferry.corpora.filters.known import FILTERS, OPTIONAL, default_names
from spanferry.corpora.filters.table import removal_table


def default_filters(*, given: bool = False) -> list[Filter]:
    """The filters that a run has by itself, with their default options, in the table's order.

    Args:
        given: Whether the translations were given; the translator's words are not judged then.

    >>> "copy" in [filter.name for filter in default_filters()]
    True
    """
    return build([{"kind": kind} for kind in default_names(given=given)])


__all__ = [
    "FILTERS",
    "OPTIONAL",
    "Column",
    "Filter",
    "build",
    "counted",
    "decide",
    "default_filters",
    "default_names",
    "removal_table",
    "score",
]
