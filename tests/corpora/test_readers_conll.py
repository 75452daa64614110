import os
from pathlib import Path

import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Span

GOLD = Path(os.environ.get("SPANFERRY_DATA", Path(__file__).parents[3] / "shared" / "data"))


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


WRONG = [
    (
        "a O\nb I-X\n",
        {},
        ":2: tag 'I-X' follows 'O', which scheme iob2 does not allow\n"
        "Hint: --set read.options.repair=true starts or ends the span there; "
        "--set read.options.scheme=iob1 if the file marks B- only between neighbours",
    ),
    (
        "# c\n\na O\n\nb S-X\n",
        {},
        ":5: 'S-X' is no tag of the scheme iob2 (O, B-<label>, I-<label>)\nHint: --set read.options.scheme=bioes",
    ),
    (
        "a B-X\nb O\n",
        {"scheme": "bioes"},
        ":2: tag 'O' follows 'B-X', which scheme bioes does not allow\n"
        "Hint: --set read.options.repair=true starts or ends the span there",
    ),
    (
        "a O\nword\n",
        {},
        ":2: 1 column(s), tag_column=-1 is not among them\nValid: a token and a tag on each line, separated by a tab "
        "or blanks\nHint: --set read.options.tag_column=N, or --set read.options.separator=space",
    ),
    (
        "a\tO\nb c\n",
        {"token_column": 5},
        ":1: 2 column(s), token_column=5 is not among them\nValid: a token and a tag on each line, separated by a tab "
        "or blanks\nHint: --set read.options.token_column=N, or --set read.options.separator=space",
    ),
    (
        "a\tO\n\tB-X\n",
        {},
        ":2: column 0 (token_column) is empty\n"
        "Hint: --set read.options.token_column=N, counted from 0, negative from the end",
    ),
    (
        "-DOCSTART- O\n",
        {},
        ": no line has a token and a tag\nHint: is this the right file? --set read.format=NAME picks another reader",
    ),
    (
        "# only a comment\n",
        {},
        ": no line has a token and a tag\nHint: is this the right file? --set read.format=NAME picks another reader",
    ),
]


@pytest.mark.parametrize(("content", "options", "message"), WRONG)
def test_what_is_wrong_has_its_line(tmp_path, content, options, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, content, **options)
    assert str(caught.value) == f"{tmp_path / 'a.conll'}{message}"


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
