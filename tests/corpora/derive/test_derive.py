"""Derived sets of texts against what was worked out by hand, and what all kinds have in common."""

import dataclasses

import pytest

from spanferry.corpora.derive import DERIVATIONS, derivation_options, open_derivation
from spanferry.corpora.derive.base import key_of
from spanferry.corpora.derive.languages import language_name
from spanferry.corpora.derive.sampling import direction_shares, drawn, quotas, smoothed
from spanferry.corpora.derive.templates import TEMPLATES
from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.schema import Example, Span, Translation
from tests.corpora.derived import derive
from tests.corpora.parallel_rows import example, row, three


def test_instructions_follow_the_key():
    found = derive("instructions", [three()], directions=["en-es"], seed=3)
    number = key_of(3, "7", "en", "es", "text") % len(TEMPLATES)
    assert [r.id for r in found] == ["7_en-es"]
    assert found[0].values == {
        "instruction": TEMPLATES[number].format(source="English", target="Spanish"),
        "input": "Tom saw Berlin.",
        "output": "Tom vio Berlín 😀.",
        "source_lang": "en",
        "target_lang": "es",
        "field": "text",
        "template": number,
    }


def test_instructions_use_every_template_and_both_directions():
    rows = [three(str(i)) for i in range(200)]
    found = derive("instructions", rows)
    assert {(r.values["source_lang"], r.values["target_lang"]) for r in found} == {
        (a, b) for a in ("en", "es", "de") for b in ("en", "es", "de") if a != b
    }
    assert {r.values["template"] for r in found} == set(range(len(TEMPLATES)))
    assert all("{" not in r.values["instruction"] for r in found)
    assert [r.values for r in derive("instructions", rows[50:51])] == [
        r.values for r in found if r.id.startswith("50_")
    ], "a record does not depend on the other rows"


def test_instructions_of_several_fields_and_empty_ones():
    cells = {
        lang: Example("1", lang, {"question": question, "context": context})
        for lang, question, context in (("en", "Who?", "Tom ran."), ("es", "¿Quién?", " "))
    }
    found = derive("instructions", [MultiRow("1", cells)], directions=["en-es"])
    assert [(r.id, r.reasons) for r in found] == [
        ("1_en-es.question", ()),
        ("1_en-es.context", ("instructions:empty",)),
    ]
    assert found[1].texts["en"] == {"question": "Who?", "context": "Tom ran."}


def test_templates_name_the_target_and_differ():
    assert len(set(TEMPLATES)) == len(TEMPLATES) >= 30
    assert all("{target}" in template for template in TEMPLATES)


def test_prompts_with_and_without_auxiliary():
    cell = row("1", example("en", "Good day."), example("ru", "Добрый день."), example("ky", "Кутман күн."))
    plain, helped = (
        derive("multilingual-prompts", [cell], directions=["en-ky"], auxiliary_share=share, auxiliaries=["ky=ru"])[0]
        for share in (0.0, 1.0)
    )
    assert plain.values["prompt"] == "Translate this from English to Kirghiz:\nEnglish: Good day.\nKirghiz:"
    assert helped.values["prompt"] == (
        "Translate this from English to Russian and Kirghiz:\nEnglish: Good day.\nRussian: Добрый день.\nKirghiz:"
    )
    assert helped.values["completion"] == plain.values["completion"] == " Кутман күн."
    assert (plain.values["auxiliary_lang"], helped.values["auxiliary_lang"]) == (None, "ru")


def test_prompts_half_with_auxiliary_and_into_english_sampled():
    rows = [three(str(i)) for i in range(600)]
    found = derive("multilingual-prompts", rows)
    into = [r for r in found if r.id.endswith(("es-en", "de-en"))]
    others = [r for r in found if not r.id.endswith("-en")]
    assert all(not r.reasons for r in others), "everything that is not into a hub stays"
    assert {r.reasons for r in into} == {(), ("sample:into_hub",)}
    assert 30 <= sum(not r.reasons for r in into) <= 95, "1,200 rows at p = 0.05"
    share = sum(r.values["auxiliary_lang"] is not None for r in others) / len(others)
    assert 0.45 < share < 0.55
    text = derive("multilingual-prompts", [row("1", example("en", "a\nb"), example("es", "c"))], directions=["en-es"])
    assert text[0].reasons == ("prompts:line_break",)


def test_hub_to_hub_always_stays():
    assert all(drawn(0, str(i), ("zh", "en"), ("en", "zh"), 0.0) for i in range(20))
    assert not any(drawn(0, str(i), ("de", "en"), ("en", "zh"), 0.0) for i in range(20))


def test_interleaved_windows_by_hand():
    rows = [
        row("a", example("en", "One two three."), example("es", "Uno dos tres.")),
        row("b", example("en", "Four five."), example("es", "Cuatro cinco.")),
        row("c", example("en", "Six seven. Eight nine ten."), example("es", "Seis siete. Ocho nueve diez.")),
        row("d", example("en", "This sentence is far too long for it."), example("es", "Sí.")),
    ]
    found = derive("interleaved", rows, window=8)
    assert [(r.values.get("ids"), r.values.get("size")) for r in found if not r.reasons] == [
        (["a"], 8),
        (["b"], 6),
        (["c"], 6),
        (["c"], 8),
    ]
    texts = [r.values["text"] for r in found if not r.reasons]
    assert texts[0] == "One two three.\n\nUno dos tres. [SPLIT]"
    assert texts[2:] == ["Six seven.\n\nSeis siete. [SPLIT]", "Eight nine ten.\n\nOcho nueve diez. [SPLIT]"]
    assert [r.reasons for r in found if r.reasons] == [("interleaved:sentence_too_long",)]
    wide = derive("interleaved", rows[:2], window=20)
    assert [r.values["text"] for r in wide] == [
        "One two three.\n\nUno dos tres. [SPLIT]\n\nFour five.\n\nCuatro cinco. [SPLIT]"
    ]
    assert derive("interleaved", rows[:1], window=100, unit="characters")[0].values["size"] == 27


def test_interleaved_keeps_splits_and_directions_apart():
    rows = [three("1"), three("2", split="test"), three("3")]
    found = derive("interleaved", rows)
    assert {(r.id, tuple(r.values["ids"])) for r in found} == {
        ("train_en-es_0", ("1", "3")),
        ("train_en-de_0", ("1", "3")),
        ("test_en-es_0", ("2",)),
        ("test_en-de_0", ("2",)),
    }


def test_interleaved_needs_its_tokenizer():
    with pytest.raises(InputError, match="tokenizer"):
        derive("interleaved", [three()], unit="pieces", tokenizer="nowhere.json")


def _question(lang, question, context, answer=None):
    spans = (
        (Span(context.index(answer), context.index(answer) + len(answer), "answer", "s0", "context"),) if answer else ()
    )
    return Example("q1", lang, {"question": question, "context": context}, spans)


def test_cross_qa_combines_languages():
    english = _question("en", "Where is Tom?", "Tom is in Rome 😀 now.", "Rome")
    german = _question("de", "Wo ist Tom?", "😀 Tom ist jetzt in Rom.", "Rom")
    found = derive("cross-qa", [MultiRow("q1", {"en": english, "de": german})])
    assert [r.id for r in found] == ["q1_en-en", "q1_en-de", "q1_de-en", "q1_de-de"]
    crossed = found[1].values
    assert (crossed["question"], crossed["context"]) == ("Where is Tom?", "😀 Tom ist jetzt in Rom.")
    assert crossed["answers"] == {"text": ["Rom"], "answer_start": [19]}
    assert crossed["context"][19:22] == "Rom"
    lost = _question("es", "¿Dónde está Tom?", "Tom está allí.")
    found = derive("cross-qa", [MultiRow("q1", {"en": english, "es": lost})], same=False)
    assert [(r.id, r.reasons) for r in found] == [("q1_en-es", ("cross_qa:answer_lost",)), ("q1_es-en", ())]


def test_cross_qa_without_question():
    assert {r.reasons for r in derive("cross-qa", [three()])} == {("cross_qa:no_field",)}


_WORDS = {
    ("en", "es"): {"cats": "gatos", "sleep": "duermen", "run": "corren"},
    ("es", "en"): {"gatos": "felines", "duermen": "sleep", "corren": "run"},
}


class WordByWord:
    """A translator with a table of words: what it does can be checked by hand."""

    def __init__(self, source, target):
        self.table = _WORDS[source, target]

    def translate(self, texts, source, target):
        return [
            Translation("", reason="source_too_long") if "long" in text else Translation(self._line(text))
            for text in texts
        ]

    def _line(self, text):
        return " ".join(self.table.get(word.lower(), word) for word in text.split())


def _nli(row_id, premise, hypothesis):
    return MultiRow(row_id, {"en": Example(row_id, "en", {"premise": premise, "hypothesis": hypothesis}, label="yes")})


def test_sentence_pairs_in_three_ways():
    found = derive("sentence-pairs", [_nli("1", "cats sleep", "cats run")], translators=WordByWord, into="es")
    values = {r.values["way"]: r.values for r in found}
    assert values["independent"] == {
        "premise": "gatos duermen",
        "hypothesis": "gatos corren",
        "label": "yes",
        "lang": "es",
        "way": "independent",
        "through": None,
    }
    assert (values["joint"]["premise"], values["joint"]["hypothesis"]) == ("gatos duermen", "gatos corren")
    assert values["round_trip"]["premise"] == "felines sleep"
    assert (values["round_trip"]["lang"], values["round_trip"]["through"]) == ("en", "es")


def test_sentence_pairs_that_fail_are_rejected():
    rows = [
        _nli("1", "cats sleep", "a | b"),
        _nli("2", "a long night", "cats run"),
        three("3"),
        _nli("4", "Cats sleep", "Cats run"),
    ]
    found = derive("sentence-pairs", rows, translators=WordByWord, into="es", ways=["independent", "joint"])
    assert [(r.id, r.reasons) for r in found] == [
        ("1_independent-es", ()),
        ("1_joint-es", ("sentence_pairs:separator",)),
        ("2_independent-es", ("translate:source_too_long",)),
        ("2_joint-es", ("translate:source_too_long",)),
        ("3_independent", ("sentence_pairs:no_field",)),
        ("3_joint", ("sentence_pairs:no_field",)),
        ("4_independent-es", ()),
        ("4_joint-es", ()),
    ]
    assert found[1].texts["translation"] == "gatos duermen | a | b"
    assert found[7].values["premise"] == "Gatos duermen", "what began with a capital does so again"


def test_sentence_pairs_need_a_language():
    with pytest.raises(ConfigError, match="translate into"):
        open_derivation("sentence-pairs")


def test_preferences_by_hand():
    cells = {
        lang: Example("1", lang, {"instruction": i, "response": r})
        for lang, i, r in (
            ("en", "Name a color.", "Red."),
            ("es", "Di un color.", "Rojo."),
            ("de", "Nenne eine Farbe.", "Red."),
        )
    }
    found = {r.id: r for r in derive("preferences", [MultiRow("1", cells)])}
    assert found["1_en-es"].values == {
        "prompt": "Name a color.",
        "chosen": "Red.",
        "rejected": "Rojo.",
        "lang": "en",
        "rejected_lang": "es",
    }
    assert (found["1_es-en"].values["chosen"], found["1_es-en"].values["rejected"]) == ("Rojo.", "Red.")
    assert found["1_en-de"].reasons == ("preferences:same_answer",)
    assert derive("preferences", [three()], directions=["en-es"])[0].reasons == ("preferences:no_field",)


def test_smoothing_by_hand():
    assert smoothed({"a": 100, "b": 25, "c": 0}, 0.5) == {"a": 10 / 15, "b": 5 / 15}
    assert smoothed({"a": 3, "b": 1}, 1.0) == {"a": 0.75, "b": 0.25}
    shares = direction_shares({("en", "es"): 90, ("de", "es"): 10, ("en", "sw"): 25}, 0.5, 0.0)
    assert shares[("en", "sw")] == pytest.approx(5 / 15), "of targets 100 and 25, square roots 10 and 5"
    assert shares[("en", "es")] == shares[("de", "es")] == pytest.approx(10 / 15 / 2), "beta 0: sources are equal"
    shares = direction_shares({("en", "es"): 81, ("de", "es"): 16}, 0.5, 0.5)
    assert shares[("en", "es")] == pytest.approx(9 / 13)
    assert quotas({("a", "b"): 0.5, ("b", "a"): 0.3, ("c", "a"): 0.2}, 7) == {
        ("a", "b"): 4,
        ("b", "a"): 2,
        ("c", "a"): 1,
    }


def test_sampled_quotas_copies_and_small_directions():
    rows = [row(f"e{i}", example("en", f"e {i}"), example("es", f"s {i}")) for i in range(100)]
    rows += [row(f"w{i}", example("en", f"f {i}"), example("sw", f"w {i}")) for i in range(25)]
    rows += [row("tiny", example("en", "x"), example("de", "y"))]
    found = derive("sampled", rows, directions=["en-es", "en-sw", "en-de"], min_pairs=20, total=120)
    kept = [r for r in found if not r.reasons]
    by_target = {lang: [r for r in kept if r.values["target_lang"] == lang] for lang in ("es", "sw", "de")}
    assert {lang: len(rows) for lang, rows in by_target.items()} == {"es": 80, "sw": 40, "de": 0}
    assert {r.values["copy"] for r in by_target["sw"]} == {0, 1}
    assert len({r.values["row"] for r in by_target["sw"]}) == 25, "every pair once, fifteen twice"
    assert [r.reasons for r in found if r.id == "tiny_en-de"] == [("sampled:too_few_pairs",)]
    assert sum(r.reasons == ("sampled:not_drawn",) for r in found) == 20
    again = derive("sampled", rows, directions=["en-es", "en-sw", "en-de"], min_pairs=20, total=120, seed=1)
    assert [r.id for r in again if not r.reasons] != [r.id for r in kept], "another seed draws others"


def test_language_names():
    assert language_name("zh-Hant") == "Traditional Chinese"
    assert language_name("sr-Latn") == "Serbian in Latin script"
    assert language_name("de-CH") == "German"
    with pytest.raises(ConfigError, match="qaa"):
        language_name("qaa")


def test_options_are_checked():
    with pytest.raises(ConfigError, match="did you mean 'directions'"):
        open_derivation("instructions", {"direction": ["en-es"]})
    with pytest.raises(ConfigError, match="min_pairs"):
        open_derivation("sampled", {"min_pairs": 0})
    with pytest.raises(ConfigError, match="not a direction"):
        list(open_derivation("instructions", {"directions": ["english"]}).derive([three()]))
    with pytest.raises(ConfigError, match="unknown derivation 'instruction'"):
        open_derivation("instruction")


@pytest.mark.parametrize("kind", DERIVATIONS)
def test_every_kind_says_where_it_comes_from(kind):
    derivation = open_derivation(kind, {"into": "es"} if kind == "sentence-pairs" else {})
    assert derivation.name == kind
    assert derivation.paper and derivation.differs and derivation.task
    assert derivation.schema.names[0] == "id"
    options = {f.name for f in dataclasses.fields(derivation)} - {"seed", "translators"}
    assert set(derivation_options(kind)) == options
