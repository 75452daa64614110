"""Counterparts from bilingual dictionaries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.files import cached_while_unchanged, content_hash
from spanferry.corpora.signature import Signature
from spanferry.corpora.switching.batches.base import REASON, Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.counterparts.entries import Weighted, chosen_entries, unit_strings, weights


@dataclass(frozen=True)
class DictionaryCounterparts:
    """Entries of a bilingual dictionary; of several entries one is drawn, by their probability where it is given.

    A file has a pair on each line, ``word<TAB>translation[<TAB>count<TAB>probability]`` (as ``spanferry run derive
    dictionary`` writes it, with its heading) or ``word translation`` (as MUSE has it). A word that is not found as it
    is written is looked up in lower case.

    Attributes:
        files: A dictionary file for each language.
    """

    name: ClassVar[str] = "dictionary"

    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.files:
            raise ConfigError(
                "a dictionary counterpart without a dictionary", hint="--set counterpart.files.es=en-es.tsv"
            )
        for lang, path in self.files.items():
            if not Path(path).is_file():
                raise InputError(
                    f"no such dictionary for {lang!r}", where=str(path), hint="spanferry run derive dictionary"
                )

    @property
    def signature(self) -> Signature:
        """What the files hold."""
        return Signature("+".join(f"{lang}@{content_hash([Path(path)])}" for lang, path in sorted(self.files.items())))

    def languages(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """See ``CounterpartFinder.languages``: those that have a dictionary.

        Raises:
            ConfigError: A language without one.
        """
        for lang in given:
            if lang not in self.files:
                raise ConfigError(
                    f"no dictionary for {lang!r}", valid=sorted(self.files), hint=f"--set counterpart.files.{lang}=FILE"
                )
        return given or tuple(sorted(self.files))

    def find(self, batch: SwitchBatch, units: Units, *, grows: bool, keys: np.ndarray) -> tuple[Candidates, np.ndarray]:
        """See ``CounterpartFinder.find``."""
        coded = unit_strings(batch, units)
        names, numbers = coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        everything = np.arange(len(units))
        parts = []
        for code, lang in enumerate(batch.languages, 1):
            if lang in self.files:
                entries = read_dictionary(self.files[lang])

                def lookup(name: str, entries: Mapping[str, Weighted] = entries) -> Weighted:
                    return entries.get(name) or entries.get(name.lower()) or ()

                parts.append(chosen_entries(batch, everything, code, names, numbers, lookup, keys))
        found = Candidates.join(parts)
        reasons = np.full(len(units), REASON["no_counterpart"], np.int64)
        reasons[found.unit] = 0
        return found, reasons


@cached_while_unchanged(16)
def read_dictionary(path: str) -> Mapping[str, Weighted]:
    """Word to its translations with weights.

    Raises:
        InputError: A line that is not a pair.
    """
    found: dict[str, dict[str, float]] = {}
    probability = 3
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("\t")] if "\t" in line else line.split(None, 1)
        if len(parts) < 2 or not parts[0] or not parts[1]:
            raise InputError(
                f"{line!r} is not a pair of a word and its translation",
                where=f"{path}:{number}",
                valid="word<TAB>translation",
            )
        if number == 1 and parts[:2] == ["source", "target"]:
            probability = parts.index("p_target_given_source") if "p_target_given_source" in parts else probability
            continue
        weight = 1.0
        if len(parts) > probability:
            try:
                weight = float(parts[probability])
            except ValueError as error:
                raise InputError(
                    f"{parts[probability]!r} is not a probability",
                    where=f"{path}:{number}",
                    valid="word<TAB>translation<TAB>count<TAB>probability",
                ) from error
        entries = found.setdefault(parts[0], {})
        entries[parts[1]] = entries.get(parts[1], 0.0) + max(weight, 1e-9)
    return {word: weights(entries) for word, entries in found.items()}
