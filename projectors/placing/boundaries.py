"""Where a span may end inside what is written together: compounds, proclitics, suffixes.

Every method puts the edges of a span at words. A German compound that holds the entity, an Arabic word with its
preposition or a Turkish name with its case ending are more than the span; what becomes of them is a policy:

- ``word``: the word stays whole. ``Commission`` is found in ``Kommissionsdokumente`` as all of it.
- ``subword``: an edge word is cut where the rest is spelled clearly more like the source span and like a word of it:
  ``Kommission``, ``EU`` of ``EU-Mitgliedstaaten``, ``Ankara`` of ``Ankara'da``, ``باريس`` of ``بباريس``. Without the
  evidence of the spelling it stays whole. A number is never cut, and one letter never remains. Without a hyphen, an
  apostrophe or a change of kind (letter and digit) at the cut, the rest is spelled almost like the word, ends with
  its letter, and what is cut off is long enough for another word; or it is the same name (``Berlin`` of ``Berlins``).
  Other endings (``Europa``, ``europäischen``) stay.
- ``expand``: everything written together with an edge word belongs to the span, hyphens and apostrophes included:
  ``l'eau`` where ``eau`` was found, ``Ankara'da`` where ``Ankara`` was.

Scripts without spaces (Chinese, Japanese, Thai …) have a boundary after every character; there the three are the same.
Whatever the policy, a span holds both of a pair of brackets or quotation marks or neither, unless the source span parts
a pair as well: ``《法令》`` where ``法令》`` was found, ``Turmontu`` where ``Turmontu [Thurmont`` was found before
``, Maryland]``. And unless it is ``expand``, an apostrophe that ties a suffix to the last word
is left out: ``Ankara`` where ``Ankara'`` of ``Ankara'da`` was found.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import regex
from anyascii import anyascii
from rapidfuzz import fuzz

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.corpora.text.scripts import UNSPACED
from spanferry.corpora.text.words import JOINERS
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.placing.brackets import paired
from spanferry.projectors.placing.search import compatible

BOUNDARIES = ("word", "subword", "expand")

_TOGETHER = regex.compile(
    rf"(?:(?![{UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}_]"
    rf"|(?<=[\p{{L}}\p{{N}}\p{{M}}])[-‐‑'’{JOINERS}](?=[\p{{L}}\p{{N}}]))+"
)
_ABJAD = regex.compile(r"[\p{Arabic}\p{Hebrew}]")
_CONSONANTS = str.maketrans("pvf", "bbb", "aeiouy'`")
_APOSTROPHES = "'’"
_ALIKE = 75.0  # how like the source span what remains must be, of 100
_BETTER = 5.0  # by how much more than the whole
_LEAST = 2  # letters of the span that remain
_LEAST_OF_WORD = 3  # letters of a word that remain where nothing but the spelling speaks for the cut
_LEAST_CUT = 4  # letters that are then cut off: fewer are an ending
_ALMOST = 88.0  # how like the word what remains must then be
_ENDS = "-‐‑'’"


def check_boundary(policy: str) -> str:
    """The policy as given.

    Raises:
        ConfigError: Nothing goes by that name.
    """
    if policy == "strict":
        raise ConfigError("boundary 'strict' is now called 'subword'", valid=BOUNDARIES, hint="boundary=subword")
    if policy not in BOUNDARIES:
        raise ConfigError(f"unknown boundary {policy!r}", valid=BOUNDARIES, hint="leave boundary out for word")
    return policy


def bounded(policy: str, item: ProjectionInput, projections: Sequence[Projection]) -> list[Projection]:
    """The projections of one input with the edges that ``policy`` asks for.

    A span keeps the edges it had where the new ones would break its relation to another (disjoint spans stay disjoint,
    nested ones nested). Discontinuous spans stay as they are.

    Args:
        policy: One of ``BOUNDARIES``.
        item: The texts and source spans.
        projections: One for each span, in the spans' order.
    """
    sources = [(span.start, span.end) for span in item.spans]
    old = [None if p.span is None or p.span.fragments else (p.span.start, p.span.end) for p in projections]
    new = [place and _moved(policy, item, span, place) for place, span in zip(old, item.spans, strict=True)]
    # Whoever has moved into a conflict goes back, until there is none that was not there before.
    while True:
        clash = {
            k
            for i, a in enumerate(new)
            for j, b in enumerate(new[:i])
            if a and b and (a, b) != (old[i], old[j]) and not compatible(sources[i], sources[j], a, b)
            for k in (i, j)
            if new[k] != old[k]
        }
        if not clash:
            break
        for k in clash:
            new[k] = old[k]
    return [
        p if p.span is None or place is None else replace(p, span=replace(p.span, start=place[0], end=place[1]))
        for p, place in zip(projections, new, strict=True)
    ]


def _moved(policy: str, item: ProjectionInput, span: Span, place: Range) -> Range:
    quote = span.quote(item.source_text)
    place = paired(item.target_text, place, item.source_text, (span.start, span.end))
    if policy == "expand":
        return _expanded(item.target_text, place)
    place = _untied(item.target_text, place, quote)
    return place if policy == "word" else _cut(item.target_text, place, quote)


def _untied(text: str, place: Range, quote: str) -> Range:
    start, end = place
    tied = start + 1 < end < len(text) and text[end - 1] in _APOSTROPHES and text[end].isalpha()
    return (start, end - 1) if tied and quote[-1:] not in _APOSTROPHES else place


def _expanded(text: str, place: Range) -> Range:
    start, end = place
    for match in _TOGETHER.finditer(text):
        if match.start() < start < match.end():
            start = match.start()
        if match.start() < end < match.end():
            end = match.end()
    return start, end


def _cut(text: str, place: Range, quote: str) -> Range:
    """The stretch inside ``place``, less a part of its first or last word, that is spelled most like ``quote``."""
    start, end = place
    abjad = bool(_ABJAD.search(text, start, end))
    wanted = _form(quote, abjad)
    first = _TOGETHER.match(text, start, end)
    last = next((m for m in _TOGETHER.finditer(text, start, end) if m.end() == end), None)
    likes = quote.split()
    starts, ends = [start], [end]
    if first:
        starts += [
            k for k in _inner(text, *first.span()) if _reasonable(text, k, first.span(), (k, first.end()), likes, abjad)
        ]
    # What is written before a name in Arabic or Hebrew is a word of its own, a last letter is mostly its vowel.
    if last and not abjad:
        ends += [
            k for k in _inner(text, *last.span()) if _reasonable(text, k, last.span(), (last.start(), k), likes, abjad)
        ]
    scored = []
    for a in starts:
        for b in ends:
            # One side at a time: a stretch from the middle of a word is found by chance too easily.
            if (a == start) != (b == end) and sum(c.isalnum() for c in text[a:b]) >= _LEAST:
                part = text[a:b].strip(_ENDS)
                lead = len(text[a:b]) - len(text[a:b].lstrip(_ENDS))
                # A letter that only stands for a vowel counts nothing in the comparison and is not cut off for that.
                length = b - a if abjad else a - b
                scored.append((fuzz.ratio(wanted, _form(part, abjad)), length, a + lead, a + lead + len(part)))
    if not scored:
        return place
    alike, _, a, b = max(scored)
    better = alike >= _ALIKE and alike >= fuzz.ratio(wanted, _form(text[start:end], abjad)) + _BETTER
    return (a, b) if better else place


def _inner(text: str, start: int, end: int) -> list[int]:
    """Places inside a word where it can be cut: never before a mark, which belongs to the letter it follows."""
    return [k for k in range(start + 1, end) if not unicodedata.category(text[k]).startswith("M")]


def _reasonable(text: str, cut: int, word: Range, rest: Range, likes: Sequence[str], abjad: bool) -> bool:
    """Whether a reader would accept that ``word`` is cut at ``cut`` and ``rest`` remains.

    Args:
        likes: The words of the source span, as they are written.
    """
    before, after = text[cut - 1], text[cut]
    if before.isdigit() and after.isdigit():
        return False
    left = text[rest[0] : rest[1]].strip(_ENDS)
    visible = before in _ENDS or after in _ENDS or before.isdigit() != after.isdigit()
    if sum(c.isalnum() for c in left) < (_LEAST if visible or abjad else _LEAST_OF_WORD):
        return False
    form = _form(left, abjad)
    if visible or abjad:
        return any(fuzz.ratio(form, _form(like, abjad)) >= _ALIKE for like in likes)
    if left[:1].isupper() and left in likes:
        return True
    if (word[1] - word[0]) - (rest[1] - rest[0]) < _LEAST_CUT:
        return False
    return any(_is_word(left, form, like) for like in likes)


def _is_word(left: str, form: str, like: str) -> bool:
    """Whether what is left of a compound is the word it should be, not the stem of an adjective."""
    wanted = _form(like, False)
    lowered = like[:1].isupper() and not left[:1].isupper()
    return not lowered and form[-1:] == wanted[-1:] and fuzz.ratio(form, wanted) >= _ALMOST


def _form(text: str, abjad: bool) -> str:
    """Romanised and lower-cased; against scripts that write no vowels by consonants, lip sounds alike."""
    form = " ".join(anyascii(text).lower().split())
    return form.translate(_CONSONANTS) if abjad else form
