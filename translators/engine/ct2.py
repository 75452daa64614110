"""Translation, forced scores and attention with one CTranslate2 model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import ctranslate2
import numpy as np

from spanferry.corpora.errors import ConfigError, ModelError, RowError
from spanferry.corpora.schema import Range, Translation
from spanferry.corpora.signature import Signature
from spanferry.translators.base import ForcedScore
from spanferry.translators.engine import devices, forced, limits
from spanferry.translators.engine.failures import settle
from spanferry.translators.engine.sampling import TOP_K, SampledSearch
from spanferry.translators.engine.search import Found, Running, Search
from spanferry.translators.engine.windows import windows
from spanferry.translators.families import DESCRIPTION, open_family, read_vocabulary
from spanferry.translators.families.base import Family, Frame, Limits
from spanferry.translators.families.ready import check_tokenizer, tokenizer_hash
from spanferry.translators.model_file import weights_hash
from spanferry.translators.pieces import one_line, one_line_offsets

# The weights of a small model stay in the processor's caches, where small batches are the fastest (256 to 512 tokens;
# 2048 take 1.25 times as long); those of a large one are read from memory for every batch.
_SMALL_MODEL = 64 << 20
# What a decoder puts where bytes make no character.
_BROKEN = "\ufffd"


@dataclass(frozen=True, slots=True)
class _Row:
    """A row on its way: its place in the call and its source tokens, or why it has none, or what it is as it stands."""

    index: int
    tokens: list[str]
    reason: str | None = None
    copied: Translation | None = None


class CT2Translator:
    """A CTranslate2 directory with the description of its family, on one device.

    Rows are sorted by length over a window of thousands and cut into batches of ``batch_tokens``. With int8 on a CPU a
    row comes out the same whatever rows are around it (``rows_independent``, see ``search``); otherwise
    scores depend on the batch in their last digits, and the batches on the call alone, never on threads.

    Args:
        directory: Holds ``model.bin``, ``config.json``, a vocabulary, the tokeniser's files and ``spanferry.json``.
        beam: Hypotheses kept at each step; 1 is greedy.
        device: ``auto``, ``cpu`` or ``cuda``.
        compute_type: A CTranslate2 type; ``default`` is int8 on cpu and float16 on cuda.
        batch_tokens: Source tokens in a batch, padding included; 0 chooses by device.
        max_source: Longest source in tokens, specials included, if shorter than the model's own limit.
        max_target: Longest output in tokens, likewise.
        tokenizer: Folder or file of the tokenizer; "": it lies in ``directory``.
        family: Name of the model's family where its files don't tell it.

    Raises:
        ModelError: The model or the device can't be used.
        ConfigError: An option that is not valid.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        beam: int = 4,
        device: str = "auto",
        compute_type: str = "default",
        batch_tokens: int = 0,
        max_source: int | None = None,
        max_target: int | None = None,
        tokenizer: str = "",
        family: str = "",
    ) -> None:
        given = {"beam": beam, "batch_tokens": batch_tokens or None, "max_source": max_source, "max_target": max_target}
        for name, value in given.items():
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value}", valid=f"{name} >= 1", hint=f"leave {name} out for its default")
        self.directory, self.beam = Path(directory), beam
        self.device = devices.resolve_device(device)
        self.compute_type = devices.resolve_compute_type(compute_type, self.device)
        place = Path(tokenizer).expanduser() if tokenizer else None
        opened, facts = open_family(self.directory, tokenizer=place, family=family)
        self.family: Family = opened
        self.name: str = facts["name"]
        self.raw: ctranslate2.Translator = devices.load(self.directory, self.device, self.compute_type)
        own = opened.limits
        self.limits = Limits(min(own.source, max_source or own.source), min(own.target, max_target or own.target))
        small = (self.directory / "model.bin").stat().st_size < _SMALL_MODEL
        usual = 32768 if self.device != "cpu" else 512 if small else 2048
        self.batch_tokens = batch_tokens or usual
        self._search = Search(
            self.raw, beam=beam, batch_tokens=self.batch_tokens, compute_type=self.compute_type, limits=self.limits
        )
        # Float rounding differs with the shape of a batch: scores in the seventh digit, a tie once in a long while.
        self.neutral_options = frozenset({"batch_tokens"} if self.rows_independent else ())
        self._batch_mark = [] if batch_tokens in (0, usual) or self.neutral_options else [("batch", batch_tokens)]
        self.marker_aware = bool(facts.get("marker_aware", False))
        self.shifted_attention = bool(facts.get("alignment", {}).get("shifted", False))
        self.vocabulary: Mapping[str, int] = _ids(read_vocabulary(self.directory, "target"))
        self._known = {"source": frozenset(read_vocabulary(self.directory)), "target": frozenset(self.vocabulary)}
        self._chosen = [f"tok:{tokenizer_hash(place)}"] if place else []
        self._chosen += [f"family:{family}"] if family else []
        if place or not (self.directory / DESCRIPTION).is_file():
            for side, known in self._known.items():
                check_tokenizer(opened.pieces(side), known, str(place or self.directory))

    @property
    def vocab_size(self) -> int:
        """Tokens in the target vocabulary."""
        return len(self.vocabulary)

    @property
    def rows_independent(self) -> bool:
        """Whether a row comes out the same, to the last bit, whatever rows are around it."""
        return self._search.rows_independent

    @property
    def signature(self) -> Signature:
        """``mt:<name>@<first 8 of the weights' SHA-256>|ct2:<type>|beam:<n>`` and limits where they were lowered."""
        kind = self.compute_type if self.device == "cpu" else f"{self.compute_type}.{self.device}"
        name, own = f"{self.name}@{weights_hash(self.directory)[:8]}", self.family.limits
        parts: list[tuple[str, object]] = [("mt", name), ("ct2", kind), ("beam", self.beam)]
        parts += [("maxsrc", self.limits.source)] if self.limits.source < own.source else []
        parts += [("maxtgt", self.limits.target)] if self.limits.target < own.target else []
        return Signature.of(*parts, *self._chosen, *self._batch_mark)

    def supports(self, source: str, target: str) -> bool:
        """Whether the model knows this direction (BCP-47 tags)."""
        try:
            self.family.frame(source, target)
        except ModelError:
            return False
        return True

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in order.

        A text without a letter is its own translation. A row that can't be translated has a reason: ``empty_source``,
        ``only_markup``, ``bad_unicode``, ``source_too_long``, ``output_truncated`` (the output hit its limit),
        ``broken_output`` (bytes that make no character) or ``model_error``.

        Args:
            texts: Raw texts; line breaks and runs of white space count as one space.
            source: Language of the texts, BCP-47.
            target: Language to translate into, BCP-47.

        Raises:
            ModelError: The model lacks a language, or fails on every row.
        """
        return list(self.stream(texts, source, target))

    def stream(self, texts: Iterable[str], source: str, target: str) -> Iterator[Translation]:
        """As :meth:`translate`, for any number of texts: two windows of them are in memory, never all."""
        for found in self._hypotheses(texts, self.family.frame(source, target), 1):
            yield found[0]

    def sampled(self, seed: int) -> CT2Translator:
        """The same model, which draws the words of its translations at random: the same for the same seed and calls."""
        found = copy(self)
        found._search = SampledSearch(
            self.directory, device=self.device, compute_type=self.compute_type, batch_tokens=self.batch_tokens,
            limits=self.limits, seed=seed,
        )  # fmt: skip
        found._chosen = [*self._chosen, f"sampled:{TOP_K}.{seed}"]
        return found

    def translate_nbest(self, texts: Sequence[str], source: str, target: str, count: int) -> list[list[Translation]]:
        """For each text up to ``count`` translations, best first; a row that fails has one with its reason.

        Raises:
            ModelError: The model lacks a language, or fails on every row.
        """
        return list(self._hypotheses(texts, self.family.frame(source, target), count))

    def _hypotheses(self, texts: Iterable[str], frame: Frame, count: int) -> Iterator[list[Translation]]:
        under_way: deque[tuple[list[_Row], Running]] = deque()
        for window in windows(texts):
            rows = self._rows(window, frame)
            good = [row.tokens for row in rows if row.reason is None and row.copied is None]
            under_way.append((rows, self._search.start(good, frame, count)))
            if len(under_way) > 1:
                yield from self._finished(*under_way.popleft())
        for rows, running in under_way:
            yield from self._finished(rows, running)

    def _finished(self, rows: Sequence[_Row], running: Running) -> list[list[Translation]]:
        found = running.results()
        errors = [str(one.error) for one in found if one.reason == limits.MODEL_ERROR]
        settle(errors, len(found), "translate", str(self.directory))
        pieces = [hypothesis.pieces for one in found for hypothesis in one.hypotheses]
        texts = iter(self.family.pieces("target").decode(pieces))
        done = iter([self._read(one, texts) for one in found])
        return [[row.copied] if row.copied else [_failed(row.reason)] if row.reason else next(done) for row in rows]

    def _read(self, found: Found, texts: Iterator[str]) -> list[Translation]:
        if found.reason:
            return [_failed(found.reason)]
        read = [
            _failed(limits.BROKEN_OUTPUT) if _BROKEN in text else Translation(text.strip(), one.pieces, one.score)
            for one, text in zip(found.hypotheses, texts, strict=False)
        ]
        return [one for one in read if one.reason is None] or read[:1]

    def _rows(self, texts: Sequence[str], frame: Frame, *, verbatim: bool = True) -> list[_Row]:
        """The rows of texts; with ``verbatim`` a text without a letter is its own translation."""
        reasons = [limits.text_reason(text) for text in texts]
        copied = [
            verbatim and reason is None and limits.is_verbatim(text)
            for text, reason in zip(texts, reasons, strict=True)
        ]
        good = [i for i, reason in enumerate(reasons) if reason is None and not copied[i]]
        encoded = self.family.pieces("source").encode([one_line(texts[i]) for i in good])
        rows = [_Row(i, [], reason, self._copied(texts[i]) if copied[i] else None) for i, reason in enumerate(reasons)]
        for i, found in zip(good, encoded, strict=True):
            pieces = self._without_specials(found)
            reason = limits.pieces_reason(pieces, frame, self.limits)
            tokens = [] if reason else [*frame.source_prefix, *pieces, *frame.source_suffix]
            rows[i] = _Row(i, tokens, reason)
        return rows

    def _copied(self, text: str) -> Translation:
        line = one_line(text)
        return Translation(line, tuple(self._pieces(line, "target")), 0.0)

    def _without_specials(self, pieces: list[str]) -> list[str]:
        specials = self.family.specials
        return pieces if specials.isdisjoint(pieces) else [piece for piece in pieces if piece not in specials]

    def unknown(self, text: str, *, side: str = "source") -> int:
        """How many pieces of ``text`` the model does not know: it sees ``<unk>`` in their place."""
        known = self._known[side]
        return sum(piece not in known for piece in self._pieces(text, side))

    def _pieces(self, text: str, side: str) -> list[str]:
        if (reason := limits.text_reason(text)) == limits.BAD_UNICODE:
            raise RowError(reason, "the text holds an unpaired surrogate")
        return self._without_specials(self.family.pieces(side).encode([one_line(text)])[0])

    def encode_source(self, text: str, source: str, target: str) -> list[str]:
        """Source tokens of a direction, language token and end marker included.

        Raises:
            ModelError: The model lacks a language.
            RowError: ``bad_unicode``.
        """
        frame = self.family.frame(source, target)
        return [*frame.source_prefix, *self._pieces(text, "source"), *frame.source_suffix]

    def encode_target(self, text: str, lang: str) -> list[str]:
        """Target pieces of ``text``, without specials.

        Raises:
            RowError: ``bad_unicode``.
        """
        return self._pieces(text, "target")

    def target_prefix(self, target: str) -> list[str]:
        """The tokens every target starts with."""
        return list(self._frame_into(target).target_prefix)

    def _frame_into(self, target: str) -> Frame:
        sources, _ = self.family.languages()
        # What a target starts with does not depend on the source, but a model may know some directions only.
        return self.family.frame(next((s for s in sources if self.supports(s, target)), sources[0]), target)

    def decode(self, pieces: Sequence[str], lang: str) -> str:
        """The text of target pieces."""
        return self.family.pieces("target").decode([list(pieces)])[0].strip()

    def length(self, text: str, lang: str) -> int:
        """Source tokens of ``text``, specials included; at most ``limits.source`` can be translated.

        Raises:
            RowError: ``bad_unicode``.
        """
        return len(self._pieces(text, "source")) + self._frame_length

    @cached_property
    def _frame_length(self) -> int:
        """Specials of a source: as many in every direction."""
        sources, targets = self.family.languages()
        known = ((s, t) for s in sources for t in targets if self.supports(s, t))
        return self.family.frame(*next(known)).source_length

    def pieces(self, text: str, language: str, *, side: str) -> tuple[list[str], list[Range]]:
        """Subword pieces of ``text`` (no specials) and the half-open code-point range each covers.

        A character that normalisation turned into several pieces is covered by each of them, so ranges may overlap;
        neither their starts nor their ends descend.

        Raises:
            RowError: ``bad_unicode``.
        """
        if (reason := limits.text_reason(text)) == limits.BAD_UNICODE:
            raise RowError(reason, "the text holds an unpaired surrogate")
        line, offsets = one_line_offsets(text)
        found, ranges = self.family.pieces(side).encode_ranges(line)
        kept = [
            (piece, (offsets[start], offsets[end - 1] + 1) if start < end else (len(text), len(text)))
            for piece, (start, end) in zip(found, ranges, strict=True)
            if piece not in self.family.specials
        ]
        return [piece for piece, _ in kept], [place for _, place in kept]

    def score_pairs(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list[ForcedScore]:
        """Teacher-forced scores of given pairs, in order.

        A pair that can't be scored has the reason of :meth:`translate`, ``empty_target`` or ``target_too_long``.

        Raises:
            ModelError: The model lacks a language, or fails on every row.
        """
        frame = self.family.frame(source, target)
        rows, given = self._pairs(sources, targets, frame)
        good = [row for row in rows if row.reason is None]
        logprobs = forced.score(
            self.raw,
            [row.tokens for row in good],
            [[*frame.target_prefix, *given[row.index]] for row in good],
            prefix=len(frame.target_prefix),
            max_target_tokens=forced.batch_tokens(self.vocab_size, self.device),
            alike=self.rows_independent,
        )
        scores = [ForcedScore(given[row.index], np.zeros(0, np.float32), row.reason) for row in rows]
        for row, found in zip(good, logprobs, strict=True):
            reason = None if len(found) else limits.MODEL_ERROR
            scores[row.index] = ForcedScore(given[row.index], found, reason)
        return scores

    def attention(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list[np.ndarray | None]:
        """Forced cross-attention per pair: (n_target_pieces, n_source_pieces), rows sum to <= 1; None on failure.

        Columns of special tokens are left out, which is why rows may sum to less than one.

        Raises:
            ModelError: The model lacks a language, or fails on every row.
        """
        frame = self.family.frame(source, target)
        rows, given = self._pairs(sources, targets, frame)
        good = [row for row in rows if row.reason is None]
        found = forced.attention(
            self.raw,
            [row.tokens for row in good],
            [[*frame.target_prefix, *given[row.index]] for row in good],
            vocab_size=self.vocab_size,
            prefix=len(frame.target_prefix),
            shifted=self.shifted_attention,
            alike=self.rows_independent,
        )
        results: list[np.ndarray | None] = [None] * len(rows)
        for row, weights in zip(good, found, strict=True):
            if weights is not None:
                first = len(frame.source_prefix)
                results[row.index] = weights[:, first : len(row.tokens) - len(frame.source_suffix)]
        return results

    def _pairs(
        self, sources: Sequence[str], targets: Sequence[str], frame: Frame
    ) -> tuple[list[_Row], list[list[str]]]:
        """The source rows, with the target's reason where the source has none, and the target pieces."""
        rows = self._rows(sources, frame, verbatim=False)
        given: list[list[str]] = []
        for i, text in enumerate(targets):
            reason = limits.text_reason(text)
            pieces = [] if reason == limits.BAD_UNICODE else self._pieces(text, "target")
            if reason != limits.BAD_UNICODE:
                room = self.limits.target - len(frame.target_prefix) - 1
                reason = limits.EMPTY_TARGET if not pieces else limits.TARGET_TOO_LONG if len(pieces) > room else None
            if reason and rows[i].reason is None:
                rows[i] = _Row(i, [], reason)
            given.append(pieces)
        return rows, given


def _failed(reason: str) -> Translation:
    return Translation("", reason=reason, truncated=reason in limits.CUT)


def _ids(tokens: Sequence[str]) -> dict[str, int]:
    return {token: i for i, token in enumerate(tokens)}
