"""Word translations counted from links: who was linked with whom, and how often."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from spanferry.corpora.multiway import Direction, MultiRow

Case = Literal["usual", "keep"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A word and one of its translations.

    Attributes:
        source: The word, in its usual spelling.
        target: The translation, in its usual spelling.
        count: Links between the two.
        forward: p(target | source): count over all links of the source word.
        backward: p(source | target).
    """

    source: str
    target: str
    count: int
    forward: float
    backward: float


@dataclass
class Lexicon:
    """Counts of linked words by direction.

    With ``case="usual"`` words that differ in case only are counted as one, and shown in their most frequent spelling,
    so that a German noun keeps its capital and the first word of a sentence loses it.

    Attributes:
        case: ``usual``, or ``keep``: spellings are words of their own.
        words_only: Leaves out what holds no letter: numbers and punctuation.
    """

    case: Case = "usual"
    words_only: bool = True
    counts: dict[Direction, Counter[tuple[str, str]]] = field(default_factory=dict)
    spellings: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)

    def add(self, rows: Iterable[MultiRow], directions: Sequence[Direction] = ()) -> "Lexicon":
        """Counts the links of ``rows``, in the directions given, else as they are stored; returns itself."""
        for row in rows:
            for links in row.links:
                ways = [links, links.reversed()] if directions else [links]
                for found in ways:
                    name = (found.source_lang, found.target_lang)
                    if directions and name not in directions:
                        continue
                    texts = [row.examples[lang].texts.get(found.field) for lang in name if lang in row.examples]
                    if len(texts) != 2 or texts[0] is None or texts[1] is None:
                        continue
                    source = self._keys(name[0], texts[0], found.source_words)
                    target = self._keys(name[1], texts[1], found.target_words)
                    pairs = self.counts.setdefault(name, Counter())
                    for a, b, _ in found.links:
                        if source[a] and target[b]:
                            pairs[source[a], target[b]] += 1
        return self

    def key(self, word: str) -> str:
        """The form under which a word is counted; empty: it is not."""
        if self.words_only and not any(c.isalpha() for c in word):
            return ""
        return word.lower() if self.case == "usual" else word

    def _keys(self, lang: str, text: str, ranges: Sequence[tuple[int, int]]) -> list[str]:
        spellings = self.spellings.setdefault(lang, defaultdict(Counter))
        keys = []
        for start, end in ranges:
            word = text[start:end]
            keys.append(key := self.key(word))
            if key:
                spellings[key][word] += 1
        return keys

    def entries(self, direction: Direction) -> Iterator[Entry]:
        """All entries of a direction: by source word, then the most frequent translation first."""
        pairs = self.counts.get(direction, Counter())
        sources, targets = Counter[str](), Counter[str]()
        for (source, target), count in pairs.items():
            sources[source] += count
            targets[target] += count
        for (source, target), count in sorted(pairs.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
            yield Entry(
                self.usual(direction[0], source),
                self.usual(direction[1], target),
                count,
                count / sources[source],
                count / targets[target],
            )

    def usual(self, lang: str, key: str) -> str:
        """The most frequent spelling of a word, of equally frequent ones that in lower case."""
        found = self.spellings[lang][key]
        return max(found, key=lambda spelling: (found[spelling], spelling))
