"""Cross-lingual question answering: every question language with every context language."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import pyarrow as pa

from spanferry.corpora.derive.base import refused
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.stored.records import Record


@dataclass(frozen=True)
class CrossQa:
    """Cross-lingual question answering (G-XLT): the question in one language, the context and answers in another.

    Attributes:
        question: The text field of the question.
        context: The text field of the context; its spans are the answers.
        question_langs: Question languages; empty: all.
        context_langs: Context languages; empty: all.
        same: Whether question and context may be in the same language.
    """

    name: ClassVar[str] = "cross-qa"
    paper: ClassVar[str] = "generalised cross-lingual transfer, G-XLT, of MLQA (Lewis et al. 2020, ACL)"
    differs: ClassVar[str] = (
        "answers are projected where MLQA's were annotated; a context that lost its answers is rejected"
    )
    task: ClassVar[str] = "question-answering"
    local: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset()
    min_languages: ClassVar[int] = 2

    question: str = "question"
    context: str = "context"
    question_langs: tuple[str, ...] = ()
    context_langs: tuple[str, ...] = ()
    same: bool = True

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``. ``answers`` is SQuAD's, offsets in code points."""
        answers = pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int32()))])
        strings = ("id", "question", "context")
        langs = ("question_lang", "context_lang")
        return pa.schema(
            [*((n, pa.string()) for n in strings), ("answers", answers), *((n, pa.string()) for n in langs)]
        )

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``.

        Reasons: ``cross_qa:no_field``, ``cross_qa:answer_lost`` (none, where another language has one).
        """
        for row in rows:
            answers = {lang: [s for s in e.spans if s.field == self.context] for lang, e in row.examples.items()}
            # A question without an answer in any language has none to lose.
            answered = any(answers.values())
            for question_lang, context_lang in product(
                self._chosen(self.question_langs, row), self._chosen(self.context_langs, row)
            ):
                part = f"_{question_lang}-{context_lang}"
                question = row.examples[question_lang].texts.get(self.question)
                context = row.examples[context_lang].texts.get(self.context)
                if question_lang == context_lang and not self.same:
                    continue
                if question is None or context is None:
                    yield refused(row, "cross_qa:no_field", part=part)
                    continue
                found = answers[context_lang]
                if answered and not found:
                    yield refused(row, "cross_qa:answer_lost", part=part)
                    continue
                values = {
                    "question": question,
                    "context": context,
                    "answers": {"text": [s.quote(context) for s in found], "answer_start": [s.start for s in found]},
                    "question_lang": question_lang,
                    "context_lang": context_lang,
                }
                yield Record(f"{row.id}{part}", values, row.split)

    def _chosen(self, languages: tuple[str, ...], row: MultiRow) -> list[str]:
        return [lang for lang in languages or row.languages if lang in row.examples]
