"""What is said of a bound: promised and true error, and what to do where the bound does not hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from rapidfuzz import fuzz

from spanferry.corpora.schema import Pair
from spanferry.projectors.pipeline.stages import GOLD

ALIKE = 75  # of 100: the ratio from which on two spellings are the same span
_OUTSIDE = {
    "known_words": "words that the table of word translations has",
    "confidence": "confidence of the projection",
    "mt_score": "score of the translator",
    "text_length": "length of the texts",
}


def spelled_right(words: str, gold: Sequence[str]) -> bool | None:
    """Whether a span is spelled like one of the gold's spans of its label (token-sorted ratio); None: it has none."""
    if not gold:
        return None
    return max(fuzz.token_sort_ratio(words.lower(), one.lower()) for one in gold) >= ALIKE


class TrueError:
    """Spans of kept rows, and how many are wrong where the given target side was labelled.

    A span is right where it is spelled at least .75 like a span of that label in the gold (token-sorted ratio); where
    the gold has none of that label it is not judged.
    """

    def __init__(self) -> None:
        self.kept = self.judged = self.wrong = 0

    def add(self, pairs: Sequence[Pair]) -> None:
        """Counts the spans of the kept rows among ``pairs``."""
        for pair in pairs:
            if not pair.kept or pair.target is None:
                continue
            self.kept += len(pair.target.spans)
            gold = pair.target.meta.get(GOLD)
            if gold is None:
                continue
            for span in pair.target.spans:
                same = [pair.target.texts[name][a:b] for a, b, label, name in gold if label == span.label]
                right = spelled_right(pair.target.quote(span), same)
                self.judged += right is not None
                self.wrong += right is False

    def to_dict(self) -> dict[str, Any]:
        """JSON values: ``kept_spans``, and with gold ``gold_judged`` and ``true_error``."""
        found: dict[str, Any] = {"kept_spans": self.kept}
        if self.judged:
            found |= {"gold_judged": self.judged, "true_error": round(self.wrong / self.judged, 4)}
        return found


def bound_rows(promise: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, number and meaning of what the closing table says of a bound.

    Args:
        promise: ``Bound.to_dict`` and ``TrueError.to_dict``.
    """
    asked, sure = f"{promise['error']:.1%}", f"{promise['confidence']:.0%}"
    if promise["threshold"] is None:
        rows = [("promised error", "–", f"no threshold keeps {asked}: rows with spans are rejected")]
    else:
        least = f"spans of probability {promise['threshold']:.3f} and more"
        proof = f"{promise['wrong']} of {promise['judged']} like them were wrong in {promise['text']}"
        rows = [("promised error", f"≤ {asked}", f"with {sure} confidence: {least}; {proof}")]
    if "true_error" in promise:
        rows.append(("true error", f"{promise['true_error']:.1%}", f"of {promise['gold_judged']:,} spans with gold"))
    if promise["outside"]:
        rows.append(("", "", f"the bound does not hold here: {outside_text(promise)}; review 50 rows"))
    return rows


def bound_lines(promise: Mapping[str, Any], out: str) -> list[str]:
    """The same as paragraphs of the report.

    Args:
        promise: See ``bound_rows``.
        out: The run's folder.
    """
    lines = ["### Promised error", *bound_sentences(promise)]
    if not promise["holds"]:
        lines.append("\n".join(["```console", *review_commands(out), "```"]))
    return lines


def bound_sentences(promise: Mapping[str, Any]) -> list[str]:
    """The same as sentences, for the report and the card.

    Args:
        promise: See ``bound_rows``.
    """
    return [
        f"{what or 'Note'}: {' '.join(filter(None, (number, text)))}." for what, number, text in bound_rows(promise)
    ]


def review_commands(out: str) -> list[str]:
    """The commands that make a bound for the corpus at hand.

    Args:
        out: The run's folder.
    """
    return [f"spanferry inspect {out}", f"spanferry calibrate {out}"]


def outside_text(promise: Mapping[str, Any]) -> str:
    """In what a corpus is unlike the judged texts."""
    found = []
    for name, distance in promise["outside"].items():
        if name == "language":
            found.append("no judged rows are in this language")
        elif name == "rows":
            found.append(f"the corpus is {distance:g} times smaller than {promise['text']}")
        elif name == "repaired":
            found.append(f"{distance:.0%} of the rows were repaired, and none of the judged ones was")
        else:
            found.append(f"{_OUTSIDE[name]} (unlike {promise['text']})")
    return ", ".join(found)
