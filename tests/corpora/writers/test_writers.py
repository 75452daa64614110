"""What all writers share: options, losses, counts, the same bytes, and what they leave alone."""

from dataclasses import replace

import pytest

from spanferry.corpora.checksums import SUMS
from spanferry.corpora.errors import ConfigError, OutputError
from spanferry.corpora.schema import Relation, Span
from spanferry.corpora.writers import EVERYTHING, WRITERS, Writer, open_writer, writer_options
from tests.corpora.writer_rows import failed, pair

FORMATS = list(WRITERS)
# Formats of texts can't hold what the rows here have, and say so unless they may drop it.
OPTIONS = {"doccano": {"relations": True}, "moses": {"allow_loss": True}, "tmx": {"allow_loss": True}}
OPTIONS |= {"squad": {"allow_loss": True}}
LOST = {
    "conll": {"attributes": 5, "relations": 1},
    "doccano": {"attributes": 5},
    "squad": {"attributes": 5, "fields": 11, "relations": 1},
    "docbin": {"attributes": 5, "relations": 1},
    "moses": {"spans": 15, "relations": 3},
    "tmx": {"attributes": 9, "relations": 5},
}


def with_spans(spans, relations=()):
    made = pair()
    return replace(made, target=replace(made.target, spans=tuple(spans), relations=tuple(relations)))


def contents(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != SUMS
    }


@pytest.mark.parametrize("name", FORMATS)
def test_counts_files_and_the_protocol(tmp_path, name):
    writer = open_writer(name, OPTIONS.get(name))
    assert isinstance(writer, Writer) and writer.holds <= EVERYTHING
    rows = [pair(0), pair(1, split="test"), pair(2, kept=False), failed(), pair(3)]
    report = writer.write([rows[:2], [], rows[2:]], tmp_path / "out")
    assert list(report.rows.items()) == [("train", 2), ("test", 1), ("rejected", 2)]
    assert report.files == tuple(sorted(contents(tmp_path / "out")))
    assert report.lost == LOST.get(name, {})


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_bytes_however_rows_come_in_and_again(tmp_path, name):
    rows = [pair(i, split=["train", "test"][i % 3 == 0], kept=i % 7 > 0) for i in range(1203)] + [failed()]
    writer = open_writer(name, {"shard_rows": 500} if "shard_rows" in writer_options(name) else OPTIONS.get(name))
    writer.write([rows], tmp_path / "a")
    writer.write((rows[i : i + 10] for i in range(0, len(rows), 10)), tmp_path / "b")
    writer.write(iter([rows[:1], rows[1:]]), tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("name", FORMATS)
def test_no_rows_at_all(tmp_path, name):
    report = open_writer(name).write(iter([]), tmp_path)
    assert report.rows == {"train": 0, "rejected": 0}


@pytest.mark.parametrize("name", FORMATS)
def test_what_else_lies_there_is_left_alone(tmp_path, name):
    (tmp_path / "card.txt").write_text("mine")
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "x.arrow").write_text("mine")
    open_writer(name, OPTIONS.get(name)).write([[pair()]], tmp_path)
    assert (tmp_path / "card.txt").read_text() == (tmp_path / "stages" / "x.arrow").read_text() == "mine"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_killed_process_left_goes(tmp_path, name):
    (tmp_path / ".write.abc").mkdir()
    (tmp_path / ".write.abc" / ".spool.arrow").write_text("half")
    open_writer(name, OPTIONS.get(name)).write([[pair()]], tmp_path)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize(("name", "folder"), [("arrow", "train"), ("parquet", "data")])
def test_a_folder_of_someone_else_is_not_replaced(tmp_path, name, folder):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "thesis.tex").write_text("mine")
    with pytest.raises(OutputError) as caught:
        open_writer(name, OPTIONS.get(name)).write([[pair()]], tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / folder}: the folder would be replaced, but it holds 'thesis.tex', which Spanferry did not write\n"
        "Hint: write into another folder: --out DIR"
    )
    assert contents(tmp_path) == {f"{folder}/thesis.tex": b"mine"}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("split", ["rejected", "../x", "", ".hidden", "a b"])
def test_splits_must_be_names(tmp_path, name, split):
    with pytest.raises(OutputError, match="a split can't be called"):
        open_writer(name, OPTIONS.get(name)).write([[pair(split=split)]], tmp_path)


LOSSES = [
    ([Span(0, 9, "A", "a"), Span(4, 9, "B", "b")], (), "spans that overlap", {"overlap": 1}),
    (
        [Span(0, 18, "A", "a", fragments=((0, 3), (12, 18)))],
        (),
        "discontinuous spans",
        {"discontinuous": 1},
    ),
    (
        [Span(0, 4, "A", "a"), Span(9, 10, "B", "b")],
        (),
        "spans that start, end or lie in white space",
        {"white_space": 2},
    ),
    ([Span(0, 3, "A", "a"), Span(4, 9, "B", "b")], (Relation("a", "b", "r"),), "relations", {"relations": 1}),
]


@pytest.mark.parametrize(("spans", "relations", "what", "lost"), LOSSES)
def test_conll_says_what_it_can_not_hold_or_counts_it(tmp_path, spans, relations, what, lost):
    made = with_spans(spans, relations)
    ((kind, count),) = lost.items()
    with pytest.raises(OutputError) as caught:
        open_writer("conll").write([[made]], tmp_path / "out")
    assert str(caught.value) == (
        f"ex-0: the format conll can't hold {what} ({kind}: {count} in this example)\n"
        "Valid: jsonl, arrow and parquet hold everything\n"
        "Hint: --set output.options.conll.allow_loss=true drops them and counts what was lost"
    )
    assert not list((tmp_path / "out").iterdir())
    report = open_writer("conll", {"allow_loss": "true"}).write([[made, made]], tmp_path / "out")
    assert report.lost == {kind: 2 * count}


@pytest.mark.parametrize("name", ["arrow", "parquet"])
@pytest.mark.parametrize(("spans", "relations", "what", "lost"), LOSSES[:3])
def test_tags_lose_what_the_spans_beside_them_hold(tmp_path, name, spans, relations, what, lost):
    made = with_spans(spans, relations)
    assert open_writer(name).write([[made]], tmp_path).lost == {}
    with pytest.raises(OutputError, match=f"the format ner_tags can't hold {what}") as caught:
        open_writer(name, {"tags": True}).write([[made]], tmp_path)
    assert caught.value.hint.startswith(f"--set output.options.{name}.allow_loss=true")
    assert open_writer(name, {"tags": True, "allow_loss": True}).write([[made]], tmp_path).lost == lost


def test_a_rejected_row_never_stops_conll(tmp_path):
    made = with_spans(LOSSES[0][0]).rejected("spans:overlap")
    assert open_writer("conll").write([[made]], tmp_path).lost == {"overlap": 1}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("conl", {}, f"unknown writer 'conl'\nValid: {', '.join(sorted(WRITERS))}\nHint: did you mean 'conll'?"),
        (
            "conll",
            {"shceme": "x"},
            "unknown option of the writer 'conll' 'shceme'\nValid: allow_loss, comments, scheme\n"
            "Hint: did you mean 'scheme'?",
        ),
        (
            "arrow",
            {"shard_rows": "0"},
            "the writer 'arrow' does not take shard_rows='0'\nValid: int, > 0\n"
            "Hint: --set output.options.arrow.shard_rows=100000",
        ),
        (
            "parquet",
            {"tags": "maybe"},
            "the writer 'parquet' does not take tags='maybe'\n"
            'Valid: true or false or "auto"\n'
            "Hint: --set output.options.parquet.tags=auto",
        ),
        (
            "squad",
            {"version": "3"},
            'the writer \'squad\' does not take version=\'3\'\nValid: "auto" or "1.1" or "v2.0"\n'
            "Hint: --set output.options.squad.version=auto",
        ),
    ],
)
def test_wrong_choices(name, options, message):
    with pytest.raises(ConfigError) as caught:
        open_writer(name, options)
    assert str(caught.value) == message
