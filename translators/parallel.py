"""The translator for data that has both sides: it hands out the targets it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Translation
from spanferry.corpora.signature import Signature

NO_TARGET = "no_target"


class ParallelTranslator:
    """Source texts to the targets that came with them.

    Args:
        targets: Source text to target text. A source text with two different targets can't be distinguished by its
            text: give each pair to a projector directly.
        source: Language of the keys, BCP-47; None lets every language through.
        target: Language of the values, likewise.
    """

    marker_aware = False

    def __init__(
        self, targets: Mapping[str, str] | None = None, *, source: str | None = None, target: str | None = None
    ) -> None:
        self._targets = dict(targets or {})
        self._source, self._target = source, target

    @property
    def signature(self) -> Signature:
        """Always ``mt:parallel``: the targets are data, and the data has its own signature."""
        return Signature.of(("mt", "parallel"))

    def supports(self, source: str, target: str) -> bool:
        """Whether the two languages are those it was made for."""
        return self._source in (None, source) and self._target in (None, target)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """The given target of each text, in order; ``no_target`` where there is none.

        Raises:
            ModelError: Another direction than the one it was made for.
        """
        if not self.supports(source, target):
            raise ModelError(
                f"the parallel data is not {source} to {target}",
                valid=f"{self._source} to {self._target}",
                hint="a model translates: translator=bundled",
            )
        found = (self._targets.get(text) for text in texts)
        return [Translation(text) if text else Translation("", reason=NO_TARGET) for text in found]

    def score_pairs(self, sources: Sequence[str], targets: Sequence[str], source: str, target: str) -> list[object]:
        """There is no model.

        Raises:
            ConfigError: Always.
        """
        raise _no_model("scores")

    def attention(self, sources: Sequence[str], targets: Sequence[str], source: str, target: str) -> list[object]:
        """There is no model.

        Raises:
            ConfigError: Always.
        """
        raise _no_model("attention")


def _no_model(wanted: str) -> ConfigError:
    return ConfigError(
        f"translator 'parallel' has no model that gives {wanted}",
        valid="aligners without a model: lexical, eflomal",
        hint="name a model beside the given targets, such as bundled, or projector.kind=alignment with aligner lexical",
    )
