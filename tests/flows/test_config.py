"""Configuration: what wins, what is refused, and what the messages say."""

from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError, InputError, ModelError
from spanferry.corpora.schema import Span
from spanferry.flows import models
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.translate.flow import Signatures
from spanferry.projectors.base import FittableProjector, ProjectionInput


def test_later_sources_win(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('source = "en"\ntarget = ["es"]\nshard_rows = 10\n[translator]\nbeam = 2\n')
    config = build_config(
        RunConfig,
        "translate-train",
        file=file,
        settings=["translator.beam=3", "shard_rows=20"],
        options={"shard_rows": 30},
    )
    assert (config.translator.beam, config.shard_rows, config.target) == (3, 30, ("es",))


def test_values_are_toml_and_else_text() -> None:
    settings = ["read.options.repair=true", "read.options.scheme=bioes", "read.path=a b.conll", 'target=["de", "es"]']
    config = build_config(RunConfig, "translate-train", settings=settings)
    assert config.read.options == {"repair": True, "scheme": "bioes"}
    assert config.read.path == "a b.conll"
    assert config.target == ("de", "es")


def test_arrow_is_always_written() -> None:
    config = build_config(RunConfig, "translate-train", options={"output.formats": ["parquet"]})
    assert config.output.formats == ("arrow", "parquet")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["translator.baem=2"], "did you mean 'translator.beam'?"),
        (["shard_row=2"], "did you mean 'shard_rows'?"),
        (["executor.wrokers=2"], "did you mean 'executor.workers'?"),
        (["translator.beam=0"], "translator.beam: Input should be greater than or equal to 1 (got 0)"),
        (['target=["es", "es"]'], "target language named twice in es, es"),
        (['target=["en"]'], "target 'en' is the source language\nHint: --source LANGUAGE --target OTHER_LANGUAGE"),
        (['target=["spanish"]'], "'spanish' is not a language tag\nValid: BCP-47: de, pt-BR, zh-Hant\nHint: 'es' is"),
        (['source=""', 'target=["pt-BR"]'], "'' is not a language tag"),
        (["beam"], "--set 'beam' has no '='"),
        (["seed=1", "seed.x=2"], "'seed' holds a value, not a section"),
        (['flow="project"'], "the configuration is for flow 'project', the command is 'translate-train'"),
        (["executor.kind=ray"], "executor.kind: Input should be 'threads' or 'dask' (got 'ray')"),
    ],
)
def test_refused_with_a_hint(settings: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(RunConfig, "translate-train", settings=settings)
    assert message in str(caught.value)
    assert "Hint:" in str(caught.value)


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such configuration file"):
        build_config(RunConfig, "translate-train", file=tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("target = [")
    with pytest.raises(ConfigError, match="not TOML"):
        build_config(RunConfig, "translate-train", file=broken)


def test_resolved_configuration_reads_back_as_itself() -> None:
    from spanferry.flows.config import RunConfig

    config = build_config(RunConfig, "translate-train", options={"target": ["es", "de"], "out": Path("x"), "seed": 3})
    assert RunConfig.model_validate_json(config.to_json()) == config


def test_a_table_of_filters_changes_the_defaults() -> None:
    config = build_config(
        RunConfig, "translate-train", settings=["filters.confidence.min_score=0.7", "filters.language=false"]
    )
    assert config.filters is not None
    kinds = [entry["kind"] for entry in config.filters]
    assert "language" not in kinds and "copy" in kinds
    assert {"kind": "confidence", "min_score": 0.7} in config.filters


def test_a_list_of_filters_is_taken_as_it_is() -> None:
    config = build_config(RunConfig, "translate-train", settings=['filters=[{kind="copy"}]'])
    assert config.filters == ({"kind": "copy"},)


def test_the_signature_of_given_sides_knows_all_that_changes_what_comes_out(tmp_path: Path) -> None:
    for name, text in (("en", "Anna sleeps."), ("es", "Anna duerme."), ("es2", "Anna está dormida.")):
        (tmp_path / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")

    def signature(*settings: str) -> str:
        own = [f"read.path={tmp_path / 'en.txt'}", f"read.target={tmp_path / 'es.txt'}", "read.format=text"]
        config = build_config(RunConfig, "project", settings=[*own, 'target=["es"]', *settings])
        return Signatures(config).of("es")

    others = [
        f"read.target={tmp_path / 'es2.txt'}",
        "read.pair_by=id",
        "projector.fit_rows=5",
        "projector.kind=copy",
        "limit=1",
        "filters=[]",
        "seed=1",
    ]
    assert len({signature(), *map(signature, others)}) == len(others) + 1
    assert signature() == signature("shard_rows=3", "executor.workers=1")


def _without_model(flow: str, kind: str = "default") -> RunConfig:
    settings = ["read.path=en.txt", "read.target=es.txt", 'target=["es"]', "translator.model=none"]
    return build_config(RunConfig, flow, settings=[*settings, f"projector.kind={kind}"])


@pytest.mark.parametrize("kind", ["default", "alignment", "copy", "ensemble"])
def test_no_translator_is_needed_where_both_sides_are_given(kind: str) -> None:
    config = _without_model("project", kind)
    assert models.translator(config.translator, "en", "es", optional=True) is None
    given = ProjectionInput("e", "Anna is here", "Anna está aquí", (Span(0, 4, "PER", "s"),), "en", "es")
    projector = models.unfitted(config.projector, None, "en", "es")
    fitted = projector.fit([given]) if isinstance(projector, FittableProjector) else projector
    assert fitted.project([given])[0][0].span == Span(0, 4, "PER", "s")


@pytest.mark.parametrize("kind", ["constrained", "markers", "candidates"])
def test_what_asks_a_model_says_so_without_one(kind: str) -> None:
    config = _without_model("project", kind)
    with pytest.raises(ModelError, match="needs a model for en -> es") as caught:
        models.unfitted(config.projector, None, "en", "es")
    assert "--translator MODEL" in str(caught.value)


def test_translating_without_a_translator_is_refused() -> None:
    config = _without_model("translate-train")
    with pytest.raises(ModelError, match="'none' makes no translations") as caught:
        models.translator(config.translator, "en", "es")
    assert "--translator bundled" in str(caught.value)
