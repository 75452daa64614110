"""Language tags against the codes that model families use."""

import re
from collections.abc import Callable

import pytest

from spanferry.corpora.errors import ModelError
from spanferry.corpora.text.languages import names
from spanferry.translators.languages.codes import CODES, M2M100, MADLAD, MBART50, NLLB
from spanferry.translators.languages.names import name_of
from spanferry.translators.languages.tags import ANY, choose, parts, tag_of, tags_of, usual_script


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


def mbart50_codes() -> list[str]:
    module = pytest.importorskip("transformers.models.mbart50.tokenization_mbart50")
    return list(module.FAIRSEQ_LANGUAGE_CODES)


def without_region(codes: tuple[str, ...]) -> list[str]:
    return [code.split("_")[0] for code in codes]


@pytest.mark.parametrize(
    ("family", "origin", "size"),
    [("nllb", nllb_codes, 202), ("m2m100", m2m100_codes, 100), ("small100", m2m100_codes, 100),
     ("mbart50", mbart50_codes, 52)],
)  # fmt: skip
def test_the_tables_are_those_of_the_origin(family: str, origin: Callable[[], list[str]], size: int) -> None:
    assert len(CODES[family]) == size
    assert sorted(CODES[family]) == sorted(origin())


def test_madlad_has_more_than_four_hundred() -> None:
    assert len(set(MADLAD)) == len(MADLAD) == 452
    # Tasks, scripts and regions have tokens of the same form and are not languages.
    assert not {"translate", "back_translated", "Latn", "CA", "zxx_xx_dtynoise", ""}.intersection(MADLAD)


@pytest.mark.parametrize(
    "codes", [NLLB, M2M100, without_region(MBART50), MADLAD], ids=["nllb", "m2m", "mbart", "madlad"]
)
def test_every_code_has_a_tag_of_its_own(codes: list[str]) -> None:
    found = tags_of(codes)
    assert sorted(found.values()) == sorted(codes)
    for tag, code in found.items():
        assert choose(tag, list(found), "m") == tag
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", tag)
        if script := re.search(r"_([A-Z][a-z]{3})", code):
            assert parts(tag)[1] == script[1], "the script of the tag is the script of the code"


@pytest.mark.parametrize(
    ("tag", "code"),
    [("zh", "zh"), ("zh-Hant", "zh_Hant"), ("zh-TW", "zh_Hant"), ("zh-Latn", "zh_Latn"), ("ru-Latn", "ru_Latn"),
     ("ru", "ru"), ("ff", "ff"), ("fuv", "fuv"), ("quy", "quy"), ("crh", "crh"), ("crh-Latn", "crh_Latn"),
     ("fr-CA", "fr_CA"), ("fr-BE", "fr"), ("no", "no"), ("fil", "fil"), ("ms-Arab", "ms_Arab"),
     ("ber-Latn", "ber_Latn")],
)  # fmt: skip
def test_tag_to_madlad_code(tag: str, code: str) -> None:
    known = tags_of(MADLAD)
    assert known[choose(tag, list(known), "madlad")] == code


def test_a_language_without_a_script_of_its_own_is_not_given_another() -> None:
    for known in (M2M100, without_region(MBART50)):
        tags = list(tags_of(known))
        assert {"zh-Hans"} == {tag for tag in tags if tag.startswith("zh")}
        with pytest.raises(ModelError, match="'zh-Hant'"):
            choose("zh-Hant", tags, "m")


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


@pytest.mark.parametrize(
    ("tag", "close"),
    [
        ("german", "de"),
        ("Norwegian", "nb, nn"),
        ("Brazilian Portuguese", "pt"),
        ("Frnch", "fr, rn"),
        ("tlh", "tl, th, ajp"),
    ],
)
def test_an_unknown_language_lists_the_nearest(tag: str, close: str) -> None:
    with pytest.raises(ModelError) as caught:
        choose(tag, list(tags_of(NLLB)), "nllb")
    assert str(caught.value).endswith(f"Hint: nearest: {close}")


def test_every_language_of_the_tables_has_a_name() -> None:
    for codes in (NLLB, M2M100, without_region(MBART50)):
        assert [tag for tag in tags_of(codes) if name_of(tag) is None] == []
    assert len(set(names().values())) == len(names()), "no two languages share a name"


@pytest.mark.parametrize(
    ("tag", "name"),
    [("de", "German"), ("sr", "Serbian"), ("sr-Latn", "Serbian (Latin script)"), ("zh", "Chinese (Simplified)"),
     ("zh-TW", "Chinese (Traditional)"), ("pt-BR", "Portuguese (Brazil)"), ("de-XY", "German (XY)"), ("qqq", None)],
)  # fmt: skip
def test_names(tag: str, name: str | None) -> None:
    assert name_of(tag) == name
    assert usual_script("sr") == "Cyrl" and usual_script("de") == "Latn"
