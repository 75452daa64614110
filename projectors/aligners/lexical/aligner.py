"""The house's own word aligner: statistics of the corpus at hand, deterministic, no weights, no compiler."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Range
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.word_breaks import dictionaries, words_of
from spanferry.corpora.text.words import joined_words, word_strings
from spanferry.projectors.aligners.encoder.context import bundled_encoder, power_for
from spanferry.projectors.aligners.lexical.beads import BEADS, Bead, beads
from spanferry.projectors.aligners.lexical.bonds import of_words
from spanferry.projectors.aligners.lexical.characters import averaged, in_characters
from spanferry.projectors.aligners.lexical.counters import carried
from spanferry.projectors.aligners.lexical.fit import Model, Settings, apply, learn
from spanferry.projectors.aligners.lexical.lexicon import Prior
from spanferry.projectors.aligners.lexical.state import dump, load
from spanferry.projectors.aligners.links.symmetrise import SYMMETRISATIONS, symmetrise
from spanferry.projectors.apostrophes import has_suffixes, whole_words, with_suffixes
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.translators.bundled.priors import PriorTable, load_prior

_SHARD_CELLS = 1_000_000
_DIGITS = 5  # posteriors are rounded so that sums in another order can't show

LanguagePair = tuple[str, str]
# The words of a source and of a target sentence.
Strings = tuple[list[str], list[str]]
PriorSource = Callable[[str, str], PriorTable | None]


class LexicalAligner:
    """IBM model 1 and a hidden Markov model in both directions, helped by spelling, a prior table and an encoder.

    Args:
        prior: ``bundled`` (the tables that come with the bundled models, for the pairs that have one), ``none``, or a
            function from (source language, target language) to a table or None.
        context: Whether to use the bundled encoder (``encoder.context``); by default where ``prior`` is
            ``bundled``.
        prior_name: What a function given as ``prior`` is, for the signature.
        settings: Pseudo-counts and iterations.
        symmetrisation: How hard links are made of the two directions: ``posterior``, ``intersection``, ``union``,
            ``grow-diag-final-and``.
        max_pairs: Distinct sentence pairs to learn from; chosen by a hash of their text, so order does not matter.
        max_cells: Bound on the summed products of their lengths, which is what memory and time go by.
        max_words: A text longer than this on either side is not aligned: ``too_long``.

    Raises:
        ConfigError: Unknown prior or symmetrisation, or an option out of range.
    """

    def __init__(
        self,
        prior: PriorSource | str | None = "bundled",
        *,
        context: bool | None = None,
        prior_name: str = "given",
        settings: Settings | None = None,
        symmetrisation: str = "posterior",
        max_pairs: int = 20_000,
        max_cells: int = 6_000_000,
        max_words: int = 1000,
    ) -> None:
        if isinstance(prior, str) and prior not in ("bundled", "none"):
            raise ConfigError(f"unknown prior {prior!r}", valid=("bundled", "none"), hint="leave it out for bundled")
        if symmetrisation not in SYMMETRISATIONS:
            raise ConfigError(
                f"unknown symmetrisation {symmetrisation!r}", valid=SYMMETRISATIONS, hint="leave it out for posterior"
            )
        for name, value in (("max_pairs", max_pairs), ("max_cells", max_cells), ("max_words", max_words)):
            if value < 1:
                raise ConfigError(f"{name} = {value}", valid=f"{name} >= 1", hint=f"leave {name} at its default")
        if isinstance(prior, str) and prior_name != "given":
            raise ConfigError(
                f"prior_name={prior_name!r} is not used with prior={prior!r}",
                valid="the name of a function that is given as prior",
                hint="leave prior_name out",
            )
        if isinstance(prior, str):
            prior, prior_name = (bundled_prior, "bundled") if prior == "bundled" else (None, "none")
        self._prior_of = prior
        self._context = prior_name == "bundled" if context is None else context
        self._options = {"max_pairs": max_pairs, "max_cells": max_cells, "max_words": max_words}
        self._settings = settings or Settings()
        self._symmetrisation, self._prior_name = symmetrisation, prior_name if prior else "none"
        self._models: dict[LanguagePair, Model] = {}
        self._priors: dict[LanguagePair, Prior | None] = {}

    @property
    def signature(self) -> Signature:
        """``lexical.<hash of settings, dictionaries and where sentences are cut>|prior:<name>|sym:<name>``, and the
        encoder's where it may be asked."""
        chosen = repr((sorted(asdict(self._settings).items()), sorted(self._options.items()), dictionaries(), BEADS))
        digest = blake2b(chosen.encode(), digest_size=4).hexdigest()
        asked = Signature.of(("context", bundled_encoder().signature)) if self._context else ""
        entries = ("prior", self._prior_name), ("sym", self._symmetrisation)
        return Signature.of(f"lexical.13.{digest}", *entries, asked)

    def fit(self, inputs: Sequence[ProjectionInput]) -> "LexicalAligner":
        """A new aligner that has learned from ``inputs``; sentences too long or without a counterpart teach nothing.

        The same set of inputs gives the same tables, whatever its order and however often a pair occurs.
        """
        sample: dict[LanguagePair, dict[bytes, Strings]] = {}
        suffixed = _suffixed(inputs)
        for item in (*inputs, *filter(None, map(in_characters, inputs))):
            source, target = _sides(item, *suffixed[item.source_lang, item.target_lang])
            for _, pair in _parted(item, source, target) if source.units and target.units else ():
                if max(map(len, pair)) > self._options["max_words"]:
                    continue
                digest = blake2b("\n".join((*pair[0], "\t", *pair[1])).encode("utf-8", "replace"), digest_size=16)
                sample.setdefault((item.source_lang, item.target_lang), {})[digest.digest()] = pair
        fitted = self._like()
        for languages in sorted(sample):
            chosen = self._bounded(sample[languages])
            power = self._power(languages, sum(len(target) for _, target in chosen))
            fitted._models[languages] = learn(chosen, self._settings, self._prior(languages), context=power)
        return fitted.with_state(fitted.state())  # so that tables just learned and tables read back are the same

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input. Reasons: ``empty_source``, ``empty_target``, ``too_long``, ``not_fitted``."""
        found = self._align(inputs)
        apart = {k: in_characters(item) for k, item in enumerate(inputs)}
        known = {k: item for k, item in apart.items() if item and (item.source_lang, item.target_lang) in self._models}
        for k, characters in zip(known, self._align(list(known.values())), strict=True):
            found[k] = averaged(found[k], characters)
        return found

    def _align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input by the tables of its languages."""
        out: list[Alignment | None] = [None] * len(inputs)
        groups: dict[LanguagePair, list[int]] = {}
        suffixed = {languages: _learned(model) for languages, model in self._models.items()}
        sides = [_sides(item, *suffixed.get((item.source_lang, item.target_lang), (False, False))) for item in inputs]
        for k, (item, (source, target)) in enumerate(zip(inputs, sides, strict=True)):
            reason = self._obstacle(item, source, target)
            if reason:
                shape = (len(source.words), len(target.words)) if reason != "too_long" else (0, 0)
                out[k] = Alignment(source.words, target.words, np.zeros(shape, np.float32), reason=reason)
            else:
                groups.setdefault((item.source_lang, item.target_lang), []).append(k)
        for languages, members in groups.items():
            model, prior = self._models[languages], self._prior(languages)
            parts = {k: _parted(inputs[k], *sides[k]) for k in members}
            for chunk in _chunks({k: sum(len(s) * len(t) for _, (s, t) in parts[k]) for k in members}):
                ways = {k: np.zeros((2, len(sides[k][0].units), len(sides[k][1].units))) for k in chunk}
                own = [(k, *part) for k in chunk for part in parts[k]]
                found = apply(model, [pair for _, _, pair in own], self._settings.beliefs, prior)
                for (k, ((a, b), (c, d)), _), posteriors in zip(own, found, strict=True):
                    ways[k][:, a:b, c:d] = posteriors
                for k in chunk:
                    units = word_strings(inputs[k].target_text, sides[k][1].units)
                    bonds, counting = model.bonded(units), model.counting(units, *ways[k])
                    tied = of_words(bonds, sides[k][1].unit_of, inputs[k].target_text, sides[k][1].words)
                    out[k] = self._alignment(*sides[k], ways[k], counting, tied, model.marking(units))
        return [alignment for alignment in out if alignment is not None]

    def _alignment(
        self,
        source: "_Side",
        target: "_Side",
        ways: np.ndarray,
        counting: np.ndarray,
        tied: np.ndarray,
        marking: np.ndarray,
    ) -> Alignment:
        """The alignment of the words, from the posteriors of the units: each word has its unit's.

        Hard links are those of the posteriors; probabilities of a word that goes with a number are that number's.
        """
        rows, columns = source.unit_of, target.unit_of
        forward, backward = (way[np.ix_(rows, columns)] for way in ways)
        links = symmetrise(forward, backward, self._symmetrisation)
        moved = carried(np.stack([np.sqrt(ways[0] * ways[1]), *ways]), counting)[:, rows][:, :, columns]
        moved = np.round(moved, _DIGITS).astype(np.float32).clip(0.0, 1.0)
        bonds, particles = (np.round(own, _DIGITS).astype(np.float32) for own in (tied, marking[columns]))
        return Alignment(source.words, target.words, moved[0], links, None, moved[1], moved[2], bonds, particles)

    def state(self) -> bytes:
        """The tables of every language pair; the same bytes for the same set of inputs."""
        return dump(self._models)

    def with_state(self, state: bytes) -> "LexicalAligner":
        """A new aligner with the given tables.

        Raises:
            InputError: ``state`` is not what ``state()`` wrote.
        """
        fitted = self._like()
        fitted._models = load(state)
        return fitted

    def _like(self) -> "LexicalAligner":
        keywords: Mapping[str, Any] = self._options
        other = LexicalAligner(
            self._prior_of,
            prior_name=self._prior_name,
            context=self._context,
            settings=self._settings,
            symmetrisation=self._symmetrisation,
            **keywords,
        )
        other._priors = self._priors
        return other

    def _prior(self, languages: LanguagePair) -> Prior | None:
        if languages not in self._priors:
            table = self._prior_of(*languages) if self._prior_of else None
            self._priors[languages] = Prior(table) if table is not None else None
        return self._priors[languages]

    def _power(self, languages: LanguagePair, words: int) -> float:
        own = self._settings
        return power_for(*languages, words, own.context, own.context_words) if self._context else 0.0

    def _bounded(self, pairs: Mapping[bytes, Strings]) -> list[Strings]:
        chosen: list[Strings] = []
        cells = 0
        for digest in sorted(pairs)[: self._options["max_pairs"]]:
            source, target = pairs[digest]
            cells += len(source) * len(target)
            if chosen and cells > self._options["max_cells"]:
                break
            chosen.append((source, target))
        return chosen

    def _obstacle(self, item: ProjectionInput, source: "_Side", target: "_Side") -> str | None:
        if not source.units:
            return "empty_source"
        if not target.units:
            return "empty_target"
        if max(len(source.units), len(target.units)) > self._options["max_words"]:
            return "too_long"
        return None if (item.source_lang, item.target_lang) in self._models else "not_fitted"


def bundled_prior(source: str, target: str) -> PriorTable | None:
    """The table that comes with the bundled models, or None where the pair has none."""
    table = load_prior(source, target)
    return table if len(table.counts) else None


@dataclass(frozen=True, slots=True)
class _Side:
    """The words of one text, and the units that are aligned: one or several words each.

    Attributes:
        words: Code-point ranges.
        units: Likewise.
        unit_of: Unit of each word, (n_words,).
    """

    words: tuple[Range, ...]
    units: tuple[Range, ...]
    unit_of: np.ndarray

    @staticmethod
    def of(text: str, given: tuple[Range, ...], language: str, suffixed: bool) -> "_Side":
        own = whole_words(text, words_of(text, language))
        if suffixed and not given:
            own = with_suffixes(text, own)
        found = given or own
        # Words that a dictionary has found are whole; tokens with spaces between them may be parts of words.
        whole = not given or (given == own and not any(c.isspace() for c in text))
        groups = [[k] for k in range(len(found))] if whole else joined_words(text, found, language)
        units = tuple((found[group[0]][0], found[group[-1]][1]) for group in groups)
        return _Side(found, units, np.repeat(np.arange(len(groups)), [len(group) for group in groups]))


def _sides(item: ProjectionInput, source_suffixed: bool, target_suffixed: bool) -> tuple[_Side, _Side]:
    return (
        _Side.of(item.source_text, item.source_words, item.source_lang, source_suffixed),
        _Side.of(item.target_text, item.target_words, item.target_lang, target_suffixed),
    )


def _suffixed(inputs: Sequence[ProjectionInput]) -> "defaultdict[LanguagePair, tuple[bool, bool]]":
    """Of each pair of languages whether apostrophes set off endings in the source and in the target."""
    texts: dict[LanguagePair, list[ProjectionInput]] = {}
    for item in inputs:
        texts.setdefault((item.source_lang, item.target_lang), []).append(item)
    return defaultdict(
        lambda: (False, False),
        {
            pair: (has_suffixes(i.source_text for i in own), has_suffixes(i.target_text for i in own))
            for pair, own in texts.items()
        },
    )


def _learned(model: Model) -> tuple[bool, bool]:
    return model.lexicon.source.suffixed, model.lexicon.target.suffixed


def _parted(item: ProjectionInput, source: _Side, target: _Side) -> list[tuple[Bead, Strings]]:
    """The sentences of an input that belong together: their units and what these are, where both sides have some."""
    return [
        (
            ((a, b), (c, d)),
            (word_strings(item.source_text, source.units[a:b]), word_strings(item.target_text, target.units[c:d])),
        )
        for (a, b), (c, d) in beads(item.source_text, source.units, item.target_text, target.units)
        if a < b and c < d
    ]


def _chunks(sizes: Mapping[int, int]) -> list[list[int]]:
    chunks: list[list[int]] = []
    filled = _SHARD_CELLS
    for k, size in sizes.items():
        if filled + size > _SHARD_CELLS:
            chunks.append([])
            filled = 0
        chunks[-1].append(k)
        filled += size
    return chunks
