"""What a template sees of a row: texts that know their language and their spans."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Undefined

from spanferry.corpora.derive.languages import language_name
from spanferry.corpora.schema import Example
from spanferry.corpora.text.tags import TokenSpan, write_tags
from spanferry.corpora.text.word_breaks import words_of


@dataclass(frozen=True, slots=True)
class Quote:
    """A span in a template: the text it covers, its label, and its half-open code points."""

    text: str
    label: str
    start: int
    end: int


class Text(str):
    """A text field of one language; ``{{ question }}`` shows the text itself.

    Attributes:
        lang: BCP-47.
        quotes: The spans of the field, in the order of the text.
    """

    lang: str
    quotes: tuple[Quote, ...]
    words: tuple[tuple[int, int], ...]

    @staticmethod
    def of(example: Example, field: str) -> "Text":
        """The text of a field that the example has."""
        text = Text(example.texts[field])
        text.lang = example.lang
        spans = sorted((s for s in example.spans if s.field == field), key=lambda s: (s.start, -s.end))
        text.quotes = tuple(Quote(s.quote(text), s.label, s.start, s.end) for s in spans)
        text.words = tuple(example.tokens.get(field, ()))
        return text

    @property
    def spans(self) -> tuple[Quote, ...]:
        """``quotes``, under the name that templates use."""
        return self.quotes

    @property
    def language(self) -> str:
        """The English name of the language."""
        return language_name(self.lang)


def marked(text: Text, opening: str = "[", closing: str = "]") -> str:
    """The text with its spans between marks; ``{label}`` in a mark stands for the span's label.

    >>> from spanferry.corpora.schema import Span
    >>> row = Example("1", "en", {"text": "Anna lives in Berlin."}, spans=(Span(14, 20, "city"),))
    >>> marked(Text.of(row, "text"), "<{label}>", "</{label}>")
    'Anna lives in <city>Berlin</city>.'
    """
    marks: list[tuple[int, int, int, str]] = []
    for number, span in enumerate(text.spans):
        size = span.end - span.start
        # At one place spans end before others begin; the inner one ends first, the outer one begins first.
        marks.append((span.end, 0, -number, closing.replace("{label}", span.label)))
        marks.append((span.start, 1, -size, opening.replace("{label}", span.label)))
    out, last = [], 0
    for place, _, _, mark in sorted(marks, key=lambda mark: mark[:3]):
        out += [text[last:place], mark]
        last = place
    return "".join([*out, text[last:]])


def bio(text: Text) -> list[tuple[str, str]]:
    """Words and their BIO tags; of spans that share a word the one that begins first has it.

    >>> from spanferry.corpora.schema import Span
    >>> row = Example("1", "en", {"text": "New York calls"}, spans=(Span(0, 8, "city"),))
    >>> bio(Text.of(row, "text"))
    [('New', 'B-city'), ('York', 'I-city'), ('calls', 'O')]
    """
    words = text.words or words_of(text, text.lang)
    found: list[TokenSpan] = []
    for span in text.spans:
        own = [k for k, (a, b) in enumerate(words) if a < span.end and span.start < b]
        if own and (not found or found[-1].end <= own[0]):
            found.append(TokenSpan(own[0], own[-1] + 1, span.label))
    return [(text[a:b], tag) for (a, b), tag in zip(words, write_tags(len(words), found), strict=True)]


def as_json(value: Any) -> str:
    """Spans as a list of ``{"text": …, "label": …}``, anything else as it is, in JSON without escapes of letters."""
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise TypeError("there is nothing to write as JSON")
    if isinstance(value, Quote):
        return {"text": value.text, "label": value.label}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
