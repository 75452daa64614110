"""The main job in one call from Python: rows in, pairs with projected labels out. No Prefect, no files.

Everything is in memory. For corpora that are not, and for runs that resume, use ``spanferry run``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from spanferry.corpora import filters as filtering
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.readers.common.base import BadRow
from spanferry.corpora.readers.parallel import zip_examples
from spanferry.corpora.schema import Example, Pair, Translation
from spanferry.corpora.signature import Signature
from spanferry.projectors.base import FittableProjector, ProjectionInput, Projector
from spanferry.projectors.methods.build import build_projector
from spanferry.projectors.pipeline import stages
from spanferry.projectors.pipeline.stages import run_signature
from spanferry.projectors.repair.enforce import repair_signature
from spanferry.projectors.repair.tables import repair_tables
from spanferry.translators.base import Translator
from spanferry.translators.loading.load import BUNDLED, load_translator
from spanferry.translators.wrappers.wrap import wrap

Row = Example | BadRow
Progress = Callable[[str, int, int], None]
# Rows per call of the translator: enough for full batches, few enough for progress to move every few seconds.
_BATCH_ROWS = 64


def translate_train(
    rows: Iterable[Row],
    *,
    source: str,
    target: str,
    translator: str | Translator = BUNDLED,
    projector: str | Projector = "default",
    projector_options: Mapping[str, Any] | None = None,
    filters: Sequence[Filter] | None = None,
    repair: bool = False,
    best_of: int = 1,
    fit_rows: int = 20_000,
    progress: Progress | None = None,
) -> list[Pair]:
    """Translates annotated rows, carries their labels over and filters the result.

    Args:
        rows: Examples in the source language; bad rows of a reader come back as rejected pairs.
        source: BCP-47 language of the rows.
        target: BCP-47 language to translate into.
        translator: What ``load_translator`` takes, or a translator.
        projector: A projector's name or ``package.module:Class``, or a projector.
        projector_options: Options of a projector that is named.
        filters: Filters that decide; None: all with their default options; empty: none.
        repair: Translate again with the right words where a labelled span lost them (``projectors.repair``).
        best_of: Where labelled words or numbers are missing, take the best of so many translations.
        fit_rows: Segments that a corpus aligner is fitted on, at most.
        progress: Called with a step's name, rows done and rows in all.

    Returns:
        One pair per row, in order; ``kept`` says whether the filters keep it, ``reasons`` why not.

    Raises:
        ModelError: The translator does not know the languages, or fails on every row.
        ConfigError: An unknown name or an option that is not valid.
    """
    model: Any = (
        wrap(load_translator(translator, source=source, target=target)) if isinstance(translator, str) else translator
    )
    pairs = [stages.as_pair(row, source) for row in rows]
    segments = stages.segment_rows(pairs, model, source, "sentence")
    translations: list[Translation] = []
    tables = repair_tables(source, target) if repair or best_of > 1 else None
    for start in range(0, len(segments), _BATCH_ROWS):
        batch = segments[start : start + _BATCH_ROWS]
        made = stages.translate_segments(batch, model, source, target)
        if tables is not None:
            made = stages.repair_translations(batch, made, model, tables, source, target, count=best_of, terms=repair)
        translations += made
        _report(progress, "translate", len(translations), len(segments))
    inputs = stages.projection_inputs(pairs, segments, translations, source, target)
    method = _projector(projector, projector_options, model, source, target)
    before = Signature.of(("seg", "sentence"), model.signature, repair_signature(best_of, repair))
    signature = _signature(before, method, filters, fit_rows, source, target)
    method = _fitted(method, [item for item in inputs if item is not None], fit_rows)
    _report(progress, "project", 0, len(inputs))
    translations, projections = stages.project_translated(method, inputs, translations)
    _report(progress, "project", len(inputs), len(inputs))
    done = stages.assemble_translated(pairs, segments, translations, projections, target, signature)
    return _filtered(done, filters, progress)


def project(
    rows: Iterable[Row],
    translations: Iterable[Row],
    *,
    source: str,
    target: str,
    translator: str | Translator | None = None,
    projector: str | Projector = "default",
    projector_options: Mapping[str, Any] | None = None,
    filters: Sequence[Filter] | None = None,
    pair_by: Literal["index", "id"] = "index",
    fit_rows: int = 20_000,
    progress: Progress | None = None,
) -> list[Pair]:
    """Carries the labels of rows over to translations that are there already.

    Args:
        rows: Examples in the source language.
        translations: The same rows in the target language; their own labels count as gold in ``evaluate``.
        source: BCP-47 language of the rows.
        target: BCP-47 language of the translations.
        translator: A model that scores translations, for projectors that use one; None: without.
        projector: A projector's name or ``package.module:Class``, or a projector.
        projector_options: Options of a projector that is named.
        filters: Filters that decide; None: all with their default options; empty: none.
        pair_by: ``index``: rows meet in order; ``id``: by their ids.
        fit_rows: Pairs that a corpus aligner is fitted on, at most.
        progress: Called with a step's name, rows done and rows in all.

    Returns:
        One pair per row, in order.

    Raises:
        InputError: The sides do not match.
        ModelError: The projector needs a model and there is none.
        ConfigError: An unknown name or an option that is not valid.
    """
    if pair_by not in ("index", "id"):
        raise ConfigError(f"pair_by={pair_by!r}", valid=["index", "id"], hint="pair_by='id' pairs rows by their ids")
    model: Any = (
        load_translator(translator, source=source, target=target) if isinstance(translator, str) else translator
    )
    both = zip_examples(_Rows(rows), _Rows(translations), by=pair_by)
    pairs = [stages.as_pair(row, source, given) for row, given in both]
    grouped = stages.given_inputs(pairs, source, target)
    flat = [item for row in grouped for item in row]
    method = _projector(projector, projector_options, model, source, target)
    signature = _signature(Signature.of(("mt", "parallel"), ("by", pair_by)), method, filters, fit_rows, source, target)
    method = _fitted(method, flat, fit_rows)
    _report(progress, "project", 0, len(pairs))
    found = iter(stages.project_some(method, flat))
    projections = [[p for _ in row for p in next(found)] for row in grouped]
    _report(progress, "project", len(pairs), len(pairs))
    return _filtered(stages.assemble_given(pairs, projections, signature), filters, progress, given=True)


class _Rows:
    """Rows at hand in the place of a reader."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)
        self.signature = Signature.of(("src", "rows"))

    def read(self) -> Iterator[Row]:
        return iter(self.rows)


def _projector(
    projector: str | Projector, options: Mapping[str, Any] | None, model: Any, source: str, target: str
) -> Projector:
    if isinstance(projector, str):
        return build_projector(projector, options or {}, model, source, target)
    if options:
        raise ConfigError(
            "projector_options without a projector's name", hint="give the options to the projector itself"
        )
    return projector


def _fitted(projector: Projector, inputs: Sequence[ProjectionInput], size: int) -> Projector:
    return projector.fit(stages.fit_sample(inputs, size)) if isinstance(projector, FittableProjector) else projector


def _signature(
    before: Signature, projector: Projector, filters: Sequence[Filter] | None, fit_rows: int, source: str, target: str
) -> Signature:
    chosen = filtering.default_filters(given=before.value("mt") == "parallel") if filters is None else filters
    return run_signature(before, projector.signature, fit_rows, chosen, source, target)


def _filtered(
    pairs: list[Pair], filters: Sequence[Filter] | None, progress: Progress | None, *, given: bool = False
) -> list[Pair]:
    chosen = filtering.default_filters(given=given) if filters is None else list(filters)
    if not chosen:
        return pairs
    _report(progress, "filter", 0, len(pairs))
    reasons = filtering.decide(chosen, stages.score_rows(pairs, chosen))
    _report(progress, "filter", len(pairs), len(pairs))
    return [
        pair.rejected(*(r for r in why if r not in pair.reasons)) if why else pair
        for pair, why in zip(pairs, reasons, strict=True)
    ]


def _report(progress: Progress | None, step: str, done: int, total: int) -> None:
    if progress is not None:
        progress(step, done, total)
