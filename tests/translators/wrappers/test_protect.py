"""Placeholders, URLs, code and markup through the bundled model."""

from collections import Counter
from pathlib import Path

import pytest

from spanferry.corpora.schema import Translation
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.wrappers.masks import NUMBERS, PARENTHESES, masked, unmasked
from spanferry.translators.wrappers.memory import RememberingTranslator, TranslationMemory
from spanferry.translators.wrappers.protect import ProtectedTranslator
from spanferry.translators.wrappers.protect_items import protected_items

TEXTS = [
    "Open {file} with `read()` in Madrid.",
    "The dog sleeps in <b class='x y'>Boston</b> near %s.",
    "Write to ann.lee@mail.example.org or look at https://a.example/x?id=4&b=(1).",
    "See :py:class:`Finder <a.b.Finder>` and ``__init__`` before you call run_all().",
    "${name} has bought %(count)d books for {price:.2f} euros, {{ greeting }}!",
    "Press &lt;Enter&gt; and wait.",
    "I have two cats.",
    "The option --no-cache and the variable $HOME are read first.",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call `a b` or ``c`d``.", [("code", "`a b`"), ("code", "``c`d``")]),
        (":ref:`the guide <guide>`, `home`_, |name|, [1]_", "code code code code"),
        ("```py\nx = 1\n```", "code"),
        ("{% if x %}yes{% endif %}", "code code"),
        ("See (https://a.example/b).", [("url", "https://a.example/b")]),
        ("请看https://a.example/x。", [("url", "https://a.example/x")]),
        ("o'neil+b@mail.example.org!", [("email", "o'neil+b@mail.example.org")]),
        ('<a title="x > y">', [("markup", '<a title="x >')]),
        ("<!-- no --> &amp; <br/> </p>", "markup markup markup markup"),
        ("%s of %(total)d, %5.2f, %1$s, {}, {0!r:>10}, {{ a.b }}, ${x}, $PATH", "placeholder " * 9),
        ("read() and os.path.join() and snake_case and __init__ and --all", "identifier " * 5),
        ("Meet @ann_s at #Quito!", [("mention", "@ann_s"), ("tag", "#Quito")]),
        ("在#Quito看到@anna吧", [("tag", "#Quito"), ("mention", "@anna")]),
        ("Buy at amazon.co.uk/x, or Example.org.", [("domain", "amazon.co.uk/x"), ("domain", "Example.org")]),
        ("I ❤️ 🇪🇸 😂😂 ★★★ 👨‍👩‍👧", [("emoji", e) for e in ("❤️", "🇪🇸", "😂😂", "★★★", "👨‍👩‍👧")]),
        ("C# is #1, file.txt, Bristol™ → 3.5", []),
        ("I am 100 % sure, 50% off; a < b & c > d; it's 5$; e.g. this, U.S. or and/or.", []),
        ("«¿Qué?» 東京 [brackets] a|b *so*", []),
        ("", []),
    ],
)
def test_items(text: str, expected: object) -> None:
    items = protected_items(text)
    assert all(text[i.start : i.end] == i.text for i in items)
    if isinstance(expected, str):
        assert [i.kind for i in items] == expected.split()
    else:
        assert [(i.kind, i.text) for i in items] == expected


def test_a_text_full_of_opening_signs_takes_no_time_to_speak_of() -> None:
    for text in ("`" * 20_001, "<!--" * 5_000, "{%" * 5_000, "a." * 20_000, "<a " * 5_000, "a_" * 20_000):
        assert isinstance(protected_items(text), list)


def test_stand_ins_come_back_once_or_not_at_all() -> None:
    text, masks = masked("Take 64 of {a} and {b}.", [(11, 14), (19, 22)], NUMBERS) or ("", ())
    first, second = masks
    assert text == f"Take 64 of {first} and {second}." and "64" not in masks
    assert unmasked(f"De {second} y {first} toma 64.", masks, ["{a}", "{b}"]) == "De {b} y {a} toma 64."
    for wrong in (f"{first} {first} {second}", first, f"{first}ª {second}", f"{first}{second}", f"{first},{second}"):
        assert unmasked(wrong, masks, ["{a}", "{b}"]) is None
    assert unmasked(f"{first}は{second}", masks, ["{a}", "{b}"]) == "{a}は{b}"
    inside, (mask,) = masked("{a}", [(0, 3)], PARENTHESES) or ("", ("",))
    assert inside == mask and unmasked(f"x {mask}.", (mask,), ["{a}"]) == "x {a}."
    assert masked("x" * 100, [(i, i + 1) for i in range(100)], NUMBERS) is None


@pytest.fixture(scope="module")
def protected(model: CT2Translator) -> ProtectedTranslator:
    return ProtectedTranslator(model)


def test_every_item_is_in_the_translation(protected: ProtectedTranslator, model: CT2Translator) -> None:
    found = protected.translate(TEXTS, "en", "es")
    for text, translation in zip(TEXTS, found, strict=True):
        assert translation.reason is None
        wanted = Counter(i.text for i in protected_items(text))
        assert wanted <= Counter(i.text for i in protected_items(translation.text)), translation.text
        assert translation.score is not None and translation.score < 0
        assert "".join(translation.pieces)
    assert found[6] == model.translate([TEXTS[6]], "en", "es")[0], "a text without items is what the model makes of it"
    lost = [
        t
        for t, plain in zip(TEXTS, model.translate(TEXTS, "en", "es"), strict=True)
        if Counter(i.text for i in protected_items(t)) - Counter(i.text for i in protected_items(plain.text))
    ]
    assert lost, "the model alone loses some"


def test_rows_do_not_depend_on_each_other(protected: ProtectedTranslator) -> None:
    together = protected.translate(TEXTS, "en", "es")
    assert together == [protected.translate([text], "en", "es")[0] for text in TEXTS]
    assert list(protected.stream(iter(TEXTS), "en", "es")) == together


def test_nothing_but_items_is_copied_and_poison_is_still_rejected(protected: ProtectedTranslator) -> None:
    found = protected.translate(["``NULL``", " {a}: 5 ", "<br/>", "", "{a} \ud83d", "word " * 10_000], "en", "es")
    assert [t.text for t in found[:2]] == ["``NULL``", "{a}: 5"]
    reasons = [None, None, "only_markup", "empty_source", "bad_unicode", "source_too_long"]
    assert [t.reason for t in found] == reasons


class Scrambler:
    """Loses every number, so that no stand-in comes back; translates the rest into capitals with a full stop."""

    signature = "mt:scrambler"

    def supports(self, source: str, target: str) -> bool:
        return True

    def translate(self, texts: list[str], source: str, target: str) -> list[Translation]:
        def one(text: str) -> Translation:
            if text == "fail":
                return Translation("", reason="broken_output")
            if text == "(glue)":
                return Translation("glue", (), -1.0)
            bare = "".join(c for c in text if not c.isdigit())
            return Translation(bare.capitalize().rstrip(".") + ".", ("p",), -1.0)

        return [one(text) for text in texts]


def test_where_no_stand_in_comes_back_the_parts_are_translated() -> None:
    translator = ProtectedTranslator(Scrambler())
    found = translator.translate(["say %s, or {b}!", "no item", "one {a} fail", "a_b"], "en", "xx")
    assert [t.text for t in found] == ["say %s, or {b}!", "No item.", "", "a_b"]
    assert [t.reason for t in found] == [None, None, "broken_output", None]


def test_an_item_that_is_lost_is_the_rows_reason() -> None:
    found = ProtectedTranslator(Scrambler()).translate(["a_b (glue)", "a_b(glue)"], "en", "xx")
    assert [t.text for t in found] == ["a_b glue", ""]
    assert [t.reason for t in found] == [None, "protected_identifier"]


def test_further_hypotheses_do_not_go_round_the_protection(
    model: CT2Translator, protected: ProtectedTranslator, tmp_path: Path
) -> None:
    memory = TranslationMemory(tmp_path / "memory.sqlite", 10)
    assert hasattr(RememberingTranslator(model, memory), "translate_nbest")
    assert not hasattr(protected, "translate_nbest")
    assert not hasattr(RememberingTranslator(protected, memory), "translate_nbest")


def test_signature(model: CT2Translator, protected: ProtectedTranslator) -> None:
    assert protected.signature == f"{model.signature}|protect:2"
    assert protected.limits == model.limits and protected.length("I know.", "en") == model.length("I know.", "en")


@pytest.mark.gold
def test_python_documentation(gold: Path, model: CT2Translator, protected: ProtectedTranslator) -> None:
    import gzip

    with gzip.open(gold / "python-docs" / "en-es.tsv.gz", "rt", encoding="utf-8") as lines:
        texts = [line.split("\t")[1] for _, line in zip(range(4000), lines, strict=False)]
    texts = [text for text in texts if len(text) < 120 and protected_items(text)][::20]
    assert len(texts) > 20
    found = protected.translate(texts, "en", "es")
    whole = [not _lost(a, b.text) for a, b in zip(texts, found, strict=True)]
    assert all(done or t.reason for done, t in zip(whole, found, strict=True)), "intact, or a reason"
    assert sum(whole) >= 0.98 * len(texts)


def _lost(source: str, target: str) -> Counter[str]:
    return Counter(i.text for i in protected_items(source)) - Counter(i.text for i in protected_items(target))
