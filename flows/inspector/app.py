"""The web page: addresses to pages. What a page shows and what a decision does lies in the other modules."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from spanferry.corpora.errors import OutputError, SpanferryError
from spanferry.corpora.review.decisions import undoable
from spanferry.corpora.schema import Pair
from spanferry.flows.inspector.acceptance import acceptance
from spanferry.flows.inspector.asked import string, strings, whole
from spanferry.flows.inspector.edits import Conflict, Refused
from spanferry.flows.inspector.exports import EXPORTS, export_file
from spanferry.flows.inspector.guard import App, Guard
from spanferry.flows.inspector.history import history_page
from spanferry.flows.inspector.languages import shown
from spanferry.flows.inspector.overview import overview, page_of, plots_of
from spanferry.flows.inspector.query import AGREEMENT, KEPT, REVIEW, SORTS, Query
from spanferry.flows.inspector.row_index import NotReady
from spanferry.flows.inspector.session import BULK_LIMIT, ReviewSession
from spanferry.flows.inspector.table import Pages, table_rows
from spanferry.flows.inspector.views import cropped, matrix_view, pair_view, wish_of

_HERE = Path(__file__).parent
_PATIENCE = 1.0  # seconds that a page waits for the index before it says how far that is
_STATUS = {Conflict: 409, Refused: 422, OutputError: 507, SpanferryError: 400, IndexError: 404, NotReady: 202}
# Word ranges of both sides and a table of probabilities for one field of a pair; None where there is no alignment.
Matrix = Callable[[str, Pair, str], tuple[Sequence[Any], Sequence[Any]] | None]


def build_app(
    session: ReviewSession,
    *,
    title: str,
    token: str | None = None,
    anywhere: bool = False,
    matrix: Matrix | None = None,
) -> App:
    """The application, with its guard in front.

    Args:
        session: The rows and what is decided on them.
        title: What is inspected, for the pages' heads.
        token: Asked of every request; None asks nothing.
        anywhere: Whether the server goes by other names than this machine's own.
        matrix: Aligns a pair: dataset's name, pair, field.
    """
    app = FastAPI(title="Spanferry", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["shown"] = shown
    templates.globals.update(title=title, matrix=matrix is not None)
    site = _Site(session, templates, matrix)
    pages: dict[str, Callable[..., Response]] = {
        "/": site.runs,
        "/rows": site.rows,
        "/pair/{row}": site.pair,
        "/api/pair/{row}": site.pair_data,
        "/api/matrix/{row}": site.matrix_data,
        "/report": site.report,
        "/plots/{number}/{name}": site.plot,
        "/run-report/{number}": site.run_report,
        "/history": site.history,
        "/export": site.export,
    }
    actions: dict[str, Callable[..., Response]] = {
        "/api/decide": site.decide,
        "/api/undo": site.undo,
        "/api/bulk": site.bulk,
    }
    for path, page in pages.items():
        app.add_api_route(path, page, methods=["GET"], response_class=HTMLResponse)
    for path, action in actions.items():
        app.add_api_route(path, action, methods=["POST"])
    for error, status in _STATUS.items():
        app.add_exception_handler(error, partial(_failed, templates, status))
    app.add_exception_handler(RequestValidationError, partial(_failed, templates, 422))
    return Guard(app, token, anywhere=anywhere)


# Opened by itself, a file of the run may bring its own style, and nothing else.
_ALONE = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


class _Site:
    """The pages. Handlers are plain functions: the server runs each in a thread of its own."""

    def __init__(self, session: ReviewSession, templates: Environment, matrix: Matrix | None) -> None:
        self.session, self.templates, self.matrix = session, templates, matrix

    def _page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(name).render(**values), status)

    def runs(self) -> Response:
        """Corpora and runs."""
        self.session.refresh()
        return self._page("runs.html", here="runs", corpora=overview(self.session))

    def rows(self, request: Request) -> Response:
        """The table."""
        self.session.refresh()
        query = Query.of(request.query_params)
        try:
            found = self.session.rows(query, _PATIENCE)
            facets = self.session.row_index.facets if not query.plain or self.session.row_index.ready else {}
        except NotReady as wait:
            return self._page("wait.html", 202, here="rows", share=wait.share)
        pages = Pages.of(request.query_params.get("page", ""), len(found))
        untouched = len(self.session.untouched(query)) if self.session.row_index.ready else 0
        return self._page(
            "rows.html",
            here="rows",
            rows=table_rows(self.session, found[pages.slice].tolist()),
            pages=pages,
            query=query,
            facets=facets,
            untouched=untouched,
            bulk_limit=BULK_LIMIT,
            choices={"kept": KEPT, "agreement": AGREEMENT, "review": REVIEW, "sort": SORTS},
        )

    def pair(self, row: int, request: Request) -> Response:
        """The pair view; its script asks for the data."""
        self.session.row_index.locate(row)
        query = Query.of(request.query_params)
        return self._page("pair.html", here="rows", row=row, query=query)

    def pair_data(self, row: int, request: Request) -> Response:
        """A row, its neighbours, and everything its page needs."""
        self.session.refresh()
        return JSONResponse(self._row(row, Query.of(request.query_params)))

    def _row(self, row: int, query: Query) -> dict[str, Any]:
        row_index = self.session.row_index
        pair = row_index.pair(row)
        number, _ = row_index.locate(row)
        view = pair_view(pair, self.session.state(row, pair))
        before, after, place, count = self.session.beside(query, row)
        own = row_index.labels(number) if row_index.ready else []
        labels = [*own, *sorted({s["label"] for s in view["spans"]} - set(own))]
        others = [name for name, _ in row_index.facets["label"] if name not in set(labels)] if row_index.ready else []
        return view | {
            "number": row,
            "corpus": row_index.corpora[number].name,
            "dataset": row_index.data[number].version,
            "before": before,
            "after": after,
            "place": place,
            "count": count,
            "labels": labels,
            "others": others,
            "last": undoable(self.session.lines_of(row, pair)) or self.session.last_own(),
        }

    def matrix_data(self, row: int, request: Request) -> Response:
        """The alignment of one field."""
        pair = self.session.row_index.pair(row)
        field = request.query_params.get("field", "")
        if self.matrix is None or pair.target is None or not {field} <= set(pair.source.texts) & set(pair.target.texts):
            raise Refused("there is no alignment for this row")
        found = self.matrix(self.session.row_index.corpus(row).name, pair, field)
        if found is None:
            raise Refused("the texts are too long, or there is nothing to align them by")
        view = matrix_view(pair.source.texts[field], pair.target.texts[field], *found)
        view |= cropped(view, _edge(request, "source"), _edge(request, "target"))
        return JSONResponse(view)

    def decide(self, request: Request, asked: dict[str, Any]) -> Response:
        """One decision, on the disk before the answer."""
        row, version, dataset = whole(asked, "row"), whole(asked, "version"), string(asked, "dataset")
        self.session.refresh()
        made = self.session.decide(row, version, dataset, wish_of(self.session.row_index.pair(row), asked))
        return JSONResponse({"decision": made.id, "row": self._row(row, Query.of(request.query_params))})

    def undo(self, request: Request, asked: dict[str, Any]) -> Response:
        """Takes one decision back."""
        self.session.refresh()
        row, made = self.session.undo(string(asked, "decision"))
        return JSONResponse({"decision": made.id, "row": self._row(row, Query.of(request.query_params))})

    def bulk(self, asked: dict[str, Any]) -> Response:
        """Accepts what a query finds and nobody has decided on."""
        count, query = whole(asked, "count"), strings(asked, "query")
        return JSONResponse({"accepted": self.session.bulk(Query.of(query), count)})

    def report(self) -> Response:
        """The plots, and how often people agree."""
        self.session.refresh()
        decisions = [d for lines in self.session.lines().values() for d in lines]
        corpora = [(c, list(plots_of(c)), page_of(c) is not None) for c in self.session.row_index.corpora]
        return self._page("report.html", here="report", corpora=corpora, rates=acceptance(decisions))

    def plot(self, number: int, name: str) -> Response:
        """A plot of a run's report; only names that the report's folder has are known."""
        corpora = self.session.row_index.corpora
        plots = plots_of(corpora[number]) if 0 <= number < len(corpora) else {}
        if name not in plots:
            raise IndexError(name)
        return FileResponse(plots[name], media_type="image/svg+xml", headers=_ALONE)

    def run_report(self, number: int) -> Response:
        """The run's own ``report.html``."""
        corpora = self.session.row_index.corpora
        page = page_of(corpora[number]) if 0 <= number < len(corpora) else None
        if page is None:
            raise IndexError(number)
        return FileResponse(page, media_type="text/html; charset=utf-8", headers=_ALONE)

    def history(self, request: Request) -> Response:
        """Every line of the log, newest first, and what does not fit any more."""
        self.session.refresh()
        return self._page("history.html", here="history", **history_page(self.session, request.query_params))

    def export(self, request: Request) -> Response:
        """The form, or with a format the file."""
        self.session.refresh()
        query = Query.of(request.query_params)
        name = request.query_params.get("format")
        if name is None:
            found = len(self.session.rows(query))
            return self._page("export.html", here="export", query=query, found=found, formats=EXPORTS)
        return export_file(self.session, query, name, corrected=request.query_params.get("what") != "predictions")


def _edge(request: Request, name: str) -> int | None:
    value = request.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _failed(templates: Environment, status: int, request: Request, error: Exception) -> Response:
    texts = {404: "This row, plot or page does not exist.", 202: "The index is still being made."}
    message = texts.get(status) or str(error)
    if isinstance(error, RequestValidationError):
        # What was sent is not sent back: it may hold what can't be encoded.
        message = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    message = message.encode("utf-8", "backslashreplace").decode()
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": message}, status)
    return HTMLResponse(templates.get_template("error.html").render(here="", message=message, status=status), status)
