"""Word alignments of single pairs, for people to look at: by the tables that a run was fitted with."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import InputError
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.emitted import INDEX, EmittedDataset
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.base import ProjectionInput

_FIT_ROWS = 2_000
_MAX_WORDS = 1_000  # the page shows a part; more take too long to align for somebody who waits


def matrix_of(folder: Path, pair: Pair, field: str) -> tuple[Sequence[Any], list[list[float]]] | None:
    """Words of both sides and how sure each link is; None where there is nothing to align by, or too much.

    Args:
        folder: The dataset of the pair.
        pair: A pair with a target.
        field: A text field of both sides.
    """
    item = _input(pair, field)
    if item is None:
        return None
    version = (folder / INDEX).stat().st_mtime_ns  # a dataset that was written anew is another one
    found = _aligner(folder, version, item.source_lang, item.target_lang).align([item])[0]
    if found.reason or max(len(found.source_words), len(found.target_words)) > _MAX_WORDS:
        return None
    return (found.source_words, found.target_words), found.probabilities.tolist()


@lru_cache(maxsize=8)
def _aligner(folder: Path, version: int, source: str, target: str) -> LexicalAligner:
    """The run's own tables where it left any, else tables learned from the first rows of the dataset."""
    states = sorted(folder.parent.glob(f"stages/fit-{folder.name}-*/000000.bin"), key=lambda p: p.stat().st_mtime)
    for state in reversed(states):
        try:
            return LexicalAligner().with_state(state.read_bytes())
        except InputError:
            continue  # of another projector
    inputs: list[ProjectionInput] = []
    for batch in EmittedDataset(folder).pairs():
        found = (_input(pair, name) for pair in batch for name in pair.source.texts)
        inputs += [item for item in found if item and (item.source_lang, item.target_lang) == (source, target)]
        if len(inputs) >= _FIT_ROWS:
            break
    return LexicalAligner().fit(inputs[:_FIT_ROWS])


def _input(pair: Pair, field: str) -> ProjectionInput | None:
    source, target = pair.source, pair.target
    if target is None or field not in source.texts or field not in target.texts:
        return None
    spans = tuple(s for s in source.spans if s.field == field)
    return ProjectionInput(source.id, source.texts[field], target.texts[field], spans, source.lang, target.lang)
