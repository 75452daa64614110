"""Several translations of each row: every one is a row of its own, with its own labels."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Pair, Translation
from spanferry.flows.config import VariantsConfig

NO_VARIANT = "no_variant"


def multiplied(pairs: Iterable[Pair], count: int) -> Iterator[Pair]:
    """Each pair ``count`` times in a row, as ``<id>.v1`` …; those of different rows never share an id."""
    for pair in pairs:
        if count == 1:
            yield pair
            continue
        for k in range(1, count + 1):
            yield replace(pair, source=replace(pair.source, id=f"{pair.source.id}.v{k}"))


def check_variants(translator: Any, wanted: VariantsConfig) -> None:
    """Checks that a model gives several translations of a text.

    Raises:
        ConfigError: It does not, or not in this way.
    """
    if not hasattr(translator, "sampled" if wanted.by == "sample" else "translate_nbest"):
        raise ConfigError(
            f"variants.count={wanted.count}: {translator.signature} gives one translation of a text",
            valid="a model that CTranslate2 runs as an encoder-decoder, without --protect and --glossary",
            hint="--translator nllb-600m, or leave variants.count out",
        )


class Variants:
    """What translates a shard's texts into several variants.

    Args:
        translator: The model.
        wanted: How many, and how they are made.
        seed: Of sampling.

    Raises:
        ConfigError: The model does not give several translations of a text, or not in this way.
    """

    def __init__(self, translator: Any, wanted: VariantsConfig, seed: str) -> None:
        self.count = wanted.count
        check_variants(translator, wanted)
        if wanted.by == "sample":
            number = int.from_bytes(blake2b(seed.encode(), digest_size=4).digest())
            translator = translator.sampled(number >> 1)
        self._translator = translator

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[list[Translation]]:
        """For each text ``count`` translations, no text twice; those that there are not have a reason.

        Raises:
            ModelError: The model lacks a language, or fails on every row.
        """
        rows = self._translator.translate_nbest(texts, source, target, self.count)
        return [self._distinct(row) for row in rows]

    def _distinct(self, found: Sequence[Translation]) -> list[Translation]:
        if found[0].reason:
            return [found[0]] * self.count
        own = list({one.text: one for one in reversed(found)}.values())[::-1]
        none = Translation("", reason=NO_VARIANT)
        return [*own, *[none] * (self.count - len(own))]
