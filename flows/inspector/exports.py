"""Rows of a query as a file to take away, in any format that a writer has, corrected or as they were projected."""

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp

from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from spanferry.corpora.errors import unknown_name
from spanferry.corpora.review.applying import review_row
from spanferry.corpora.schema import Pair
from spanferry.corpora.writers import WRITERS, open_writer, writer_options
from spanferry.flows.inspector.query import Query
from spanferry.flows.inspector.session import ReviewSession

DECISIONS = "decisions"
# Formats of one language that people open in other tools; a writer that is not there is not offered.
EXPORTS = [name for name in ("jsonl", "conll", "label_studio", "doccano") if name in WRITERS] + [DECISIONS]
_BATCH = 500


def export_file(session: ReviewSession, query: Query, name: str, *, corrected: bool) -> Response:
    """A zip with the files of a format, of the rows that ``query`` finds.

    Args:
        session: The rows.
        query: Which of them; the order is that of the query.
        name: One of ``EXPORTS``.
        corrected: Whether decisions are applied.

    Raises:
        ConfigError: There is no such format.
        OutputError: The format can't hold the rows.
    """
    if name not in EXPORTS:
        raise unknown_name("export format", name, EXPORTS)
    folder = Path(mkdtemp(prefix="spanferry-export-"))
    try:
        out = folder / "out"
        out.mkdir()
        if name == DECISIONS:
            _copy_logs(session, out)
        else:
            options = {"allow_loss": True} if "allow_loss" in writer_options(name) else {}
            open_writer(name, options).write(_pairs(session, session.rows(query).tolist(), corrected), out)
        archive = folder / f"{name}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(p for p in out.rglob("*") if p.is_file()):
                packed.write(path, path.relative_to(out))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(out)
    done = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(archive, filename=f"spanferry-{name}.zip", media_type="application/zip", background=done)


def _pairs(session: ReviewSession, rows: Sequence[int], corrected: bool) -> Iterator[list[Pair]]:
    for at in range(0, len(rows), _BATCH):
        batch = []
        for row in rows[at : at + _BATCH]:
            pair = session.row_index.pair(row)
            batch.append(review_row(pair, session.state(row, pair)).pair if corrected else pair)
        yield batch


def _copy_logs(session: ReviewSession, out: Path) -> None:
    for number, path in enumerate(session.logs):
        if path.is_file():
            shutil.copyfile(path, out / (path.name if len(session.logs) == 1 else f"{number}-{path.name}"))
