"""BRAT's standoff files."""

import pytest

from spanferry.corpora.readers import BadRow, open_reader
from spanferry.corpora.schema import Relation

TEXT = "Eva Maria ruft\r\nUlm an 😀 Bonn."


def put(folder, annotations, name="a", text=TEXT):
    (folder / f"{name}.txt").write_text(text, encoding="utf-8", newline="")
    (folder / f"{name}.ann").write_text(annotations, encoding="utf-8", newline="")
    return folder / f"{name}.txt"


def read(path, **options):
    return list(open_reader(path, lang="de", options=options).read())


def test_entities_relations_events_and_what_is_said_of_them(tmp_path, caplog):
    annotations = (
        "T1\tPER 0 9\tEva Maria\nT2\tCall 10 14;20 22\truft an\nT3\tLOC 16 19\tUlm\nT4\tLOC 25 29\tBonn\n"
        "E1\tCall:T2 Who:T1 Whom:T3\nR1\tnear Arg1:T3 Arg2:T4\n*\tEquiv T3 T4\n"
        "A1\tNegation E1\nA2\tMood T1 good one\nN1\tReference T3 GeoNames:2820256\tUlm\n#1\tAnnotatorNotes T4\tsure?\n"
        "A3\tMood R1 bad\n"
    )
    path = put(tmp_path, annotations)
    for place in (path, path.with_suffix(".ann"), tmp_path):
        (row,) = read(place)
        assert [(s.id, row.quote(s), s.label) for s in row.spans] == [
            ("T1", "Eva Maria", "PER"),
            ("T2", "ruft\r\nUlm an", "Call"),
            ("T3", "Ulm", "LOC"),
            ("T4", "Bonn", "LOC"),
        ]
        assert row.spans[1].fragments == ((10, 14), (20, 22)) and row.id == "a"
        assert row.relations == (
            Relation("T2", "T1", "Who"),
            Relation("T2", "T3", "Whom"),
            Relation("T3", "T4", "near"),
            Relation("T3", "T4", "Equiv"),
        )
        for value in ("good one", "GeoNames:2820256", "sure?", "Negation"):
            assert value in repr(row)
    assert any("Mood of something that is not a span is left out" in r.getMessage() for r in caplog.records)


@pytest.mark.parametrize(
    ("line", "reason", "message"),
    [
        ("T1\tPER 0 x\tEva", "bad_annotation", "line 1"),
        ("T1\tPER\tEva", "bad_annotation", "line 1"),
        ("T1\tPER 0 3", "bad_annotation", "line 1"),
        ("?? what", "bad_annotation", "line 1"),
        ("T1\tPER 0 3\tEve", "bad_offsets", "T1 covers 'Eva'"),
        ("T1\tPER 0 300\tEva", "bad_offsets", "[0, 300)"),
        ("R1\tr Arg1:T1 Arg2:T2", "bad_relation", "'T1'"),
    ],
)
def test_a_bad_annotation_rejects_its_document_and_the_rest_is_read(tmp_path, line, reason, message):
    put(tmp_path, line + "\n", "bad")
    put(tmp_path, "T1\tPER 0 3\tEva\n", "good")
    (tmp_path / "none.ann").write_text("")
    bad, good, none = read(tmp_path)
    assert isinstance(bad, BadRow) and (bad.id, bad.reason) == ("bad", reason) and message in bad.message
    assert (good.id, good.quote(good.spans[0])) == ("good", "Eva")
    assert (none.id, none.reason) == ("none", "no_text")


def test_line_ends_that_another_tool_counted_as_one(tmp_path):
    path = put(tmp_path, "T1\tLOC 15 18\tUlm\n")
    assert "offsets=crlf" in read(path)[0].message
    (row,) = read(path, offsets="crlf")
    assert row.quote(row.spans[0]) == "Ulm"


def test_the_signature_follows_both_files(tmp_path):
    path = put(tmp_path, "T1\tPER 0 3\tEva\n")
    before = open_reader(path, lang="de").signature
    put(tmp_path, "T1\tORG 0 3\tEva\n")
    assert open_reader(path, lang="de").signature != before
