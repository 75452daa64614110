"""Spanferry carries span labels across languages: translate, project, filter, and write Arrow datasets.

>>> import spanferry
>>> rows = spanferry.read("sample:sentences", lang="en")
>>> pairs = spanferry.translate_train(rows, source="en", target="es")
>>> spanferry.write(pairs, "out", "conll")
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spanferry.corpora.errors import ConfigError, InputError, ModelError, OutputError, SpanferryError
    from spanferry.corpora.filters import build as build_filters
    from spanferry.corpora.filters import default_filters
    from spanferry.corpora.filters.base import Filter
    from spanferry.corpora.metrics.spans import exact_score
    from spanferry.corpora.readers.common.base import BadRow, Reader
    from spanferry.corpora.schema import Example, Pair, Projection, Relation, Span, Translation, validate
    from spanferry.corpora.stored.base import Writer
    from spanferry.corpora.stored.emitted import EmittedDataset
    from spanferry.jobs import load_aligner, load_projector, project, read, translate_train, write
    from spanferry.projectors.base import Aligner, Projector
    from spanferry.translators.base import Translator
    from spanferry.translators.loading.load import load_translator

_NAMES = {
    "Aligner": "spanferry.projectors.base",
    "BadRow": "spanferry.corpora.readers.common.base",
    "ConfigError": "spanferry.corpora.errors",
    "EmittedDataset": "spanferry.corpora.stored.emitted",
    "Example": "spanferry.corpora.schema",
    "Filter": "spanferry.corpora.filters.base",
    "InputError": "spanferry.corpora.errors",
    "ModelError": "spanferry.corpora.errors",
    "OutputError": "spanferry.corpora.errors",
    "Pair": "spanferry.corpora.schema",
    "Projection": "spanferry.corpora.schema",
    "Projector": "spanferry.projectors.base",
    "Reader": "spanferry.corpora.readers.common.base",
    "Relation": "spanferry.corpora.schema",
    "Span": "spanferry.corpora.schema",
    "SpanferryError": "spanferry.corpora.errors",
    "Translation": "spanferry.corpora.schema",
    "Translator": "spanferry.translators.base",
    "Writer": "spanferry.corpora.stored.base",
    "build_filters": "spanferry.corpora.filters:build",
    "default_filters": "spanferry.corpora.filters",
    "exact_score": "spanferry.corpora.metrics.spans",
    "load_aligner": "spanferry.jobs",
    "load_projector": "spanferry.jobs",
    "load_translator": "spanferry.translators.loading.load",
    "project": "spanferry.jobs",
    "read": "spanferry.jobs",
    "translate_train": "spanferry.jobs",
    "validate": "spanferry.corpora.schema",
    "write": "spanferry.jobs",
}

__all__ = [
    "Aligner",
    "BadRow",
    "ConfigError",
    "EmittedDataset",
    "Example",
    "Filter",
    "InputError",
    "ModelError",
    "OutputError",
    "Pair",
    "Projection",
    "Projector",
    "Reader",
    "Relation",
    "Span",
    "SpanferryError",
    "Translation",
    "Translator",
    "Writer",
    "build_filters",
    "default_filters",
    "exact_score",
    "load_aligner",
    "load_projector",
    "load_translator",
    "project",
    "read",
    "translate_train",
    "validate",
    "write",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        try:
            return version("spanferry")
        except PackageNotFoundError:  # a checkout that is not installed
            return "unknown"
    if name not in _NAMES:
        raise AttributeError(f"module 'spanferry' has no attribute {name!r}")
    module, _, attribute = _NAMES[name].partition(":")
    value = getattr(import_module(module), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
