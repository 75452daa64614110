"""One row per id with a cell per language: what parallel and derived sets are made of.

Cells are joined by id, never by their place in a file; a cell may be missing, and then the row says why.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.arrow import EXAMPLE, RANGE, SCORE, examples_from_table, examples_to_table
from spanferry.corpora.schema import Example, Pair, Range

# Key of ``Example.meta``: span id to the score of its projection.
SPAN_SCORES = "span_scores"

Direction = tuple[str, str]

WORD_LINK = pa.struct([("source", pa.int32()), ("target", pa.int32()), ("probability", pa.float64())])
WORD_LINKS = pa.struct(
    [
        ("source_lang", pa.string()),
        ("target_lang", pa.string()),
        ("field", pa.string()),
        ("source_words", pa.list_(RANGE)),
        ("target_words", pa.list_(RANGE)),
        ("links", pa.list_(WORD_LINK)),
    ]
)
MISSING = pa.struct([("lang", pa.string()), ("reason", pa.string())])
MULTIROW_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("split", pa.string()),
        ("examples", pa.list_(EXAMPLE)),
        ("links", pa.list_(WORD_LINKS)),
        ("missing", pa.list_(MISSING)),
        ("scores", pa.list_(SCORE)),
        ("reasons", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class WordLinks:
    """Links between the words of one field in two languages.

    Attributes:
        source_lang: BCP-47.
        target_lang: BCP-47.
        field: The text field.
        source_words: Code-point ranges of the source's words, (n_source_words,).
        target_words: Likewise of the target's, (n_target_words,).
        links: (source word, target word, probability), 0-based, sorted.
    """

    source_lang: str
    target_lang: str
    field: str
    source_words: tuple[Range, ...]
    target_words: tuple[Range, ...]
    links: tuple[tuple[int, int, float], ...]

    def reversed(self) -> "WordLinks":
        """The same links seen from the other side."""
        links = tuple(sorted((b, a, p) for a, b, p in self.links))
        return WordLinks(self.target_lang, self.source_lang, self.field, self.target_words, self.source_words, links)


@dataclass(frozen=True, slots=True)
class MultiRow:
    """The same example in several languages.

    Attributes:
        id: What the cells were joined by.
        examples: Language to example, in the order of the set's languages; a missing cell is not there.
        links: Word links between cells, as far as they are known.
        missing: Language to the reasons for which its cell is not there.
        scores: What the inputs scored, ``<lang>:<name>``.
        reasons: Why the row was rejected; empty if it was kept.
        split: Dataset split.
    """

    id: str
    examples: Mapping[str, Example]
    links: tuple[WordLinks, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    split: str = "train"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have a cell."""
        return tuple(self.examples)

    def links_of(self, source: str, target: str, field_name: str) -> WordLinks | None:
        """The links of one field from ``source`` to ``target``, turned around if they were stored so; None: unknown."""
        for known in self.links:
            if known.field == field_name and (known.source_lang, known.target_lang) == (source, target):
                return known
            if known.field == field_name and (known.source_lang, known.target_lang) == (target, source):
                return known.reversed()
        return None

    def rejected(self, *reasons: str) -> "MultiRow":
        """The same row, rejected for ``reasons`` on top of those it had."""
        return replace(self, reasons=self.reasons + tuple(r for r in reasons if r not in self.reasons))


def row_of_pair(pair: Pair) -> MultiRow:
    """An example and its translation as a row of two languages; joined by the source's id."""
    source, target = pair.source, pair.target
    if target is None:
        return MultiRow(source.id, {source.lang: source}, reasons=pair.reasons, split=source.split)
    scores = {f"{target.lang}:{name}": value for name, value in pair.scores.items()}
    placed = {p.source_span_id: p.score for p in pair.projections if p.span is not None}
    if placed:
        target = replace(target, meta={**target.meta, SPAN_SCORES: placed})
    examples = {source.lang: source, target.lang: target}
    return MultiRow(source.id, examples, scores=scores, reasons=pair.reasons, split=source.split)


def join_cells(row_id: str, cells: Sequence[MultiRow], languages: Sequence[str], min_languages: int = 2) -> MultiRow:
    """One row of what several inputs have for one id.

    The first input that has a language gives its cell. Another text of a later input for the same language can't be
    the same example: its own languages are left out of the row, with the reason ``join:other_text``; a run whose source
    was edited meanwhile does not mix two versions of a sentence. The same text again adds nothing. A cell that an input
    rejected is missing, with the input's reasons.

    Args:
        row_id: The id they share.
        cells: What each input has, in the order of the inputs.
        languages: The set's languages, in order.
        min_languages: A row with fewer cells is rejected as ``join:too_few_languages``.
    """
    examples: dict[str, Example] = {}
    missing: dict[str, tuple[str, ...]] = {}
    scores: dict[str, float] = {}
    links: list[WordLinks] = []
    for cell in cells:
        shared = [lang for lang in cell.examples if lang in examples]
        if any(dict(cell.examples[lang].texts) != dict(examples[lang].texts) for lang in shared):
            for lang in cell.examples:
                if lang not in examples:
                    missing.setdefault(lang, ("join:other_text",))
            continue
        for lang, why in cell.missing.items():
            missing.setdefault(lang, why)
        examples |= {lang: example for lang, example in cell.examples.items() if lang not in examples}
        scores |= cell.scores
        links += cell.links
    missing = {lang: why for lang, why in missing.items() if lang not in examples}
    for lang in languages:
        if lang not in examples:
            missing.setdefault(lang, ("join:no_row",))
    ordered = {lang: examples[lang] for lang in languages if lang in examples}
    split = next((e.split for e in ordered.values()), cells[0].split)
    row = MultiRow(row_id, ordered, tuple(links), missing, scores, (), split)
    if len(ordered) < min_languages:
        found = [f"{lang}:{reason}" for lang in languages for reason in missing.get(lang, ())]
        return row.rejected("join:too_few_languages", *found)
    return row


def rows_to_table(rows: Sequence[MultiRow]) -> pa.Table:
    """The rows as a table of ``MULTIROW_SCHEMA``.

    Raises:
        RowError: ``bad_unicode``: a string with an unpaired surrogate, which UTF-8 can't hold.
    """
    cells = examples_to_table([e for row in rows for e in row.examples.values()]).combine_chunks()
    structs = pa.StructArray.from_arrays([_whole(column) for column in cells.columns], fields=list(EXAMPLE))
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row.examples))
    examples = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=pa.list_(EXAMPLE))
    columns = [
        pa.array([r.id for r in rows], pa.string()),
        pa.array([r.split for r in rows], pa.string()),
        examples,
        pa.array([[_links(found) for found in r.links] for r in rows], pa.list_(WORD_LINKS)),
        pa.array(
            [[{"lang": lang, "reason": why} for lang, all_ in r.missing.items() for why in all_] for r in rows],
            pa.list_(MISSING),
        ),
        pa.array([[{"name": n, "value": float(v)} for n, v in r.scores.items()] for r in rows], pa.list_(SCORE)),
        pa.array([list(r.reasons) for r in rows], pa.list_(pa.string())),
    ]
    return pa.Table.from_arrays(columns, schema=MULTIROW_SCHEMA)


def rows_from_table(table: pa.Table) -> list[MultiRow]:
    """Reverse of ``rows_to_table``."""
    cells = _whole(table.column("examples"))
    flat = cells.flatten()
    examples = examples_from_table(pa.Table.from_arrays(flat.flatten(), names=EXAMPLE.names)) if len(flat) else []
    sizes = pc.list_value_length(cells).to_pylist()
    rows, at = [], 0
    names = ("id", "split", "links", "missing", "scores", "reasons")
    plain = table.select(names).to_pylist()
    for size, values in zip(sizes, plain, strict=True):
        own = examples[at : at + size]
        at += size
        missing: dict[str, tuple[str, ...]] = {}
        for gap in values["missing"]:
            missing[gap["lang"]] = (*missing.get(gap["lang"], ()), gap["reason"])
        rows.append(
            MultiRow(
                values["id"],
                {e.lang: e for e in own},
                tuple(_read_links(found) for found in values["links"]),
                missing,
                {s["name"]: s["value"] for s in values["scores"]},
                tuple(values["reasons"]),
                values["split"],
            )
        )
    return rows


def pairs_of(row: MultiRow, directions: Iterable[Direction]) -> Iterator[tuple[Example, Example]]:
    """The (source, target) examples of those directions that the row has both cells of."""
    for source, target in directions:
        if source in row.examples and target in row.examples:
            yield row.examples[source], row.examples[target]


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _links(found: WordLinks) -> dict[str, object]:
    return {
        "source_lang": found.source_lang,
        "target_lang": found.target_lang,
        "field": found.field,
        "source_words": [{"start": a, "end": b} for a, b in found.source_words],
        "target_words": [{"start": a, "end": b} for a, b in found.target_words],
        "links": [{"source": a, "target": b, "probability": p} for a, b, p in found.links],
    }


def _read_links(value: Mapping[str, list[dict[str, float]]]) -> WordLinks:
    return WordLinks(
        str(value["source_lang"]),
        str(value["target_lang"]),
        str(value["field"]),
        tuple((int(r["start"]), int(r["end"])) for r in value["source_words"]),
        tuple((int(r["start"]), int(r["end"])) for r in value["target_words"]),
        tuple((int(r["source"]), int(r["target"]), float(r["probability"])) for r in value["links"]),
    )
