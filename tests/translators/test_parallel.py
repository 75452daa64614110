import pytest

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.translators.base import Translator
from spanferry.translators.parallel import ParallelTranslator


def test_hands_out_what_it_was_given() -> None:
    both = ParallelTranslator({"I know.": "Я знаю.", "empty": ""}, source="en", target="ru")
    assert isinstance(both, Translator) and both.signature == "mt:parallel"
    found = both.translate(["empty", "I know.", "new"], "en", "ru")
    assert [(t.text, t.reason) for t in found] == [("", "no_target"), ("Я знаю.", None), ("", "no_target")]


def test_another_direction_is_an_error() -> None:
    both = ParallelTranslator({}, source="en", target="ru")
    assert not both.supports("ru", "en")
    with pytest.raises(ModelError, match="not ru to en"):
        both.translate(["x"], "ru", "en")


def test_has_no_model() -> None:
    with pytest.raises(ConfigError, match="no model that gives scores"):
        ParallelTranslator().score_pairs(["a"], ["b"], "en", "es")
    with pytest.raises(ConfigError, match="no model that gives attention"):
        ParallelTranslator().attention(["a"], ["b"], "en", "es")
