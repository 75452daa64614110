"""Translation-following instructions from parallel text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from spanferry.corpora.derive.base import directions_of, key_of, refused
from spanferry.corpora.derive.languages import language_name
from spanferry.corpora.derive.sampling import drawn
from spanferry.corpora.derive.templates import TEMPLATES
from spanferry.corpora.multiway import MultiRow, pairs_of
from spanferry.corpora.stored.records import Record


@dataclass(frozen=True)
class Instructions:
    """Translation-following instructions: a request from one of many templates, the text, its translation.

    One record per row, direction and text field that both sides have. The template is ``key % n``, where the key is a
    digest of seed, row, direction and field: it does not depend on the other rows.

    Attributes:
        directions: As ``en-es``; empty: every ordered pair of the row's languages.
        hubs: Languages into which translation is down-sampled, see ``spanferry.corpora.derive.sampling``.
        into_hub: Share of the records into a hub that stay; 1 keeps them all.
        seed: Of templates and down-sampling.
    """

    name: ClassVar[str] = "instructions"
    paper: ClassVar[str] = (
        "x-LLM (Zhu et al. 2023, Extrapolating Large Language Models to Non-English by Aligning Languages)"
    )
    differs: ClassVar[str] = "templates of our own, 32; both directions; no general instructions are mixed in"
    task: ClassVar[str] = "translation"
    local: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset()
    min_languages: ClassVar[int] = 2

    directions: tuple[str, ...] = ()
    hubs: tuple[str, ...] = ()
    into_hub: float = 1.0
    seed: int = 0

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``."""
        strings = ("id", "instruction", "input", "output", "source_lang", "target_lang", "field")
        return pa.schema([*((name, pa.string()) for name in strings), ("template", pa.int32())])

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``. Reasons: ``instructions:empty``, ``sample:into_hub``."""
        for row in rows:
            for source, target in pairs_of(row, directions_of(self.directions, row.languages)):
                part = f"_{source.lang}-{target.lang}"
                if not drawn(self.seed, row.id, (source.lang, target.lang), self.hubs, self.into_hub):
                    yield Record(f"{row.id}{part}", {}, row.split, ("sample:into_hub",))
                    continue
                shared = [name for name in source.texts if name in target.texts]
                for name in shared:
                    suffix = part if len(shared) == 1 else f"{part}.{name}"
                    if not source.texts[name].strip() or not target.texts[name].strip():
                        yield refused(row, "instructions:empty", part=suffix)
                        continue
                    number = key_of(self.seed, row.id, source.lang, target.lang, name) % len(TEMPLATES)
                    names = {"source": language_name(source.lang), "target": language_name(target.lang)}
                    values = {
                        "instruction": TEMPLATES[number].format(**names),
                        "input": source.texts[name],
                        "output": target.texts[name],
                        "source_lang": source.lang,
                        "target_lang": target.lang,
                        "field": name,
                        "template": number,
                    }
                    yield Record(f"{row.id}{suffix}", values, row.split)
