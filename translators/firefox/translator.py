"""``--translator firefox``: Mozilla's student models as a translator like the others."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Translation
from spanferry.corpora.signature import Signature
from spanferry.translators.engine.limits import MODEL_ERROR, SOURCE_TOO_LONG, is_verbatim, text_reason
from spanferry.translators.families.base import Limits
from spanferry.translators.firefox.download import engine, obtain
from spanferry.translators.firefox.files import Leg, check_files, firefox_code, legs_in, route
from spanferry.translators.firefox.pool import EnginePool

# The engine reads 100 pieces and drops the rest without a word: measured on 1,100 prefixes of ntrex128 sentences, with
# the models en-pt and pt-en (a name at the end arrives up to 99 pieces, never from 101 on). Some room for the end mark.
_SOURCE_PIECES = 96
# The decoder stops at three times the source.
_TARGET_PIECES = 3 * _SOURCE_PIECES


class FirefoxTranslator:
    """Translates with Firefox Translations' models on the CPU, by way of English where there is no direct model.

    No scores and no attention: projectors that ask a model are given another one. Sentences must fit 96 pieces, so
    texts are segmented first; one that does not fit is a row with a reason, never cut.

    Args:
        source: BCP-47 language to translate from.
        target: BCP-47 language to translate into.
        folder: A folder of models; None: those in the cache, downloaded where they are missing.
        workers: Processes that translate at the same time; 0: one for each core.

    Raises:
        ModelError: No model for the pair, or a file that is damaged.
        MissingExtraError: The package ``fxtranslate`` is not installed.
    """

    marker_aware = False
    neutral_options = frozenset({"workers"})

    def __init__(self, source: str, target: str, folder: Path | None = None, *, workers: int = 0) -> None:
        if not isinstance(workers, int) or isinstance(workers, bool) or workers < 0:
            raise ConfigError(
                f"workers={workers!r}",
                valid="a number from 0; 0: one for each core",
                hint="--set translator.options.workers=2",
            )
        self._version = engine() and version("fxtranslate")
        self.legs = _legs(source, target, folder)
        for leg in self.legs:
            check_files(leg)
        self._source, self._target = firefox_code(source), firefox_code(target)
        self._pools = [EnginePool(leg, workers or _cores()) for leg in self.legs]
        self.limits = Limits(_SOURCE_PIECES, _TARGET_PIECES)

    @cached_property
    def signature(self) -> Signature:
        """``mt:firefox.<direction>@<hash>[+<direction>@<hash>]|fx:<version of the engine>``."""
        names = "+".join(f"{leg.source}-{leg.target}@{leg.digest()}" for leg in self.legs)
        return Signature.of(("mt", f"firefox.{names}"), ("fx", self._version))

    def supports(self, source: str, target: str) -> bool:
        """Whether it was made for this direction."""
        return (firefox_code(source), firefox_code(target)) == (self._source, self._target)

    def length(self, text: str, language: str) -> int:
        """Pieces of ``text`` in the vocabulary of the first model, without the end mark."""
        return len(self._vocabularies[0].encode(text.encode("utf-8", "replace").decode()))

    @cached_property
    def _vocabularies(self) -> list[Any]:
        from sentencepiece import SentencePieceProcessor

        return [SentencePieceProcessor(model_file=str(leg.source_vocabulary)) for leg in self.legs]

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in order; a text without a letter is its own, one that fails has a reason.

        Raises:
            ModelError: Another direction than the one it was made for, or the model fails on every text.
        """
        if not self.supports(source, target):
            raise ModelError(
                f"this model does not translate {source} to {target}", valid=f"{self._source} to {self._target}"
            )
        done = [Translation(text, reason=text_reason(text)) for text in texts]
        for pool, vocabulary in zip(self._pools, self._vocabularies, strict=True):
            reasons = [t.reason or _length_reason(vocabulary, t.text) for t in done]
            sent = [reason is None and not is_verbatim(t.text) for t, reason in zip(done, reasons, strict=True)]
            answers = iter(pool.translate([t.text for t, wanted in zip(done, sent, strict=True) if wanted]))
            done = [
                _answer(next(answers)) if wanted else Translation("", reason=reason) if reason else t
                for t, reason, wanted in zip(done, reasons, sent, strict=True)
            ]
        return [t if t.reason or t.text.strip() else Translation("", reason="empty_output") for t in done]

    def close(self) -> None:
        """Ends the processes; they start again with the next text."""
        for pool in self._pools:
            pool.close()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _length_reason(vocabulary: Any, text: str) -> str | None:
    return SOURCE_TOO_LONG if len(vocabulary.encode(text)) > _SOURCE_PIECES else None


def _answer(text: str | None) -> Translation:
    return Translation("", reason=MODEL_ERROR) if text is None else Translation(text)


def _legs(source: str, target: str, folder: Path | None) -> list[Leg]:
    if folder is None:
        return obtain(source, target, lambda line: print(line, file=sys.stderr))
    if not folder.is_dir():
        raise ModelError(
            "no such folder of Firefox models", where=str(folder), hint="--translator firefox downloads them"
        )
    legs = legs_in(folder)
    found = route(legs, source, target)
    if found is None:
        raise ModelError(
            f"no Firefox model from {source} to {target}, direct or by way of English",
            where=str(folder),
            valid=[f"{leg.source}-{leg.target}" for leg in legs]
            or "a folder with model.enpt.intgemm.alphas.bin and the like",
            hint="--translator firefox downloads the models of a pair",
        )
    return found
