"""Several methods vote: every place that one of them names is weighed by what all of them say of it.

A log-linear model over the places that were named and the choice to leave the span out: a method speaks for the place
it names, more where it is sure, and in part for places that overlap with it; one that names none speaks for leaving the
span out. What each voice counts is fitted on gold (``evaluation.fit_weights``); agreement is the best sign of a right
projection, so the confidence is the winner's share, calibrated.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError, InputError, unknown_name
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.corpora.signature import Signature
from spanferry.projectors import PROJECTORS
from spanferry.projectors.base import FittableProjector, ProjectionInput, Projector
from spanferry.projectors.confidence.calibration import WEIGHTS, Calibration, load_calibration
from spanferry.projectors.methods.build import build_projector
from spanferry.projectors.placing.search import choose

VOICES = ("named", "sure", "overlap", "silent")
_NAMED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "default": ("default", {"calibrate": False}),
    "minmax": ("alignment", {"rule": "minmax"}),
    "attention": ("alignment", {"aligner": "attention"}),
    "constrained": ("constrained", {}),
    "copy": ("copy", {}),
}
_NEED_MODEL = frozenset({"attention", "constrained"})
MEMBERS = ("default", "minmax", "attention", "copy")
# What a voice counts for which nothing was fitted.
_UNFITTED = (0.5, 2.0, 1.0, 0.5)

# A target range (its fragments, if it is discontinuous), or None.
Place = tuple[Range, ...] | None


@dataclass(frozen=True)
class Fusion:
    """What the voices count, in nats.

    Attributes:
        absent: Score of leaving a span out.
        voices: By member the weights of ``VOICES``; a member that is not here counts as ``_UNFITTED``.
    """

    absent: float
    voices: Mapping[str, tuple[float, ...]]

    @staticmethod
    def of(numbers: Mapping[str, Any]) -> "Fusion":
        """From the numbers of a weights file."""
        voices = {name: tuple(float(its[v]) for v in VOICES) for name, its in numbers["voices"].items()}
        return Fusion(float(numbers["absent"]), voices)

    @property
    def digest(self) -> str:
        """Eight characters that change with any number."""
        return blake2b(json.dumps([self.absent, dict(self.voices)]).encode(), digest_size=4).hexdigest()

    def score(self, place: Place, votes: Mapping[str, Projection]) -> float:
        """What all members say of a place, or of leaving the span out."""
        total = self.absent if place is None else 0.0
        for name, vote in votes.items():
            total += float(np.dot(self.voices.get(name, _UNFITTED), voice(place, vote)))
        return total


def load_fusion(model: bool) -> Fusion:
    """The weights that come with the project, for ensembles with a translation model to ask or without."""
    tables = json.loads((WEIGHTS / "ensemble.json").read_text(encoding="utf-8"))
    return Fusion.of(tables["fusion"]["model" if model else "alone"])


def voice(place: Place, vote: Projection) -> tuple[float, float, float, float]:
    """What one member's vote says of a place, by ``VOICES``.

    ``named``: it is the place it names; ``sure``: how sure it is of it then; ``overlap``: the F1 of the characters that
    its place shares with this one; ``silent``: 1 for leaving the span out where it names none.
    """
    own = place_of(vote)
    if own is None or place is None:
        return (0.0, 0.0, 0.0, float(own is None and place is None))
    shared = sum(max(0, min(b, d) - max(a, c)) for a, b in own for c, d in place)
    total = sum(b - a for a, b in (*own, *place))
    return (float(own == place), vote.score * (own == place), 2.0 * shared / total, 0.0)


def place_of(projection: Projection) -> Place:
    """Where a projection is, as its fragments."""
    span = projection.span
    return None if span is None else span.fragments or ((span.start, span.end),)


class EnsembleProjector:
    """Lets several methods vote and weighs their votes; agreement is the confidence.

    Args:
        translator: A ScoringTranslator for the pair, or None: members that need one are left out.
        source_lang: BCP-47.
        target_lang: BCP-47.
        members: Names: ``default``, ``minmax`` (lexical alignment), ``attention``, ``constrained``, ``copy``, another
            projector's name or ``package.module:Class``. Weights and calibration were fitted for the members given by
            default; with others every voice counts the same and the score is the share of the votes.
        calibrate: Whether the fitted weights and calibration are used at all.

    Raises:
        ConfigError: Fewer than two members, or a name that is none.
    """

    def __init__(
        self,
        translator: Any = None,
        source_lang: str = "",
        target_lang: str = "",
        *,
        members: Sequence[str] = MEMBERS,
        calibrate: bool = True,
    ) -> None:
        usable = [name for name in dict.fromkeys(members) if translator is not None or name not in _NEED_MODEL]
        self.members = {name: _member(name, translator, source_lang, target_lang) for name in usable}
        if len(self.members) < 2:
            raise ConfigError(
                f"an ensemble of {', '.join(self.members) or 'nothing'}",
                valid="two members or more",
                hint='--set projector.options.members=\'["default", "copy"]\'',
            )
        self.fusion = Fusion(0.0, {})
        self.calibration: Calibration | None = None
        if calibrate and tuple(members) == MEMBERS:
            self.fusion = load_fusion(translator is not None)
            self.calibration = load_calibration("ensemble", translator is not None)

    @property
    def signature(self) -> Signature:
        """``ensemble.<weights>.<calibration>(<member>+…)``."""
        digests = [self.fusion.digest] + ([self.calibration.digest] if self.calibration else [])
        members = "+".join(p.signature for p in self.members.values())
        return Signature(f"ensemble.{'.'.join(digests)}({members})")

    def fit(self, inputs: Sequence[ProjectionInput]) -> "EnsembleProjector":
        """The same ensemble, its members fitted on ``inputs`` as far as they learn."""
        return self._with(
            {n: p.fit(inputs) if isinstance(p, FittableProjector) else p for n, p in self.members.items()}
        )

    def state(self) -> bytes:
        """The tables of all members, each after its length in eight bytes."""
        states = [p.state() if isinstance(p, FittableProjector) else b"" for p in self.members.values()]
        return b"".join(len(state).to_bytes(8, "big") + state for state in states)

    def with_state(self, state: bytes) -> "EnsembleProjector":
        """The same ensemble with the given tables.

        Raises:
            InputError: ``state`` is not what ``state()`` wrote.
        """
        members, at = {}, 0
        for name, projector in self.members.items():
            start, end = at + 8, at + 8 + int.from_bytes(state[at : at + 8], "big")
            if len(state) < end:
                raise InputError("the state of an ensemble is cut off", hint="fit it again: --overwrite")
            fitted = isinstance(projector, FittableProjector)
            members[name] = projector.with_state(state[start:end]) if fitted else projector  # type: ignore[attr-defined]
            at = end
        return self._with(members)

    def project(self, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
        """For each input one projection per span, in the spans' order.

        ``method`` names the members that chose the same place. Reasons: ``outvoted`` (leaving it out has more votes),
        ``overlap``, or the first member's where no member names a place.
        """
        votes = {name: projector.project(inputs) for name, projector in self.members.items()}
        out = []
        for k, item in enumerate(inputs):
            found = decide(item, {name: rows[k] for name, rows in votes.items()}, self.fusion)
            out.append(self.calibration.apply(found, item.target_text) if self.calibration else found)
        return out

    def _with(self, members: Mapping[str, Projector]) -> "EnsembleProjector":
        other = object.__new__(EnsembleProjector)
        other.__dict__.update(self.__dict__)
        other.members = dict(members)
        return other


def decide(item: ProjectionInput, votes: Mapping[str, Sequence[Projection]], fusion: Fusion) -> list[Projection]:
    """The projections of one input, chosen together from what each member said of each of its spans."""
    ballots = [{name: own[k] for name, own in votes.items()} for k in range(len(item.spans))]
    places = [places_named(ballot) for ballot in ballots]
    scores = [[fusion.score(p, ballot) for p in named] for named, ballot in zip(places, ballots, strict=True)]
    absent = [fusion.score(None, ballot) for ballot in ballots]
    options = [
        [(named[c][0][0], named[c][-1][1], own[c] - none) for c in range(len(named))]
        for named, own, none in zip(places, scores, absent, strict=True)
    ]
    chosen = choose([(span.start, span.end) for span in item.spans], options, absent=0.0)
    out = []
    for span, ballot, named, own, none, c in zip(item.spans, ballots, places, scores, absent, chosen, strict=True):
        if c is None:
            out.append(Projection(span.id, None, 0.0, "ensemble", _why_not(ballot, own, none)))
            continue
        agree = "+".join(name for name, vote in ballot.items() if place_of(vote) == named[c])
        out.append(Projection(span.id, _placed(span, named[c]), _share(own, none, c), agree))
    return out


def places_named(ballot: Mapping[str, Projection]) -> list[tuple[Range, ...]]:
    """The places that the members name, each once, ascending."""
    return sorted({place for vote in ballot.values() if (place := place_of(vote)) is not None})


def _member(name: str, translator: Any, source_lang: str, target_lang: str) -> Projector:
    if name not in _NAMED and name not in PROJECTORS and ":" not in name:
        raise unknown_name("member of the ensemble", name, list({**_NAMED, **PROJECTORS}))
    kind, options = _NAMED.get(name, (name, {}))
    return build_projector(kind, options, translator, source_lang, target_lang)


def _why_not(ballot: Mapping[str, Projection], scores: Sequence[float], absent: float) -> str:
    if not scores:
        return next((vote.reason for vote in ballot.values() if vote.reason), "unaligned")
    return "overlap" if max(scores) > absent else "outvoted"


def _placed(span: Span, place: tuple[Range, ...]) -> Span:
    return replace(span, start=place[0][0], end=place[-1][1], fragments=place if len(place) > 1 else ())


def _share(scores: Sequence[float], absent: float, chosen: int) -> float:
    """The softmax of one score among all of them and the absence of the span."""
    values = np.array([*scores, absent])
    weights = np.exp(values - values.max())
    return float(weights[chosen] / weights.sum())
