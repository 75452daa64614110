"""Decoder-only language models: what is converted, and what the converter leaves out is added or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from spanferry.corpora.errors import ModelError
from spanferry.translators.families.base import ModelFiles, auto_tokenizer, model_type
from spanferry.translators.languages.tags import ANY

# Each of these is compared with transformers by a test.
ARCHITECTURES = ("bloom", "gemma", "gemma3_text", "gemma4_text", "gpt2", "llama", "mistral", "opt", "qwen2", "qwen3")
TOKENIZER, CHAT_TEMPLATE, SPECIAL_TOKENS = "tokenizer.json", "chat_template.jinja", "special_tokens_map.json"
SETTINGS = "tokenizer_config.json"
# A tokenizer without a limit of its own names a number with thirty digits; no context is longer than this.
_LONGEST = 1 << 20
# Their converters read the positions layer by layer.
_LAYERED = ("gemma3_text", "gemma4_text")
_ROPE = ("default", "linear", "llama3")


class LlmFamily:
    """Llama, Mistral, Qwen, Gemma, GPT-2, OPT and BLOOM: translate by being asked to, in a prompt."""

    name: ClassVar[str] = "llm"
    tokenizer_files: ClassVar[tuple[str, ...]] = ("generation_config.json",)

    @classmethod
    def recognises(cls, files: ModelFiles) -> bool:
        return files.decoder_only or model_type(files) in ARCHITECTURES

    @classmethod
    def describe(cls, files: ModelFiles) -> dict[str, Any]:
        return {
            "language_tokens": {},
            "source_languages": [ANY],
            "target_languages": [ANY],
            "max_tokens": _context(files),
        }

    @classmethod
    def load_tokenizer(cls, directory: Path, files: ModelFiles) -> Any:
        return auto_tokenizer(directory)

    @classmethod
    def prepare(cls, model: Any, tokenizer: Any) -> None:
        """Gives the converter names and numbers where transformers 5 has them elsewhere.

        Raises:
            ModelError: A part of the architecture that the converted model would leave out.
        """
        config = model.config
        rope = getattr(config, "rope_parameters", None) or {}
        kind, part = rope.get("rope_type", "default"), rope.get("partial_rotary_factor", 1.0)
        scale = getattr(config, "query_pre_attn_scalar", None)
        if config.model_type not in _LAYERED and (kind not in _ROPE or part != 1.0):
            what = f"positions of the kind {kind!r}" if kind not in _ROPE else f"partial_rotary_factor={part}"
            raise _left_out(what, f"one of {', '.join(_ROPE)}, over whole heads")
        if scale is not None and scale != config.head_dim:
            raise _left_out(f"query_pre_attn_scalar={scale}", f"the size of a head, {config.head_dim}")
        if "rope_theta" in rope:
            config.rope_theta = rope["rope_theta"]  # Gemma's converter reads it here and else takes 10,000

    @classmethod
    def finish(cls, spec: Any, model: Any, tokenizer: Any) -> dict[str, str]:
        """Adds what the converter forgets, and hands out the tokeniser as transformers runs it.

        Without ``head_dim`` CTranslate2 takes width / heads; of the positions of Llama 3.1 it knows the two factors of
        the bend but not by how much and from where (0.06 nats on a short prompt, more on a long one).
        """
        config = model.config
        rope = getattr(config, "rope_parameters", None) or {}
        for layer in spec.decoder.layer:
            added: dict[str, Any] = {}
            if (size := getattr(config, "head_dim", None)) and not hasattr(layer.self_attention, "head_dim"):
                added["head_dim"] = _number("int32", size)
            if rope.get("rope_type") == "llama3":
                added["rotary_scaling_factor"] = _number("float32", rope["factor"])
                from_length = rope["original_max_position_embeddings"]
                added["original_max_position_embeddings"] = _number("int32", from_length)
            vars(layer.self_attention).update(added)
        # CTranslate2 wants names for these; a prompt brings its own tokens, so they are never used.
        spec.config.bos_token = spec.config.bos_token or spec.config.eos_token
        spec.config.unk_token = spec.config.unk_token or spec.config.eos_token
        special = {name: token for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
        files = {
            TOKENIZER: tokenizer.backend_tokenizer.to_str(),
            SPECIAL_TOKENS: json.dumps(special, ensure_ascii=False, sort_keys=True) + "\n",
        }
        return {**files, CHAT_TEMPLATE: tokenizer.chat_template} if tokenizer.chat_template else files


def _number(kind: str, value: float) -> Any:
    import numpy as np

    return np.dtype(kind).type(value)


def _left_out(what: str, valid: str) -> ModelError:
    return ModelError(
        f"the converted model would not be what its origin is: CTranslate2 has no {what}",
        valid=valid,
        hint="serve the model behind an endpoint: --translator endpoint:MODEL",
    )


def _context(files: ModelFiles) -> int:
    """Positions of the model; with a sliding window only as many, since CTranslate2 fails where a prompt passes it.

    A model that another tool converted says nothing of them; its tokenizer may."""
    config = files.config
    said = files.tokenizer.get("model_max_length")
    usual = int(said) if isinstance(said, int | float) and 0 < said <= _LONGEST else 2048
    names = ("max_position_embeddings", "n_positions", "seq_length")
    length = next((int(config[name]) for name in names if config.get(name)), usual)
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    return min(length, int(window or length))
