"""One probability that a span is right, and the judged rows that a bound on the share of wrong ones is proved with.

``weights/rightness.json`` holds, for translations that a model made and for given ones, trees over the witnesses
(``bound.witnesses``), the isotonic map from their log-odds to probabilities, and for each kind of text the scores
of held-out rows with what was wrong in them. ``python -m spanferry.projectors.evaluation.fit_rightness`` makes it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spanferry.corpora.errors import InputError
from spanferry.corpora.files import cached_while_unchanged
from spanferry.corpora.schema import Pair
from spanferry.projectors.bound.bound import JudgedRows
from spanferry.projectors.bound.trees import Trees
from spanferry.projectors.bound.witnesses import Witnesses, witnesses
from spanferry.projectors.confidence.calibration import Calibration

WEIGHTS = Path(__file__).with_name("weights") / "rightness.json"
Floats = NDArray[np.float64]
Text = Literal["translated", "given"]

COVARIATES = ("known_words", "confidence", "mt_score", "text_length")
"""Means over a row's spans that are compared with those of the judged rows: the share of source words that the table
has, log-odds of the confidence, nats per piece, log of code points."""
_WITNESS = dict(zip(COVARIATES, ("forward_known", "confidence", "mt_score", "text"), strict=True))
# A corpus whose mean lies further from that of the judged rows than so many of their standard deviations is other text.
_FAR = 0.5
_LEAST_SPREAD = 0.1  # rows that are all alike differ from others by nothing that counts
_FEWER = 4  # a corpus with less than this part of their rows is one that aligners knew less of


@dataclass(frozen=True)
class JudgedText:
    """Judged rows of one kind of text.

    Attributes:
        name: Such as ``europarl-es``.
        language: BCP-47 of the translations.
        corpus_rows: Rows of the corpus that they were drawn from, which aligners were fitted on.
        rows: Their scores, and how many spans are wrong.
        means: By covariate.
        spreads: Standard deviations by covariate.
    """

    name: str
    language: str
    corpus_rows: int
    rows: JudgedRows
    means: Mapping[str, float]
    spreads: Mapping[str, float]

    @staticmethod
    def of(numbers: Mapping[str, Any]) -> "JudgedText":
        """From the numbers of a weights file."""
        table = np.array(numbers["rows"], dtype=np.float64).reshape(-1, 3)
        rows = JudgedRows(table[:, 0], table[:, 1].astype(np.int64), table[:, 2].astype(np.int64))
        return JudgedText(
            str(numbers["name"]), str(numbers["language"]), int(numbers["corpus_rows"]), rows,
            dict(numbers["means"]), dict(numbers["spreads"]),
        )  # fmt: skip

    def numbers(self) -> dict[str, Any]:
        """What ``of`` reads."""
        rows = zip(self.rows.least.round(5).tolist(), self.rows.spans.tolist(), self.rows.wrong.tolist(), strict=True)
        return {
            "name": self.name,
            "language": self.language,
            "corpus_rows": self.corpus_rows,
            "means": {name: round(float(value), 4) for name, value in self.means.items()},
            "spreads": {name: round(float(value), 4) for name, value in self.spreads.items()},
            "rows": sorted([list(row) for row in rows], reverse=True),
        }

    def far(self, means: Mapping[str, float], rows: int) -> dict[str, float]:
        """The covariates in which a corpus lies outside this text, with their distance in standard deviations."""
        found = {}
        for name, own in self.means.items():
            if name in means and not np.isnan(means[name]):
                spread = max(self.spreads[name], _LEAST_SPREAD)
                # The mean of few rows strays by itself.
                distance = abs(means[name] - own) / spread - 2.0 / np.sqrt(max(rows, 1))
                if distance > _FAR:
                    found[name] = round(float(distance), 2)
        if rows * _FEWER < self.corpus_rows:
            found["rows"] = round(self.corpus_rows / max(rows, 1), 1)
        return found


@dataclass(frozen=True)
class Rightness:
    """Probabilities for one kind of translation, and the judged texts.

    Attributes:
        trees: Log-odds from witnesses.
        calibration: Their map to probabilities.
        texts: Judged rows by kind of text.
        slope: What a review made of the log-odds of the probabilities: a factor …
        shift: … and what is added.
    """

    trees: Trees
    calibration: Calibration
    texts: tuple[JudgedText, ...]
    slope: float = 1.0
    shift: float = 0.0

    def probabilities(self, seen: Witnesses) -> Floats:
        """That each span is right, (n_spans,)."""
        raw = sigmoid(self.trees.log_odds(seen.values))
        return self.adjusted(self.calibration.confidence(raw, np.ones((len(raw), 2))))

    def adjusted(self, probabilities: Floats) -> Floats:
        """Probabilities after the review."""
        if (self.slope, self.shift) == (1.0, 0.0):
            return probabilities
        return sigmoid(self.slope * log_odds(probabilities) + self.shift)

    def nearest(self, language: str, means: Mapping[str, float], rows: int) -> tuple[JudgedText, dict[str, float]]:
        """The judged text that is most like a corpus, and in what the corpus lies outside of it.

        Args:
            language: BCP-47 of the translations.
            means: By covariate.
            rows: Rows of the corpus.
        """
        same = [text for text in self.texts if _primary(text.language) == _primary(language)]
        far = [(text, text.far(means, rows)) for text in same or self.texts]
        text, outside = min(far, key=lambda found: (len(found[1]), sum(found[1].values()), found[0].name))
        return text, outside if same else {"language": 1.0, **outside}


def row_covariates(seen: Witnesses, rows: int) -> dict[str, list[float | None]]:
    """The covariates of each of ``rows`` rows; None for a row without spans or where nothing is known."""
    found: dict[str, list[float | None]] = {}
    for name, witness in _WITNESS.items():
        column = seen.column(witness)
        known = ~np.isnan(column)
        count = np.bincount(seen.rows[known], minlength=rows)
        total = np.bincount(seen.rows[known], weights=column[known], minlength=rows)
        found[name] = [float(t / c) if c else None for t, c in zip(total, count, strict=True)]
    return found


def describe(
    name: str, language: str, corpus_rows: int, rows: JudgedRows, covariates: Mapping[str, Sequence[float | None]]
) -> JudgedText:
    """A judged text with the means and spreads of the covariates of its rows."""
    columns = {
        key: np.array([v for v in values if v is not None], dtype=np.float64) for key, values in covariates.items()
    }
    columns = {key: column for key, column in columns.items() if len(column)}
    means = {key: float(column.mean()) for key, column in columns.items()}
    spreads = {key: float(column.std()) for key, column in columns.items()}
    return JudgedText(name, language, corpus_rows, rows, means, spreads)


def span_probabilities(pairs: Sequence[Pair], model: Rightness) -> tuple[Witnesses, Floats]:
    """The witnesses of the placed spans of some pairs and the probability that each is right."""
    seen = witnesses(pairs)
    return seen, model.probabilities(seen)


@lru_cache(maxsize=2)
def bundled_rightness(text: Text) -> Rightness:
    """What comes with the project.

    Args:
        text: Whether a model made the translations, or they were given.
    """
    numbers = json.loads(WEIGHTS.read_text(encoding="utf-8"))[text]
    texts = tuple(JudgedText.of(one) for one in numbers["texts"])
    return Rightness(Trees.of(numbers["trees"]), Calibration.of(numbers["calibration"]), texts)


@cached_while_unchanged(4)
def read_review(path: str) -> dict[str, Any]:
    """A file that ``spanferry calibrate`` wrote.

    Raises:
        InputError: There is none, or it is another file.
    """
    hint = "spanferry calibrate OUT writes OUT/calibration.json"
    try:
        numbers = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("no such calibration", where=path, hint=hint) from error
    except ValueError as error:
        raise InputError("the calibration is not JSON", where=path, hint=hint) from error
    if not isinstance(numbers, dict) or numbers.get("format") != REVIEW_FORMAT or not numbers.get("languages"):
        raise InputError("not a calibration that Spanferry wrote", where=path, hint=hint)
    return numbers


REVIEW_FORMAT = "spanferry calibration 1"


def reviewed_rightness(text: Text, path: str, language: str) -> Rightness:
    """The bundled probabilities as a review corrected them, with the reviewed rows as the only judged text.

    Where the review is of another language, what comes with the project.

    Args:
        text: See ``bundled_rightness``.
        path: What ``spanferry calibrate`` wrote; empty: nothing was reviewed.
        language: BCP-47 of the translations.
    """
    bundled = bundled_rightness(text)
    own = read_review(path)["languages"].get(language) if path else None
    if own is None:
        return bundled
    judged = (JudgedText.of(own["text"]),)
    return Rightness(bundled.trees, bundled.calibration, judged, float(own["slope"]), float(own["shift"]))


def review_digest(path: str) -> str:
    """Eight characters that change with any number of a review."""
    return blake2b(json.dumps(read_review(path), sort_keys=True).encode(), digest_size=4).hexdigest()


def sigmoid(values: Floats) -> Floats:
    """Probabilities of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -40.0, 40.0))))


def log_odds(probabilities: Floats) -> Floats:
    """Log-odds of probabilities, those of 0 and 1 being finite."""
    inside = np.clip(probabilities, 1e-4, 1.0 - 1e-4)
    return np.asarray(np.log(inside / (1.0 - inside)))


def _primary(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()
