"""Options of a translator: of the type they are, or an error that names them."""

from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.loading.load import load_translator


@pytest.mark.parametrize(("given", "taken"), [("64", 64), (64, 64), (0, 512)])
def test_a_number_in_quotes_is_a_number(given: Any, taken: int) -> None:
    found = load_translator("bundled", source="en", target="es", device="cpu", batch_tokens=given)
    assert isinstance(found, CT2Translator) and found.batch_tokens == taken


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        ("bundled", {"batch_tokens": "many"}),
        ("bundled", {"batch_tokens": 1.5}),
        ("bundled", {"max_source": [1]}),
        ("endpoint:m", {"url": "http://localhost:1/v1", "timeout": "long"}),
        ("endpoint:m", {"url": "http://localhost:1/v1", "concurrency": "2.5"}),
        ("endpoint:m", {"url": "http://localhost:1/v1", "extra": "top_p"}),
        ("endpoint:m", {"url": 3}),
    ],
)
def test_another_kind_is_an_error(spec: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_translator(spec, source="en", target="es", device="cpu", **options)
    name = next(reversed(options))
    assert f"translator.options.{name}=" in str(caught.value)


@pytest.mark.parametrize("name", ["batch_tokens", "url"])
def test_a_translator_without_options_takes_none(name: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown option of the translator '{name}'"):
        load_translator("parallel", **{name: 1})


def test_a_language_model_has_no_beam(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    (tmp_path / "spanferry.json").write_text('{"family": "llm"}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"translator.beam=2 is not used.*\nHint: leave translator.beam out"):
        load_translator(str(tmp_path), source="en", target="es", device="cpu", beam=2)
