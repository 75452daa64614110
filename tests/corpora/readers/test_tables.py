"""Saved datasets and Parquet in the layouts of the hub."""

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, Sequence, Value

from spanferry.corpora.readers import open_reader

TEXT = "Eva is in Ulm"
WORDS = TEXT.split()
NAMES = ClassLabel(names=["PER", "LOC"])
TAGS = ClassLabel(names=["O", "B-PER", "B-LOC"])
BOTH = [("Eva", "PER"), ("Ulm", "LOC")]
STRING = Value("string")
SPAN = {"start": Value("int32"), "end": Value("int32"), "label": NAMES}
SPANS = [{"start": 0, "end": 3, "label": 0}, {"start": 10, "end": 13, "label": 1}]
LAYOUTS = {
    "words": ({"words": [WORDS], "ner": [[1, 0, 0, 2]]}, {"words": Sequence(STRING), "ner": Sequence(TAGS)}),
    "classes of spans": ({"text": [TEXT], "entities": [SPANS]}, {"text": STRING, "entities": [SPAN]}),
    "columns of spans": (
        {"sentence": [TEXT], "entities": [{"start": [0, 10], "end": [3, 13], "label": [0, 1]}]},
        {"sentence": STRING, "entities": Sequence(SPAN)},
    ),
    "GLiNER": (
        {"tokenized_text": [WORDS], "ner": [[["0", "0", "PER"], ["3", "3", "LOC"]]]},
        {"tokenized_text": Sequence(STRING), "ner": Sequence(Sequence(STRING))},
    ),
    "MASSIVE": (
        {"utt": [TEXT], "annot_utt": ["[PER : Eva] is in [LOC : Ulm]"], "intent": [1]},
        {"utt": STRING, "annot_utt": STRING, "intent": ClassLabel(names=["a", "b"])},
    ),
}


@pytest.mark.parametrize("kind", ["saved", "parquet"])
@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_layouts_of_the_hub(tmp_path, layout, kind):
    datasets.disable_progress_bars()
    columns, features = LAYOUTS[layout]
    data = Dataset.from_dict(columns, features=Features(features))
    path = tmp_path / f"x.{kind}"
    data.save_to_disk(str(path)) if kind == "saved" else data.to_parquet(str(path))
    (row,) = open_reader(path, lang="en").read()
    assert row.text == TEXT and [(row.quote(s), s.label) for s in row.spans] == BOTH
    assert row.label == ("b" if layout == "MASSIVE" else None)


def test_spans_that_count_tokens_need_a_word_from_the_user(tmp_path):
    columns = {"tokens": [WORDS], "entities": [[{"start": 0, "end": 1, "type": "PER"}]]}
    Dataset.from_dict(columns).to_parquet(str(tmp_path / "x.parquet"))
    (bad,) = open_reader(tmp_path / "x.parquet", lang="en").read()
    assert bad.reason == "token_offsets" and "--set read.options.offsets=token" in bad.message
    (row,) = open_reader(tmp_path / "x.parquet", lang="en", options={"offsets": "token"}).read()
    assert [(row.quote(s), s.label) for s in row.spans] == [("Eva", "PER")]
