"""The closing table of a run."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from spanferry.flows.config import RunConfig, TranslatorConfig
from spanferry.flows.translate.run import RunResult
from spanferry.flows.translate.summary import print_summary


def test_labels_that_look_like_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    reasons = {"span_count:[/X]": 1, "span_count:[red]Y": 1}
    counts = {"rows": 1, "kept": 0, "spans": 1, "projected": 0, "unprojected": {"no[/]": 1}, "rejected": 1}
    config = RunConfig(flow="project", target=("es",), out=tmp_path / "[b]out")
    result = RunResult(config, facts={"es": {**counts, "reasons": reasons, "lost": {}}})
    console = Console(file=io.StringIO(), width=120)
    print_summary(result, as_json=False, console=console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(text in shown for text in (*reasons, "no[/]", "[b]out/es"))


@pytest.mark.parametrize(
    ("model", "rows", "shown"), [("bundled", 201, 1), ("bundled", 200, 0), ("firefox", 201, 0), ("nllb-600m", 900, 0)]
)
def test_more_than_a_try_with_the_bundled_model_names_better_ones_once(
    tmp_path: Path, model: str, rows: int, shown: int
) -> None:
    counts = {"rows": rows, "kept": rows, "spans": 0, "projected": 0, "unprojected": {}, "rejected": 0, "reasons": {}}
    config = RunConfig(
        flow="translate-train", target=("es", "de"), out=tmp_path / "out", translator=TranslatorConfig(model=model)
    )
    result = RunResult(config, facts={"es": {**counts, "lost": {}}, "de": {**counts, "lost": {}}})
    console = Console(file=io.StringIO(), width=120)
    print_summary(result, as_json=False, console=console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert printed.count("spanferry models suggest --source en --target es") == shown
