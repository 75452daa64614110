"""What several filters need to know of a pair's texts."""

from collections.abc import Sequence

import regex

from spanferry.corpora.schema import Example, Span

# Things that are the same in every language and say nothing about it: code, URLs, e-mail, tags, placeholders.
_UNTRANSLATABLE = regex.compile(
    r"(`{1,3})[^`]+\1|(?:https?://|www\.)\S+|[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|</?[A-Za-z][^<>]*>|\$?\{[^{}]*\}|%\(\w+\)\S"
)
_SIGNS = ("`", "@", "<", "{", "%(", "://", "www.")


def primary(tag: str) -> str:
    """The language subtag of a BCP-47 tag: ``pt`` for ``pt-BR``."""
    return tag.replace("_", "-").split("-")[0].lower()


def letters(text: str) -> int:
    """Number of letters in ``text`` (code points of category L)."""
    return sum(map(str.isalpha, text))


def plain_text(text: str) -> str:
    """``text`` without code, URLs, tags and placeholders."""
    return _UNTRANSLATABLE.sub(" ", text) if any(sign in text for sign in _SIGNS) else text


def without_spans(example: Example) -> str:
    """The fields of ``example``, one per line, without what spans cover and without code, URLs, tags, placeholders."""
    left = []
    for name, text in example.texts.items():
        spans = [s for s in example.spans if s.field == name]
        rest = _cut(text, spans) if spans else text
        left.append(plain_text(rest))
    return "\n".join(left)


def _cut(text: str, spans: Sequence[Span]) -> str:
    ranges = sorted(part for s in spans for part in (s.fragments or ((s.start, s.end),)))
    pieces, place = [], 0
    for start, end in ranges:
        if start > place:
            pieces.append(text[place:start])
        place = max(place, end)
    pieces.append(text[place:])
    return " ".join(pieces)
