"""Chains of dictionary: translations of some words into several languages, before the request to translate."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pyarrow as pa
from pydantic import Field

from spanferry.corpora.derive.base import parse_direction, refused
from spanferry.corpora.derive.languages import language_name
from spanferry.corpora.derive.lexicon import Lexicon
from spanferry.corpora.multiway import Direction, MultiRow
from spanferry.corpora.schema import Example
from spanferry.corpora.stored.records import Record
from spanferry.corpora.text.word_breaks import words_of

Best = dict[str, str]


@dataclass(frozen=True)
class DictionaryChains:
    """Chains of dictionary, ``vote means voto means Stimme``, before the request to translate.

    The dictionary is that of the set's own links (the likeliest translation of each word). A chain goes from the source
    word to the target word, then to the auxiliary languages that know the word. The rarest words of the text get
    chains, in the order of the text.

    Attributes:
        directions: As ``en-es``; empty: every direction for which there are links, both ways.
        auxiliaries: Languages after the target, in this order; empty: all others that are linked with the source.
        words: Most chains in a prompt.
        min_count: Fewest links of an entry.
        min_probability: The least p(target | source) of an entry.
    """

    name: ClassVar[str] = "dictionary-chains"
    paper: ClassVar[str] = "CoD (Lu et al. 2024, Chain-of-Dictionary Prompting Elicits Translation, EMNLP)"
    differs: ClassVar[str] = (
        "the dictionary comes from the corpus's alignments, not from a translator; the rarest words are chained;"
        " wording of our own"
    )
    task: ClassVar[str] = "translation"
    local: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset({"links"})
    min_languages: ClassVar[int] = 2

    directions: tuple[str, ...] = ()
    auxiliaries: tuple[str, ...] = ()
    words: Annotated[int, Field(ge=1)] = 5
    min_count: Annotated[int, Field(ge=1)] = 2
    min_probability: Annotated[float, Field(ge=0, le=1)] = 0.3

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``. ``chains`` are the words of each chain, source first."""
        names = ("id", "prompt", "completion", "source_lang", "target_lang")
        return pa.schema([*((name, pa.string()) for name in names), ("chains", pa.list_(pa.list_(pa.string())))])

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``. Reason: ``chains:no_words``."""
        linked = _linked(rows)
        chosen = [parse_direction(name) for name in self.directions] or linked
        lexicon = Lexicon().add(rows, linked)
        best, counts = self._tables(lexicon, linked)
        for row in rows:
            for source, target in chosen:
                if source in row.examples and target in row.examples:
                    others = self.auxiliaries or tuple(b for a, b in linked if a == source)
                    after = [lang for lang in others if lang not in (source, target)]
                    yield self._record(row, (source, target), after, best, counts, lexicon)

    def _tables(
        self, lexicon: Lexicon, linked: Sequence[Direction]
    ) -> tuple[dict[Direction, Best], dict[Direction, Counter[str]]]:
        """For each direction the best translation of each word, and how often each word was linked."""
        best: dict[Direction, Best] = {}
        counts: dict[Direction, Counter[str]] = {}
        for name in linked:
            found, seen = best.setdefault(name, {}), counts.setdefault(name, Counter())
            for entry in lexicon.entries(name):
                key = lexicon.key(entry.source)
                seen[key] += entry.count
                if entry.count >= self.min_count and entry.forward >= self.min_probability:
                    found.setdefault(key, entry.target)
        return best, counts

    def _record(
        self,
        row: MultiRow,
        direction: Direction,
        auxiliaries: Sequence[str],
        best: dict[Direction, Best],
        counts: dict[Direction, Counter[str]],
        lexicon: Lexicon,
    ) -> Record:
        source, target = (row.examples[lang] for lang in direction)
        part = f"_{source.lang}-{target.lang}"
        known, seen = best.get(direction, {}), counts.get(direction, Counter())
        found = {key: word for key, word in _first_words(source, lexicon).items() if key in known}
        if not found:
            return refused(row, "chains:no_words", part=part)
        rarest = sorted(found, key=lambda key: (seen[key], list(found).index(key)))[: self.words]
        chains = []
        for key in (k for k in found if k in rarest):
            chain = [found[key], known[key]]
            chain += [best[source.lang, lang][key] for lang in auxiliaries if key in best.get((source.lang, lang), {})]
            chains.append(chain)
        names = (language_name(source.lang), language_name(target.lang))
        lines = [" means ".join(f'"{word}"' for word in chain) + "." for chain in chains]
        request = f"Translate this text from {names[0]} into {names[1]}:\n{source.text}\n{names[1]}:"
        values = {
            "prompt": "\n".join([*lines, request]),
            "completion": f" {target.text}",
            "source_lang": source.lang,
            "target_lang": target.lang,
            "chains": chains,
        }
        return Record(f"{row.id}{part}", values, row.split)


def _linked(rows: Iterable[MultiRow]) -> list[Direction]:
    found = {(links.source_lang, links.target_lang) for row in rows for links in row.links}
    return sorted(found | {(b, a) for a, b in found})


def _first_words(example: Example, lexicon: Lexicon) -> dict[str, str]:
    """The words of the text by the key they are counted under, in order of first appearance."""
    text = example.text
    ranges = next(iter(example.tokens.values()), ()) or words_of(text, example.lang)
    found: dict[str, str] = {}
    for start, end in ranges:
        if key := lexicon.key(text[start:end]):
            found.setdefault(key, text[start:end])
    return found
