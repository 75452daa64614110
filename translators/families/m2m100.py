"""M2M100 and SMaLL-100: as NLLB, with tokens of the form ``__de__``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from spanferry.translators.families.base import ModelFiles, auto_tokenizer, model_type
from spanferry.translators.families.nllb import NllbFamily


class M2M100Family(NllbFamily):
    """Many-to-many with ``__xx__``; SMaLL-100 puts the target's token on the source and none on the target."""

    name: ClassVar[str] = "m2m100"
    tokenizer_files: ClassVar[tuple[str, ...]] = ("sentencepiece.bpe.model", "vocab.json")
    token: ClassVar[re.Pattern[str]] = re.compile(r"__([a-z]{2,3})__")

    @classmethod
    def recognises(cls, files: ModelFiles) -> bool:
        if files.vocabulary:
            return super().recognises(files)
        return model_type(files) == "m2m_100"

    @classmethod
    def describe(cls, files: ModelFiles) -> dict[str, Any]:
        return {**super().describe(files), "target_on_source": _is_small(files)}

    @classmethod
    def load_tokenizer(cls, directory: Path, files: ModelFiles) -> Any:
        """SMaLL-100 names a class that comes as code and breaks on transformers 5; the files are those of M2M100."""
        if not _is_small(files):
            return auto_tokenizer(directory)
        from transformers import M2M100Tokenizer

        return M2M100Tokenizer(str(directory / "vocab.json"), str(directory / "sentencepiece.bpe.model"))

    @classmethod
    def prepare(cls, model: Any, tokenizer: Any) -> None:
        """transformers 5 leaves the language tokens out of the vocabulary unless the hub's own files name them."""
        super().prepare(model, tokenizer)
        vocabulary = {**tokenizer.get_vocab(), **getattr(tokenizer, "lang_token_to_id", {})}
        tokenizer.get_vocab = lambda: vocabulary


def _is_small(files: ModelFiles) -> bool:
    """Whether it is SMaLL-100: by its names, or by its decoder, which has fewer layers than the encoder (3 of 12,
    Mohammadshahi et al. 2022, section 3.2); in M2M100 both have as many."""
    encoder, decoder = files.layers
    if 0 < decoder < encoder:
        return True
    said = (files.name, files.tokenizer.get("tokenizer_class"), files.config.get("_name_or_path"), *files.files)
    return any("small100" in str(name).lower().replace("-", "").replace("_", "") for name in said)
