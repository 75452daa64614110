"""Language codes in options: one BCP-47 form for every spelling, in the configuration and so in every signature."""

from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.text.languages import check_language, names
from spanferry.flows.config import RunConfig, build_config

SPELLINGS = {
    "en": "en EN eng Eng",
    "zh": "zh ZH zho cmn CMN",
    "zh-CN": "zh-CN zh_CN zh-cn zho_CN cmn-CN",
    "zh-Hans": "zh-Hans zh_hans ZH-HANS cmn_Hans zho-Hans",
    "zh-Hant-TW": "zh-hant-tw zh_Hant_TW",
    "es": "es spa ES",
    "es-419": "es-419 spa_419",
    "pt-BR": "pt-BR pt_br por-BR",
    "sr-Latn": "sr-Latn srp_Latn SR-LATN",
    "de": "de deu ger DEU",
    "fr": "fr fra fre",
    "cs-CZ": "cs_CZ cze-cz ces_CZ",
    "he": "he iw heb",
    "id": "id in ind",
    "nb": "nb nob",
    "yue": "yue YUE",
    "ca-valencia": "ca-valencia cat_VALENCIA",
}
TABLE = [(given, tag) for tag, spelled in SPELLINGS.items() for given in spelled.split()]


@pytest.mark.parametrize(("given", "tag"), TABLE)
def test_every_spelling_has_one_form(given: str, tag: str) -> None:
    assert check_language(given) == tag
    assert check_language(tag) == tag


def test_our_own_tags_are_in_their_form() -> None:
    assert {tag: check_language(tag) for tag in names()} == {tag: tag for tag in names()}


@pytest.mark.parametrize(
    ("given", "hint"), [("spanish", "'es'"), ("German", "'de'"), ("", "'es'"), ("e", ""), ("en US", ""), ("12", "")]
)
def test_what_is_not_a_tag_is_refused_with_one(given: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="is not a language tag") as caught:
        check_language(given)
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(("given", "tag"), [one for one in TABLE if one[1] not in ("en", "fr")])
def test_runs_have_the_same_configuration(given: str, tag: str) -> None:
    def config(source: str, target: str) -> RunConfig:
        options = {"source": source, "target": [target], "out": Path("o")}
        return build_config(RunConfig, "translate-train", options=options)

    assert config("en", given).to_json() == config("eng", tag).to_json()
    assert config(given, "fr").to_json() == config(tag, "fra").to_json()


@pytest.mark.parametrize(("source", "target"), [("en", ["eng"]), ("en", ["es", "spa"]), ("cmn", ["zh"])])
def test_one_language_twice_is_seen_in_any_spelling(source: str, target: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"source language|named twice"):
        build_config(RunConfig, "translate-train", options={"source": source, "target": target})
