"""A bilingual dictionary with counts and probabilities, from word links."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from pydantic import Field

from spanferry.corpora.derive.base import parse_direction
from spanferry.corpora.derive.lexicon import Case, Lexicon
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.stored.records import Record

COLUMNS = ("source", "target", "count", "p_target_given_source", "p_source_given_target")


@dataclass(frozen=True)
class BilingualDictionary:
    """Word translations from links, with counts and both conditional probabilities.

    Beside the dataset lies ``<source>-<target>.tsv`` for each direction, with the columns ``source target count
    p_target_given_source p_source_given_target`` and a heading. It serves as the dictionary of code-switching and as a
    token-translation table. Probabilities are relative frequencies of links before any entry is left out.

    Attributes:
        directions: As ``en-es``; empty: as the links are stored.
        min_count: Entries with fewer links are left out.
        min_probability: Entries with a smaller p(target | source) are left out.
        case: ``usual`` counts spellings that differ in case as one and shows the most frequent; ``keep`` does not.
        words_only: Leaves out numbers and punctuation.
    """

    name: ClassVar[str] = "dictionary"
    paper: ClassVar[str] = "relative frequencies of word links, as for the lexical tables of Koehn et al. (2003, NAACL)"
    differs: ClassVar[str] = "spellings that differ in case are one entry; unaligned words have no entry (no NULL)"
    task: ClassVar[str] = "translation"
    local: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset({"links"})
    min_languages: ClassVar[int] = 2

    directions: tuple[str, ...] = ()
    min_count: Annotated[int, Field(ge=1)] = 1
    min_probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    case: Case = "usual"
    words_only: bool = True

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``."""
        strings = ("id", "source_lang", "target_lang", "source", "target")
        numbers = [
            ("count", pa.int64()),
            ("p_target_given_source", pa.float64()),
            ("p_source_given_target", pa.float64()),
        ]
        return pa.schema([*((name, pa.string()) for name in strings), *numbers])

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``. Reasons: ``dictionary:rare``, ``dictionary:improbable``."""
        chosen = [parse_direction(name) for name in self.directions]
        lexicon = Lexicon(self.case, self.words_only).add(rows, chosen)
        for direction in chosen or sorted(lexicon.counts):
            for number, entry in enumerate(lexicon.entries(direction)):
                name = f"{direction[0]}-{direction[1]}_{number}"
                values = {
                    "source_lang": direction[0],
                    "target_lang": direction[1],
                    **dict(
                        zip(
                            COLUMNS,
                            (entry.source, entry.target, entry.count, entry.forward, entry.backward),
                            strict=True,
                        )
                    ),
                }
                rare = entry.count < self.min_count
                improbable = entry.forward < self.min_probability
                reasons = (*(["dictionary:rare"] if rare else []), *(["dictionary:improbable"] if improbable else []))
                yield Record(name, {} if reasons else values, "train", reasons, values if reasons else {})

    def side_files(self, kept: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        """See ``SideFiles.side_files``: a TSV file per direction."""
        last = ""
        for row in kept:
            name = f"{row['source_lang']}-{row['target_lang']}.tsv"
            if name != last:
                yield name, "\t".join(COLUMNS) + "\n"
                last = name
            numbers = (f"{row[column]:.6g}" for column in COLUMNS[3:])
            yield name, "\t".join((row["source"], row["target"], str(row["count"]), *numbers)) + "\n"
