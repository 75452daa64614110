"""Languages in any of their usual codes mean one tag, wherever a language is asked for."""

from pathlib import Path

import pytest

from spanferry.corpora.derive.base import parse_direction
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.readers.multiway import open_parallel
from spanferry.corpora.text.languages import check_language
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.sets.config import DeriveConfig, ParallelConfig
from spanferry.flows.switch.config import SwitchConfig

SPELLINGS = [
    ("en", "en"),
    ("EN", "en"),
    ("eng", "en"),
    ("zh-CN", "zh-CN"),
    ("zh_CN", "zh-CN"),
    ("zh_hant", "zh-Hant"),
    ("cmn", "zh"),
    ("SR-latn", "sr-Latn"),
    ("pt-br", "pt-BR"),
    ("es-419", "es-419"),
    ("iw", "he"),
    ("haw", "haw"),
    ("yue", "yue"),
    ("nb", "nb"),
]
WRONG = [
    ("jp", "'ja'"),
    ("cn", "'zh'"),
    ("gr", "'el'"),
    ("Spansh", "'es'"),
    ("", "'es'"),
    ("e", ""),
    ("12", ""),
]


@pytest.mark.parametrize(("written", "tag"), SPELLINGS)
def test_one_tag_for_all_spellings(written: str, tag: str) -> None:
    assert check_language(written) == tag
    assert check_language(tag) == tag


@pytest.mark.parametrize(("written", "hint"), WRONG)
def test_what_is_not_a_language_is_refused_with_the_right_tag(written: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_language(written)
    assert hint in str(caught.value)


@pytest.mark.parametrize(("written", "tag"), [("deu", "de"), ("zh_cn", "zh-CN")])
def test_every_option_that_takes_a_language(written: str, tag: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    run = build_config(RunConfig, "translate-train", options={"source": written, "target": ["fra"]})
    back = build_config(RunConfig, "project", options={"source": "fra", "target": [written]})
    rows = {"rows": {"languages": [written]}}
    taken = [
        run.source,
        *back.target,
        *ParallelConfig(flow="parallel", **rows).rows.languages,
        *DeriveConfig(flow="derive", **rows).rows.languages,
        *SwitchConfig(flow="code-switch", languages=(written,)).languages,
        SwitchConfig(flow="code-switch", matrix=written).matrix,
        open_parallel(f"{written}={tmp_path / 'rows.jsonl'}")[0].languages[0],
        parse_direction(f"{written}>fra")[0],
    ]
    assert taken == [tag] * len(taken)


def test_the_same_run_whatever_the_spelling() -> None:
    one, other = (
        build_config(RunConfig, "translate-train", options={"source": s, "target": [t]}).to_json()
        for s, t in (("eng", "spa"), ("en", "es"))
    )
    assert one == other


def test_two_spellings_of_one_target_are_one_target_twice() -> None:
    with pytest.raises(ConfigError, match="twice"):
        build_config(RunConfig, "translate-train", options={"source": "en", "target": ["es", "spa"]})
    with pytest.raises(ConfigError, match="source language"):
        build_config(RunConfig, "translate-train", options={"source": "eng", "target": ["EN"]})
