"""Prompts and examples, and a local language model as a translator."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError, InputError, ModelError
from spanferry.corpora.schema import Span
from spanferry.projectors.base import FittableProjector, ProjectionInput
from spanferry.projectors.methods.build import build_projector
from spanferry.translators.base import Generation, TextGenerator
from spanferry.translators.prompting.examples import ExampleMemory
from spanferry.translators.prompting.prompted import PromptTranslator
from spanferry.translators.prompting.prompts import SHIPPED, choose_template

MEMORY = [
    ("The cat sleeps.", "El gato duerme."),
    ("The dog sleeps.", "El perro duerme."),
    ("It will rain tomorrow.", "Mañana lloverá."),
    ("The cat sleeps.", "Duerme el gato."),
    ("Prices rose by 3 %.", "Los precios subieron un 3 %."),
]


class Echo:
    """A model of a word a token that answers with the last line before the cue, and keeps what it was asked."""

    signature = "llm:echo@0|ct2:none"

    def __init__(self, context: int = 400) -> None:
        self.context = context
        self.asked: list[tuple[str, int | None, tuple[str, ...]]] = []

    def length(self, prompt: str) -> int:
        return len(prompt.split()) + 2

    def generate(
        self, prompts: Sequence[str], *, max_tokens: int | None = None, stop: Sequence[str] = ()
    ) -> list[Generation]:
        self.asked += [(prompt, max_tokens, tuple(stop)) for prompt in prompts]
        return [Generation(prompt.split("\n")[-2].partition(": ")[2].upper()) for prompt in prompts]


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    path = tmp_path / "memory.tsv"
    lines = [f"{source}\t{target}" for source, target in MEMORY]
    path.write_text("\n".join([lines[0] + "\tcredit", "", *lines[1:], lines[1]]) + "\n", encoding="utf-8")
    return path


def test_the_examples_are_the_most_similar_the_nearest_last(memory: Path) -> None:
    found = ExampleMemory(memory)
    assert len(found) == 5, "a pair that comes twice counts once"
    assert found.similar("The cat sleeps!", 3) == [MEMORY[1], MEMORY[3], MEMORY[0]]
    assert found.similar("The cat sleeps!", 1) == [MEMORY[0]], "of equals the first in the file"
    assert found.similar("The cat sleeps!", 5, least=0.9) == [MEMORY[3], MEMORY[0]]
    assert found.similar("完全", 5, least=0.4) == []


@pytest.mark.parametrize(
    ("content", "where"), [("a\tb\nonly one\n", ":2"), ("a\t \n", ":1"), (b"\xff\tb\n", "memory.tsv: no examples")]
)
def test_a_memory_that_is_none(tmp_path: Path, content: str | bytes, where: str) -> None:
    path = tmp_path / "memory.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        ExampleMemory(path)
    assert where in str(caught.value) and "Hint:" in str(caught.value)
    with pytest.raises(InputError, match="No such file"):
        ExampleMemory(tmp_path / "absent.tsv")


@pytest.mark.parametrize(
    ("model", "has_chat", "name"),
    [("Qwen2.5-7B-Instruct", True, "instruct"), ("gpt2", False, "plain"), ("ALMA-7B-R", False, "alma"),
     ("TowerInstruct-7B-v0.2", True, "tower"), ("EuroLLM-9B-Instruct", True, "eurollm"),
     ("GemmaX2-28-2B", True, "alma")],
)  # fmt: skip
def test_a_template_is_chosen_by_the_models_name(model: str, has_chat: bool, name: str) -> None:
    assert choose_template("auto", model, has_chat=has_chat).name == name
    assert choose_template("tower", model, has_chat=has_chat).name == "tower"


def test_what_stands_in_braces_in_a_text_stays() -> None:
    found = choose_template("plain", "m", has_chat=False)
    prompt = found.fill("{text} of {n} {examples}", "English", "Spanish", [("{source} a", "{target} b")])
    assert prompt == "English: {source} a\nSpanish: {target} b\nEnglish: {text} of {n} {examples}\nSpanish:"


def test_every_shipped_template_ends_with_the_cue() -> None:
    for name in ("instruct", "plain", "alma", "tower", "eurollm"):
        found = choose_template(name, "m", has_chat=True)
        shown = found.fill("Hello.", "English", "German", [("One.", "Eins.")])
        assert shown.endswith("English: Hello.\nGerman:") and shown.count("English: One.\nGerman: Eins.") == 1
        assert found.chat or found.stop, "outside a chat something has to end the answer"
    assert SHIPPED.is_file()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('message = "{text}"\nexample = ""\ncaht = true', "unknown key"),
        ('message = "{text} {langauge}"\nexample = ""', "unknown field in 'message'"),
        ('message = "nothing"\nexample = ""', "the message has no {text}"),
        ('message = "{text}"', "'example' is not text"),
        ("message = ", "no prompt template can be read"),
    ],
)
def test_a_template_of_ones_own(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        choose_template(str(path), "m", has_chat=True)
    assert "mine.toml" in str(caught.value)
    path.write_text('message = "To {target}: {examples}{text}"\nexample = "{example_source}"\nstop = ["#"]')
    found = choose_template(str(path), "m", has_chat=True)
    assert (found.name, found.chat, found.stop) == ("mine", True, ("#",))
    assert found.fill("x", "English", "Greek", [("a", "b")]) == "To Greek: ax"


def test_a_name_that_is_no_template() -> None:
    with pytest.raises(ConfigError, match="unknown prompt template 'towr'") as caught:
        choose_template("towr", "m", has_chat=True)
    assert "Valid: alma, auto, eurollm, instruct, plain, tower" in str(caught.value)


def translator(generator: TextGenerator, **options: object) -> PromptTranslator:
    return PromptTranslator(generator, choose_template("plain", "m", has_chat=False), **options)  # type: ignore[arg-type]


def test_rows_come_back_in_order_with_their_own_limits(memory: Path) -> None:
    model = Echo()
    ours = translator(model, examples=str(memory), shots=2)
    texts = ["The cat sleeps!", "", "word " * 30, "&nbsp;", "a\ud800", "x " * 200, "It rains."]
    found = ours.translate(texts, "en", "es")
    assert [r.text for r in found] == ["THE CAT SLEEPS!", "", ("WORD " * 30).strip(), "", "", "", "IT RAINS."]
    reasons = [None, "empty_source", None, "only_markup", "bad_unicode", "source_too_long", None]
    assert [r.reason for r in found] == reasons
    assert [r.truncated for r in found] == [False] * 5 + [True, False]
    by_text = {prompt.split("\n")[-2]: (prompt, cap) for prompt, cap, _ in model.asked}
    prompt, cap = by_text["English: The cat sleeps!"]
    assert prompt.split("\n")[:-2] == [
        "English: The cat sleeps.", "Spanish: Duerme el gato.", "English: The cat sleeps.", "Spanish: El gato duerme.",
    ]  # fmt: skip
    assert cap == 64 and by_text[f"English: {('word ' * 30).strip()}"][1] == 136
    assert {stop for _, _, stop in model.asked} == {("\n",)}


def test_examples_give_way_where_the_context_is_short(memory: Path) -> None:
    model = Echo(context=80)
    ours = translator(model, examples=str(memory), shots=3, min_similarity=0.0)
    assert ours.limits.source == 20 and ours.limits.target == 40
    assert ours.translate(["The cat sleeps!"], "en", "es")[0].reason is None
    shown = model.asked[0][0].split("\n")
    assert len(shown) == 8, "three examples, while they fit"
    ours.translate(["The cat sleeps! " + "a " * 16], "en", "es")
    assert len(model.asked[1][0].split("\n")) < 8
    assert model.asked[1][0].split("\n")[-3] == "Spanish: El gato duerme.", "the least similar go first"


def test_the_signature_has_what_changes_the_output(memory: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.tsv"
    other.write_text("a\tb\n", encoding="utf-8")
    options: list[dict[str, object]] = [
        {}, {"examples": str(memory)}, {"examples": str(other)}, {"examples": str(memory), "shots": 2},
        {"examples": str(memory), "min_similarity": 0.5}, {"max_source": 99}, {"max_target": 99},
    ]  # fmt: skip
    signatures = {translator(Echo(), **chosen).signature for chosen in options}
    signatures.add(PromptTranslator(Echo(), choose_template("alma", "m", has_chat=False)).signature)
    assert len(signatures) == len(options) + 1
    assert all(s.startswith("mt:echo@0|ct2:none|prompt:") for s in signatures)


def test_only_the_first_line_of_an_answer_counts() -> None:
    class Talks(Echo):
        def generate(self, prompts: Sequence[str], **_: object) -> list[Generation]:
            return [Generation("Hola  mundo\n\nNote: this is informal.", score=-0.5) for _ in prompts]

    found = translator(Talks()).translate(["Hello world"], "en", "es")[0]
    assert (found.text, found.score, found.pieces) == ("Hola mundo", -0.5, ())


def test_languages_go_by_name() -> None:
    ours = translator(Echo())
    assert ours.supports("en", "sr-Latn") and not ours.supports("en", "xx")
    assert ours.languages("zh-TW", "pt-BR") == ("Chinese (Traditional)", "Portuguese (Brazil)")
    with pytest.raises(ModelError, match="no name is known for the language 'german'") as caught:
        ours.translate(["a"], "en", "german")
    assert str(caught.value).endswith("Hint: nearest: de, gsw, nds")


@pytest.mark.parametrize("options", [{"shots": -1}, {"min_similarity": 1.5}, {"max_source": 0}])
def test_options_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))}="):
        translator(Echo(), **options)


def test_projectors_do_not_ask_it_for_scores() -> None:
    ours = translator(Echo())
    item = ProjectionInput(
        "1",
        "Anna lives in Rome.",
        "Anna vive en Rome.",
        (Span(0, 4, "PER", "s0"), Span(14, 18, "LOC", "s1")),
        "en",
        "es",
    )
    default = build_projector("default", {}, ours, "en", "es")
    assert isinstance(default, FittableProjector)
    spans = [p.span for p in default.fit([item]).project([item])[0]]
    assert [(s.start, s.end) for s in spans if s] == [(0, 4), (13, 17)]
    with pytest.raises(ModelError, match="projector 'constrained' needs a model that scores") as caught:
        build_projector("constrained", {}, ours, "en", "es")
    assert "mt:echo@0" in str(caught.value)
    assert build_projector("markers", {}, ours, "en", "es").signature
    assert "llm:echo@0" in build_projector("contextual", {}, ours, "en", "es").signature, (
        "this one asks the model itself"
    )
