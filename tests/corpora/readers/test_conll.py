import os
from pathlib import Path

import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Span

GOLD = Path(os.environ.get("SPANFERRY_DATA", Path(__file__).parents[4] / "shared" / "data"))


def read(tmp_path, content, lang="en", **options):
    path = tmp_path / "a.conll"
    path.write_text(content, encoding="utf-8", newline="")
    return list(open_reader(path, lang=lang, options=options).read())


def quotes(example):
    return [(example.quote(s), s.label) for s in example.spans]


def test_tokens_become_text_and_their_ranges_are_kept(tmp_path):
    first, second = read(tmp_path, "Ann\tB-PER\n's\tO\ndog\tO\n.\tO\n\n\n\nBob\tB-PER\r\nLee\tI-PER\r\n", split="dev")
    assert (first.text, first.tokens, first.id) == ("Ann's dog.", {"text": ((0, 3), (3, 5), (6, 9), (9, 10))}, "1")
    assert first.spans == (Span(0, 3, "PER", "s0"),)
    assert (second.text, quotes(second), second.id, second.split) == ("Bob Lee", [("Bob Lee", "PER")], "2", "dev")


def test_blanks_or_tabs_and_any_column(tmp_path):
    content = "Ann NNP x B-PER\nleft VBD x O\n"
    assert quotes(read(tmp_path, content)[0]) == [("Ann", "PER")]
    reordered = "B-PER NNP Ann\nO VBD left\n"
    assert quotes(read(tmp_path, reordered, token_column=-1, tag_column=0)[0]) == [("Ann", "PER")]
    assert read(tmp_path, "New York\tB-LOC\n")[0].text == "New York"
    assert read(tmp_path, "a\u00a0b\u3000c B-LOC\n")[0].text == "a\u00a0b\u3000c"


def test_numbered_lines_and_the_label_column(tmp_path):
    content = "# text = Wake me\n1\tWake\tset\tO\n2\tme\tset\tB-who\n"
    (example,) = read(tmp_path, content, label_column=2)
    assert (example.text, quotes(example), example.label) == ("Wake me", [("me", "who")], "set")
    assert read(tmp_path, "1\tO\n2\tB-N\n")[0].text == "1 2"
    assert read(tmp_path, "1 CD O\n3 CD O\n")[0].text == "1 3"


def test_comments(tmp_path):
    content = (
        "# newdoc\n# id = x 7\n# text = Wake  me!\n# intent: set\n# text-en = ok\n# text-en = twice\n"
        "Wake O\nme B-who\n! O\n\n# sent_id = s2\n# text = not these\n# label = l\n#wow O\n# O\n"
    )
    first, second = read(tmp_path, content)
    assert (first.id, first.label, first.text) == ("x 7", "set", "Wake  me!")
    assert first.meta == {"comment": "newdoc", "text-en": "ok", "text-en.6": "twice"}
    assert first.tokens == {"text": ((0, 4), (6, 8), (8, 9))}
    assert (second.id, second.label, second.text, second.meta) == ("s2", "l", "#wow #", {"text": "not these"})
    assert read(tmp_path, content, raw_text=False)[0].text == "Wake me!"


def test_comments_in_json(tmp_path):
    content = '# text_json = "a\\n b "\n# meta_json = {"n": [1]}\n# bad_json = {\na O\nb B-X\n'
    (example,) = read(tmp_path, content)
    assert (example.text, quotes(example)) == ("a\n b ", [("b", "X")])
    assert example.meta == {"n": [1], "bad_json": "{"}


def test_documents_are_counted(tmp_path):
    rows = read(tmp_path, "-DOCSTART- -X- O O\n\na b O O\n\n-DOCSTART- O\nc d O O\n\n-DOCSTART- O\n")
    assert [(e.text, e.meta) for e in rows] == [("a", {"document": "1"}), ("c", {"document": "2"})]


def test_other_schemes(tmp_path):
    assert quotes(read(tmp_path, "a I-X\nb B-X\n", scheme="iob1")[0]) == [("a", "X"), ("b", "X")]
    assert quotes(read(tmp_path, "a B-X\nb E-X\nc S-X\n", scheme="bioes")[0]) == [("a b", "X"), ("c", "X")]


def test_empty_tokens_outside_spans_stand_for_nothing(tmp_path):
    (example,) = read(tmp_path, "1\t这\tr\tO\n2\t\tr\tO\n3\t书\tr\tB-obj\n", lang="zh")
    assert (example.text, quotes(example)) == ("这书", [("书", "obj")])


BAD = [
    ("a O\nb I-X\n", {}, "bad_tags", "line 2: tag 'I-X' follows 'O'", "scheme=iob1 if the file marks B- only"),
    ("a O\nb S-X\n", {}, "bad_tags", "line 2: 'S-X' is not a tag", "--set read.options.scheme=bioes"),
    ("a B-X\nb O\n", {"scheme": "bioes"}, "bad_tags", "line 2: tag 'O' follows 'B-X'", "repair=true"),
    ("a O\nb B-X|I-Y|O\n", {}, "bad_tags", "several tags in one cell", "one tag a column"),
    ("a O\nb PER\n", {}, "bad_tags", "line 2: 'PER' is not a tag", "--set read.options.scheme=io"),
    ("a O\nb B\n", {}, "bad_tags", "line 2: 'B' is not a tag", "--set read.options.label=NAME"),
    ("a O\nword\n", {}, "bad_columns", "line 2: 1 column(s), tag_column=1 is not among them", "tag_column=N"),
    ("a\tO\nb\tO\n", {"token_column": 5}, "bad_columns", "line 1: 2 column(s), token_column=5", "token_column=N"),
    ("a\tO\n\tB-X\n", {}, "bad_columns", "line 2: column 0 (token_column) is empty", "token_column=N"),
]


@pytest.mark.parametrize(("content", "options", "reason", "message", "hint"), BAD)
def test_a_bad_line_rejects_its_sentence_and_the_rest_is_read(tmp_path, content, options, reason, message, hint):
    sides = {} if options.get("token_column") else {"good": "Bob O\nruns O\n"}
    rows = read(tmp_path, content + "".join(f"\n{text}" for text in sides.values()), **options)
    assert (rows[0].reason, rows[0].id) == (reason, "1") and len(rows) == 1 + len(sides)
    assert message in rows[0].message and hint in rows[0].message
    assert rows[0].message.startswith(f"{tmp_path / 'a.conll'}:1: ")
    assert all(row.text == "Bob runs" for row in rows[1:])


def test_a_scheme_that_nearly_every_sentence_breaks_was_named_wrongly(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, "a I-X\n\nb O\n\n" * 3)
    assert "a.conll:1: tag 'I-X' follows the start" in str(caught.value)
    assert "3 of 3 sentences with tags break the scheme" in str(caught.value)
    assert "scheme=iob1" in str(caught.value)
    assert [quotes(row) for row in read(tmp_path, "a I-X\n\n" * 3, scheme="iob1")] == [[("a", "X")]] * 3


@pytest.mark.parametrize("content", ["-DOCSTART- O\n", "# only a comment\n"])
def test_a_file_without_a_sentence(tmp_path, content):
    with pytest.raises(InputError, match="no line has a token and a tag"):
        read(tmp_path, content)


# Content, options, and of each row its text and spans.
COLUMNS = [
    (
        "1\tVa\tV\tO\n2-3\tnella\t_\tO\n2\tin\tP\tO\n3\tla\tD\tO\n4\tRoma\tN\tB-LOC\n\n1\tBene\tA\tO\n",
        {},
        [("Va nella Roma", [("Roma", "LOC")]), ("Bene", [])],
    ),
    ("1\tdel\tO\tx\n1.1\tnull\tO\tx\n2\tSol\tB-LOC\tx\n", {}, [("del Sol", [("Sol", "LOC")])]),
    (
        "1-2\tdelPo\t_\t_\n1\tdel\tP\tO\n2\tPo\tN\tB-LOC\n3\tva\tV\tO\n4\tqui\tV\tO\n",
        {},
        [("delPo va qui", [("delPo", "LOC")])],
    ),
    ("0\tEva\tN\tB-PER\n1\tsang\tV\tO\n", {}, [("Eva sang", [("Eva", "PER")])]),
    ("1 CD X O\n\nEva NN X B-PER\nsang V X O\n", {}, [("1", []), ("Eva sang", [("Eva", "PER")])]),
    ("1\tEva\tB-PER\t-\tkim\n2\tsang\tO\t-\tkim\n", {}, [("Eva sang", [("Eva", "PER")])]),
    (
        "1\tTU\tB-ORG\tO\n2\tWien\tI-ORG\tB-LOC\n3\truft\tO\tO\n",
        {},
        [("TU Wien ruft", [("TU Wien", "ORG"), ("Wien", "LOC")])],
    ),
    ("1\tUlm\tB-LOC\tO\n2\truft\tO\tO\n", {}, [("Ulm ruft", [("Ulm", "LOC")])]),
    ("Eva N I-NP B-PER\nsang V B-VP O\n", {}, [("Eva sang", [("Eva", "PER")])]),
    (
        "Eva N B-NP B-PER\nsang V B-VP O\n",
        {"tag_columns": (2, 3)},
        [("Eva sang", [("Eva", "NP"), ("sang", "VP"), ("Eva", "PER")])],
    ),
    (
        "\n".join(
            f"{i}\t{w}\t_\tN\t_\t_\t0\t_\t_\tSpaceAfter=No|name={t}"
            for i, w, t in [(1, "Eva", "B-PER"), (2, "ruft", "O")]
        ),
        {},
        [("Eva ruft", [("Eva", "PER")])],
    ),
    ("Flu\tB\nvirus\tI\nkills\tO\n", {"label": "D"}, [("Flu virus kills", [("Flu virus", "D")])]),
    ("Eva PER\nLi PER\nsang O\n", {"scheme": "io"}, [("Eva Li sang", [("Eva Li", "PER")])]),
    ("Eva PER-B\nLi PER-I\nsang O\n", {}, [("Eva Li sang", [("Eva Li", "PER")])]),
    (
        "Eva B-PER\n-DOCSTART- -X- O\nBob B-PER\n\n\tO\n\nLi O\n",
        {},
        [("Eva", [("Eva", "PER")]), ("Bob", [("Bob", "PER")]), ("Li", [])],
    ),
    ("Eva B-PER\n\n\ufeffBob B-PER\n", {}, [("Eva", [("Eva", "PER")]), ("Bob", [("Bob", "PER")])]),
]


@pytest.mark.parametrize(("content", "options", "expected"), COLUMNS)
def test_columns_are_decided_over_the_file(tmp_path, content, options, expected):
    assert [(row.text, quotes(row)) for row in read(tmp_path, content, **options)] == expected


def test_columns_in_doubt_are_refused_with_three_lines(tmp_path):
    content = "1 a X O\n2 b X O\n3 c X B-Y\n7 d X O\n5 e X O\n"
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert "  1\ta\tX\tO\n  2\tb\tX\tO\n  3\tc\tX\tB-Y" in str(caught.value)
    assert "read.options.token_column=1" in str(caught.value)
    assert read(tmp_path, content, token_column=1)[0].text == "a b c d e"


def test_what_is_left_out_is_said_once(tmp_path, caplog):
    read(tmp_path, ("# text = Other.\nEva B-NP B-PER\nsang B-VP O\n\n") * 2)
    said = [record.getMessage() for record in caplog.records]
    assert sum("'# text' comment" in line and "(2 times)" in line for line in said) == 1
    assert sum("column 1 holds tags too (NP, VP)" in line for line in said) == 1


def test_repair_only_when_asked(tmp_path):
    assert quotes(read(tmp_path, "a O\nb I-X\nc I-X\nd I-Y\n", repair=True)[0]) == [("b c", "X"), ("d", "Y")]


def test_a_sentence_of_three_thousand_tokens(tmp_path):
    (example,) = read(tmp_path, "word O\n" * 2999 + "Ann B-PER\n")
    assert len(example.tokens["text"]) == 3000 and quotes(example) == [("Ann", "PER")]


def test_a_sentence_that_is_all_blank_is_a_bad_row(tmp_path):
    bad, good = read(tmp_path, "\u00a0\tO\n\nAnn\tO\n")
    assert (bad.reason, bad.id, bad.raw, good.text) == ("empty_text", "1", "\u00a0\tO", "Ann")
    assert bad.message == f"{tmp_path / 'a.conll'}:1: no field holds any text"


needs_gold = pytest.mark.skipif(not (GOLD / "xsid").is_dir(), reason="the gold data is not there (SPANFERRY_DATA)")


@pytest.mark.gold
@needs_gold
@pytest.mark.parametrize(("lang", "spans", "tokens"), [("en", 702, 22320), ("de", 693, 20187), ("es", 697, 23279)])
def test_europarl(lang, spans, tokens):
    rows = list(open_reader(GOLD / f"europarl-ner/{lang}-europarl.test.conll02", lang=lang).read())
    assert len(rows) == 799 and {e.split for e in rows} == {"test"}
    assert sum(len(e.spans) for e in rows) == spans
    assert sum(len(e.tokens["text"]) for e in rows) == tokens
    assert not any(" ," in e.text or " ." in e.text.replace(" ...", "") for e in rows)


@pytest.mark.gold
@needs_gold
@pytest.mark.parametrize("part", ["test", "valid"])
@pytest.mark.parametrize("lang", ["en", "da", "de", "id", "it", "ja", "nl", "zh"])
def test_xsid(lang, part):
    rows = list(open_reader(GOLD / f"xsid/{lang}.{part}.conll", lang=lang, options={"label_column": "2"}).read())
    assert len(rows) == {"test": 500, "valid": 300}[part] // (2 if lang == "ja" else 1)
    assert all("text" not in e.meta for e in rows), "the raw text was not used"
    assert all(e.label for e in rows)
    assert [e.id for e in rows] == [str(i + 1) for i in range(len(rows))]
    for example in rows:
        assert all(example.quote(s).strip() == example.quote(s) != "" for s in example.spans)
