"""From a name and options in a configuration to an aligner."""

import inspect
from collections.abc import Mapping
from typing import Any

from corpora.errors import ConfigError, ModelError, nearest
from corpora.registry import resolve
from projectors.aligners import ALIGNERS
from projectors.base import Aligner


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
    valid = [name for name in parameters if name != "translator"]
    for option in options:
        if option not in valid:
            close = nearest(option, valid, 1)
            hint = f"did you mean {close[0]!r}?" if close else "spanferry list aligners"
            raise ConfigError(f"unknown option {option!r} of aligner {kind!r}", valid=valid or "none", hint=hint)
    wanted = {"translator": translator} if "translator" in parameters else {}
    if wanted and translator is None and parameters["translator"].default is inspect.Parameter.empty:
        raise ModelError(f"aligner {kind!r} needs a model", hint="--translator MODEL, or aligner 'lexical'")
    try:
        aligner: Aligner = cls(**wanted, **options)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"aligner {kind!r}: {error}", hint="spanferry list aligners") from error
    return aligner
