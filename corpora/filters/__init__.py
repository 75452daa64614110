"""Noise filters: each scores rows, and separately accepts them, so a threshold changes without scoring again.

The order of ``FILTERS`` is the order of columns and of reasons. All but the ``OPTIONAL`` ones
were made mild for labelled data: none drops a row for being short, in title case, full of numbers or holding a
placeholder.
"""

from spanferry.corpora.filters.apply import build, decide, score
from spanferry.corpora.filters.base import Column, Filter
from spanferry.corpora.filters.known import FILTERS, OPTIONAL
from spanferry.corpora.filters.table import removal_table


def default_filters() -> list[Filter]:
    """The filters of the table that are not optional, with their default options, in the table's order."""
    return build([{"kind": kind} for kind in FILTERS if kind not in OPTIONAL])


__all__ = ["FILTERS", "OPTIONAL", "Column", "Filter", "build", "decide", "default_filters", "removal_table", "score"]
