"""Records by recipe, against what was worked out by hand."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from spanferry.corpora.derive.records.recipe import load_recipe, recipe_names
from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.schema import Example, Span
from tests.corpora.derived import derive
from tests.corpora.parallel_rows import three

QA = MultiRow(
    "q",
    {
        "en": Example(
            "q", "en", {"question": "Who ran?", "context": "Tom ran home."}, spans=(Span(0, 3, "a", field="context"),)
        ),
        "de": Example(
            "q",
            "de",
            {"question": "Wer rannte?", "context": "Heim rannte Tom."},
            spans=(Span(12, 15, "a", field="context"),),
        ),
    },
)


def labelled(row_id: str, label: str, split: str = "train") -> MultiRow:
    texts = {"en": f"Number {row_id}.", "de": f"Nummer {row_id}."}
    cells = {lang: Example(row_id, lang, {"text": text}, label=label) for lang, text in texts.items()}
    return MultiRow(row_id, cells, split=split)


def recipe(tmp_path: Path, text: str) -> str:
    path = tmp_path / "own.toml"
    path.write_text(text)
    return str(path)


def test_question_and_context_meet_in_every_two_languages():
    found = derive("records", [QA], recipe="question-answering")
    assert [r.id for r in found] == ["q_en-en", "q_en-de", "q_de-en", "q_de-de"]
    asked = next(r for r in found if r.id == "q_de-en").values
    assert "Wer rannte?" in asked["prompt"] and "Tom ran home." in asked["prompt"]
    assert (asked["completion"], asked["wording"]) == ("Tom", "de")
    assert asked["languages"] == [{"role": "question", "lang": "de"}, {"role": "context", "lang": "en"}]


def test_a_role_can_be_fixed_and_a_field_be_called_otherwise():
    cells = {
        lang: Example("q", lang, {"query": e.texts["question"], "context": e.texts["context"]}, e.spans)
        for lang, e in QA.examples.items()
    }
    options = {"recipe": "question-answering", "languages": {"context": "en"}, "fields": {"question": "query"}}
    assert [r.id for r in derive("records", [MultiRow("q", cells)], **options)] == ["q_en-en", "q_de-en"]
    fixed = derive(
        "records", [QA], recipe="question-answering", fields={"question": "question@en"}, languages={"question": "de"}
    )
    assert all("Who ran?" in r.values["prompt"] for r in fixed) and {r.values["wording"] for r in fixed} == {"de"}


def test_label_words_and_demonstrations_are_in_the_language_of_the_text():
    rows = [labelled("1", "positive"), labelled("2", "negative"), labelled("3", "neutral", "test")]
    found = {r.id: r.values for r in derive("records", rows, recipe="sentiment", shots=1, languages={"text": "de"})}
    assert found["3_de"]["completion"] == "neutral" and found["1_de"]["completion"] == "positiv"
    shown, asked = found["1_de"]["prompt"].rsplit("\n\n", 2)[0], found["1_de"]["prompt"]
    assert "Nummer 2." in shown and "\nnegativ\n" in shown + "\n", "the only other row of train"
    assert asked.count("Nummer 1.") == 1 and "Nummer 3." not in asked and found["1_de"]["shots"] == 1
    alone = derive("records", rows, recipe="sentiment", shots=1, zero_shot=1.0)
    assert {r.values["shots"] for r in alone} == {0}


def test_the_most_alike_rows_demonstrate():
    texts = ("Rain falls on Rome today.", "Buy three green apples.", "Rain falls on Paris today.")
    rows = [
        MultiRow(str(k), {"en": Example(str(k), "en", {"text": text}, label="neutral")}) for k, text in enumerate(texts)
    ]
    found = derive("records", rows, recipe="sentiment", shots=1, shots_by="similar")
    assert "Paris" in found[0].values["prompt"] and "Rome" in found[2].values["prompt"]
    assert "apples" not in found[0].values["prompt"]


def test_spans_as_json_and_between_marks(tmp_path):
    spans = (Span(0, 8, "city"), Span(4, 8, "state"), Span(15, 19, "person"))
    row = MultiRow("1", {"en": Example("1", "en", {"text": "New York calls Anna."}, spans=spans)})
    (found,) = derive("records", [row], recipe="entities")
    assert json.loads(found.values["completion"]) == [
        {"text": "New York", "label": "city"}, {"text": "York", "label": "state"}, {"text": "Anna", "label": "person"}
    ]  # fmt: skip
    own = recipe(
        tmp_path,
        """
        languages.text = "all"
        fields.text = "text@text"
        [[templates.en]]
        prompt = "{{ text | quotes('person') | first }}"
        completion = "{{ text | marked('<{label}>', '</{label}>') }} {{ text | bio | json }}"
        """,
    )
    (marked,) = derive("records", [row], recipe=own)
    assert marked.values["prompt"] == "Anna"
    written, tags = marked.values["completion"].split(". ", 1)
    assert written == "<city>New <state>York</state></city> calls <person>Anna</person>"
    assert json.loads(tags)[:3] == [["New", "B-city"], ["York", "I-city"], ["calls", "O"]]


def test_conversations_have_a_system_prompt_turns_and_solved_turns(tmp_path):
    own = recipe(
        tmp_path,
        """
        form = "chat"
        languages = {asked = "en", answered = "de"}
        fields = {text = "text@asked", answer = "text@answered"}
        [[templates.en]]
        system = "You speak {{ languages.answered }}."
        turns = ["{{ text }}", "{{ answer }}", "Again?", "{{ answer }}"]
        """,
    )
    (plain,) = derive("records", [labelled("1", "x")], recipe=own)
    assert plain.values["messages"] == [
        {"role": "system", "content": "You speak German."},
        {"role": "user", "content": "Number 1."},
        {"role": "assistant", "content": "Nummer 1."},
        {"role": "user", "content": "Again?"},
        {"role": "assistant", "content": "Nummer 1."},
    ]
    solved, _ = derive("records", [labelled("1", "x"), labelled("2", "x")], recipe=own, shots=1)
    said = [turn["content"] for turn in solved.values["messages"]]
    assert [turn["role"] for turn in solved.values["messages"]] == ["system", *("user", "assistant") * 4]
    assert said[1:3] == ["Number 2.", "Nummer 2."] and said.count("You speak German.") == 1


def test_roles_follow_each_other_differ_and_are_drawn(tmp_path):
    text = """
        {more}
        languages = {{a = "all", b = "a", c = ["de", "es"]}}
        different = [["a", "c"]]
        fields = {{x = "text@a", y = "text@b", z = "text@c"}}
        [[templates.en]]
        prompt = "{{{{ x }}}} {{{{ y }}}}"
        completion = "{{{{ z }}}}"
    """
    every = derive("records", [three()], recipe=recipe(tmp_path, text.format(more="")))
    assert [r.id for r in every] == ["7_en-en-es", "7_en-en-de", "7_es-es-de", "7_de-de-es"]
    one = derive(
        "records", [three(str(k)) for k in range(60)], recipe=recipe(tmp_path, text.format(more='pick = "one"'))
    )
    assert len(one) == 60 and len({r.id.partition("_")[2] for r in one}) == 4, "each combination is drawn"


def test_a_row_that_can_not_be_worded_is_rejected_with_the_reason():
    bare = MultiRow("1", {"en": Example("1", "en", {"question": "Who?", "context": "Nobody."})})
    other = MultiRow("2", {"en": Example("2", "en", {"text": "x"})})
    blank = MultiRow("3", {lang: Example("3", lang, {"text": " "}) for lang in ("en", "de")})
    assert [r.reasons for r in derive("records", [bare], recipe="question-answering")] == [("records:nothing_to_show",)]
    assert [r.reasons for r in derive("records", [other], recipe="question-answering")] == [("records:no_field",)]
    assert [r.reasons for r in derive("records", [other], recipe="translation")] == [("records:no_language",)]
    assert {r.reasons for r in derive("records", [blank], recipe="translation")} == {("records:empty",)}


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_ours_makes_records(name):
    found = load_recipe(name)
    assert found.paper and found.differs and found.about
    fields = {field for field, _ in found.places().values()}
    spans = {lang: tuple(Span(0, 2, "a", field=field) for field in fields) for lang in ("en", "de", "fr")}
    labels = ["entailment", "positive"]
    for label in labels:
        cells = {
            lang: Example(
                "1", lang, {field: f"{lang} {field} text" for field in sorted(fields)}, spans[lang], label=label
            )
            for lang in spans
        }
        records = derive("records", [MultiRow("1", cells)], recipe=name, seed=5)
        assert records and not any(r.reasons for r in records)
        words = found.labels.get("de", {})
        if label in words:
            assert words[label] in {r.values["completion"] for r in records if r.values["wording"] == "de"}
    assert {record.values["wording"] for record in records} <= set(found.templates)
    assert all("{" not in str(r.values.get("prompt", "")) for r in records)
    assert pa.Table.from_pylist([{"id": r.id, **r.values} for r in records]).num_rows == len(records)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("fields.text = 'text@nobody_at_all'", "language"),
        ("fields.text = 'text'", "names no place"),
        ("languages.text = 'other'\nlanguages.other = 'text'", "does not lead to a language"),
        ("different = [['text', 'txet']]", "did you mean 'text'"),
        ("wording = 'txt'", "did you mean 'text'"),
        ("fallback = 'de'", "has no templates"),
        ("form = 'poem'", "form"),
        ("colour = 'red'", "colour"),
        ("templates.en = [{prompt = 'x', completion = '{{ txt }}'}]", "did you mean 'text'"),
        ("templates.en = [{prompt = 'x', completion = '{{ text '}]", "not a template"),
        ("templates.en = [{prompt = 'x'}]", "completion is missing"),
        ("templates.en = [{prompt = 'x', completion = 'y', turns = ['z']}]", "turns is not used"),
        ("form = 'chat'\ntemplates.en = [{turns = ['z']}]", "1 turns"),
        ("languages = 3", "languages"),
        ("= 3", "not TOML"),
    ],
)
def test_a_recipe_that_is_not_valid_says_what_is_wrong(tmp_path, change, message):
    base = {
        "languages": "languages.text = 'all'",
        "fields": "fields.text = 'text@text'",
        "templates": "templates.en = [{prompt = 'x', completion = 'y'}]",
    }
    kept = [line for key, line in base.items() if key not in change.replace("different", "")]
    with pytest.raises(ConfigError, match=message):
        derive("records", [three()], recipe=recipe(tmp_path, "\n".join([change, *kept])))


def test_an_unknown_recipe_suggests_the_nearest_and_a_missing_file_says_so():
    with pytest.raises(ConfigError, match="did you mean 'entities'"):
        load_recipe("entitys")
    with pytest.raises(InputError, match="can't be read"):
        load_recipe("nowhere/own.toml")
    with pytest.raises(ConfigError, match="role of the recipe"):
        load_recipe("entities", {"txt": "en"})
    with pytest.raises(ConfigError, match="shots"):
        derive("records", [three()], recipe="preferences", shots=1)
    with pytest.raises(ConfigError, match=r"zero_shot = 0.5 without demonstrations[\s\S]*options.shots=2"):
        derive("records", [three()], zero_shot=0.5)


@pytest.mark.parametrize(
    "text", ["{{ text.__class__.__mro__ }}", "{{ ''.__class__ }}", "{% for x in range(10**9) %}x{% endfor %}"]
)
def test_templates_reach_nothing_but_the_row(tmp_path, text):
    own = recipe(
        tmp_path,
        f"languages.text = 'en'\nfields.text = 'text@text'\ntemplates.en = [{{prompt = 'x', completion = \"{text}\"}}]",
    )
    assert [r.reasons for r in derive("records", [three()], recipe=own)] == [("records:nothing_to_show",)]
