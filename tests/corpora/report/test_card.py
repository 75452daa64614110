"""The card: metadata the hub takes, sections from the counts, the same bytes for the same input."""

from dataclasses import replace

import pytest
import yaml

from spanferry.corpora.filters import default_filters
from spanferry.corpora.report.card import CardOptions, Made, card, size_category
from spanferry.corpora.report.tally import Tally
from tests.corpora.filter_pairs import pair

MADE = Made(
    flow="translate-train",
    source="sentences.jsonl",
    signature="src:sentences@1|mt:bundled",
    translator="mt:bundled@5f1",
    projector="proj:default",
    filters=[(f.name, f.signature, f.threshold_signature) for f in default_filters()],
    version="0.1.0",
    command="spanferry run translate-train --input sentences.jsonl --target es",
)
ROWS = [
    pair("See [Ann|per].", "Ve a [Ana|per].", label="look"),
    pair("[Tom|per] runs", "[Tom|per] corre", split="test"),
    pair("See [Ann|per].", "Ve.").rejected("span_count:per"),
]


def head_of(text: str) -> dict[str, object]:
    assert text.startswith("---\n")
    parsed = yaml.safe_load(text[4 : text.index("\n---\n", 4)])
    assert isinstance(parsed, dict)
    return parsed


def test_metadata() -> None:
    text = card([Tally("pt-BR").add(ROWS)], MADE, CardOptions("Sätze: «pt»", license="cc-by-4.0"))
    assert head_of(text) == {
        "pretty_name": "Sätze: «pt»",
        "language": ["en", "pt"],
        "license": "cc-by-4.0",
        "multilinguality": ["translation"],
        "task_categories": ["token-classification"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "size_categories": ["n<1K"],
        "tags": ["annotation-projection", "spanferry", "machine-translation"],
    }


def test_body_has_the_numbers() -> None:
    text = card([Tally("es").add(ROWS)], MADE, CardOptions("x"))
    for line in (
        "| es | train | 2 | 1 |",
        "| es | test | 1 | 1 |",
        "| es | per | 3 | 2 | 2 |",
        "| es | look | 1 |",
        "| es | span_count:per | 1 |",
        "| es | test | 2 |",
        "- es: 2 of 3 source spans (66.7 %) were placed; 2 of 3 rows (66.7 %) were kept.",
        "| length_ratio | `length_ratio(smoothing=15)` | `length_ratio(low=0.4,high=2.5,span_low=0.3,span_high=3.0)` |",
        "src:sentences@1|mt:bundled",
        'data = load_from_disk("OUT")',
        "Not stated. ",
    ):
        assert line in text, line
    assert head_of(text)["license"] == "unknown"
    assert card([Tally("es").add(ROWS)], MADE, CardOptions("x")) == text


def test_given_translations_are_no_machine_translation() -> None:
    given = replace(MADE, flow="project", translator=None)
    text = card([Tally("es").add(ROWS)], given, CardOptions("x"))
    assert head_of(text)["language_creators"] == ["found"]
    assert "given translations in es" in text and "machine translation:" not in text
    assert head_of(text)["tags"] == ["annotation-projection", "spanferry"]


def test_parquet_configurations() -> None:
    files = {"default": {"train": "data/train-*.parquet"}, "rejected": {"rejected": "rejected/rejected-*.parquet"}}
    text = card([Tally("es").add(ROWS)], MADE, CardOptions("x", directory="me/x", data_files=files))
    assert head_of(text)["configs"] == [
        {"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]},
        {"config_name": "rejected", "data_files": [{"split": "rejected", "path": "rejected/rejected-*.parquet"}]},
    ]
    assert 'data = load_dataset("me/x")\nrejected = load_dataset("me/x", "rejected")' in text


@pytest.mark.parametrize(
    ("texts", "inline", "task"),
    [
        (["text"], "[a|x]", "token-classification"),
        (["question", "context"], "a", "question-answering"),
        (["premise", "hypothesis"], "a", "text-classification"),
        (["text"], "a", "translation"),
    ],
)
def test_task_follows_the_fields(texts: list[str], inline: str, task: str) -> None:
    row = pair(inline, inline)
    row = replace(row, source=replace(row.source, texts=dict.fromkeys(texts, "a")))
    assert head_of(card([Tally("es").add([row])], MADE, CardOptions("x")))["task_categories"] == [task]


def test_the_hubs_own_reader_takes_it() -> None:
    hub = pytest.importorskip("huggingface_hub")
    read = hub.DatasetCard(card([Tally("es").add(ROWS)], MADE, CardOptions("x", license="mit")))
    assert read.data.license == "mit"
    assert read.data.language == ["en", "es"]
    assert read.text.startswith("\n# x") or read.text.startswith("# x")


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (99_999, "10K<n<100K"), (5 * 10**8, "100M<n<1B")],
)
def test_size_category(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_the_promised_error_is_among_the_limits() -> None:
    text = card([Tally("es").add(ROWS)], replace(MADE, promises=["max error: 3.0% of <b>\nspans."]), CardOptions("x"))
    limits = text.partition("## Bias, Risks, and Limitations")[2].partition("## Licence")[0]
    assert "- max error: 3.0% of &lt;b&gt; spans.\n" in limits
