"""The rows of one page of the table, and the shape of its pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spanferry.flows.inspector.languages import direction, shown
from spanferry.flows.inspector.session import NAMES, ReviewSession, status_of

PAGE_ROWS = 50
_SNIPPET = 160  # characters


@dataclass(frozen=True, slots=True)
class Pages:
    """Where a page stands among the others.

    Attributes:
        number: Counted from 1.
        count: Of pages; at least 1.
        rows: Of all pages.
    """

    number: int
    count: int
    rows: int

    @classmethod
    def of(cls, asked: str, rows: int, page_rows: int = PAGE_ROWS) -> "Pages":
        """The page that is nearest to what was asked for."""
        count = max(1, -(-rows // page_rows))
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
        return cls(min(max(number, 1), count), count, rows)

    @property
    def slice(self) -> slice:
        """Its part of the rows."""
        return slice((self.number - 1) * PAGE_ROWS, self.number * PAGE_ROWS)


def table_rows(session: ReviewSession, rows: Sequence[int]) -> list[dict[str, Any]]:
    """What the table shows of rows."""
    found = []
    for row in rows:
        pair = session.row_index.pair(row)
        state = session.state(row, pair)
        source, target = pair.source, pair.target
        placed = [p for p in pair.projections if p.span is not None]
        found.append(
            {
                "row": row,
                "id": shown(source.id, 60),
                "source": shown(source.text, _SNIPPET),
                "source_lang": source.lang,
                "source_dir": direction(source.lang),
                "target": shown(target.text, _SNIPPET) if target else None,
                "lang": target.lang if target else "",
                "dir": direction(target.lang) if target else "ltr",
                "labels": sorted({span.label for span in source.spans}),
                "score": min((p.score for p in placed), default=None),
                "methods": sorted({p.method for p in placed}),
                "reasons": [*pair.reasons, *(f"span:{p.reason}" for p in pair.projections if p.span is None)],
                "kept": pair.kept,
                "status": NAMES[status_of(pair, state)],
                "flagged": state.flagged,
            }
        )
    return found
