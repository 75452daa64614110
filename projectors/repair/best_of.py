"""Of several translations of a text the one whose labelled words and numbers are right."""

from collections.abc import Sequence
from typing import Any

from spanferry.corpora.schema import Translation
from spanferry.projectors.filters.span_fidelity import FidelityTables
from spanferry.projectors.repair.enforce import Source, lost_numbers, support, weak_spans

# In support, below which the model's own first choice stays.
_GAIN = 0.05


def best_of(
    rows: Sequence[tuple[Source, Translation]],
    translator: Any,
    tables: FidelityTables,
    count: int,
    source: str,
    target: str,
) -> list[Translation]:
    """The translations, another of the best ``count`` where words of a labelled span or numbers are missing.

    The one that supports the spans best and loses the fewest numbers is taken, of equals the likeliest. Texts whose
    first translation lacks nothing are not translated again.

    Args:
        rows: Texts with their translations; one that failed stays as it is.
        translator: The model that made them; it has ``translate_nbest``.
        tables: Word translations of both directions.
        count: How many translations of a text are looked at.
        source: BCP-47.
        target: BCP-47.
    """
    todo = [
        k
        for k, (own, made) in enumerate(rows)
        if made.reason is None and (weak_spans(own, made, tables) or lost_numbers(own.text, made.text))
    ]
    out = [made for _, made in rows]
    several = translator.translate_nbest([rows[k][0].text for k in todo], source, target, count) if todo else []
    for k, some in zip(todo, several, strict=True):
        own, first = rows[k]
        usable = [one for one in some if one.reason is None]
        best = max(usable, key=lambda one: _worth(own, one, tables), default=first)
        if _worth(own, best, tables) > _worth(own, first, tables) + _GAIN:
            out[k] = best
    return out


def _worth(own: Source, made: Translation, tables: FidelityTables) -> float:
    found = sum(support(own.text[span.start : span.end], made.text, tables) for span in own.spans)
    return round(found - lost_numbers(own.text, made.text), 3)
