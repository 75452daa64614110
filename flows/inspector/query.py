"""What a person asks the table for, as it stands in the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any
from urllib.parse import urlencode

import polars as pl

from spanferry.corpora.errors import ConfigError, unknown_name

SORTS = ("order", "score", "-score", "id")
KEPT = ("kept", "rejected")
AGREEMENT = ("one", "several", "none")
# What people have made of a row so far.
REVIEW = ("open", "partly", "accepted", "corrected", "dropped", "reviewed", "flagged", "skipped", "stale")
_CHOICES = {"sort": SORTS, "kept": KEPT, "agreement": AGREEMENT, "review": REVIEW}


@dataclass(frozen=True)
class Query:
    """A filter and an order; an empty string or None does not restrict.

    Attributes:
        lang: Language of the target.
        corpus: Name of the dataset.
        label: A source span has it.
        method: It speaks for a placed span.
        kept: Whether the filters kept the row: ``kept`` or ``rejected``.
        reason: Why the row was rejected, or ``span:`` and why a span was not placed.
        low: The least score of the row's placed spans is at least this.
        high: It is at most this.
        agreement: ``one``: a span stands on a single method; ``several``: none does; ``none``: no span was placed.
        review: What people have made of it.
        id: Part of the example's id.
        text: Part of a source or target text, upper case or lower.
        sort: ``order`` (of the data), ``score`` (least certain first), ``-score``, ``id``.
    """

    lang: str = ""
    corpus: str = ""
    label: str = ""
    method: str = ""
    kept: str = ""
    reason: str = ""
    low: float | None = None
    high: float | None = None
    agreement: str = ""
    review: str = ""
    id: str = ""
    text: str = ""
    sort: str = "order"

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Query":
        """The query of an address; what is not a part of a query is left alone.

        Raises:
            ConfigError: A score that is not a number, or a choice there is not.
        """
        values: dict[str, Any] = {}
        for field in fields(cls):
            given = parameters.get(field.name, "").strip("\r\n")
            if given == "":
                continue
            if field.name in _CHOICES and given not in _CHOICES[field.name]:
                raise unknown_name(field.name, given, _CHOICES[field.name])
            values[field.name] = _number(given) if field.name in ("low", "high") else given
        return cls(**values)

    def to_string(self) -> str:
        """The part of an address after ``?``; reverse of ``of``."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return urlencode({k: f"{v:g}" if isinstance(v, float) else v for k, v in chosen.items()})

    @property
    def plain(self) -> bool:
        """Whether it is all rows in the order of the data, which needs no index."""
        return self == Query()

    def condition(self) -> pl.Expr:
        """What the index must say of a row; ``review`` and ``text`` are not in it."""
        wanted = [
            pl.col("lang") == self.lang if self.lang else None,
            pl.col("corpus") == self.corpus if self.corpus else None,
            pl.col("labels").list.contains(self.label) if self.label else None,
            pl.col("methods").list.contains(self.method) if self.method else None,
            pl.col("kept") == (self.kept == "kept") if self.kept else None,
            pl.col("reasons").list.contains(self.reason) if self.reason else None,
            # Scores are stored in single precision, and a bound as typed must hold the score it was copied from.
            pl.col("score") >= self.low - 5e-5 if self.low is not None else None,
            pl.col("score") <= self.high + 5e-5 if self.high is not None else None,
            _AGREEMENTS[self.agreement] if self.agreement else None,
            pl.col("id").str.contains(self.id, literal=True) if self.id else None,
        ]
        return pl.all_horizontal([pl.lit(True), *(w for w in wanted if w is not None)])


_AGREEMENTS = {
    "one": pl.col("agreement") == 1,
    "several": pl.col("agreement") > 1,
    "none": pl.col("agreement") == 0,
}


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ConfigError(f"{text!r} is not a score", valid="0 to 1", hint="?low=0.5&high=0.8")
    return value
