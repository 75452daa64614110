"""``spanferry models suggest``: what is there for a pair of languages."""

import pytest

from spanferry.corpora.errors import ModelError
from spanferry.translators.loading.suggest import suggest


@pytest.mark.parametrize(
    ("source", "target", "device", "first", "absent"),
    [
        ("en", "es", "cpu", "bundled", "nllb-3.3b"),
        ("en", "pt-BR", "cpu", "firefox", "bundled"),
        ("en", "sw", "cpu", "opus-mt", "firefox"),
        ("en", "sw", "cuda", "opus-mt", "firefox"),
        ("en", "yo", "cpu", "opus-mt", "firefox"),
    ],
)
def test_the_cheapest_that_knows_the_pair_comes_first(
    source: str, target: str, device: str, first: str, absent: str
) -> None:
    found = suggest(source, target, device)
    assert found[0].name == first
    assert absent not in [s.name for s in found]
    assert all(s.licence and s.commands and f"--target {target}" in s.commands[-1] for s in found)
    downloads = [s.download for s in found]
    assert downloads == sorted(downloads)


def test_large_models_are_for_gpus() -> None:
    assert "nllb-3.3b" in [s.name for s in suggest("en", "sw", "cuda")]
    assert "nllb-3.3b" not in [s.name for s in suggest("en", "sw", "cpu")]


def test_two_models_by_way_of_english_cost_twice() -> None:
    [pivot] = [s for s in suggest("es", "pt", "cpu") if s.name == "firefox"]
    [direct] = [s for s in suggest("en", "pt", "cpu") if s.name == "firefox"]
    assert pivot.download == 2 * direct.download and "English" in pivot.note
    assert direct.chrf == 58.7 and pivot.chrf is None


def test_every_name_is_one_that_translator_takes() -> None:
    from spanferry.translators.conversion.hub import NAMES, OPUS

    names = {s.name for device in ("cpu", "cuda") for s in suggest("en", "de", device)}
    assert names <= {*NAMES, OPUS, "bundled", "firefox"}


def test_a_language_nobody_knows_still_has_opus() -> None:
    try:
        names = [s.name for s in suggest("en", "tlh", "cpu")]
    except ModelError as error:
        assert "Hint" in str(error)
    else:
        assert "nllb-600m" not in names
