"""Methods against gold: every projector or aligner on every gold, with the comparisons between them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import regex

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.metrics.bootstrap import Comparison, f1_interval, paired_bootstrap
from spanferry.corpora.signature import Signature
from spanferry.flows.config import parse_value, put_value
from spanferry.flows.version import VERSION
from spanferry.projectors.base import FittableProjector, Projector, projector_entry
from spanferry.projectors.evaluation.gold import Gold
from spanferry.projectors.evaluation.judge import Judgement, inputs_to_fit, judge
from spanferry.projectors.methods.build import build_projector
from spanferry.projectors.pipeline.stages import fit_sample, project_some
from spanferry.translators.loading.load import load_translator

# A comma between options, not one inside a list or a table.
_COMMA = regex.compile(r"(?:\[[^\[\]]*\]|\{[^{}]*\})(*SKIP)(*FAIL)|,")
_WRITTEN = "name[option=value,option=value]"


@dataclass(frozen=True, slots=True)
class Method:
    """A component with its options, as it is written on the command line: ``alignment[rule=minmax]``.

    Attributes:
        name: As written.
        kind: Name in the table, or ``package.module:Class``.
        options: Its options.
    """

    name: str
    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """One method on one gold.

    Attributes:
        method: The method's name as written.
        signature: The method's own signature.
        judgement: Its projections against the gold.
        interval: 95 % bootstrap interval of F1.
        seconds: To fit and to project.
    """

    method: str
    signature: str
    judgement: Judgement
    interval: tuple[float, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Settings:
    """What an evaluation depends on besides methods and gold.

    Attributes:
        model: The translator's name, or ``none``.
        device: auto, cpu or cuda.
        words: ``given`` tokens, or the ``own`` segmentation of both sides.
        fit_rows: Pairs that a corpus aligner is fitted on, at most.
        samples: Resampled sets of the bootstrap.
        seed: Of the bootstrap.
    """

    model: str = "bundled"
    device: str = "auto"
    words: str = "given"
    fit_rows: int = 20_000
    samples: int = 1000
    seed: int = 0


def parse_method(text: str) -> Method:
    """The method that ``text`` names.

    >>> parse_method("alignment[rule=gap=1,aligner_options.prior=none]").options
    {'rule': 'gap=1', 'aligner_options': {'prior': 'none'}}

    Raises:
        ConfigError: Not ``name`` or ``name[option=value,…]``.
    """
    kind, bracket, rest = text.partition("[")
    options: dict[str, Any] = {}
    if bracket and not rest.endswith("]"):
        raise ConfigError(f"{text!r} has no ']'", valid=_WRITTEN, hint=f"'{text}]'")
    for part in filter(None, _COMMA.split(rest.removesuffix("]"))):
        key, sign, value = part.partition("=")
        if not sign:
            raise ConfigError(f"{part!r} in {text!r} has no '='", valid=_WRITTEN, hint=f"{part}=VALUE")
        put_value(options, key.strip(), parse_value(value.strip()))
    return Method(text, kind.strip(), options)


def evaluate_projection(
    methods: Sequence[Method],
    golds: Sequence[Gold],
    settings: Settings,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Evaluation]:
    """Every method on every gold, with gold source spans; methods vary fastest.

    Args:
        methods: What is compared.
        golds: On what.
        settings: How.
        tell: Called with what comes next.

    Raises:
        ConfigError: A method that there is none of, or an option it does not take; before any work is done.
        ModelError: A method needs a model and there is none for the pair.
    """
    golds = [_with_words(gold, settings.words) for gold in golds]
    # All of them are built before the first works: a wrong name must not cost an hour.
    plan = [(gold, method, _built(method, gold, settings)) for gold in golds for method in methods]
    found = []
    for gold, method, projector in plan:
        tell(f"{method.name} on {gold.name}")
        start = time.perf_counter()
        if isinstance(projector, FittableProjector):
            projector = projector.fit(fit_sample(inputs_to_fit(gold), settings.fit_rows))
        judgement = judge(gold, project_some(projector, gold.inputs))
        seconds = time.perf_counter() - start
        interval = f1_interval(judgement.counts(), samples=settings.samples, seed=settings.seed)
        found.append(Evaluation(method.name, projector.signature, judgement, interval, seconds))
    return found


def compare(
    measured: Sequence[tuple[str, str, np.ndarray]], settings: Settings
) -> list[tuple[str, str, str, Comparison]]:
    """(gold, first method, other method, comparison): the first method against each other one, gold by gold.

    Where there are several golds, ``all`` of them together come last.

    Args:
        measured: Gold, method, and its correct, predicted and gold counts of each text, (n_texts, 3).
        settings: Samples and seed.
    """
    golds = list(dict.fromkeys(gold for gold, _, _ in measured))
    methods = list(dict.fromkeys(method for _, method, _ in measured))
    counts = {(gold, method): table for gold, method, table in measured}
    rows = []
    for other in methods[1:]:
        pairs = [(gold, counts[gold, methods[0]], counts[gold, other]) for gold in golds]
        if len(golds) > 1:
            pairs.append(("all", np.concatenate([p[1] for p in pairs]), np.concatenate([p[2] for p in pairs])))
        for gold, first, second in pairs:
            found = paired_bootstrap(first, second, samples=settings.samples, seed=settings.seed)
            rows.append((gold, methods[0], other, found))
    return rows


def evaluation_signature(evaluation: Evaluation, settings: Settings) -> Signature:
    """Every choice that a number depends on."""
    gold = evaluation.judgement.gold
    return Signature.of(
        ("gold", f"{gold.name}.{gold.signature}"),
        ("lang", f"{gold.source_lang}-{gold.target_lang}"),
        projector_entry(evaluation.signature),
        ("words", settings.words),
        ("fit", settings.fit_rows),
        ("bootstrap", settings.samples),
        ("seed", settings.seed),
        ("version", VERSION),
    )


def _built(method: Method, gold: Gold, settings: Settings) -> Projector:
    translator = model_for(gold.source_lang, gold.target_lang, settings)
    return build_projector(method.kind, method.options, translator, gold.source_lang, gold.target_lang)


def model_for(source: str, target: str, settings: Settings) -> Any:
    """The translator for a pair, or None where none was asked for or the model does not know the pair."""
    return _model(settings.model, source, target, settings.device)


@lru_cache(maxsize=4)
def _model(name: str, source: str, target: str, device: str) -> Any:
    return load_translator(name, source=source, target=target, device=device, optional=True)


def _with_words(gold: Gold, chosen: str) -> Gold:
    if chosen == "given":
        return gold
    plain = tuple(replace(item, source_words=(), target_words=()) for item in gold.inputs)
    more = tuple(replace(item, source_words=(), target_words=()) for item in gold.more)
    return replace(gold, inputs=plain, more=more)
