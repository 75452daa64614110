"""The eflomal aligner, run as a command: statistics of a corpus, by sampling."""

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.schema import Range
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.word_breaks import dictionaries
from spanferry.corpora.text.words import word_strings
from spanferry.projectors.aligners.eflomal.files import Votes, corpus_priors, find_command, run, table_priors, tokens
from spanferry.projectors.aligners.links.symmetrise import SYMMETRISATIONS, symmetrise
from spanferry.projectors.apostrophes import APOSTROPHES
from spanferry.projectors.base import Alignment, ProjectionInput, words_of_both
from spanferry.translators.bundled.priors import load_prior

PRIORS = ("bundled", "none")
_MOST_RUNS = 255  # votes are counted in bytes

Languages = tuple[str, str]
_TokenPair = tuple[list[str], list[str]]


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What was learned of one language pair.

    Attributes:
        priors: In the command's format.
        links: Digest of a pair's tokens to its votes, uint8 (2, n_source_words, n_target_words).
    """

    priors: str = ""
    links: Mapping[bytes, np.ndarray] = field(default_factory=dict)


class EflomalAligner:
    """Östling and Tiedemann's (PBML 2016) sampler, several runs averaged into probabilities.

    ``fit`` aligns a corpus and keeps the links of its pairs and what they say about words, jumps and fertilities; then
    ``align`` looks the pairs up, and aligns others with that as priors, shard by shard. Without ``fit`` it learns from
    what it is given: give it a whole corpus at once, a shard of a hundred sentences aligns badly.

    It seeds itself from the system's random device: two fits on the same input differ, and so does whatever is built
    on them; what was fitted once stays. The signature says so. GPL-3, hence an extra, and a command rather than a
    library here.

    Args:
        runs: Runs to average; more of them differ less.
        model: 1 (IBM model 1), 2 (with a hidden Markov model) or 3 (with fertility).
        symmetrisation: See ``spanferry.projectors.aligners.links.symmetrise``.
        prior: ``bundled``: the tables that come with the bundled models, for the pairs that have one; or ``none``.

    Raises:
        ConfigError: An option out of range.
        MissingExtraError: The command is not installed.
    """

    def __init__(
        self, runs: int = 4, model: int = 3, symmetrisation: str = "posterior", prior: str = "bundled"
    ) -> None:
        if not 1 <= runs <= _MOST_RUNS or model not in (1, 2, 3):
            raise ConfigError(
                f"runs = {runs}, model = {model}", valid=f"runs 1 to {_MOST_RUNS}, model 1, 2 or 3", hint="runs = 4"
            )
        if symmetrisation not in SYMMETRISATIONS:
            raise ConfigError(
                f"unknown symmetrisation {symmetrisation!r}", valid=SYMMETRISATIONS, hint="leave it out for posterior"
            )
        if prior not in PRIORS:
            raise ConfigError(f"unknown prior {prior!r}", valid=PRIORS, hint="leave it out for bundled")
        self.runs, self.model, self.symmetrisation, self.prior = runs, model, symmetrisation, prior
        self._command = find_command()
        self._fitted: dict[Languages, _Fitted] = {}

    @property
    def signature(self) -> Signature:
        """``eflomal.model<n>.runs<n>.unseeded|…``: unseeded, so the same signature is not the same bytes."""
        made = f"eflomal.model{self.model}.runs{self.runs}.unseeded"
        entries = ("prior", self.prior), ("sym", self.symmetrisation)
        return Signature.of(made, *entries, dictionaries(), APOSTROPHES)

    def fit(self, inputs: Sequence[ProjectionInput]) -> "EflomalAligner":
        """A new aligner that has aligned ``inputs`` and remembers it.

        Raises:
            ModelError: The command failed.
        """
        corpus: dict[Languages, dict[bytes, _TokenPair]] = {}
        for item in inputs:
            pair = _tokens(item, *words_of_both(item))
            if all(pair):
                corpus.setdefault((item.source_lang, item.target_lang), {})[_digest(pair)] = pair
        fitted = self._like()
        for languages in sorted(corpus):
            digests = sorted(corpus[languages])
            pairs = [corpus[languages][digest] for digest in digests]
            votes = self._votes(pairs, self._table(languages, pairs))
            links = {digest: votes.of(k).copy() for k, digest in enumerate(digests)}
            fitted._fitted[languages] = _Fitted(corpus_priors(pairs, votes, self.runs), links)
        return fitted

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input. Reasons: ``empty_source``, ``empty_target``.

        Raises:
            ModelError: The command failed.
        """
        ranges = [words_of_both(item) for item in inputs]
        given = [_tokens(item, *its) for item, its in zip(inputs, ranges, strict=True)]
        found: dict[int, np.ndarray] = {}
        waiting: dict[Languages, list[int]] = {}
        for k, (item, pair) in enumerate(zip(inputs, given, strict=True)):
            languages = (item.source_lang, item.target_lang)
            known = self._fitted[languages].links.get(_digest(pair)) if languages in self._fitted else None
            if known is not None:
                found[k] = known
            elif all(pair):
                waiting.setdefault(languages, []).append(k)
        for languages, members in waiting.items():
            pairs = [given[k] for k in members]
            learned = self._fitted[languages].priors if languages in self._fitted else ""
            votes = self._votes(pairs, self._table(languages, pairs) + learned)
            found.update((k, votes.of(n)) for n, k in enumerate(members))
        return [self._alignment(ranges[k], found.get(k)) for k in range(len(inputs))]

    def state(self) -> bytes:
        """Priors and links of every language pair; the same bytes for the same tables."""
        arrays: dict[str, np.ndarray] = {}
        for number, (languages, fitted) in enumerate(sorted(self._fitted.items())):
            digests = sorted(fitted.links)
            shapes = [fitted.links[digest].shape[1:] for digest in digests]
            cells = [fitted.links[digest].reshape(2, -1) for digest in digests]
            text = "\t".join(languages) + "\n" + fitted.priors
            arrays[f"text{number}"] = np.frombuffer(text.encode(), dtype=np.uint8)
            arrays[f"digests{number}"] = np.frombuffer(b"".join(digests), dtype=np.uint8)
            arrays[f"shapes{number}"] = np.array(shapes, dtype=np.int32).reshape(-1, 2)
            arrays[f"votes{number}"] = np.concatenate(cells, axis=1)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    def with_state(self, state: bytes) -> "EflomalAligner":
        """A new aligner with the given tables.

        Raises:
            InputError: ``state`` is not what ``state()`` wrote.
        """
        fitted = self._like()
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as file:
                for number in range(len(file.files) // 4):
                    text, listed, shapes, counts = (
                        file[f"{name}{number}"] for name in ("text", "digests", "shapes", "votes")
                    )
                    head, _, priors = text.tobytes().decode().partition("\n")
                    source, _, target = head.partition("\t")
                    votes = Votes([(int(n), int(m)) for n, m in shapes])
                    votes.counts = counts
                    digests = [row.tobytes() for row in listed.reshape(-1, _DIGEST)]
                    links = {digest: votes.of(k) for k, digest in enumerate(digests)}
                    fitted._fitted[source, target] = _Fitted(priors, links)
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                "not a state of the aligner 'eflomal'", hint="run the fit stage again: spanferry run ... --overwrite"
            ) from error
        return fitted

    def _like(self) -> "EflomalAligner":
        return EflomalAligner(self.runs, self.model, self.symmetrisation, self.prior)

    def _table(self, languages: Languages, pairs: Sequence[_TokenPair]) -> str:
        return table_priors(load_prior(*languages), pairs) if self.prior == "bundled" else ""

    def _votes(self, pairs: Sequence[_TokenPair], priors: str) -> Votes:
        with tempfile.TemporaryDirectory() as folder:
            return run(self._command, pairs, priors, Path(folder), runs=self.runs, model=self.model)

    def _alignment(self, ranges: tuple[tuple[Range, ...], tuple[Range, ...]], votes: np.ndarray | None) -> Alignment:
        if votes is None:
            nothing = np.zeros((len(ranges[0]), len(ranges[1])), np.float32)
            return Alignment(*ranges, nothing, reason="empty_target" if ranges[0] else "empty_source")
        forward, backward = votes.astype(np.float32) / np.float32(self.runs)
        both = np.sqrt(forward * backward)
        return Alignment(*ranges, both, symmetrise(forward, backward, self.symmetrisation), None, forward, backward)


_DIGEST = 16


def _digest(pair: _TokenPair) -> bytes:
    text = " ".join(pair[0]) + "\t" + " ".join(pair[1])
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST).digest()


def _tokens(item: ProjectionInput, source: Sequence[Range], target: Sequence[Range]) -> _TokenPair:
    return tokens(word_strings(item.source_text, source)), tokens(word_strings(item.target_text, target))
