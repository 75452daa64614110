"""How alike two words look: hashed character trigrams of romanised forms, word shapes, and stems.

Names, numbers, cognates and loan words carry most labelled spans, and a corpus of a few hundred sentences has seen
each of them once or twice. Their spelling says what counting can't.
"""

from collections.abc import Container, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
import regex
from anyascii import anyascii

from spanferry.corpora.text.abjad import is_abjad, light_stem, sound, sounds, without_prefix

_BITS = 256
_STEM = 5
_PART_ALIKE = 0.8  # how alike a word is to one that has it before or after a hyphen
_PART = 4  # letters of the last word of a compound, at least
_IDEOGRAPHIC = regex.compile(r"\p{Han}[\p{Han}\p{Hiragana}]+")
_FOREIGN = regex.compile(r"(?!\p{Latin})\p{L}")
_SHORT_SOUND = 0.75  # how alike words of two consonants are that have the same
_LINKS = ("", "s", "es", "n", "en", "er", "e")
# Scripts whose romanisation by character says nothing about the sound of a borrowed word.
_IDEOGRAPHS = ("一", "\U00040000")

SHAPES = ("lower", "capital", "upper", "number", "punctuation", "unspaced", "other")


@lru_cache(maxsize=200_000)
def romanise(word: str) -> str:
    """Lower-cased ASCII form; long vowels and doubled letters shortened for scripts that are not Latin.

    >>> romanise("Αθήνα"), romanise("Straße"), romanise("リマインダー")
    ('athina', 'strasse', 'rimainda')
    """
    form = anyascii(word).lower()
    if word.isascii() or not form:
        return form or word.lower()
    result: str = form.replace("-", "") if any("ァ" <= c <= "ー" for c in word) else form
    return result


def shape(word: str) -> int:
    """Index into ``SHAPES``: what kind of word it is, by its characters alone."""
    first = word[0]
    if any(c.isdigit() for c in word):
        return 3
    if not any(c.isalpha() for c in word):
        return 4
    if not first.isalpha():
        return 6
    if first.lower() == first.upper():
        return 5
    if first == first.lower():
        return 0
    return 2 if len(word) > 1 and word == word.upper() else 1


def stem(word: str, known: Container[str] = ()) -> str:
    """The first letters of a word: a stand-in for its lemma that needs no model. An ideograph says as much as they do.

    Args:
        word: In its normal form.
        known: Words in their normal form, which show what is written together with a word of Arabic or Hebrew script.

    >>> stem("internationally"), stem("学生"), stem("飲んだ"), stem("والمدارس")
    ('inter', '学', '飲', 'مدارس')
    """
    if _IDEOGRAPHIC.fullmatch(word):
        return word[0]
    form = light_stem(word, known) if is_abjad(word) else word.lower()
    return form if len(form) <= _STEM + 1 else form[:_STEM]


def parts_of(word: str, known: Container[str]) -> list[str]:
    """The known words that ``word`` is made of, at most eight: characters where the script has no spaces, what hyphens
    join, what follows a preposition in Arabic or Hebrew script, and the two words of a compound, if need be with a
    linking letter or two between them.

    Args:
        word: Lower-cased.
        known: Lower-cased words.

    >>> parts_of("日本語", {"日", "本"}), parts_of("ratsbeschluß", {"rat", "beschluß"}), parts_of("eu-staat", {"eu"})
    (['日', '本'], ['rat', 'beschluß'], ['eu'])
    """
    if shape(word) == 5:
        return [c for c in word if c in known][:8]
    if "-" in word:
        return [part for part in word.split("-") if part in known][:8]
    if is_abjad(word):
        rest = without_prefix(word, known)
        return [rest] if rest else []
    if len(word) < 7 or not word.isalpha():
        return []
    for cut in range(len(word) - _PART, _PART - 2, -1):
        if word[cut:] not in known:
            continue
        for link in _LINKS:
            head = word[: cut - len(link)]
            if len(head) >= 3 and word[:cut].endswith(link) and head in known:
                return [head, word[cut:]]
    return []


@lru_cache(maxsize=200_000)
def _trigram_bits(form: str) -> tuple[bytes, int]:
    padded = f"  {form} "
    bits = bytearray(_BITS // 8)
    for k in range(len(padded) - 2):
        h = crc32(padded[k : k + 3].encode()) % _BITS
        bits[h >> 3] |= 1 << (h & 7)
    return bytes(bits), sum(b.bit_count() for b in bits)


_POPCOUNT = np.array([i.bit_count() for i in range(1 << 16)], dtype=np.uint8)


class Sounds:
    """How the words of a vocabulary sound, ready to be compared by index: trigrams of their consonants."""

    def __init__(self, forms: Sequence[str]) -> None:
        trigrams = [_trigram_bits(form) for form in forms]
        self.bits = np.frombuffer(b"".join(s for s, _ in trigrams), dtype=np.uint16).reshape(-1, _BITS // 16)
        self.sizes = np.array([n for _, n in trigrams], dtype=np.float32)
        self.lengths = np.array([len(form) for form in forms], dtype=np.int16)

    def similarity(self, rows: np.ndarray, other: "Sounds", columns: np.ndarray) -> np.ndarray:
        """Dice coefficient, float32 (n,); words of fewer than two consonants are like none."""
        shared = _POPCOUNT[self.bits[rows] & other.bits[columns]].sum(axis=1, dtype=np.int32)
        dice = 2.0 * shared / (self.sizes[rows] + other.sizes[columns])
        shorter = np.minimum(self.lengths[rows], other.lengths[columns])
        return np.where(shorter < 2, 0.0, np.where(shorter == 2, _SHORT_SOUND * (dice == 1.0), dice))


def _sounds_of(word: str) -> tuple[str, str]:
    """How a word may sound; by chance many short words of ideographs sound like a short name."""
    if is_abjad(word):
        return sounds(word)
    form = sound(word)
    return (form, form) if len(form) > 2 or not any(_IDEOGRAPHS[0] <= c < _IDEOGRAPHS[1] for c in word) else ("", "")


class Forms:
    """The spellings of a vocabulary, ready to be compared by index."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        forms = [romanise(word) for word in vocabulary]
        trigrams = [_trigram_bits(form) for form in forms]
        self.bits = np.frombuffer(b"".join(s for s, _ in trigrams), dtype=np.uint16).reshape(-1, _BITS // 16)
        self.sizes = np.array([n for _, n in trigrams], dtype=np.float32)
        self.lengths = np.array([len(form) for form in forms], dtype=np.int16)
        self.exact = np.array([crc32(form.encode()) for form in forms], dtype=np.uint32)
        # What hyphens join, where they do: the first and the last part.
        joined = [form.split("-") if "-" in form.strip("-") else ["", ""] for form in forms]
        self.ends = np.array([[crc32(its[k].encode()) if its[k] else 0 for k in (0, -1)] for its in joined], np.uint32)
        self.shapes = np.array([shape(word) for word in vocabulary], dtype=np.int8)
        # Names sound alike across scripts: capitalised words, and all words of scripts that are not Latin.
        self.foreign = np.array([bool(_FOREIGN.search(word)) for word in vocabulary], dtype=bool)
        self.name = np.isin(self.shapes, (1, 2)) & ~self.foreign
        heard = [
            _sounds_of(word) if foreign or name else ("", "")
            for word, foreign, name in zip(vocabulary, self.foreign, self.name, strict=True)
        ]
        self.heard = [Sounds([pair[k] for pair in heard]) for k in (0, 1)]

    def similarity(self, rows: np.ndarray, other: "Forms", columns: np.ndarray) -> np.ndarray:
        """Dice coefficient of the trigram sets, pair by pair.

        Args:
            rows: Indices into this vocabulary, (n,).
            other: The other vocabulary.
            columns: Indices into it, (n,).

        Returns:
            float32 (n,) in [0, 1]. Numbers and punctuation are alike only when equal, and words of fewer than three
            letters only when equal: by chance they share too much.
        """
        out = np.empty(len(rows), dtype=np.float32)
        for a in range(0, len(rows), 1 << 18):
            r, c = rows[a : a + (1 << 18)], columns[a : a + (1 << 18)]
            shared = _POPCOUNT[self.bits[r] & other.bits[c]].sum(axis=1, dtype=np.int32)
            dice = 2.0 * shared / (self.sizes[r] + other.sizes[c])
            equal = self.exact[r] == other.exact[c]
            strict = (self.lengths[r] < 3) | (other.lengths[c] < 3) | (self.shapes[r] == 3) | (other.shapes[c] == 3)
            alike = np.where(equal, 1.0, np.where(strict, 0.0, dice))
            part = (self.ends[r] == other.exact[c][:, None]) | (other.ends[c] == self.exact[r][:, None])
            out[a : a + (1 << 18)] = np.where(part.any(axis=1), np.maximum(alike, _PART_ALIKE), alike)
        across = np.flatnonzero((self.foreign[rows] & other.name[columns]) | (self.name[rows] & other.foreign[columns]))
        for a in range(0, len(across), 1 << 18):
            chosen = across[a : a + (1 << 18)]
            r, c = rows[chosen], columns[chosen]
            heard = np.maximum(*(self.heard[k].similarity(r, other.heard[k], c) for k in (0, 1)))
            out[chosen] = np.maximum(out[chosen], heard)
        return out
