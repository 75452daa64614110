"""Corpora and runs at a glance: counts, signature, how far the run and its review have come."""

import json
from pathlib import Path
from typing import Any

from spanferry.flows.engine.store import MANIFEST, stage_at
from spanferry.flows.inspector.runs import Corpus, leads_out
from spanferry.flows.inspector.session import ReviewSession


def overview(session: ReviewSession) -> list[dict[str, Any]]:
    """One entry per dataset, outcomes of reviews included."""
    entries = []
    rows = {c.name: data.rows for c, data in zip(session.row_index.corpora, session.row_index.data, strict=True)}
    lines = session.lines()
    for corpus in session.all_corpora:
        decided = {key for key in lines if key[0] == corpus.name}
        report = corpus.report
        entries.append(
            {
                "name": corpus.name,
                "reviewed": _review_of(corpus),
                "rows": rows.get(corpus.name) or report.get("rows", 0),
                "kept": report.get("kept"),
                "spans": report.get("spans"),
                "projected": report.get("projected"),
                "reasons": list(report.get("reasons", {}).items())[:6],
                "signature": str(report.get("signature", "")),
                "decided": len(decided),
                "stages": _stages(corpus.folder),
            }
        )
    return entries


def plots_of(corpus: Corpus) -> dict[str, Path]:
    """The pictures of a dataset's report by name."""
    found = sorted((corpus.folder / "plots").glob("*.svg"))
    return {path.name: path for path in found if not leads_out(path, corpus.folder)}


def page_of(corpus: Corpus) -> Path | None:
    """The run's ``report.html``; None where there is none, or where it leads out of the run."""
    page = corpus.folder / "report.html"
    return page if page.is_file() and not leads_out(page, corpus.folder) else None


def _review_of(corpus: Corpus) -> dict[str, Any] | None:
    if not corpus.reviewed:
        return None
    try:
        return dict(json.loads((corpus.folder / "review.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _stages(folder: Path) -> list[dict[str, Any]]:
    """The stages of the run that a dataset belongs to: shards done, of how many, the newest directory of each name."""
    newest: dict[str, tuple[float, int]] = {}
    total = 0
    for manifest in folder.parent.glob(f"stages/*/{MANIFEST}"):
        stage = stage_at(manifest.parent)
        language = stage.name.partition("-")[2]
        if language not in ("", folder.name):
            continue
        if stage.name == "read":
            total = max(total, stage.shards or 0)
        newest[stage.name] = max(newest.get(stage.name, (0.0, 0)), (manifest.stat().st_mtime, len(stage.entries())))
    order = ("read", "segment", "translate", "fit", "project", "score", "filter")
    found = []
    for name, (_, done) in sorted(newest.items(), key=lambda item: _rank(item[0], order)):
        whole = 1 if name.partition("-")[0] in ("fit", "filter") else max(total, done)
        found.append({"name": name, "done": min(done, whole), "of": whole})
    return found


def _rank(name: str, order: tuple[str, ...]) -> int:
    stage = name.partition("-")[0]
    return order.index(stage) if stage in order else len(order)
