"""Parallel multilingual prompting: the source, and in half the prompts a translation into a third language."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from spanferry.corpora.derive.base import chance_of, directions_of, key_of, refused
from spanferry.corpora.derive.languages import language_name
from spanferry.corpora.derive.sampling import drawn
from spanferry.corpora.multiway import MultiRow, pairs_of
from spanferry.corpora.stored.records import Record


@dataclass(frozen=True)
class MultilingualPrompts:
    """Prompts with an auxiliary translation: ``Translate this from English to Russian and Kirghiz: …``.

    The prompt ends with the target's name and a colon; the completion is the translation, on which alone the loss
    belongs. With an auxiliary language its translation stands in the prompt before that.

    Attributes:
        directions: As ``en-es``; empty: every ordered pair of the row's languages.
        auxiliaries: ``ky=ru`` gives Kirghiz the auxiliary Russian; a language that is not named takes one of the
            row's others, by the row's key.
        auxiliary_share: Share of the records with an auxiliary translation.
        hubs: Languages into which translation is down-sampled.
        into_hub: Share of the records into a hub that stay.
        seed: Of all that is drawn.
    """

    name: ClassVar[str] = "multilingual-prompts"
    paper: ClassVar[str] = "parallel multilingual prompting and strategic down-sampling, NiuTrans.LMT (Luo et al. 2026)"
    differs: ClassVar[str] = (
        "the auxiliary language is named by you, or any other of the row, not looked up by similarity;"
        " every record is in the set once, with or without the auxiliary translation"
    )
    task: ClassVar[str] = "translation"
    local: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset()
    min_languages: ClassVar[int] = 2

    directions: tuple[str, ...] = ()
    auxiliaries: tuple[str, ...] = ()
    auxiliary_share: float = 0.5
    hubs: tuple[str, ...] = ("en", "zh")
    into_hub: float = 0.05
    seed: int = 0

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``."""
        names = ("id", "prompt", "completion", "source_lang", "target_lang", "auxiliary_lang")
        return pa.schema([(name, pa.string()) for name in names])

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``. Reasons: ``sample:into_hub``, ``prompts:line_break`` (the format is by line)."""
        chosen = dict(entry.split("=", 1) for entry in self.auxiliaries)
        for row in rows:
            for source, target in pairs_of(row, directions_of(self.directions, row.languages)):
                part = f"_{source.lang}-{target.lang}"
                if not drawn(self.seed, row.id, (source.lang, target.lang), self.hubs, self.into_hub):
                    yield Record(f"{row.id}{part}", {}, row.split, ("sample:into_hub",))
                    continue
                helper = self._auxiliary(row, source.lang, target.lang, chosen)
                langs = [source.lang, *([helper] if helper else []), target.lang]
                texts = [row.examples[lang].text for lang in langs]
                if any("\n" in text for text in texts):
                    yield refused(row, "prompts:line_break", part=part)
                    continue
                names = [language_name(lang) for lang in langs]
                lines = [f"Translate this from {names[0]} to {' and '.join(names[1:])}:"]
                lines += [f"{name}: {text}" for name, text in zip(names[:-1], texts[:-1], strict=True)]
                values = {
                    "prompt": "\n".join([*lines, f"{names[-1]}:"]),
                    "completion": f" {texts[-1]}",
                    "source_lang": source.lang,
                    "target_lang": target.lang,
                    "auxiliary_lang": helper,
                }
                yield Record(f"{row.id}{part}", values, row.split)

    def _auxiliary(self, row: MultiRow, source: str, target: str, chosen: dict[str, str]) -> str | None:
        if chance_of(self.seed, "auxiliary", row.id, source, target) >= self.auxiliary_share:
            return None
        if target in chosen:
            named = chosen[target]
            return named if named in row.examples and named not in (source, target) else None
        others = sorted(lang for lang in row.languages if lang not in (source, target))
        return others[key_of(self.seed, "which", row.id, source, target) % len(others)] if others else None
