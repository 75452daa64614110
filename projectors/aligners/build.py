"""From a name and options in a configuration to an aligner."""

import inspect
from collections.abc import Mapping
from typing import Any

from spanferry.corpora.errors import ModelError
from spanferry.corpora.options import build_component
from spanferry.corpora.registry import resolve
from spanferry.projectors.aligners import ALIGNERS
from spanferry.projectors.base import Aligner


def build_aligner(kind: str, options: Mapping[str, Any], translator: Any = None) -> Aligner:
    """The aligner that ``kind`` stands for.

    Args:
        kind: A name of ``ALIGNERS`` or ``package.module:Class``.
        options: Options of the class.
        translator: The model, for a class that takes one by that name.

    Raises:
        ConfigError: An unknown name or option, or a value that the class refuses.
        ModelError: The aligner needs a model and there is none.
    """
    cls = resolve("aligner", kind, ALIGNERS)
    parameters = inspect.signature(cls).parameters
    wanted = {"translator": translator} if "translator" in parameters else {}
    if wanted and translator is None and parameters["translator"].default is inspect.Parameter.empty:
        raise ModelError(f"aligner {kind!r} needs a model", hint="--translator MODEL, or aligner 'lexical'")
    aligner: Aligner = build_component(cls, "aligner", kind, options, given=wanted, filled=("translator",))
    return aligner
