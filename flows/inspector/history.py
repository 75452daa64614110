"""The log as a page: newest first, with what has been taken back and what does not fit the data any more."""

from collections.abc import Mapping
from typing import Any

from spanferry.flows.inspector.session import ReviewSession
from spanferry.flows.inspector.table import Pages


def history_page(session: ReviewSession, parameters: Mapping[str, str]) -> dict[str, Any]:
    """What the page shows.

    Args:
        session: The decisions.
        parameters: ``page``; ``stale=yes`` for what does not fit any more.
    """
    only_stale = parameters.get("stale") == "yes"
    lines = [(key, d) for key, found in session.lines().items() for d in found]
    lines.sort(key=lambda item: item[1].when, reverse=True)
    undone = {d.undoes for _, d in lines if d.action == "undo"}
    why = {s.decision.id: (row, s.reason) for row, s in session.stale()}
    lost = {d.id for _, d in session.lost()}
    count = len({*why, *lost} - undone)
    if only_stale:
        lines = [(key, d) for key, d in lines if d.id in why or d.id in lost]
    pages = Pages.of(parameters.get("page", ""), len(lines))
    shown = []
    for key, decision in lines[pages.slice]:
        rows = [] if decision.id in lost else _rows(session, key)
        shown.append(
            {
                "decision": decision,
                "corpus": key[0],
                "row": why[decision.id][0] if decision.id in why else (rows[0] if rows else None),
                "stale": "no_example" if decision.id in lost else why.get(decision.id, (0, ""))[1],
                "undone": decision.id in undone,
            }
        )
    broken = {str(path): found for path, found in session.unread().items()}
    return {"lines": shown, "pages": pages, "stale": count, "only_stale": only_stale, "broken": broken}


def _rows(session: ReviewSession, key: tuple[str, str, str]) -> list[int]:
    names = [c.name for c in session.row_index.corpora]
    if key[0] not in names:
        return []
    return session.row_index.rows_of(names.index(key[0]), [key[2]]).get(key[1:], [])
