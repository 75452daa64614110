"""Placeholders, URLs, code, markup, mentions, tags and emoji come through a translation as they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from spanferry.corpora.schema import Translation
from spanferry.corpora.signature import Signature
from spanferry.translators.engine import limits
from spanferry.translators.wrappers.masks import SCHEMES, masked, unmasked
from spanferry.translators.wrappers.protect_items import Item, protected_items
from spanferry.translators.wrappers.wrapped import WrappedTranslator

_ENDS = ".?!…。？！"
_OPENS = "¿¡"


class ProtectedTranslator(WrappedTranslator):
    """Translates around what ``protected_items`` finds, and checks that it is there.

    A text is translated with a stand-in for each item (see ``masks``), which is replaced by the item
    afterwards; the word order stays the model's. Where a stand-in does not come back exactly once, the next scheme is
    tried; after the last one what lies between the items is translated piece by piece, which loses context and no
    item. A text that is nothing but items and signs is copied. The result is scanned again: a row in which an item is
    missing has the reason ``protected_<kind>``.

    Offsets are none of its business: source and translation are whole texts again when labels are carried over.
    """

    @property
    def signature(self) -> Signature:
        """The inner signature and ``protect:2``."""
        return Signature.of(self.inner.signature, ("protect", 2))

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in order."""
        found: dict[int, Translation] = {}
        items = {row: _worth(text) for row, text in enumerate(texts)}
        for row, text in enumerate(texts):
            if items[row] and not _says_something(text, items[row]):
                found[row] = Translation(text.strip(), self.pieces_of(text, target), 0.0)
        for number, scheme in enumerate(SCHEMES):
            # Texts without items go along with the first scheme: the model gets all rows in one call.
            todo = [row for row in items if row not in found and (items[row] or number == 0)]
            prepared = {row: masked(texts[row], [(i.start, i.end) for i in items[row]], scheme) for row in todo}
            ready = {row: one for row, one in prepared.items() if one is not None}
            results = self.inner.translate([text for text, _ in ready.values()], source, target)
            for (row, (_, masks)), result in zip(ready.items(), results, strict=True):
                checked = self._restored(result, masks, items[row], target)
                if checked is not None:
                    found[row] = checked
        left = [row for row in items if row not in found]
        for row, result in zip(left, self._pieced(texts, left, items, source, target), strict=True):
            found[row] = result
        return [found[row] for row in range(len(texts))]

    def _restored(
        self, result: Translation, masks: Sequence[str], items: Sequence[Item], target: str
    ) -> Translation | None:
        if not items:
            return result
        text = unmasked(result.text, masks, [item.text for item in items]) if result.reason is None else None
        if text is None or _lost(text, items) is not None:
            return None
        return replace(result, text=text, pieces=self.pieces_of(text, target))

    def _pieced(
        self, texts: Sequence[str], rows: Sequence[int], items: dict[int, list[Item]], source: str, target: str
    ) -> list[Translation]:
        """What lies between the items translated by itself, and the white space around it kept."""
        parts = {row: _between(texts[row], items[row]) for row in rows}
        wanted = list(dict.fromkeys(p.strip() for some in parts.values() for p in some if _has_letters(p)))
        translated = dict(zip(wanted, self.inner.translate(wanted, source, target), strict=True))
        return [self._joined(parts[row], items[row], translated, target) for row in rows]

    def _joined(
        self, parts: Sequence[str], items: Sequence[Item], translated: dict[str, Translation], target: str
    ) -> Translation:
        text, score, weight = "", 0.0, 0
        for part, item in zip(parts, [*items, None], strict=True):
            core = part.strip()
            result = translated.get(core)
            if result is not None and result.reason is not None:
                return result
            if result is not None:
                at = part.index(core)
                text += part[:at] + _alike(core, result.text) + part[at + len(core) :]
                score += (result.score or 0.0) * len(result.pieces)
                weight += len(result.pieces)
            else:
                text += part
            text += item.text if item else ""
        kind = _lost(text, items)
        if kind is not None:
            return Translation("", reason=f"protected_{kind}")
        return Translation(text.strip(), self.pieces_of(text, target), score / weight if weight else 0.0)


def _worth(text: str) -> list[Item]:
    """The items of a text that can be translated at all."""
    return protected_items(text) if limits.text_reason(text) is None else []


def _between(text: str, items: Sequence[Item]) -> list[str]:
    """The len(items) + 1 stretches before, between and after the items."""
    edges = [0, *(edge for item in items for edge in (item.start, item.end)), len(text)]
    return [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _says_something(text: str, items: Sequence[Item]) -> bool:
    return any(map(_has_letters, _between(text, items)))


def _lost(text: str, items: Sequence[Item]) -> str | None:
    """The kind of the first item that a translation lacks, scanned as the source was; None where all are there."""
    there = Counter(item.text for item in protected_items(text))
    needed = Counter(item.text for item in items)
    return next((item.kind for item in items if there[item.text] < needed[item.text]), None)


def _alike(source: str, translated: str) -> str:
    """A translated fragment without the full stop and the capital that a model gives to any fragment."""
    if source[-1] not in _ENDS:
        translated = translated.rstrip(_ENDS).lstrip(_OPENS)
    if source[:1].islower() and translated[:1].isupper():
        translated = translated[0].lower() + translated[1:]
    return translated
