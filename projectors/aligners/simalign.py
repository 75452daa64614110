"""The simalign package itself, for comparison with the aligner ``encoder``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError, MissingExtraError, ModelError
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.word_breaks import dictionaries
from spanferry.corpora.text.words import word_strings
from spanferry.projectors.aligners.encoder.convert import NAMES, default_layer
from spanferry.projectors.apostrophes import APOSTROPHES
from spanferry.projectors.base import Alignment, ProjectionInput, words_of_both
from spanferry.translators.conversion.convert import WEIGHTS, fingerprint
from spanferry.translators.engine.failures import settle
from spanferry.translators.engine.limits import BAD_UNICODE, MODEL_ERROR, text_reason

_METHODS = {"argmax": ("a", "inter"), "itermax": ("i", "itermax"), "match": ("m", "mwmf")}


class SimalignAligner:
    """Jalili Sabet et al. (Findings of EMNLP 2020) by their own package, one pair at a time.

    It knows hard links only, so a probability is 0 or 1. A text longer than the model is cut off, as the package does
    it. Reasons: ``empty_source``, ``empty_target``, ``bad_unicode``, ``model_error``.

    Args:
        model: ``mbert``, ``xlmr``, ``labse``, a hub id or a directory in Hugging Face layout.
        method: ``argmax``, ``itermax`` or ``match``.
        layer: Layer whose vectors are compared; by default the published one.

    Raises:
        ConfigError: Unknown method, or no such layer.
        MissingExtraError: The package is not installed.
        ModelError: There is no such model.
    """

    def __init__(self, model: str = "mbert", method: str = "argmax", *, layer: int | None = None) -> None:
        if method not in _METHODS:
            raise ConfigError(f"unknown method {method!r} of aligner 'simalign'", valid=_METHODS, hint="method=argmax")
        try:
            import simalign
            import transformers
        except ImportError as error:
            raise MissingExtraError.of("simalign", "simalign", "the aligner 'simalign'") from error
        self.model, self.method = str(model), method
        # The package reads some names, such as ``bert``, as models of its own choice: a directory is given in full.
        folder = Path(self.model).expanduser()
        path = str(folder.resolve()) if folder.is_dir() else NAMES.get(self.model.lower(), self.model)
        letter, self._key = _METHODS[method]
        try:
            layers = int(transformers.AutoConfig.from_pretrained(path).num_hidden_layers)
            if layer is not None and not 1 <= layer <= layers:
                raise ConfigError(f"layer = {layer}", where=self.model, valid=f"1 to {layers}", hint="leave layer out")
            self.layer = default_layer(self.model, layers) if layer is None else layer
            self._aligner: Any = simalign.SentenceAligner(path, "bpe", matching_methods=letter, layer=self.layer)
            weights = sorted(file for pattern in WEIGHTS for file in folder.glob(pattern))
            self._name = f"{folder.resolve().name}@{fingerprint(folder, weights)}" if weights else self.model
        except ConfigError:
            raise
        except Exception as error:  # readers of weights and tokenisers raise classes of their own
            raise ModelError(
                f"simalign can't load {self.model!r}: {(str(error) or type(error).__name__).splitlines()[0]}",
                valid=f"{', '.join(NAMES)}, a hub id, or a directory in Hugging Face layout",
                hint="without a network, give a directory",
            ) from error

    @property
    def signature(self) -> Signature:
        """``simalign.<method>(<model>.l<layer>)|<dictionaries>``; a directory by its name and a hash of its weights."""
        return Signature.of(f"simalign.{self.method}({self._name}.l{self.layer})", dictionaries(), APOSTROPHES)

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input, in order.

        Raises:
            ModelError: The model fails on every one of several inputs.
        """
        errors: list[str] = []
        found = [self._align_one(item, errors) for item in inputs]
        tried = sum(a.reason in (None, MODEL_ERROR) for a in found)
        settle(errors, tried, "align", self._name)
        return found

    def _align_one(self, item: ProjectionInput, errors: list[str]) -> Alignment:
        ranges = words_of_both(item)
        probabilities = np.zeros((len(ranges[0]), len(ranges[1])), np.float32)
        if not ranges[0] or not ranges[1]:
            return Alignment(*ranges, probabilities, reason="empty_target" if ranges[0] else "empty_source")
        if BAD_UNICODE in (text_reason(item.source_text), text_reason(item.target_text)):
            return Alignment(*ranges, probabilities, reason=BAD_UNICODE)
        left, right = word_strings(item.source_text, ranges[0]), word_strings(item.target_text, ranges[1])
        try:
            found = self._aligner.get_word_aligns(left, right)[self._key]
        except (RuntimeError, IndexError, ValueError) as error:
            errors.append(str(error))
            # Longer than the model's positions where its tokeniser knows no limit, or words without pieces.
            return Alignment(*ranges, probabilities, reason=MODEL_ERROR)
        links = tuple((int(i), int(j)) for i, j in found)
        for link in links:
            probabilities[link] = 1.0
        return Alignment(*ranges, probabilities, links)
