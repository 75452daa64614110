"""A glossary's terms in the translation: chosen among hypotheses, else put where the source term went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import regex

from spanferry.corpora.schema import Translation
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.glossary import Entry, Glossary
from spanferry.translators.wrappers.masks import SCHEMES, masked, replaced, unmasked
from spanferry.translators.wrappers.wrapped import WrappedTranslator

Place = tuple[int, int, Entry]

_MARKED = regex.compile(r"\[\s*([^\[\]]*?)\s*\]")


class GlossaryTranslator(WrappedTranslator):
    """Translates so that the target terms of a glossary are there, as far as the model can be brought to it.

    For a text with source terms, in this order, until no term is missing:

    1. the translation as the model gives it;
    2. the best of ``hypotheses`` translations that has all terms (the model's own grammar around them);
    3. where one term is missing and the model knows markers: the text with the source term in ``[ ]``, and the target
       term in place of what comes back in them (the idea of EasyProject, Chen et al., Findings of ACL 2023, used for a
       term in place of a label);
    4. a number in place of each source term, replaced by the target term (see ``masks``).

    3 and 4 put the term as the glossary spells it: it is not inflected. Where all fail the first translation stays,
    and the filter ``glossary`` finds it.

    Args:
        inner: Any translator; hypotheses are only asked of one that has ``translate_nbest``.
        glossary: All languages of it.
        hypotheses: How many are looked at.
    """

    def __init__(self, inner: object, glossary: Glossary, hypotheses: int = 8) -> None:
        super().__init__(inner)
        self.glossary, self.hypotheses = glossary, hypotheses

    @property
    def signature(self) -> Signature:
        """The inner signature, the digest of the glossary and the number of hypotheses."""
        return Signature.of(self.inner.signature, ("glossary", f"{self.glossary.digest}.{self.hypotheses}"))

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in order."""
        glossary = self.glossary.into(target)
        places = [glossary.found(text) for text in texts]
        return self.enforced(texts, places, self.inner.translate(texts, source, target), source, target)

    def enforced(
        self,
        texts: Sequence[str],
        places: Sequence[Sequence[Place]],
        translations: Sequence[Translation],
        source: str,
        target: str,
    ) -> list[Translation]:
        """The translations, others where terms are missing and can be brought there.

        Args:
            texts: The source texts.
            places: Of each the places of its terms, disjoint, ascending.
            translations: Of each what the model made of it.
            source: BCP-47.
            target: BCP-47.
        """
        results = list(translations)
        for attempt in (self._of_hypotheses, self._marked, self._masked):
            todo = [row for row, result in enumerate(results) if result.reason is None and _lacks(result, places[row])]
            found = attempt([(texts[row], results[row], places[row]) for row in todo], source, target)
            for row, one in zip(todo, found, strict=True):
                if one is not None and one.reason is None and not _lacks(one, places[row]):
                    results[row] = one
        return results

    def _of_hypotheses(
        self, rows: Sequence[tuple[str, Translation, Sequence[Place]]], source: str, target: str
    ) -> list[Translation | None]:
        if not rows or not hasattr(self.inner, "translate_nbest"):
            return [None] * len(rows)
        several = self.inner.translate_nbest([text for text, _, _ in rows], source, target, self.hypotheses)
        return [
            next((one for one in some if one.reason is None and not _lacks(one, places)), None)
            for some, (_, _, places) in zip(several, rows, strict=True)
        ]

    def _marked(
        self, rows: Sequence[tuple[str, Translation, Sequence[Place]]], source: str, target: str
    ) -> list[Translation | None]:
        found: list[Translation | None] = [None] * len(rows)
        if not getattr(self.inner, "marker_aware", False):
            return found
        wanted: dict[int, tuple[str, str]] = {}
        for row, (text, plain, places) in enumerate(rows):
            lost = _lacks(plain, places)
            if len(lost) == 1 and not set("[]") & set(text):
                start, end, entry = lost[0]
                wanted[row] = replaced(text, [(start, end)], [f" [ {text[start:end]} ] "]), entry.targets[0]
        results = self.inner.translate([text for text, _ in wanted.values()], source, target)
        for (row, (_, term)), result in zip(wanted.items(), results, strict=True):
            marks = list(_MARKED.finditer(result.text))
            if len(marks) == 1 and result.text.count("[") == result.text.count("]") == 1:
                text = _opened(replaced(result.text, [marks[0].span()], [term]), rows[row][0], [term])
                found[row] = replace(result, text=text, pieces=self.pieces_of(text, target))
        return found

    def _masked(
        self, rows: Sequence[tuple[str, Translation, Sequence[Place]]], source: str, target: str
    ) -> list[Translation | None]:
        found: list[Translation | None] = [None] * len(rows)
        for scheme in SCHEMES:
            prepared = {
                row: masked(text, [(start, end) for start, end, _ in places], scheme)
                for row, (text, _, places) in enumerate(rows)
                if found[row] is None
            }
            ready = {row: one for row, one in prepared.items() if one is not None}
            results = self.inner.translate([text for text, _ in ready.values()], source, target)
            for (row, (_, masks)), result in zip(ready.items(), results, strict=True):
                terms = [entry.targets[0] for _, _, entry in rows[row][2]]
                text = unmasked(result.text, masks, terms) if result.reason is None else None
                if text is not None:
                    text = _opened(text, rows[row][0], terms)
                    found[row] = replace(result, text=text, pieces=self.pieces_of(text, target))
        return found


def _lacks(result: Translation, places: Sequence[Place]) -> list[Place]:
    """The places of the terms that a translation is without; the first place of each term."""
    lost: dict[Entry, Place] = {}
    for place in places:
        if place[2] not in lost and not place[2].satisfied(result.text):
            lost[place[2]] = place
    return list(lost.values())


def _opened(text: str, source: str, terms: Sequence[str]) -> str:
    """A translation that opens with a term in small letters, with the capital its source opens with."""
    if source[:1].isupper() and any(text.startswith(term) and term == term.lower() for term in terms):
        return text[0].upper() + text[1:]
    return text
