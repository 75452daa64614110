"""The ``Translation`` and ``TranslationVariableLanguages`` features of the library ``datasets``.

One row per id and text field: ``id``, ``field``, ``translation``, and beside it ``spans`` of all languages, which the
features themselves can't hold. ``Translation`` needs every language in every row; where a cell is missing the rows are
``TranslationVariableLanguages``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from spanferry.corpora.arrow import RANGE
from spanferry.corpora.attributes import attributes_json
from spanferry.corpora.errors import OutputError
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import EVERYTHING, WriteReport
from spanferry.corpora.stored.records import Record, write_records
from spanferry.corpora.writers.multiway import rejected_record
from spanferry.corpora.writers.parallel import languages_of, rows_of_pairs

_SPAN = pa.struct(
    [
        ("lang", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("label", pa.string()),
        ("id", pa.string()),
        ("fragments", pa.list_(RANGE)),
        ("attributes", pa.string()),
    ]
)


@dataclass(frozen=True)
class TranslationWriter:
    """Hugging Face ``Translation`` (all languages in every row) or ``TranslationVariableLanguages``, with spans beside.

    Attributes:
        feature: ``fixed``, ``variable``, or ``auto``: fixed if no cell is missing.
        shard_rows: Rows per file.
    """

    name: ClassVar[str] = "translation"
    holds: ClassVar[frozenset[str]] = EVERYTHING - {"relations", "scores"}

    feature: Literal["auto", "fixed", "variable"] = "auto"
    shard_rows: Annotated[int, Field(gt=0)] = 100_000

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        with rows_of_pairs(batches, out) as rows:
            return self.write_rows(rows, out, languages_of(rows))

    def write_rows(self, rows: Iterable[MultiRow], out: Path, languages: Sequence[str]) -> WriteReport:
        """See ``ParallelWriter.write_rows``. ``rows`` are iterated twice unless ``feature`` is ``variable``.

        Raises:
            OutputError: ``feature`` is ``fixed`` and a kept row lacks a language.
        """
        gap = None
        if self.feature != "variable":
            gap = next((row for row in rows if not row.reasons and set(row.languages) < set(languages)), None)
        if gap is not None and self.feature == "fixed":
            absent = ", ".join(sorted(set(languages) - set(gap.languages)))
            raise OutputError(
                f"the feature Translation can't hold a row without {absent}",
                where=gap.id,
                hint="--set output.options.translation.feature=variable, or --set rows.min_languages=N for whole rows",
            )
        fixed = self.feature != "variable" and gap is None
        ordered = sorted(languages)
        kind = (
            pa.struct([(lang, pa.string()) for lang in ordered])
            if fixed
            else pa.struct([("language", pa.list_(pa.string())), ("translation", pa.list_(pa.string()))])
        )
        schema = pa.schema(
            [("id", pa.string()), ("field", pa.string()), ("translation", kind), ("spans", pa.list_(_SPAN))]
        )
        feature: dict[str, Any] = {"languages": ordered}
        feature |= (
            {"_type": "Translation"}
            if fixed
            else {"num_languages": len(ordered), "_type": "TranslationVariableLanguages"}
        )
        records = (record for row in rows for record in _records(row, fixed))
        return write_records(records, out, schema, features={"translation": feature}, shard_rows=self.shard_rows)


def _records(row: MultiRow, fixed: bool) -> Iterator[Record]:
    if row.reasons:
        yield rejected_record(row)
        return
    fields = dict.fromkeys(name for example in row.examples.values() for name in example.texts)
    for field in fields:
        cells = sorted((lang, e) for lang, e in row.examples.items() if field in e.texts)
        texts = {lang: example.texts[field] for lang, example in cells}
        spans = [
            {
                "lang": lang,
                "start": span.start,
                "end": span.end,
                "label": span.label,
                "id": span.id,
                "fragments": [{"start": a, "end": b} for a, b in span.fragments],
                "attributes": attributes_json(span),
            }
            for lang, example in cells
            for span in example.spans
            if span.field == field
        ]
        translation = texts if fixed else {"language": list(texts), "translation": list(texts.values())}
        name = row.id if len(fields) == 1 else f"{row.id}.{field}"
        yield Record(name, {"field": field, "translation": translation, "spans": spans}, row.split)
