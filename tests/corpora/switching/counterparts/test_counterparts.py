"""Counterparts that do not come from the row's own translation, and corpora with languages."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.switching.counterparts.dictionary import DictionaryCounterparts
from spanferry.corpora.switching.counterparts.entities import EntityCounterparts
from spanferry.corpora.switching.counterparts.transliteration import TransliterationCounterparts, transliterated
from spanferry.corpora.switching.tagged import hinglish_tags, read_language_tags
from spanferry.corpora.switching.units.span import SpanUnits
from tests.corpora.switching_rows import done, quotes, row, switched

TEA = row("r", ("en", "Anna likes the tea of London", [("Anna", "PER"), ("London", "LOC")]))


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_dictionary_without_any_translation_of_the_row(tmp_path: Path) -> None:
    es = write(tmp_path / "es", "source\ttarget\tcount\tp_target_given_source\ntea\tté\t4\t1\nlikes\tama\t1\t1\n")
    de = write(tmp_path / "de", "tea Tee\nlondon London\n")
    counterpart = DictionaryCounterparts({"es": es, "de": de})
    found = done([TEA], languages=(), counterpart=counterpart)
    # "tea" has entries in both, "likes" in one: what holds the word is drawn from.
    assert found.kept["text"].to_pylist()[0] in (
        "Anna ama the té of London",
        "Anna ama the Tee of London",
    )
    assert found.counts["switched"] == 2 and found.counts["units"] == 6 and found.counts["not:no_counterpart"] == 3
    out = switched(TEA, languages=("de",), counterpart=counterpart)[0]
    assert out["text"] == "Anna likes the Tee of London" and out["switches"][0]["from_start"] is None


def test_entries_are_drawn_by_their_probability(tmp_path: Path) -> None:
    path = write(tmp_path / "es", "tea\tté\t9\t0.9\ntea\tinfusión\t1\t0.1\n")
    many = [row(f"r{i}", ("en", "tea", [])) for i in range(400)]
    texts = [r["text"] for r in switched(many, counterpart=DictionaryCounterparts({"es": path}))]
    assert 0.85 < texts.count("té") / 400 < 0.95 and texts.count("infusión") == 400 - texts.count("té")


def test_broken_tables_are_reported_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path / "es", "tea\tté\nalone\n")
    with pytest.raises(InputError, match="es:2"):
        done([TEA], counterpart=DictionaryCounterparts({"es": path}))
    with pytest.raises(InputError, match="no such dictionary"):
        DictionaryCounterparts({"es": str(tmp_path / "none")})
    with pytest.raises(ConfigError, match="no dictionary for 'fr'"):
        done([TEA], languages=("fr",), counterpart=DictionaryCounterparts({"es": path}))


def test_entities_by_name_and_by_id(tmp_path: Path) -> None:
    path = write(
        tmp_path / "names",
        "Q84\ten\tLondon\nQ84\tes\tLondres\nQ84\tit\tLondra\n"
        + json.dumps({"id": "Q1", "names": {"en": "Anna", "es": "Ana", "fr": "Anne"}})
        + "\n"
        + "\n".join(f"Q{k}\ten\tLeeds" for k in (5, 6)),
    )
    counterpart = EntityCounterparts(path)
    options = {"languages": (), "unit": SpanUnits(), "counterpart": counterpart, "policy": "row_all"}
    found = switched(TEA, **options)[0]
    # Spanish is the only language in which both have a name.
    assert found["text"] == "Ana likes the tea of Londres" and quotes(found) == [("Ana", "PER"), ("Londres", "LOC")]
    named = row("x", ("en", "He likes Leeds", [("Leeds", "LOC")]), meta={"entities": {"s0": "Q84"}})
    assert switched(named, **{**options, "languages": ("it",)})[0]["text"] == "He likes Londra"
    # Two entities are called so: no one knows which.
    unknown = row("x", ("en", "He likes Leeds", [("Leeds", "LOC")]))
    assert switched(unknown, **options)[0]["unswitched"] == "no_counterpart"


def test_a_language_is_kept_though_a_name_is_spelled_alike_there(tmp_path: Path) -> None:
    path = write(
        tmp_path / "names",
        "Q1\ten\tAnna\nQ1\tde\tAnna\nQ84\ten\tLondon\nQ84\tde\tLondern\nQ84\tfr\tLondres\n"
        "Q1\tsv\tAnna\nQ84\tsv\tLondon\n",
    )
    options = {"unit": SpanUnits(), "counterpart": EntityCounterparts(path), "policy": "row_all"}
    found = switched(TEA, languages=("de",), **options)[0]
    assert found["text"] == "Anna likes the tea of Londern"
    assert quotes(found) == [("Anna", "PER"), ("Londern", "LOC")]
    # French lacks a name; in Swedish nothing would be switched.
    both = switched([replace(TEA, id=f"r{k}") for k in range(8)], languages=("de", "fr"), **options)
    assert {r["text"] for r in both} == {"Anna likes the tea of Londern"}
    assert switched(TEA, languages=("sv",), **options)[0]["text"] == TEA.examples["en"].text


def test_words_of_scripts_without_spaces_are_those_of_a_dictionary(tmp_path: Path) -> None:
    path = write(tmp_path / "zh-en", "北京\tBeijing\n苹果\tapple\n果\tfruit\n")
    one = row("z", ("zh", "我在北京吃苹果。", [("北京", "LOC")]))
    found = switched(one, matrix="zh", languages=("en",), counterpart=DictionaryCounterparts({"en": path}))[0]
    assert [s["source_text"] for s in found["switches"] if s["unit"] == "word"] == ["北京", "苹果"]
    assert quotes(found) == [("Beijing", "LOC")]


def test_words_of_a_class_are_transliterated_others_translated_or_passed_on(tmp_path: Path) -> None:
    classes = write(tmp_path / "classes", "xemx\tarabic\nkbira\tarabic\nil-\tarabic\nuniversità\titalian\n")
    counterpart = TransliterationCounterparts(classes=classes, translate=("italian",))
    one = row(
        "m",
        ("mt", "Xemx kbira fuq università Maria", [("Maria", "PER")]),
        ("it", "Sole grande sopra ateneo Maria", [("Maria", "PER")], "0-0 1-1 2-2 3-3 4-4"),
    )
    found = switched(one, matrix="mt", languages=("it",), counterpart=counterpart)[0]
    assert found["text"] == "شمش كبيرا fuq ateneo Maria" and found["langs"] == ["mt-Arab", "mt-Arab", "mt", "it", "mt"]
    assert transliterated("għajn", {"għ": "ع", "a": "ا", "j": "ي", "n": "ن"}) == "عاين"
    scheme = write(tmp_path / "scheme", "lj\tљ\nl\tл\nu\tу\nd\tд\ni\tи\n")
    serbian = TransliterationCounterparts(scheme=scheme, transliterate=("other",), script="sr-Cyrl")
    assert switched(row("s", ("sr", "ljudi", [])), matrix="sr", languages=(), counterpart=serbian)[0]["text"] == "људи"
    with pytest.raises(ConfigError, match="unknown transliteration"):
        TransliterationCounterparts(scheme="none")


def test_corpora_with_languages_are_read(tmp_path: Path) -> None:
    conllu = "# text = x\n1\tsalam\t_\tINTJ\t_\t_\t0\troot\t_\tLangO=ar_dz|ner=O\n2-3\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
    conllu += "2\tde\t_\tADP\t_\t_\t1\tx\t_\tlango=fr\n3\t!\t_\tPUNCT\t_\t_\t1\tpunct\t_\tLangO=fr\n\n"
    write(tmp_path / "a.conllu", conllu)
    write(tmp_path / "b.jsonl", '{"langs": ["en", "", null, "es"]}\n')
    assert list(read_language_tags(tmp_path)) == [["ar", "fr", ""], ["en", "", "", "es"]]
    write(tmp_path / "c.tsv", "en_query\tcs_query\nplay a song for me\tmere liye song play karo\n")
    assert list(read_language_tags(tmp_path / "c.tsv")) == [["hi", "hi", "en", "en", "hi"]]
    with pytest.raises(InputError, match="no corpus with languages"):
        list(read_language_tags(tmp_path / "none.xml"))


def test_a_word_of_both_languages_needs_its_english_neighbour() -> None:
    assert hinglish_tags("remind me to call", "mujhe remind me karo", {}, {}) == ["hi", "en", "en", "hi"]
    assert hinglish_tags("remind me to call", "ghar me call karo 5", {}, {}) == ["hi", "hi", "en", "hi", ""]
