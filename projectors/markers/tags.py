"""A pair of tags of its own around every span: ``<a>Tom</a> met <b>Ann</b>``.

Where a model was tuned for them (LabelPigeon, 2026), such tags say whose each stretch is, whatever its order, and may
nest and cross. Read back leniently: case and blanks inside a tag do not count, and what came back without its other
half, or twice, costs only its own span. Tags that the text itself has keep their letters to themselves.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice, product
from string import ascii_lowercase

from spanferry.corpora.schema import Range

_TAG = re.compile(r"<\s*(/?)\s*([a-z]+)\s*>", re.IGNORECASE)


def tag_names(text: str, wanted: int) -> list[str]:
    """``wanted`` names, ``a``, ``b`` … ``aa`` …, none of which the tags of ``text`` have."""
    own = {match.group(2).lower() for match in _TAG.finditer(text)}
    return list(islice((name for name in _names() if name not in own), wanted))


def _names() -> Iterator[str]:
    lengths = (product(ascii_lowercase, repeat=length) for length in count(1))
    return ("".join(letters) for letters in chain.from_iterable(lengths))


def tag(text: str, spans: Sequence[Range]) -> str:
    """``text`` with the n-th pair of tags around the n-th span.

    Args:
        text: Raw text.
        spans: In code points, distinct; may nest and cross.

    >>> tag("Tom met Ann.", [(0, 3), (8, 11)])
    '<a>Tom</a> met <b>Ann</b>.'
    """
    edges: list[tuple[int, int, int, int, str]] = []
    for k, ((start, end), name) in enumerate(zip(spans, tag_names(text, len(spans)), strict=True)):
        # Where tags meet, closings come first; the longer span opens first and closes last.
        edges += [(start, 1, start - end, k, f"<{name}>"), (end, 0, end - start, -k, f"</{name}>")]
    out: list[str] = []
    at = 0
    for position, _, _, _, written in sorted(edges):
        out += [text[at:position], written]
        at = position
    return "".join([*out, text[at:]])


def untag(text: str, names: Sequence[str]) -> tuple[str, list[Range | None]]:
    """The text without the tags of these names, and what each pair held.

    A pair counts if either half came back exactly once, in order, with something between; white space just inside
    goes. Halves that do not count are taken out all the same.

    Args:
        text: A translation of a tagged text.
        names: As ``tag_names`` gave them.

    Returns:
        The clean text, and a range of it for each name, in code points, or None.

    >>> untag("< A >Tom</a> conoció a <b>Ann.", ["a", "b"])
    ('Tom conoció a Ann.', [(0, 3), None])
    """
    wanted = set(names)
    places: dict[tuple[str, bool], list[int]] = {}
    out = ""
    last = 0
    for match in _TAG.finditer(text):
        closing, name = bool(match.group(1)), match.group(2).lower()
        if name not in wanted:
            continue
        out += text[last : match.start()]
        last = match.end()
        before, after = text[match.start() - 1 : match.start()], text[last : last + 1]
        if before.isspace() and after.isspace():
            last += 1  # one of the two
        places.setdefault((name, closing), []).append(len(out))
    out += text[last:]
    lead = len(out) - len(out.lstrip())
    return out.strip(), [_held(out, lead, places.get((n, False), []), places.get((n, True), [])) for n in names]


def _held(text: str, lead: int, opened: Sequence[int], closed: Sequence[int]) -> Range | None:
    if len(opened) != 1 or len(closed) != 1:
        return None
    held = text[opened[0] : closed[0]]
    if not held.strip():
        return None
    start = opened[0] + len(held) - len(held.lstrip()) - lead
    return start, start + len(held.strip())
