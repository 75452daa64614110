"""Filters, order and decisions, against the rows themselves."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.review.decisions import DecisionLog
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.flows.inspector.acceptance import acceptance
from spanferry.flows.inspector.edits import Conflict, Edit, Refused
from spanferry.flows.inspector.history import history_page
from spanferry.flows.inspector.overview import overview
from spanferry.flows.inspector.query import Query
from spanferry.flows.inspector.runs import find_corpora
from spanferry.flows.inspector.session import ReviewSession
from tests.flows.inspector.inspector_runs import open_session, pair, write_run

LABELS = ("cat", "dog", "cow")
METHODS = ("lexical", "copy", "lexical+copy")


def _rows(count: int, lang: str) -> list[Pair]:
    rows = []
    for i in range(count):
        spans = [(word, LABELS[(i + k) % 3]) for k, word in enumerate(("one", "two")[: i % 3])]
        quotes = [None if (i + k) % 4 == 0 else ("uno", "dos")[k] for k in range(len(spans))]
        methods = [METHODS[(i + k) % 3] for k in range(len(spans))]
        scores = [((i * 7 + k * 3) % 10) / 10 for k in range(len(spans))]
        reasons = ["length_ratio:short"] * (i % 5 == 0) + ["language:pt"] * (i % 10 == 0)
        source = ("one two", spans), ("uno dos", quotes)
        rows.append(pair(f"r{i}", *source, lang=lang, scores=scores, methods=methods, reasons=reasons))
    return rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("session") / "run", {"es": _rows(60, "es"), "de": _rows(30, "de")})


@pytest.fixture(scope="module")
def session(run: Path) -> ReviewSession:
    return open_session(run)


def _fits(row: Pair, query: Query) -> bool:
    placed = [p for p in row.projections if p.span]
    score = min((p.score for p in placed), default=None)
    alone = min((len(p.method.split("+")) for p in placed), default=0)
    reasons = {*row.reasons, *(f"span:{p.reason}" for p in row.projections if not p.span)}
    agreement = {"one": alone == 1, "several": alone > 1, "none": alone == 0, "": True}
    return all(
        (
            not query.lang or row.target.lang == query.lang,
            not query.label or query.label in {s.label for s in row.source.spans},
            not query.method or query.method in {m for p in placed for m in p.method.split("+")},
            not query.kept or row.kept == (query.kept == "kept"),
            not query.reason or query.reason in reasons,
            query.low is None or (score is not None and score >= query.low - 1e-4),
            query.high is None or (score is not None and score <= query.high + 1e-4),
            agreement[query.agreement],
            not query.id or query.id in row.source.id,
            not query.text or query.text.lower() in f"{row.source.text}\n{row.target.text}".lower(),
        )
    )


@settings(max_examples=60)
@given(
    st.builds(
        Query,
        lang=st.sampled_from(["", "es", "de", "fr"]),
        label=st.sampled_from(["", *LABELS, "x"]),
        method=st.sampled_from(["", "lexical", "copy"]),
        kept=st.sampled_from(["", "kept", "rejected"]),
        reason=st.sampled_from(["", "language:pt", "span:unaligned"]),
        low=st.none() | st.floats(0, 1),
        high=st.none() | st.floats(0, 1),
        agreement=st.sampled_from(["", "one", "several", "none"]),
        id=st.sampled_from(["", "r1", "9"]),
        text=st.sampled_from(["", "UNO", "e t", "nowhere"]),
        sort=st.sampled_from(["order", "score", "-score", "id"]),
    )
)
def test_a_query_finds_what_the_rows_say(session: ReviewSession, query: Query) -> None:
    found = session.rows(query).tolist()
    every = [session.row_index.pair(row) for row in range(session.row_index.rows)]
    assert sorted(found) == [i for i, row in enumerate(every) if _fits(row, query)]
    scores = [min((p.score for p in every[i].projections if p.span), default=None) for i in found]
    known = [s for s in scores if s is not None]
    if query.sort in ("score", "-score"):
        assert known == sorted(known, reverse=query.sort == "-score")
        assert scores == known + [None] * (len(scores) - len(known)), "rows without a score come last"
    again = Query.of(dict(parse_qsl(query.to_string())))
    assert replace(again, low=None, high=None) == replace(query, low=None, high=None)


@pytest.mark.parametrize("text", ["nan", "inf", "a", "1,5"])
def test_a_bound_that_is_no_score(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a score"):
        Query.of({"low": text})


def test_an_unknown_choice_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'rejected'"):
        Query.of({"kept": "reject"})


def test_neighbours_walk_through_a_filter_once(session: ReviewSession) -> None:
    query = Query(label="cat", sort="score")
    found = session.rows(query).tolist()
    walked, row = [], found[0]
    while row is not None:
        walked.append(row)
        assert session.beside(query, row)[2:] == (len(walked), len(found))
        row = session.beside(query, row)[1]
    assert walked == found


def test_a_row_that_leaves_the_filter_keeps_its_neighbours(tmp_path: Path) -> None:
    session = open_session(write_run(tmp_path, {"es": _rows(12, "es")}))
    query = Query(review="open", sort="score")
    first, second, third = session.rows(query).tolist()[:3]
    _decide(session, second, Edit("drop"))
    assert second not in session.rows(query)
    assert session.beside(query, second)[:2] == (first, third)
    assert session.beside(query, first)[1] == third


def _decide(session: ReviewSession, row: int, edit: Edit) -> str:
    version = session.state(row, session.row_index.pair(row)).version
    return session.decide(row, version, session.row_index.data[session.row_index.locate(row)[0]].version, edit).id


def test_status_follows_decisions_and_another_desk(tmp_path: Path) -> None:
    rows = [
        pair("a", ("A cat", [("cat", "c")]), ("Un gato", ["gato"]), lang="es", scores=[0.3 + i / 10]) for i in range(1)
    ]
    rows += [pair(f"b{i}", ("A cat", [("cat", "c")]), ("Un gato", ["gato"]), lang="es") for i in range(4)]
    out = write_run(tmp_path, {"es": rows})
    one, two = open_session(out), open_session(out, "other")
    assert not one.status.any()
    _decide(one, 0, Edit("accept", "s0", quote="gato"))
    _decide(one, 1, Edit("move", "s0", start=0, end=7, quote="Un gato"))
    _decide(two, 2, Edit("drop"))
    flag = _decide(two, 3, Edit("flag"))
    one.refresh()
    reviews = {name: one.rows(Query(review=name)).tolist() for name in ("accepted", "corrected", "dropped", "flagged")}
    assert reviews == {"accepted": [0], "corrected": [1], "dropped": [2], "flagged": [3]}
    assert one.rows(Query(review="reviewed")).tolist() == [0, 1, 2]
    assert one.undo(flag)[0] == 3 and not one.flagged.any()
    with pytest.raises(Refused, match="already been undone"):
        one.undo(flag)
    again = open_session(out)
    assert again.status.tolist() == one.status.tolist()


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (Edit("accept", "s0", quote="perro"), Conflict),
        (Edit("move", "s0", start=3, end=7, quote="Un g"), Conflict),
        (Edit("accept", "s9"), Refused),
        (Edit("undo"), Refused),
        (Edit("steal"), Refused),
        (Edit("move", "s0", start=5, end=5), Refused),
        (Edit("move", "s0", start=0, end=99), Refused),
        (Edit("move", "s0", start=-1, end=2), Refused),
        (Edit("move", "s0", start=2, end=3, quote=" "), Refused),
        (Edit("move", "s0", start=0, end=7, fragments=((0, 5), (3, 7)), quote="Un gato"), Refused),
        (Edit("label", "s0", label="", quote="gato"), Refused),
        (Edit("label", "s0", label="\ud800", quote="gato"), Refused),
        (Edit("add", field="title", start=0, end=2, label="x", quote="Un"), Refused),
    ],
)
def test_what_is_refused_is_not_written(edit: Edit, error: type[Exception], tmp_path: Path) -> None:
    row = pair("a", ("A cat", [("cat", "c")]), ("Un gato", ["gato"]), lang="es")
    session = open_session(write_run(tmp_path, {"es": [row]}))
    with pytest.raises(error):
        _decide(session, 0, edit)
    assert not (tmp_path / "decisions.jsonl").exists() or not (tmp_path / "decisions.jsonl").read_text()


def test_bulk_takes_only_what_nobody_decided_on(tmp_path: Path) -> None:
    session = open_session(write_run(tmp_path, {"es": _rows(20, "es"), "de": _rows(10, "de")}))
    _decide(session, 3, Edit("drop"))
    query = Query(kept="kept")
    count = len(session.untouched(query))
    with pytest.raises(Conflict, match="rows by now"):
        session.bulk(query, count + 1)
    assert session.bulk(query, count) == count == len(session.rows(query)) - 1
    assert len(session.untouched(query)) == 0 and session.rows(Query(review="dropped")).tolist() == [3]
    assert {d.action for d in DecisionLog(tmp_path / "decisions.jsonl").decisions} == {"drop", "keep"}


def test_rows_come_back_as_they_were_written(run: Path) -> None:
    data = EmittedDataset(run / "es")
    rows = [row for batch in data.pairs() for row in batch]
    # Kept rows first, then the rejected ones: the order of the files.
    assert rows == sorted(_rows(60, "es"), key=lambda p: not p.kept)
    assert [data.pair(i) for i in (0, 59)] == [rows[0], rows[59]]


def test_the_index_is_made_once_per_content(tmp_path: Path) -> None:
    out = write_run(tmp_path, {"es": _rows(10, "es")})
    open_session(out).row_index.frame()
    (made,) = (out / ".inspect").glob("*.arrow")
    before = made.stat().st_mtime_ns
    open_session(out).row_index.frame()
    assert made.stat().st_mtime_ns == before
    write_run(out, {"es": _rows(12, "es")})
    assert open_session(out).row_index.frame().height == 12
    (new,) = (out / ".inspect").glob("*.arrow")
    assert new != made, "the old one is gone"


def test_two_rows_with_one_id_are_decided_on_apart(tmp_path: Path) -> None:
    twins = [pair("a", ("A cat", [("cat", "c")]), (text, ["gato"]), lang="es") for text in ("Un gato", "El gato")]
    session = open_session(write_run(tmp_path, {"es": twins}))
    _decide(session, 1, Edit("drop"))
    assert session.rows(Query(review="dropped")).tolist() == [1]
    assert open_session(tmp_path).rows(Query(review="dropped")).tolist() == [1]


def test_a_folder_without_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dataset with spans here"):
        find_corpora(tmp_path)


def test_a_dataset_itself_a_run_and_a_folder_of_runs(tmp_path: Path) -> None:
    write_run(tmp_path / "one", {"es": _rows(2, "es")})
    write_run(tmp_path / "two", {"es": _rows(2, "es"), "de": _rows(2, "de")})
    assert [c.name for c in find_corpora(tmp_path)] == ["one/es", "two/de", "two/es"]
    assert [c.name for c in find_corpora(tmp_path / "one")] == ["es"]
    only = find_corpora(tmp_path / "one" / "es")
    assert [c.name for c in only] == ["es"] and only[0].log == (tmp_path / "one" / "decisions.jsonl")


def test_threads_read_while_others_decide(tmp_path: Path) -> None:
    session = open_session(write_run(tmp_path, {"es": _rows(40, "es")}))
    session.row_index.frame()
    dataset = session.row_index.data[0].version
    pages = (
        lambda: acceptance(d for found in session.lines().values() for d in found),
        lambda: history_page(session, {}),
        lambda: overview(session),
        lambda: session.rows(Query(review="open")),
        lambda: session.beside(Query(review="stale"), 3),
    )

    def look() -> None:
        for _ in range(8):
            for page in pages:
                page()

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            looks = [pool.submit(look) for _ in range(3)]
            for row in range(40):
                session.decide(row, 0, dataset, Edit("flag"))
            for found in looks:
                found.result()
    finally:
        sys.setswitchinterval(usual)
    assert len(session.lines()) == 40


def test_what_a_desk_returns_is_a_copy(tmp_path: Path) -> None:
    session = open_session(write_run(tmp_path, {"es": _rows(3, "es")}))
    row = session.row_index.pair(0)
    session.decide(0, 0, session.row_index.data[0].version, Edit("flag"))
    session.lines().clear()
    session.lines_of(0, row).clear()
    session.status[:] = 4
    session.flagged[:] = False
    assert [d.action for d in session.lines_of(0, row)] == ["flag"]
    assert session.flagged.tolist() == [True, False, False] and not session.status.any()
