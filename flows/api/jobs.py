"""What ``import spanferry`` offers beside the data classes: reading, the main job with a progress bar, writing."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from spanferry.corpora.filters.base import Filter
from spanferry.corpora.readers import open_reader
from spanferry.corpora.readers.common.base import BadRow
from spanferry.corpora.samples import sample_path
from spanferry.corpora.schema import Example, Pair
from spanferry.corpora.stored.base import WriteReport
from spanferry.corpora.writers import open_writer
from spanferry.projectors.aligners.build import build_aligner
from spanferry.projectors.base import Aligner, Projector
from spanferry.projectors.methods.build import build_projector
from spanferry.projectors.pipeline import jobs
from spanferry.translators.base import Translator
from spanferry.translators.loading.load import BUNDLED

_SAMPLE = "sample:"


def read(source: str | Path, *, lang: str, format: str | None = None, **options: Any) -> list[Example | BadRow]:
    """All rows of annotated data.

    Args:
        source: A file, a folder, ``hf:ID`` or ``sample:NAME``.
        lang: BCP-47 language of the texts.
        format: A reader's name or ``package.module:Class``; None: recognised by name and content.
        **options: Options of the reader, see ``spanferry list readers``.

    Returns:
        Examples in the order of the data. A row that can't be read is a ``BadRow`` with a reason and a message.

    Raises:
        InputError: The data as a whole can't be read.
        ConfigError: An unknown format or option.

    >>> rows = read("sample:sentences", lang="en")
    >>> len(rows), rows[0].lang
    (200, 'en')
    """
    name = str(source)
    place = sample_path(name.removeprefix(_SAMPLE)) if name.startswith(_SAMPLE) else source
    return list(open_reader(place, lang=lang, format=format, options=options).read())


def write(pairs: Sequence[Pair], out: str | Path, format: str = "arrow", **options: Any) -> WriteReport:
    """Writes pairs into a folder: kept rows by split, rejected rows beside them with their reasons.

    Args:
        pairs: What ``translate_train`` or ``project`` returned.
        out: The folder; made where it is not there.
        format: A writer's name or ``package.module:Class``.
        **options: Options of the writer, see ``spanferry list writers``.

    Raises:
        OutputError: The format can't hold something, or the folder can't be written.
        ConfigError: An unknown writer or option.

    >>> import tempfile
    >>> row = Example("1", "en", {"text": "Anna lives in Berlin."}, spans=(Span(14, 20, "city"),))
    >>> write([Pair(row, row)], tempfile.mkdtemp(), "conll").rows
    {'train': 1, 'rejected': 0}
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    return open_writer(format, options).write([list(pairs)], folder)


def translate_train(
    rows: Iterable[Example | BadRow],
    *,
    source: str,
    target: str,
    translator: str | Translator = BUNDLED,
    projector: str | Projector = "default",
    projector_options: Mapping[str, Any] | None = None,
    filters: Sequence[Filter] | None = None,
    repair: bool = False,
    best_of: int = 1,
    progress: bool = True,
) -> list[Pair]:
    """Translates annotated rows, carries their labels over and filters the result; shows a progress bar.

    Args:
        rows: Examples in the source language, such as ``read`` returns.
        source: BCP-47 language of the rows.
        target: BCP-47 language to translate into.
        translator: ``bundled``, a model's directory or hub id, ``endpoint:MODEL``, or a translator.
        projector: A projector's name or ``package.module:Class``, or a projector.
        projector_options: Options of a projector that is named.
        filters: Filters that decide; None: all with their default options; empty: none.
        repair: Translate again with the right words where a labelled span lost them.
        best_of: Where labelled words or numbers are missing, take the best of so many translations.
        progress: Show a progress bar, in a notebook or a terminal.

    Returns:
        One pair per row, in order; ``kept`` says whether the filters keep it, ``reasons`` why not.

    Raises:
        ModelError: The translator does not know the languages, or fails on every row.
        ConfigError: An unknown name or an option that is not valid.

    >>> example = Example("1", "en", {"text": "Anna lives in Berlin."}, spans=(Span(14, 20, "city"),))
    >>> [pair] = translate_train([example], source="en", target="de", filters=[], progress=False)
    >>> [pair.target.quote(span) for span in pair.target.spans]
    ['Berlin']
    """
    with _bar(progress) as report:
        return jobs.translate_train(
            rows,
            source=source,
            target=target,
            translator=translator,
            projector=projector,
            projector_options=projector_options,
            filters=filters,
            repair=repair,
            best_of=best_of,
            progress=report,
        )


def project(
    rows: Iterable[Example | BadRow],
    translations: Iterable[Example | BadRow],
    *,
    source: str,
    target: str,
    translator: str | Translator | None = None,
    projector: str | Projector = "default",
    projector_options: Mapping[str, Any] | None = None,
    filters: Sequence[Filter] | None = None,
    pair_by: Literal["index", "id"] = "index",
    progress: bool = True,
) -> list[Pair]:
    """Carries the labels of rows over to translations that are there already; shows a progress bar.

    Args:
        rows: Examples in the source language.
        translations: The same rows in the target language.
        source: BCP-47 language of the rows.
        target: BCP-47 language of the translations.
        translator: A model that scores translations, for projectors that use one; None: without.
        projector: A projector's name or ``package.module:Class``, or a projector.
        projector_options: Options of a projector that is named.
        filters: Filters that decide; None: all with their default options; empty: none.
        pair_by: ``index``: rows meet in order; ``id``: by their ids.
        progress: Show a progress bar, in a notebook or a terminal.

    Returns:
        One pair per row, in order.

    Raises:
        InputError: The sides do not match.
        ModelError: The projector needs a model and there is none.
        ConfigError: An unknown name or an option that is not valid.

    >>> english = Example("1", "en", {"text": "Anna lives in Berlin."}, spans=(Span(14, 20, "city"),))
    >>> italian = Example("1", "it", {"text": "Anna vive a Berlino."})
    >>> [pair] = project([english], [italian], source="en", target="it", filters=[], progress=False)
    >>> [pair.target.quote(span) for span in pair.target.spans]
    ['Berlino']
    """
    with _bar(progress) as report:
        return jobs.project(
            rows,
            translations,
            source=source,
            target=target,
            translator=translator,
            projector=projector,
            projector_options=projector_options,
            filters=filters,
            pair_by=pair_by,
            progress=report,
        )


def load_projector(
    kind: str = "default", *, source: str, target: str, translator: Translator | None = None, **options: Any
) -> Projector:
    """The projector that ``kind`` names.

    Args:
        kind: A name of ``spanferry list projectors`` or ``package.module:Class``.
        source: BCP-47.
        target: BCP-47.
        translator: The model, for a projector that uses one.
        **options: Options of the projector.

    Raises:
        ConfigError: An unknown name or option.
        ModelError: The projector needs a model and there is none.

    >>> load_projector("copy", source="en", target="es").signature.split(".")[0]
    'copy'
    """
    return build_projector(kind, options, translator, source, target)


def load_aligner(kind: str = "lexical", *, translator: Translator | None = None, **options: Any) -> Aligner:
    """The word aligner that ``kind`` names.

    Args:
        kind: A name of ``spanferry list aligners`` or ``package.module:Class``.
        translator: The model, for an aligner that uses one.
        **options: Options of the aligner.

    Raises:
        ConfigError: An unknown name or option.
        ModelError: The aligner needs a model and there is none.

    >>> load_aligner("lexical").signature.split(".")[0]
    'lexical'
    """
    return build_aligner(kind, options, translator)


@contextmanager
def _bar(wanted: bool) -> Iterator[jobs.Progress | None]:
    if not wanted:
        yield None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets gets a plain bar
        from tqdm.auto import tqdm

    bar: Any = None

    def report(step: str, done: int, total: int) -> None:
        nonlocal bar
        if bar is None or bar.desc.removesuffix(": ") != step:
            if bar is not None:
                bar.close()
            bar = tqdm(total=total, desc=step, unit="rows")
        bar.update(done - bar.n)

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()
