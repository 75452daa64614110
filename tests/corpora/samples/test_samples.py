"""The samples hold what they promise: right offsets, many domains, easy rows and hard ones."""

import json
from collections import Counter
from typing import Any

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.samples import sample_path
from spanferry.corpora.schema import Example, Span, validate

DOMAINS = {"travel", "voice", "news", "medicine", "law", "shop", "software", "sport", "chat"}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sample_path(name).read_text(encoding="utf-8").splitlines()]


def quotes(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["text"][s["start"] : s["end"]], s["label"]) for s in row["spans"]]


@pytest.mark.parametrize(("name", "count"), [("sentences", 200), ("documents", 20)])
def test_counts_ids_and_domains(name: str, count: int) -> None:
    found = rows(name)
    assert len(found) == count
    assert len({row["id"] for row in found}) == count
    assert {row["meta"]["domain"] for row in found} == DOMAINS
    assert {row["lang"] for row in found} == {"en"}


@pytest.mark.parametrize("name", ["sentences", "documents"])
def test_every_span_is_a_labelled_quote_on_word_edges(name: str) -> None:
    for row in rows(name):
        spans = tuple(Span(s["start"], s["end"], s["label"]) for s in row["spans"])
        validate(Example(row["id"], row["lang"], {"text": row["text"]}, spans))
        assert len({(s.start, s.end, s.label) for s in spans}) == len(spans), row["id"]
        for (quote, label), span in zip(quotes(row), spans, strict=True):
            assert label and label.isidentifier(), row["id"]
            assert quote.strip() == quote, row["id"]
            around = row["text"][max(0, span.start - 1) : span.start + 1], row["text"][span.end - 1 : span.end + 1]
            assert not any(len(pair) == 2 and pair.isalnum() for pair in around), (row["id"], quote)


def test_offsets_were_not_shifted() -> None:
    by_id = {row["id"]: row for row in rows("sentences")}
    assert quotes(by_id["travel-001"]) == [("Casa Lola", "restaurant"), ("two", "number")]
    assert quotes(by_id["travel-021"]) == [
        ("The Hotel Bristol", "hotel"),
        ("Bristol", "location"),
        ("the river", "location"),
    ]
    # Behind a family emoji of five code points.
    assert quotes(by_id["chat-011"]) == [("We", "person"), ("so much", "degree")]


def test_sentences_hold_the_hard_cases() -> None:
    found = rows("sentences")
    cases: Counter[str] = Counter()
    for row in found:
        spans, text = row["spans"], row["text"]
        held = [quote for quote, _ in quotes(row)]
        cases["none"] += not spans
        cases["intent"] += "label" in row
        cases["nested"] += any(
            a is not b and a["start"] <= b["start"] and b["end"] <= a["end"] for a in spans for b in spans
        )
        cases["repeated"] += len(set(held)) < len(held)
        cases["long"] += any(len(quote) > 40 for quote in held)
        cases["both ends"] += bool(spans) and spans[0]["start"] == 0 and spans[-1]["end"] >= len(text) - 1
        cases["markup"] += "</" in text
        cases["placeholder"] += "%s" in text or "{name}" in text
        cases["url"] += "https://" in text
        cases["email"] += "@" in text
        cases["emoji"] += any(ord(c) > 0x1F000 for c in text)
    for case in ("nested", "repeated", "long", "markup", "placeholder", "url", "email"):
        assert cases[case] >= 1, case
    assert cases["none"] >= 20
    assert cases["intent"] >= 40
    assert cases["both ends"] >= 20
    assert cases["emoji"] >= 5


def test_documents_have_paragraphs_and_spans_that_cross_a_sentence_end() -> None:
    found = rows("documents")
    assert sum("\n\n" in row["text"] for row in found) >= 10
    assert all(row["text"].count("\n") + row["text"].count(". ") >= 2 for row in found)
    crossing = [quote for row in found for quote, _ in quotes(row) if any(end in quote for end in (". ", "? ", "! "))]
    assert len(crossing) >= 4
    assert "Who Is Afraid? A Love Story." in crossing


def test_unknown_sample_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown sample 'sentence'") as caught:
        sample_path("sentence")
    assert "Hint: did you mean 'sentences'?" in str(caught.value)
