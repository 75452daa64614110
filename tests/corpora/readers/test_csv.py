"""Tables with a heading: texts with labels, or a token on each row."""

import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.readers import BadRow, open_reader

SPANS = '"[{""start"": 0, ""end"": 3, ""labels"": [""PER""]}]"'


def read(tmp_path, content, name="a.csv", **options):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    return list(open_reader(path, lang="en", options=options).read())


TEXTS = [
    ("text,label\n\"Hi, Bob\",greet\n", [("Hi, Bob", "greet")]),
    ("text;label\nHi, Bob;greet\n", [("Hi, Bob", "greet")]),
    ("Text|Label\nHi|greet\n", [("Hi", "greet")]),
    (",sentence,label\n0,Hi,greet\n1,Bye,part\n", [("Hi", "greet"), ("Bye", "part")]),
    ('text,label\r\n"Hi\nBob ""B""",greet\r\n\r\nBye,part\r\n', [('Hi\nBob "B"', "greet"), ("Bye", "part")]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "rows"), TEXTS)
def test_texts_with_labels(tmp_path, content, rows):
    assert [(row.text, row.label) for row in read(tmp_path, content)] == rows


def test_spans_tokens_and_tags_in_cells(tmp_path):
    (row,) = read(tmp_path, f"id,text,label\n7,Eva sang,{SPANS}\n")
    assert (row.id, [(row.quote(s), s.label) for s in row.spans], row.label) == ("7", [("Eva", "PER")], None)
    (row,) = read(tmp_path, "tokens,ner_tags\n\"['Eva', 'sang']\",\"['B-PER', 'O']\"\n")
    assert [(row.quote(s), s.label) for s in row.spans] == [("Eva", "PER")]
    (bad,) = read(tmp_path, 'text,entities\nEva sang,"Eva: PER"\n')
    assert bad.reason == "unread_labels" and "'entities'" in bad.message


def test_bad_rows_among_good_ones(tmp_path):
    good, short, quote, last = read(tmp_path, 'text,label\na,x\nb\n"c,x\nd,x\n')
    assert [row.text for row in (good, last)] == ["a", "d"]
    assert (short.reason, quote.reason) == ("bad_columns", "bad_quotes")
    assert "a.csv:3" in short.message and "1 cells under 2 columns" in short.message and "a.csv:4" in quote.message
    assert [row.text for row in read(tmp_path, 'text\tlabel\n"a\tx\n"b"\ty\n', "a.tsv")] == ['"a', "b"]


def test_a_token_on_each_row(tmp_path):
    content = "Sentence #,Word,Tag\nSentence: 1,Eva,B-per\n,sang,O\n"
    content += "Sentence: 2,Bob,I-per\nSentence: 3,Ann,B-per\n,left\n"
    good, odd, short = read(tmp_path, content)
    assert [(good.quote(s), s.label) for s in good.spans] == [("Eva", "per")] and good.text == "Eva sang"
    assert (odd.reason, short.reason) == ("bad_tags", "bad_columns")
    assert "line 4" in odd.message and "repair=true" in odd.message and "line 6" in short.message
    assert "--set read.options.word_tag_key" not in odd.message
    assert not any(isinstance(row, BadRow) for row in read(tmp_path, content.replace("left", "left,O"), repair=True))
    blank = read(tmp_path, 'token\tner\nEva\tB-PER\n\nBob\tB-PER\n"\tO\n', "a.tsv")
    assert [row.text for row in blank] == ["Eva", 'Bob "']


def test_columns_that_are_not_known_are_named(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, "tweet,kind\nHi,greet\n")
    assert "Valid: the columns tweet, kind" in str(caught.value) and "text_key=NAME" in str(caught.value)
    assert read(tmp_path, "tweet,kind\nHi,greet\n", text_key="tweet", label_key="kind")[0].label == "greet"
    assert read(tmp_path, "Hi,greet\n", columns="text,label")[0].label == "greet"
    with pytest.raises(InputError, match="'label' and 'slot' may hold the tags") as caught:
        read(tmp_path, "word,label,slot\nHi,O,O\n")
    assert "word_tag_key=NAME" in str(caught.value)
    assert read(tmp_path, "word,label,slot\nHi,B-X,O\n", word_tag_key="label")[0].spans[0].label == "X"
    with pytest.raises(InputError, match="no column 'x'"):
        read(tmp_path, "text,label\na,b\n", sentence_key="x")
    with pytest.raises(InputError, match="two columns are called 'text'"):
        read(tmp_path, "text,text\na,b\n")
