"""Projection by asking a language model which words of the translation stand for a span.

CLaP (Parekh et al., NAACL 2024, section 3): a label is translated in the context of the translated text, and the answer
is looked up there. Differs in that one prompt asks for all spans of a text, in that the instruction asks to copy
rather than to translate, and in that an answer which is nearly in the text counts too.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.corpora.signature import Signature, number_text
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.methods.copying import copies
from spanferry.projectors.placing.search import Candidate, choose
from spanferry.translators.base import Generation, TextGenerator
from spanferry.translators.languages.names import name_of
from spanferry.translators.loading.load import load_generator

METHOD = "contextual"
# Parts asked for in one prompt: models lose count in longer lists.
_PARTS = 12
_LINE_TOKENS, _CHARACTER_TOKENS = 12, 2  # room for an answer: a line's frame, and what a character may cost
_NOTHING = "-"
_LINE = re.compile(r"\s*(\d+)\s*[.):]\s*(.*)")
_QUOTES = "\"'“”„«»‹›「」『』`*"
# How much an occurrence counts less that stands elsewhere among its like than the span among those of the source.
_ELSEWHERE = 0.01

_PROMPT = """\
Here is a {source} text and its {target} translation. Find the words of the translation that stand for each listed \
part of the {source} text. Copy them exactly as they are written there, without changing or adding anything. Write one \
line for each part: its number, a full stop, and the words. If nothing in the translation stands for a part, write \
{nothing} instead of words.

{source}: {text}
{target}: {translation}

Parts:
{parts}

Answer:
"""


class ContextualProjector:
    """A language model names the span's words in the translation; they are looked up there, exactly or nearly.

    The score is the similarity of the answer and what was found, times the geometric mean of the probabilities of the
    answer's tokens where the model reports them.

    Reasons: ``empty_target``, ``empty_span``, ``no_answer`` (the model had none for the span), ``not_in_target`` (what
    it answered does not occur), ``overlap`` (it occurs only where another span went), and those of the generator
    (``source_too_long``, ``output_truncated`` …).

    Args:
        generator: A `translators.base.TextGenerator`, or what names one: ``endpoint:MODEL``, a directory or a hub id;
            left out, the one behind the translator.
        ratio: Least similarity of a near match, 0 to 1; 1 asks for the same spelling.
        generator_options: Options of a named one, such as ``url`` of an endpoint.
        translator: One that is a language model itself, where no generator is given.

    Raises:
        ConfigError: ``ratio`` is out of range, or an option that the generator does not have.
        ModelError: There is no such model, or none at all.
    """

    def __init__(
        self,
        generator: TextGenerator | str | None = None,
        ratio: float = 0.8,
        *,
        generator_options: Mapping[str, Any] | None = None,
        translator: Any = None,
    ) -> None:
        if not 0.0 < ratio <= 1.0:
            raise ConfigError(f"ratio = {ratio}", valid="0 < ratio <= 1", hint="0.8 forgives an ending")
        generator = generator or getattr(translator, "generator", None)
        if generator is None:
            raise ModelError(
                "the projector 'contextual' needs a language model",
                hint="--set projector.options.generator=endpoint:MODEL, or a --translator that is a language model",
            )
        if isinstance(generator, str):
            generator = load_generator(generator, **(generator_options or {}))
        self.generator: TextGenerator = generator
        self.ratio = ratio

    @property
    def signature(self) -> Signature:
        """``contextual.<version of the prompt>.<ratio>(<model>)``."""
        return Signature(f"{METHOD}.1.{number_text(self.ratio)}({self.generator.signature})")

    def project(self, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
        """For each input one projection per span, in the spans' order.

        Raises:
            ModelError: The generator can't answer any prompt.
        """
        asked: list[tuple[int, list[str]]] = []
        for k, item in enumerate(inputs):
            if item.target_text.strip():
                quotes = _quotes(item)
                asked += [(k, quotes[at : at + _PARTS]) for at in range(0, len(quotes), _PARTS)]
        prompts = [prompt(inputs[k], quotes) for k, quotes in asked]
        answers: list[dict[str, tuple[str, float] | str]] = [{} for _ in inputs]
        kinds = [(len(quotes), _room(quotes)) for _, quotes in asked]
        for size, room in sorted(set(kinds)):
            rows = [n for n, kind in enumerate(kinds) if kind == (size, room)]
            for n, given in zip(rows, self._ask([prompts[n] for n in rows], size, room), strict=True):
                k, quotes = asked[n]
                answers[k].update(zip(quotes, read_answer(given, size), strict=True))
        return [self._placed(item, known) for item, known in zip(inputs, answers, strict=True)]

    def _ask(self, prompts: Sequence[str], parts: int, room: int) -> list[Generation]:
        distinct = sorted(set(prompts))
        # A model that was not made for conversation goes on after its answer, with one more part or a new text.
        found = self.generator.generate(distinct, max_tokens=room, stop=("\n\n", f"\n{parts + 1}."))
        known = dict(zip(distinct, found, strict=True))
        return [known[text] for text in prompts]

    def _placed(self, item: ProjectionInput, answers: dict[str, tuple[str, float] | str]) -> list[Projection]:
        parts = [(k, part) for k, span in enumerate(item.spans) for part in _parts(span)]
        options: list[list[Candidate]] = []
        reasons: list[str] = []
        for _, part in parts:
            quote = _quote(item, part)
            answer = answers.get(quote, "no_answer") if quote else "empty_span"
            if not item.target_text.strip():
                answer = "empty_target"
            found = [] if isinstance(answer, str) else self._matches(item, part, *answer)
            options.append(found)
            reasons.append(answer if isinstance(answer, str) else "overlap" if found else "not_in_target")
        chosen = choose([part for _, part in parts], options, absent=0.0)
        results = []
        for k, span in enumerate(item.spans):
            own = [n for n, (owner, _) in enumerate(parts) if owner == k]
            lost = next((n for n in own if chosen[n] is None), None)
            if lost is not None:
                results.append(Projection(span.id, None, 0.0, METHOD, reasons[lost]))
                continue
            picked = [options[n][chosen[n] or 0] for n in own]
            ranges = sorted({(a, b) for a, b, _ in picked})
            fragments = tuple(ranges) if len(ranges) > 1 else ()
            target = replace(span, start=ranges[0][0], end=max(b for _, b in ranges), fragments=fragments)
            results.append(Projection(span.id, target, round(min(score for *_, score in picked), 4), METHOD))
        return results

    def _matches(self, item: ProjectionInput, part: Range, answer: str, sure: float) -> list[Candidate]:
        """Where the target holds the answer, with scores; the occurrence that stands like the span's comes first."""
        looked_for = replace(item, source_text=answer, source_words=())
        found = copies(looked_for, (0, len(answer)), self.ratio)
        place, total = occurrence(item.source_text, _quote(item, part), part[0])
        expected = place if total == len(found) else place * (len(found) - 1) / max(total - 1, 1)
        return [
            (a, b, max(similar * sure * (1.0 - _ELSEWHERE * abs(n - expected) / len(found)), 1e-4))
            for n, ((a, b), similar) in enumerate(found)
        ]


def prompt(item: ProjectionInput, quotes: Sequence[str]) -> str:
    """What a language model is asked for some parts of one text.

    Args:
        item: Both texts and their languages.
        quotes: The parts, as they stand in the source.
    """
    return _PROMPT.format(
        source=name_of(item.source_lang) or item.source_lang,
        target=name_of(item.target_lang) or item.target_lang,
        nothing=_NOTHING,
        text=_one_line(item.source_text),
        translation=_one_line(item.target_text),
        parts="\n".join(f"{n}. {quote}" for n, quote in enumerate(quotes, 1)),
    )


def read_answer(given: Generation, parts: int) -> list[tuple[str, float] | str]:
    """For each part what the model answered and how sure it was, or the reason why there is nothing.

    A line belongs to the part whose number it starts with, the first of several; one part needs no number. Quotation
    marks around an answer are the model's own.

    >>> read_answer(Generation("1. 'dos gatos'\\n3) -"), 3)
    [('dos gatos', 1.0), 'no_answer', 'no_answer']
    """
    if given.reason:
        return [given.reason] * parts
    sure = 1.0 if given.score is None else math.exp(min(0.0, given.score))
    lines: dict[int, str] = {}
    for line in given.text.splitlines():
        numbered = _LINE.fullmatch(line)
        if numbered:
            lines.setdefault(int(numbered[1]), numbered[2])
        elif parts == 1 and line.strip():
            lines.setdefault(1, line)
    out: list[tuple[str, float] | str] = []
    for number in range(1, parts + 1):
        answer = lines.get(number, "").strip().strip(_QUOTES).strip()
        out.append((answer, sure) if answer.strip(_NOTHING) else "no_answer")
    return out


def occurrence(text: str, quote: str, start: int) -> tuple[int, int]:
    """Which occurrence of ``quote`` in ``text`` begins at or after ``start``, and how many there are."""
    places = [match.start() for match in re.finditer(re.escape(quote), text)]
    return sum(place < start for place in places), max(len(places), 1)


def _parts(span: Span) -> tuple[Range, ...]:
    return span.fragments or ((span.start, span.end),)


def _quote(item: ProjectionInput, part: Range) -> str:
    return _one_line(item.source_text[part[0] : part[1]])


def _quotes(item: ProjectionInput) -> list[str]:
    """The distinct parts to ask for, in the order of the text: the order of the spans changes no prompt."""
    ranges = sorted({part for span in item.spans for part in _parts(span)})
    return [quote for quote in dict.fromkeys(_quote(item, part) for part in ranges) if quote]


def _room(quotes: Sequence[str]) -> int:
    """Tokens that an answer may take, a power of two: whatever else is asked at once, the same for the same parts."""
    needed = _LINE_TOKENS * len(quotes) + _CHARACTER_TOKENS * sum(map(len, quotes))
    return 1 << needed.bit_length()


def _one_line(text: str) -> str:
    return " ".join(text.split())
