"""mBART-50: as NLLB, with tokens of the form ``de_DE``."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from spanferry.translators.families.base import ModelFiles, model_type
from spanferry.translators.families.nllb import NllbFamily
from spanferry.translators.languages.codes import MBART50

_CLASSES = ("MBart50Tokenizer", "MBart50TokenizerFast")


class MBart50Family(NllbFamily):
    """Many-to-many, one-to-many and many-to-one with ``de_DE`` on both sides. The first mBART, which puts the language
    behind the source, is another family."""

    name: ClassVar[str] = "mbart50"
    token: ClassVar[re.Pattern[str]] = re.compile(r"([a-z]{2})_[A-Z]{2}")

    @classmethod
    def recognises(cls, files: ModelFiles) -> bool:
        if model_type(files) not in (None, "mbart"):
            return False
        if files.vocabulary:
            return set(MBART50) <= set(files.vocabulary)
        classes = (files.tokenizer.get("tokenizer_class"), files.config.get("tokenizer_class"))
        return any(name in _CLASSES for name in classes) or "mbart-large-50" in files.name.lower()

    @classmethod
    def describe(cls, files: ModelFiles) -> dict[str, Any]:
        facts = super().describe(files)
        # The checkpoints with English on one side have the whole vocabulary all the same.
        if "one-to-many" in files.name:
            facts["source_languages"] = ["en"]
        elif "many-to-one" in files.name:
            facts["target_languages"] = ["en"]
        return facts

    @classmethod
    def prepare(cls, model: Any, tokenizer: Any) -> None:
        """The converter reads from the configuration what transformers 5 leaves out: where the layers are
        normalised, and that the decoder starts from ``</s>``. Its tokeniser has lost ``<s>``, which CTranslate2
        wants to have a name."""
        config = model.config
        config.normalize_before = config.normalize_embedding = True
        config.tokenizer_class = _CLASSES[0]
        tokenizer.bos_token = tokenizer.bos_token or tokenizer.cls_token
