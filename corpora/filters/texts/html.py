"""Markup that the source does not have."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair

_MARKUP = re.compile(r"<(/?[A-Za-z][\w:-]*)(?:\s[^<>]*)?/?>|(&(?:#\d+|#x[0-9A-Fa-f]+|[A-Za-z]\w*);)")


class Html(FilterModel):
    """Rejects a target with HTML tags or entities that its source does not have.

    ``html.added`` counts them. What the source has and the target lost is the business of ``copy``. OpusFilter's
    ``HtmlTagFilter`` rejects every row with a tag, which on labelled interface texts would be most of them.

    Attributes:
        max_added: Most tags and entities that the target may add.
    """

    name: ClassVar[str] = "html"

    max_added: int = Field(default=0, ge=0)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``html.added``; low is good."""
        return (Column("html.added", pl.Int32, high=self.max_added),)

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        added: list[int | None] = []
        for pair in pairs:
            sides = (pair.target, pair.source)
            own, known = (_markup(side.texts.values()) if side else Counter[str]() for side in sides)
            added.append(None if pair.target is None else (own - known).total())
        return {"html.added": added}

    def reject(self) -> list[Rule]:
        """``html:added``."""
        return [("html:added", pl.col("html.added") > self.max_added)]


def _markup(texts: Any) -> Counter[str]:
    return Counter((tag or entity).lower() for text in texts for tag, entity in _MARKUP.findall(text))
