"""Parallel gold: both sides annotated, so that every projection can be judged.

The shared data sets go by short names (``europarl-es``); any other gold comes through the readers.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from spanferry.corpora.errors import InputError, unknown_name
from spanferry.corpora.files import content_hash
from spanferry.corpora.readers import open_reader
from spanferry.corpora.readers.common.base import BadRow, Reader
from spanferry.corpora.readers.parallel import zip_examples
from spanferry.corpora.readers.squad import ANSWER, CONTEXT, QUESTION
from spanferry.corpora.schema import Example, Span
from spanferry.corpora.signature import NOTHING, Signature
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.evaluation.gold_names import GOLD_SETS, SETS, UNSEEN
from spanferry.projectors.placing.parts import moved, parts_of_text


@dataclass(frozen=True)
class Gold:
    """Texts in two languages with spans on both sides.

    Attributes:
        name: Short name, or the file's.
        source_lang: BCP-47.
        target_lang: BCP-47.
        inputs: Source texts with their spans, and target texts.
        spans: For each input the gold spans of its target.
        more: Further parallel texts without spans, for aligners that learn from the corpus.
        answers: Whether spans are answers: paired by question, several gold answers being alternatives. The spans'
            ids are then ``<row id>/<span id>`` on both sides.
        signature: Of the readers of both sides.
        skipped: Rows that could not be used, by reason.
    """

    name: str
    source_lang: str
    target_lang: str
    inputs: tuple[ProjectionInput, ...]
    spans: tuple[tuple[Span, ...], ...]
    more: tuple[ProjectionInput, ...] = ()
    answers: bool = False
    signature: Signature = NOTHING
    skipped: Mapping[str, int] = field(default_factory=dict)

    def part(self, keep: Sequence[bool]) -> "Gold":
        """The same gold with only some of its inputs; the texts of the others can still be learned from."""
        chosen = [k for k, wanted in enumerate(keep) if wanted]
        others = tuple(replace(self.inputs[k], spans=()) for k, wanted in enumerate(keep) if not wanted)
        return replace(
            self,
            inputs=tuple(self.inputs[k] for k in chosen),
            spans=tuple(self.spans[k] for k in chosen),
            more=self.more + others,
        )


FOLDS = 4


def fit_half(gold: Gold) -> list[bool]:
    """Which inputs of a shared gold numbers may be fitted on; the others, and ``UNSEEN`` languages, are for testing.

    A digest of the source row's id decides, so that a sentence and its translations fall on the same side in every
    language.
    """
    if gold.target_lang in UNSEEN:
        return [False] * len(gold.inputs)
    return [byte % 2 == 0 for byte in _draws(gold)]


def fit_folds(gold: Gold) -> list[int | None]:
    """Which of `FOLDS` parts of the fit half each input belongs to; None for the inputs of the other half.

    Numbers that are fitted on scores need scores of inputs that nothing else was fitted on: those of each fold with
    weights from the other folds.
    """
    return [byte // 2 % FOLDS if fitted else None for byte, fitted in zip(_draws(gold), fit_half(gold), strict=True)]


def _draws(gold: Gold) -> bytes:
    group = gold.name.rpartition("-")[0]
    return b"".join(blake2b(f"{group}/{item.id}".encode(), digest_size=1).digest() for item in gold.inputs)


def gold_in_parts(gold: Gold) -> Gold:
    """The gold whose inputs are the parts; what was annotated on the target side lies in none where it was cut."""
    parts = [(k, part) for k, item in enumerate(gold.inputs) for part in parts_of_text(item)]
    spans = []
    for k, part in parts:
        end = part.start + len(part.item.target_text)
        inside = (s for s in gold.spans[k] if part.start <= s.start and s.end <= end)
        spans.append(tuple(moved(span, -part.start) for span in inside))
    return replace(gold, inputs=tuple(part.item for _, part in parts), spans=tuple(spans))


def data_folder() -> Path:
    """Where the shared data lies: ``SPANFERRY_DATA``, else ``../shared/data`` beside the checkout."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("SPANFERRY_DATA") or beside)


def expand_names(names: Iterable[str], valid: Sequence[str]) -> list[str]:
    """Short names in the order given; ``xsid`` stands for all of its languages.

    Raises:
        ConfigError: A name that is none.
    """
    found: dict[str, None] = {}
    for name in names:
        matching = [v for v in valid if v == name or v.startswith(f"{name}-")]
        if not matching:
            groups = {v.rpartition("-")[0] for v in valid}
            raise unknown_name("gold", name, [*valid, *sorted(groups)])
        found.update(dict.fromkeys(matching))
    return list(found)


def load_gold(name: str, folder: Path | None = None, *, limit: int | None = None) -> Gold:
    """A data set of ``GOLD_SETS``.

    Args:
        name: Such as ``europarl-es``.
        folder: Where the shared data lies; None: ``data_folder``.
        limit: At most so many rows.

    Raises:
        ConfigError: No such name.
        InputError: Its files are not there or can't be read.
    """
    if name not in GOLD_SETS:
        raise unknown_name("gold", name, GOLD_SETS)
    group, _, lang = name.rpartition("-")
    its = SETS[group]
    place = (folder or data_folder()) / its.folder
    if not place.is_dir():
        raise InputError(
            f"no data for gold {name!r}", where=str(place), hint="SPANFERRY_DATA=FOLDER names where the gold lies"
        )
    readers = [
        open_reader(place / file.format(lang), lang=language, format=its.format, options=its.options)
        for file, language in ((its.source, "en"), (its.target, lang))
    ]
    gold = read_gold(*readers, name=name, pair_by=its.pair_by, limit=limit)
    if its.more is None:
        return gold
    further = [
        open_reader(place / file.format(lang), lang=language, format=its.format, options=its.options)
        for file, language in zip(its.more, ("en", lang), strict=True)
    ]
    texts = read_gold(*further, name=name, pair_by=its.pair_by).inputs
    digest = content_hash([place / file.format(lang) for file in its.more])
    return replace(
        gold,
        more=tuple(replace(i, id=f"more/{i.id}", spans=()) for i in texts),
        signature=Signature(f"{gold.signature}+{digest}"),
    )


def read_more(source: Reader, target: Reader, *, pair_by: Literal["index", "id"] = "index") -> list[ProjectionInput]:
    """Parallel texts without spans, for aligners to learn from; rows that can't be used are passed over.

    Raises:
        InputError: The two sides can't be paired, or no row has a text on both sides.
    """
    found = []
    for left, right in zip_examples(source, target, by=pair_by):
        if isinstance(left, Example) and isinstance(right, Example):
            for text_field in (f for f in left.texts if f in right.texts):
                item, _ = _input(left, right, text_field, answers=False)
                found.append(replace(item, id=f"more/{item.id}", spans=()))
    if not found:
        raise InputError(
            "no row to learn from has a text on both sides",
            where=f"{source.signature}+{target.signature}",
            hint="--more-input FILE --more-target-input FILE with the same rows in both languages",
        )
    return found


def read_gold(
    source: Reader,
    target: Reader,
    *,
    name: str,
    pair_by: Literal["index", "id"] = "index",
    limit: int | None = None,
) -> Gold:
    """Parallel gold from two readers. Rows that can't be used are counted, rows without spans are kept to learn from.

    Questions about the same paragraph become one input.

    Args:
        source: The annotated source side.
        target: The same rows in the target language, annotated too.
        name: What to call it.
        pair_by: How rows of both sides meet.
        limit: At most so many rows.

    Raises:
        InputError: The two sides can't be paired, or no row has spans on both sides.
    """
    skipped: Counter[str] = Counter()
    rows: list[tuple[Example, Example]] = []
    for left, right in zip_examples(source, target, by=pair_by):
        if limit is not None and len(rows) >= limit:
            break
        if isinstance(left, BadRow) or isinstance(right, BadRow):
            bad = left if isinstance(left, BadRow) else right
            skipped[bad.reason if isinstance(bad, BadRow) else "no_target"] += 1
        elif right is None:
            skipped["no_target"] += 1
        else:
            rows.append((left, right))
    answers = bool(rows) and all({QUESTION, CONTEXT} <= set(left.texts) for left, _ in rows)
    inputs: dict[tuple[object, ...], ProjectionInput] = {}
    spans: dict[tuple[object, ...], tuple[Span, ...]] = {}
    for left, right in rows:
        for text_field in (f for f in left.texts if f in right.texts):
            item, gold = _input(left, right, text_field, answers)
            key = (item.source_text, item.target_text) if answers else (left.id, text_field, len(inputs))
            if key in inputs:
                inputs[key] = replace(inputs[key], spans=inputs[key].spans + item.spans)
                spans[key] += gold
            else:
                inputs[key], spans[key] = item, gold
    limited = f".limit{limit}" if limit else ""
    signature = Signature(f"{source.signature}+{target.signature}.by-{pair_by}{limited}")
    found = Gold(
        name,
        getattr(source, "lang", ""),
        getattr(target, "lang", ""),
        tuple(inputs.values()),
        tuple(spans.values()),
        answers=answers,
        signature=signature,
        skipped=dict(sorted(skipped.items())),
    )
    if not any(i.spans for i in found.inputs) or not any(found.spans):
        side = "source" if not any(i.spans for i in found.inputs) else "target"
        raise InputError(
            f"no {side} row of gold {name!r} has a span",
            where=signature,
            hint="both sides need annotation: --input FILE --target-input FILE, and --format if it was guessed wrongly",
        )
    return found


def _input(left: Example, right: Example, text_field: str, answers: bool) -> tuple[ProjectionInput, tuple[Span, ...]]:
    def own(example: Example) -> tuple[Span, ...]:
        chosen = [s for s in example.spans if s.field == text_field and (not answers or s.label == ANSWER)]
        return tuple(replace(s, id=f"{example.id}/{s.id}") for s in chosen)

    item = ProjectionInput(
        f"{left.id}/{text_field}",
        left.texts[text_field],
        right.texts[text_field],
        own(left),
        left.lang,
        right.lang,
        tuple(left.tokens.get(text_field, ())),
        tuple(right.tokens.get(text_field, ())),
    )
    return item, own(right)
