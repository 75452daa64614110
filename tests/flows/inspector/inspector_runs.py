"""Runs that the inspector's tests open: small ones, written by the writer that real ones are written by."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spanferry.corpora.schema import Example, Pair, Projection, Span
from spanferry.corpora.stored.records import Record, write_records
from spanferry.corpora.stored.switch_schema import SWITCH, schema_of
from spanferry.corpora.writers import open_writer
from spanferry.flows.inspector.runs import find_corpora
from spanferry.flows.inspector.session import ReviewSession

SCRIPTS = "<script>window.pwned=1</script><img src=x onerror=window.pwned=2>"
BIDI = "pay \u202eevil\u2066 to\u2069 <b>me</b>\u202c now"
NULLS = "a null\0byte and \x07 bell \x1b[31m, then gold"
LINE_END = "carriage\r\nreturn, line\u2028separator"


def pair(
    name: str,
    source: tuple[str, Sequence[tuple[str, str]]],
    target: tuple[str, Sequence[str | None]],
    *,
    lang: str,
    source_lang: str = "en",
    scores: Sequence[float] = (0.9, 0.8, 0.7, 0.6, 0.5),
    methods: Sequence[str] = ("lexical+copy", "lexical", "constrained", "copy", "lexical"),
    reasons: Sequence[str] = (),
    split: str = "train",
) -> Pair:
    """A pair from quotes.

    Args:
        name: The example's id.
        source: The text, and (quote, label) of every span.
        target: The text, and the quote of every span's partner; None: it has none.
        lang: Of the target.
        source_lang: Of the source.
        scores: One per span, as far as it is placed.
        methods: Likewise.
        reasons: Why it was rejected.
        split: Of the data.
    """
    spans = tuple(_found(source[0], quote, label, f"s{i}") for i, (quote, label) in enumerate(source[1]))
    partners = tuple(
        None if quote is None else _found(target[0], quote, span.label, span.id)
        for span, quote in zip(spans, target[1], strict=True)
    )
    projections = tuple(
        Projection(span.id, partner, scores[i] if partner else 0.0, methods[i], None if partner else "unaligned")
        for i, (span, partner) in enumerate(zip(spans, partners, strict=True))
    )
    example = Example(name, source_lang, {"text": source[0]}, spans, split=split)
    there = tuple(p for p in partners if p is not None)
    return Pair(
        example,
        Example(name, lang, {"text": target[0]}, there, split=split),
        projections,
        {"mt_score": -0.5},
        not reasons,
        tuple(reasons),
        "test:1",
    )


def _found(text: str, quote: str, label: str, name: str) -> Span:
    start = text.index(quote)
    return Span(start, start + len(quote), label, name)


def write_run(out: Path, corpora: dict[str, list[Pair]]) -> Path:
    """``OUT`` with a dataset for every name."""
    for name, pairs in corpora.items():
        open_writer("arrow").write([pairs], out / name)
    return out


def open_session(out: Path, who: str = "tester") -> ReviewSession:
    """A session on a run."""
    return ReviewSession(find_corpora(out), who)


@dataclass(frozen=True)
class Case:
    """A sentence in one script.

    Attributes:
        lang: Of the target.
        text: Target text.
        kept: A quote whose span is accepted.
        wrong: A quote whose span is rejected.
        moved: A quote whose span's edges are moved.
        marked: A quote on which a span without a place is put by marking it.
    """

    lang: str
    text: str
    kept: str
    wrong: str
    moved: str
    marked: str

    def pair(self, name: str) -> Pair:
        """A pair with an English source (a German one for English): spans s0 to s3, the last without a place."""
        other = self.lang == "en"
        source = "Mia trifft Ole am Hafen um neun." if other else "Mia meets Ole at the harbour at nine."
        quotes = ("Mia", "Ole", "Hafen", "neun") if other else ("Mia", "Ole", "harbour", "nine")
        labels = ("person", "person", "place", "time")
        return pair(
            name,
            (source, list(zip(quotes, labels, strict=True))),
            (self.text, (self.kept, self.wrong, self.moved, None)),
            lang=self.lang,
            source_lang="de" if other else "en",
        )


def decomposed(text: str) -> str:
    """Every letter followed by its marks, so that characters as people see them are several code points."""
    return unicodedata.normalize("NFD", text)


CASES = {
    "en": Case("en", "Mia meets Ole at the old harbour at nine o'clock.", "Mia", "Ole", "harbour", "nine o'clock"),
    "de": Case("de", "Mia trifft Ole um neun Uhr früh am Hafenbecken.", "Mia", "Ole", "Hafenbecken", "neun Uhr"),
    "he": Case("he", "מיה פוגשת את עולה בנמל הישן בשעה תשע.", "מיה", "עולה", "נמל", "תשע"),
    "ar": Case(
        "ar", "تلتقي ميا بأولي في الميناء القديم عند الساعة التاسعة.", "ميا", "أولي", "الميناء", "الساعة التاسعة"
    ),
    "zh": Case("zh", "米娅九点在旧港口附近见奥勒。", "米娅", "奥勒", "旧港口", "九点"),
    "th": Case("th", "มีอาพบโอเลที่ท่าเรือเก่าตอนเก้าโมง", "มีอา", "โอเล", "ท่าเรือ", "เก้าโมง"),
    "emoji": Case(
        "es", "👩‍🚀 Mia ve a 👨‍👩‍👧 Ole en el 🏖️ puerto 🇪🇸🇲🇽 a las 9️⃣ 😀.", "Mia", "👨‍👩‍👧 Ole", "🏖️ puerto", "9️⃣ 😀"
    ),
    "marks": Case("vi", *map(decomposed, ("Mia gặp Ôle ở cảng cũ lúc chín giờ.", "Mia", "Ôle", "cảng", "chín giờ"))),
}


def _switch(lang: str, start: int, end: int, text: str, source_start: int, source_end: int, source: str) -> dict:
    return {
        **dict.fromkeys(f.name for f in SWITCH),
        "unit": "word",
        "counterpart": "alignment",
        "lang": lang,
        "field": "text",
        "start": start,
        "end": end,
        "text": text,
        "source_start": source_start,
        "source_end": source_end,
        "source_text": source,
    }


def write_switched(out: Path) -> Path:
    """A dataset ``en-es-de``: one switched row, one that nothing was switched in, one rejected."""
    span = {"label": "city", "id": "s0", "field": "text", "fragments": []}
    base = {"lang": "en", "ner_tags": [], "relations": [], "label": None, "unswitched": None, "copy": 0, "meta": "{}"}
    text = "😀 The casa roja in Mailand."
    switches = [
        _switch("es", 6, 15, "casa roja", 6, 15, "red house"),
        _switch("de", 19, 26, "Mailand", 19, 24, "Milan"),
    ]
    rows = [
        {
            **base,
            "id": "r0",
            "text": text,
            "tokens": ["😀", "The", "casa", "roja", "in", "Mailand", "."],
            "langs": ["", "en", "es", "es", "en", "de", ""],
            "spans": [{**span, "start": 19, "end": 26}, {**span, "id": "s1", "start": 2, "end": 10, "label": "thing"}],
            "switches": switches,
            "cmi": 40.0,
            "spf": 0.5,
            "source_id": "r0",
        },
        {
            **base,
            "id": "r1",
            "text": "Oslo",
            "tokens": ["Oslo"],
            "langs": ["en"],
            "spans": [{**span, "start": 0, "end": 4}],
            "switches": [],
            "cmi": 0.0,
            "spf": 0.0,
            "source_id": "r1",
        },
    ]
    schema = schema_of(["text"])
    records = [Record(row["id"], {k: v for k, v in row.items() if k != "id"}, "test") for row in rows]
    records.append(Record("r2", {}, reasons=("switch:no_unit",), texts={"text": "Hm.", "more": {"en": "x"}}))
    write_records(records, out / "en-es-de", schema)
    return out
