"""spaCy's ``DocBin``: the ``.spacy`` files that ``spacy convert`` makes and ``spacy train`` reads."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from spanferry.corpora.errors import InputError, SpanferryError
from spanferry.corpora.readers.common.base import BadRow, Draft, FileReader
from spanferry.corpora.schema import TEXT, Example, Span

# What spaCy and its serialisation raise over a file that is damaged or is something else.
_ERRORS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError, EOFError, zlib.error)
_YES = 0.5  # of a category's score, from which on a document has it


@dataclass(frozen=True)
class DocBinReader(FileReader):
    """Reads the documents of a ``.spacy`` file: text, tokens, entities, span groups and categories.

    Span groups count beside the entities; a span that is both is read once. The knowledge-base id and the id of an
    entity are attributes. The one category from .5 on is the label of a document; of several, all scores are in
    ``meta["cats"]``. Parses, lemmas and other annotations are passed over.

    Attributes:
        groups: The span groups that are read; empty: all.
    """

    name: ClassVar[str] = "docbin"

    groups: tuple[str, ...] = ()

    def _rows(self) -> Iterator[Draft | BadRow]:
        for number, doc in enumerate(self._documents(), 1):
            own = doc.user_data.get("id") if isinstance(doc.user_data, dict) else None
            name = own if isinstance(own, str) and own else str(number)
            yield Draft(
                name,
                f"{self.path}: document {number}",
                lambda doc=doc: str(doc.text),  # type: ignore[misc]
                self.rows_split,
                lambda doc=doc, name=name: self._example(doc, name),  # type: ignore[misc]
            )

    def _documents(self) -> Iterator[Any]:
        import spacy
        from spacy.tokens import DocBin

        hint = "python -m spacy convert, or DocBin(docs=docs).to_disk(path), writes such a file"
        try:
            yield from DocBin().from_disk(self.path).get_docs(spacy.blank("xx").vocab)
        except (SpanferryError, GeneratorExit):
            raise
        except _ERRORS as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(f"not a whole .spacy file ({reason:.200})", where=str(self.path), hint=hint) from error

    def _example(self, doc: Any, name: str) -> Example:
        found: dict[tuple[int, int, str], dict[str, Any]] = {}
        for one in doc.ents:
            place = one.start_char, one.end_char, one.label_
            found[place] = {k: v for k, v in (("kb_id", one.kb_id_), ("id", one.ent_id_)) if v}
        for group in self.groups or sorted(doc.spans):
            for one in doc.spans.get(group, ()):
                place = one.start_char, one.end_char, one.label_
                found.setdefault(place, {"kb_id": one.kb_id_} if one.kb_id_ else {})
        spans = tuple(
            Span(start, end, label, f"s{number}", attributes=about)
            for number, ((start, end, label), about) in enumerate(sorted(found.items(), key=lambda item: item[0][:2]))
        )
        cats = {str(key): float(score) for key, score in doc.cats.items()}
        chosen = [key for key, score in cats.items() if score >= _YES]
        return Example(
            name,
            self.lang,
            {TEXT: doc.text},
            spans,
            label=chosen[0] if len(chosen) == 1 else None,
            meta={"cats": cats} if cats and len(chosen) != 1 else {},
            tokens={TEXT: tuple((t.idx, t.idx + len(t)) for t in doc if not t.is_space)},
            split=self.rows_split,
        )
