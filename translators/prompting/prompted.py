"""A translator that asks a language model."""

from __future__ import annotations

from collections.abc import Sequence

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Translation
from spanferry.corpora.signature import Signature, number_text
from spanferry.corpora.text.languages import names
from spanferry.translators.base import Generation, TextGenerator
from spanferry.translators.endpoints.endpoint import Endpoint
from spanferry.translators.endpoints.limits import Usage
from spanferry.translators.engine import limits
from spanferry.translators.families.base import Limits
from spanferry.translators.languages.names import name_of
from spanferry.translators.languages.tags import nearest_tags
from spanferry.translators.pieces import one_line
from spanferry.translators.prompting.examples import ExampleMemory
from spanferry.translators.prompting.prompts import PromptTemplate


class PromptTranslator:
    """Fills a prompt for every text and takes the first line of the answer.

    Args:
        generator: The model, local or behind an endpoint.
        template: How it is asked.
        examples: TSV file (source, target) from which the most similar pairs are shown; none where empty.
        shots: How many of them.
        min_similarity: Smallest likeness of an example to the text, 0 to 1.
        max_source: Longest text, in tokens.
        max_target: Longest translation, in tokens.

    Raises:
        ConfigError: An option that is not valid.
        InputError: The examples can't be read.
    """

    marker_aware = False

    def __init__(
        self,
        generator: TextGenerator,
        template: PromptTemplate,
        *,
        examples: str = "",
        shots: int = 3,
        min_similarity: float = 0.4,
        max_source: int = 512,
        max_target: int = 1024,
    ) -> None:
        if shots < 0 or not 0 <= min_similarity <= 1 or min(max_source, max_target) < 1:
            raise ConfigError(
                f"shots={shots}, min_similarity={min_similarity}, max_source={max_source}, max_target={max_target}",
                valid="shots >= 0, 0 <= min_similarity <= 1, lengths >= 1",
                hint="--set translator.options.shots=3",
            )
        self.generator, self.template = generator, template
        self.shots, self.min_similarity = shots, min_similarity
        self.memory = ExampleMemory(examples) if examples else None
        quarter = max(1, generator.context // 4)
        self.limits = Limits(min(max_source, quarter), min(max_target, 2 * quarter))
        """Longest text and longest translation in tokens; the rest of the context is for the prompt."""
        self.rows_independent = bool(getattr(generator, "rows_independent", False))
        """Whether a row comes out the same whatever rows are around it."""
        self._frame_length = generator.length("a") - 1
        self._chosen = [f"src{max_source}"] * (max_source != 512) + [f"tgt{max_target}"] * (max_target != 1024)

    @property
    def signature(self) -> Signature:
        """``mt:`` and the generator's, the prompt, and where there are examples how many of which file."""
        own = Signature.of(("mt", self.generator.signature.partition(":")[2]))
        parts: list[tuple[str, object]] = [("prompt", self.template.signature)]
        if self.memory is not None:
            parts.append(("shots", f"{self.shots}.{number_text(self.min_similarity)}@{self.memory.signature}"))
        return Signature.of(own, *parts, *(("max", chosen) for chosen in self._chosen))

    def supports(self, source: str, target: str) -> bool:
        """Whether both languages have a name to put into the prompt."""
        return name_of(source) is not None and name_of(target) is not None

    def languages(self, source: str, target: str) -> tuple[str, str]:
        """The names of both languages.

        Raises:
            ModelError: One has none here; the message names the nearest.
        """
        found = []
        for tag in (source, target):
            if (name := name_of(tag)) is None:
                close = nearest_tags(tag, sorted(names()))
                raise ModelError(
                    f"no name is known for the language {tag!r}", valid=f"{len(names())} languages",
                    hint=f"nearest: {', '.join(close)}",
                )  # fmt: skip
            found.append(name)
        return found[0], found[1]

    def length(self, text: str, lang: str) -> int:
        """Tokens of ``text`` without the prompt; at most ``limits.source`` can be translated."""
        return max(0, self.generator.length(one_line(text)) - self._frame_length)

    def take_usage(self) -> Usage:
        """What the calls of this thread have cost since it last asked; nothing for a local model."""
        return self.generator.take_usage() if isinstance(self.generator, Endpoint) else Usage()

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in order.

        A text without a letter is its own translation.

        A row that fails has a reason: those of :meth:`TextGenerator.generate`, ``only_markup``, ``bad_unicode``,
        ``empty_source``, or ``source_too_long`` where the text is longer than ``limits.source`` or its prompt does not
        fit even without examples.

        Args:
            texts: Raw texts; line breaks and runs of white space count as one space.
            source: Language of the texts, BCP-47.
            target: Language to translate into, BCP-47.

        Raises:
            ModelError: A language has no name, or no row can be answered.
        """
        named = self.languages(source, target)
        results = [Translation("", reason=limits.text_reason(text)) for text in texts]
        by_cap: dict[int, dict[int, str]] = {}
        for i, text in enumerate(texts):
            if results[i].reason is None and limits.is_verbatim(text):
                results[i] = Translation(one_line(text))
            elif results[i].reason is None:
                line = one_line(text)
                cap = limits.output_cap(tokens := self.length(line, source), self.limits)
                prompt = self._prompt(line, *named, cap) if tokens <= self.limits.source else None
                if prompt is None:
                    results[i] = Translation("", truncated=True, reason=limits.SOURCE_TOO_LONG)
                else:
                    by_cap.setdefault(cap, {})[i] = prompt
        for cap, prompts in by_cap.items():
            answers = self.generator.generate(list(prompts.values()), max_tokens=cap, stop=self.template.stop)
            for i, answer in zip(prompts, answers, strict=True):
                results[i] = _translation(answer)
        return results

    def _prompt(self, text: str, source: str, target: str, cap: int) -> str | None:
        """The prompt with as many examples as fit, the least similar left out first; None where none fits."""
        shown: list[tuple[str, str]] = []
        if self.memory is not None and self.shots:
            shown = self.memory.similar(text, self.shots, least=self.min_similarity)
        for first in range(len(shown) + 1):
            prompt = self.template.fill(text, source, target, shown[first:])
            if self.generator.length(prompt) + cap <= self.generator.context:
                return prompt
        return None


def _translation(answer: Generation) -> Translation:
    """The first line of an answer; a source is one line, so what follows is talk."""
    line = one_line(answer.text.split("\n")[0])
    return Translation(line, score=answer.score, truncated=answer.truncated, reason=answer.reason)
