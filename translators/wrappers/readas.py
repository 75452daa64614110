"""A model that reads a language it does not know as one that it knows, to score texts that another model translated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spanferry.corpora.errors import ModelError
from spanferry.corpora.schema import Translation
from spanferry.corpora.signature import Signature
from spanferry.translators.loading.load import load_translator
from spanferry.translators.wrappers.wrapped import WrappedTranslator

# Languages that are written alike: what a small model scores one of them as if it lacks it.
RELATED = {"pt": "es", "gl": "es", "ca": "es", "it": "es", "ast": "es", "oc": "es", "af": "nl", "lb": "de", "nds": "nl"}


class ReadAs(WrappedTranslator):
    """Everything of the inner model, with another language in the place of one.

    Args:
        inner: A ScoringTranslator.
        language: BCP-47 tag that the inner model lacks.
        known: The one it gets instead.
    """

    def __init__(self, inner: Any, language: str, known: str) -> None:
        super().__init__(inner)
        self.language, self.known = language, known

    @property
    def signature(self) -> Signature:
        """The inner signature and ``as:<language>``."""
        return Signature.of(self.inner.signature, ("as", self.known))

    def _known_as(self, language: str) -> str:
        return self.known if language == self.language else language

    def supports(self, source: str, target: str) -> bool:
        """Whether the inner model knows this direction, read so."""
        return bool(self.inner.supports(self._known_as(source), self._known_as(target)))

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in the language that the model got."""
        found: list[Translation] = self.inner.translate(texts, self._known_as(source), self._known_as(target))
        return found

    def encode_source(self, text: str, source: str, target: str) -> list[str]:
        """Source tokens of a direction."""
        found: list[str] = self.inner.encode_source(text, self._known_as(source), self._known_as(target))
        return found

    def encode_target(self, text: str, lang: str) -> list[str]:
        """Target pieces of a text."""
        found: list[str] = self.inner.encode_target(text, self._known_as(lang))
        return found

    def target_prefix(self, target: str) -> list[str]:
        """The tokens every target starts with."""
        found: list[str] = self.inner.target_prefix(self._known_as(target))
        return found

    def pieces(self, text: str, language: str, *, side: str) -> tuple[list[str], list[tuple[int, int]]]:
        """Pieces of a text and where they are."""
        found: tuple[list[str], list[tuple[int, int]]] = self.inner.pieces(text, self._known_as(language), side=side)
        return found

    def score_pairs(self, sources: Sequence[str], targets: Sequence[str], source: str, target: str) -> Any:
        """Forced scores of given pairs."""
        return self.inner.score_pairs(sources, targets, self._known_as(source), self._known_as(target))

    def attention(self, sources: Sequence[str], targets: Sequence[str], source: str, target: str) -> Any:
        """Forced cross-attention of given pairs."""
        return self.inner.attention(sources, targets, self._known_as(source), self._known_as(target))


def scoring_model(name: str, source: str, target: str, known: str = "") -> Any:
    """A model that scores translations which another one made.

    Args:
        name: As ``--translator`` takes it.
        source: BCP-47.
        target: BCP-47.
        known: Language of the model that the target is read as; "": the target itself, or where the model lacks it the
            one in ``RELATED``.

    Raises:
        ModelError: There is no such model, it lacks the language, or it does not score.
    """
    read_as = known or target
    try:
        found = load_translator(name, source=source or None, target=read_as or None)
    except ModelError:
        if known or (related := RELATED.get(target.split("-")[0])) is None:
            raise
        read_as = related
        found = load_translator(name, source=source or None, target=read_as)
    if not hasattr(found, "score_pairs"):
        raise ModelError(f"the model {name!r} does not score given translations", hint="scorer=bundled")
    return found if read_as == target else ReadAs(found, target, read_as)
