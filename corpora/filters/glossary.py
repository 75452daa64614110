"""Terms of a glossary must be there as the glossary has them."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl

from spanferry.corpora.files import cached_while_unchanged
from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.glossary import Glossary, read_glossary


class GlossaryTerms(FilterModel):
    """Rejects a row in which a glossary's source term is without its target term.

    The column ``glossary.missing`` lists the source terms; the reasons are ``glossary:<term>``. Without a file there is
    nothing to judge.

    Attributes:
        path: The glossary, see ``read_glossary``; runs put their ``translator.glossary`` here.
    """

    name: ClassVar[str] = "glossary"

    path: str = ""

    def model_post_init(self, context: Any) -> None:
        """Reads the file, so that a bad one is an error before any work."""
        if self.path:
            _read(self.path)

    @property
    def signature(self) -> Signature:
        """With the digest of the file's content, wherever the file lies."""
        return Signature(f"{self.name}({_read(self.path).digest})" if self.path else self.name)

    @property
    def threshold_signature(self) -> Signature:
        """The filter has no thresholds."""
        return Signature(self.name)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``glossary.missing``, where there is a glossary."""
        return (Column("glossary.missing", pl.List(pl.String)),) if self.path else ()

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class. None without a target."""
        return {"glossary.missing": [self._missing(pair) for pair in pairs]} if self.path else {}

    def reject(self) -> list[Rule]:
        """``glossary:<term>``."""
        return [("glossary", pl.col("glossary.missing"))] if self.path else []

    def _missing(self, pair: Pair) -> list[str] | None:
        if pair.target is None:
            return None
        glossary = _read(self.path).into(pair.target.lang)
        lost = (
            term
            for field, text in pair.source.texts.items()
            for term in glossary.missing(text, pair.target.texts.get(field, ""))
        )
        return list(dict.fromkeys(lost))


@cached_while_unchanged(8)
def _read(path: str) -> Glossary:
    return read_glossary(path)
