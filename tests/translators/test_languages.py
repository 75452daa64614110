"""Language tags against the codes that model families use."""

import re

import pytest

from corpora.errors import ModelError
from translators.languages import ANY, choose, parts, tag_of, tags_of


def m2m100_codes() -> list[str]:
    module = pytest.importorskip("transformers.models.m2m_100.tokenization_m2m_100")
    return list(module.FAIRSEQ_LANGUAGE_CODES["m2m100"])


def nllb_codes() -> list[str]:
    module = pytest.importorskip("transformers.models.nllb.tokenization_nllb")
    return list(module.FAIRSEQ_LANGUAGE_CODES)


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("eng_Latn", "en"),
        ("srp_Cyrl", "sr"),
        ("srp_Latn", "sr-Latn"),
        ("sr_Latn", "sr-Latn"),
        ("zho_Hans", "zh-Hans"),
        ("cmn_Hant", "zh-Hant"),
        ("zh", "zh-Hans"),
        ("arb_Arab", "ar"),
        ("arz_Arab", "arz"),
        ("pes_Arab", "fa"),
        ("uzn_Latn", "uz"),
        ("kas_Deva", "ks-Deva"),
        ("iw", "he"),
        ("fil", "tl"),
        ("no", "nb"),
        ("pt_BR", "pt-BR"),
        ("ru_Latn", "ru-Latn"),
        ("deu", "de"),
        ("ns", "nso"),
        ("translate", None),
        ("EN", None),
        ("madeupword0", None),
    ],
)
def test_code_to_tag(code: str, tag: str | None) -> None:
    assert tag_of(code) == tag


def test_every_nllb_code_has_a_tag_of_its_own() -> None:
    codes = nllb_codes()
    found = tags_of(codes)
    assert len(codes) == 202
    assert sorted(found.values()) == sorted(codes)
    for tag, code in found.items():
        assert choose(tag, list(found), "nllb") == tag
        assert parts(tag)[1] == code.split("_")[1], "the script of the tag is the script of the code"
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?", tag)


def test_every_m2m100_code_has_a_tag_of_its_own() -> None:
    codes = m2m100_codes()
    assert len(codes) == 100
    assert sorted(tags_of(codes).values()) == sorted(codes)


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "eng_Latn"),
        ("en-GB", "eng_Latn"),
        ("EN_us", "eng_Latn"),
        ("zh", "zho_Hans"),
        ("zh-CN", "zho_Hans"),
        ("zh-TW", "zho_Hant"),
        ("zh-Hant-HK", "zho_Hant"),
        ("cmn", "zho_Hans"),
        ("sr-Cyrl", "srp_Cyrl"),
        ("es-419", "spa_Latn"),
        ("no", "nob_Latn"),
        ("nb", "nob_Latn"),
        ("nn", "nno_Latn"),
        ("iw", "heb_Hebr"),
        ("fil", "tgl_Latn"),
        ("ks", "kas_Arab"),
        ("eng", "eng_Latn"),
        ("eng-Latn", "eng_Latn"),
    ],
)
def test_tag_to_nllb_code(tag: str, code: str) -> None:
    known = tags_of(nllb_codes())
    assert known[choose(tag, list(known), "nllb")] == code


@pytest.mark.parametrize(
    ("tag", "close"), [("sr-Latn", "sr"), ("uz-Cyrl", "uz"), ("ar-Latn", "ar"), ("zh-Latn", "zh-Hans, zh-Hant")]
)
def test_another_script_is_another_language(tag: str, close: str) -> None:
    with pytest.raises(ModelError) as caught:
        choose(tag, list(tags_of(nllb_codes())), "nllb")
    assert f"does not know the language {tag!r}" in str(caught.value)
    assert str(caught.value).endswith(f"Hint: nearest: {close}")


def test_regions_are_a_preference() -> None:
    assert choose("pt-PT", ["pt-BR", "pt-PT"], "m") == "pt-PT"
    assert choose("pt", ["pt-BR", "pt-PT"], "m") == "pt-BR"
    assert choose("pt-AO", ["pt", "pt-BR"], "m") == "pt"


def test_short_lists_are_shown_whole() -> None:
    with pytest.raises(ModelError) as caught:
        choose("fr", ["es", "de"], "small")
    assert "Valid: de, es" in str(caught.value)


def test_a_model_that_names_no_language_lets_all_through() -> None:
    assert choose("tlh", [ANY], "m") == "tlh"
