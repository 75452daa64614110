"""Writers: pairs to files. One file per format, found through ``WRITERS``."""

from collections.abc import Mapping
from typing import Any

from corpora.options import checked_options, option_defaults
from corpora.registry import resolve
from corpora.writers.base import EVERYTHING, Writer, WriteReport

WRITERS = {
    "arrow": "corpora.writers.arrow:ArrowWriter",
    "parquet": "corpora.writers.parquet:ParquetWriter",
    "jsonl": "corpora.writers.jsonl:JsonlWriter",
    "conll": "corpora.writers.conll:ConllWriter",
    "squad": "corpora.writers.squad:SquadWriter",
    "label_studio": "corpora.writers.label_studio:LabelStudioWriter",
    "doccano": "corpora.writers.doccano:DoccanoWriter",
    "translation": "corpora.writers.translation:TranslationWriter",
    "moses": "corpora.writers.moses:MosesWriter",
    "tmx": "corpora.writers.tmx:TmxWriter",
}

__all__ = ["EVERYTHING", "WRITERS", "WriteReport", "Writer", "open_writer", "writer_options"]


def open_writer(name: str, options: Mapping[str, Any] | None = None) -> Writer:
    """The writer ``name`` (of ``WRITERS``, or ``package.module:Class``) with ``options``.

    Raises:
        ConfigError: Unknown name or option, or a value the option does not take.
    """
    cls = resolve("writer", name, WRITERS)
    writer: Writer = cls(**checked_options(cls, "writer", name, options or {}))
    return writer


def writer_options(name: str) -> dict[str, Any]:
    """The options of a writer and their defaults."""
    return option_defaults(resolve("writer", name, WRITERS))
