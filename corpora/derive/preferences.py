"""Preference pairs: the answer in the prompt's language against the same answer in another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from spanferry.corpora.derive.base import directions_of, refused
from spanferry.corpora.multiway import MultiRow, pairs_of
from spanferry.corpora.stored.records import Record


@dataclass(frozen=True)
class Preferences:
    """Preference pairs: the same prompt, the answer in its language preferred over the answer in the other one.

    Attributes:
        prompt: The text field of the prompt.
        response: The text field of the answer.
        directions: ``en-es``: prompts in English, the Spanish answer rejected; empty: every ordered pair.
    """

    name: ClassVar[str] = "preferences"
    paper: ClassVar[str] = "CLO (Lee et al. 2025, Cross-Lingual Optimization for Language Transfer, ACL)"
    differs: ClassVar[str] = "any languages of a row, not English and one other; the loss is the trainer's"
    task: ClassVar[str] = "text-generation"
    local: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset()
    min_languages: ClassVar[int] = 2

    prompt: str = "instruction"
    response: str = "response"
    directions: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``."""
        return pa.schema([(n, pa.string()) for n in ("id", "prompt", "chosen", "rejected", "lang", "rejected_lang")])

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``. Reasons: ``preferences:no_field``, ``:empty``, ``:same_answer``."""
        for row in rows:
            for own, other in pairs_of(row, directions_of(self.directions, row.languages)):
                part = f"_{own.lang}-{other.lang}"
                prompt, chosen = own.texts.get(self.prompt), own.texts.get(self.response)
                rejected = other.texts.get(self.response)
                if prompt is None or chosen is None or rejected is None:
                    yield refused(row, "preferences:no_field", part=part)
                elif not (prompt.strip() and chosen.strip() and rejected.strip()):
                    yield refused(row, "preferences:empty", part=part)
                elif chosen.strip() == rejected.strip():
                    # A number or a name: there is nothing to prefer.
                    yield refused(row, "preferences:same_answer", part=part)
                else:
                    values = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
                    about = {"lang": own.lang, "rejected_lang": other.lang}
                    yield Record(f"{row.id}{part}", {**values, **about}, row.split)
