"""From a name and options in a configuration to a projector."""

import inspect
from collections.abc import Mapping
from typing import Any

from spanferry.corpora.errors import ModelError
from spanferry.corpora.options import build_component, checked_options
from spanferry.corpora.registry import resolve
from spanferry.projectors import PROJECTORS
from spanferry.projectors.base import Projector


def build_projector(
    kind: str, options: Mapping[str, Any], translator: Any, source_lang: str, target_lang: str
) -> Projector:
    """The projector that ``kind`` stands for.

    A class takes what it needs by the names of its constructor's parameters: ``translator`` (a ScoringTranslator or
    None), ``source_lang`` and ``target_lang`` (BCP-47); every other parameter is an option.

    Args:
        kind: A name of ``PROJECTORS`` or ``package.module:Class``.
        options: Options of the class.
        translator: The model, or None where none knows the pair.
        source_lang: BCP-47.
        target_lang: BCP-47.

    Raises:
        ConfigError: An unknown name or option, or a value that the class refuses.
        ModelError: The projector needs a model and there is none for the pair.
    """
    cls = resolve("projector", kind, PROJECTORS)
    parameters = inspect.signature(cls).parameters
    given = {"translator": translator, "source_lang": source_lang, "target_lang": target_lang}
    chosen = checked_options(cls, "projector", kind, options, given)  # said before a model is missed
    wanted = {name: value for name, value in given.items() if name in parameters}
    # A model that is named for scoring stands in the translator's place.
    scored = bool(chosen.get("scorer"))
    needs_model = (
        not scored and "translator" in parameters and parameters["translator"].default is inspect.Parameter.empty
    )
    # Language models translate but do not score a given translation: only who asks in prompts can use them.
    if translator is not None and not hasattr(translator, "score_pairs") and "generator" not in parameters:
        if needs_model and not hasattr(cls, "translate_marked"):
            raise ModelError(
                f"projector {kind!r} needs a model that scores given translations; {translator.signature} does not",
                hint="--projector default, which does without, or markers; with constrained also "
                "--set projector.options.scorer=bundled",
            )
        if "translator" in wanted and not needs_model:
            wanted["translator"] = None
    if needs_model and translator is None:
        raise ModelError(
            f"projector {kind!r} needs a model for {source_lang} -> {target_lang}",
            hint="--translator MODEL, or --projector default, which does without",
        )
    projector: Projector = build_component(cls, "projector", kind, options, given=wanted, filled=given)
    return projector
