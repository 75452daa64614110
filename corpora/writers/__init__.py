"""Writers: pairs to files. One file per format, found through ``WRITERS``."""

from collections.abc import Mapping
from typing import Any

from spanferry.corpora.options import build_component, option_defaults
from spanferry.corpora.registry import resolve
from spanferry.corpora.stored.base import EVERYTHING, Writer, WriteReport

WRITERS = {
    "arrow": "spanferry.corpora.writers.arrow:ArrowWriter",
    "parquet": "spanferry.corpora.writers.parquet:ParquetWriter",
    "jsonl": "spanferry.corpora.writers.jsonl:JsonlWriter",
    "conll": "spanferry.corpora.writers.conll:ConllWriter",
    "squad": "spanferry.corpora.writers.squad:SquadWriter",
    "label_studio": "spanferry.corpora.writers.label_studio:LabelStudioWriter",
    "doccano": "spanferry.corpora.writers.doccano:DoccanoWriter",
    "docbin": "spanferry.corpora.writers.docbin:DocBinWriter",
    "translation": "spanferry.corpora.writers.translation:TranslationWriter",
    "moses": "spanferry.corpora.writers.moses:MosesWriter",
    "tmx": "spanferry.corpora.writers.tmx:TmxWriter",
}

__all__ = ["EVERYTHING", "WRITERS", "WriteReport", "Writer", "open_writer", "writer_options"]


def open_writer(name: str, options: Mapping[str, Any] | None = None) -> Writer:
    """The writer ``name`` (of ``WRITERS``, or ``package.module:Class``) with ``options``.

    Raises:
        ConfigError: Unknown name or option, or a value the option does not take.
    """
    cls = resolve("writer", name, WRITERS)
    writer: Writer = build_component(cls, "writer", name, options or {})
    return writer


def writer_options(name: str) -> dict[str, Any]:
    """The options of a writer and their defaults."""
    return option_defaults(resolve("writer", name, WRITERS))
