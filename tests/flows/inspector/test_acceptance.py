"""Acceptance rates and their intervals."""

import pytest

from spanferry.corpora.review.decisions import Decision, Verdict, stamped
from spanferry.flows.inspector.acceptance import NOT_PLACED, acceptance, wilson
from spanferry.flows.inspector.languages import direction, hidden_characters, shown


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Wilson's interval at 95 %, as in Newcombe (Statistics in Medicine 17, 1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)
    assert wilson(trials - successes, trials) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_nothing_judged_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def _decision(example: str, action: str, score: float | None = 0.95, via: str = "inspect", **more: str) -> Decision:
    verdict = Verdict("s0", label="city", source_quote="x", method="copy", score=score, **more)
    values = {"corpus": "es", "split": "train", "example": example, "action": action, "via": via}
    return stamped({**values, "verdicts": (verdict,)})


def test_rates_by_label_method_and_score() -> None:
    lines = [
        _decision("a", "accept"),
        _decision("b", "reject", 0.31),
        _decision("c", "keep", 1.0),
        _decision("d", "label", 0.95, was="place"),
        _decision("e", "move", None),
        _decision("f", "accept", via="bulk"),
        _decision("g", "accept"),
        _decision("g", "reject"),
    ]
    rates = acceptance(lines)

    def reported(kind: str) -> dict[str, tuple[int, int, int]]:
        return {r.name: (r.accepted, r.changed, r.rejected) for r in rates[kind]}

    assert reported("label") == {"city": (2, 1, 2), "place": (0, 1, 0)}
    assert reported("method") == {"copy": (2, 1, 2), NOT_PLACED: (0, 1, 0)}
    assert reported("score") == {"0.3 to 0.4": (0, 0, 1), "0.9 to 1.0": (2, 1, 1)}


@pytest.mark.parametrize("lang", ["ar", "he", "fa-IR", "ur", "az-Arab", "arb_Arab", "yi", "dv"])
def test_right_to_left(lang: str) -> None:
    assert direction(lang) == "rtl"


@pytest.mark.parametrize("lang", ["de", "zh-Hant", "ku-Latn", "ar-Latn", "", "th", "spa_Latn"])
def test_left_to_right(lang: str) -> None:
    assert direction(lang) == "ltr"


def test_hidden_characters_are_named_but_joiners_at_work_are_not() -> None:
    assert hidden_characters("👩\u200d🚀 می\u200cخواهم é\n\t") == []
    assert hidden_characters("a\u202eb\u202e\u200b") == [
        "U+202E RIGHT-TO-LEFT OVERRIDE ×2",
        "U+200B ZERO WIDTH SPACE",
    ]


def test_a_snippet_is_one_line_without_control_characters() -> None:
    assert shown("a\0b\n c\x1b[31m", 100) == "a␀b c␛[31m"
    assert shown("abcdef", 3) == "abc…"
