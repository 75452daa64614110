"""Small random language models of the true architectures, with a byte-level tokeniser, in Hugging Face layout."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from spanferry.translators.conversion.convert import quiet
from tests.translators.checkpoints import SENTENCES

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SMALL = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.2, "tie_word_embeddings": False,
}  # fmt: skip
_GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "initializer_range": 0.2}
_LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128,
}  # fmt: skip
_TIED = {**_SMALL, "head_dim": 16, "tie_word_embeddings": True}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "qwen2": ("Qwen2", {**_SMALL, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "qwen3": ("Qwen3", {**_SMALL, "head_dim": 16}),
    "llama": ("Llama", {**_SMALL, "head_dim": 16}),
    "llama3": ("Llama", {**_SMALL, "rope_parameters": _LLAMA3}),
    "mistral": ("Mistral", {**_SMALL, "sliding_window": None}),
    "gemma": ("Gemma", {**_TIED, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}),
    "gemma3_text": ("Gemma3Text", {**_TIED, "query_pre_attn_scalar": 16, "sliding_window": 200}),
    "gemma4_text": ("Gemma4Text", {**_TIED, "global_head_dim": 16, "num_hidden_layers": 6, "sliding_window": 200,
                                   "num_kv_shared_layers": 0, "hidden_size_per_layer_input": 0,
                                   "vocab_size_per_layer_input": 1}),
    "gpt2": ("GPT2", _GPT2),
    "opt": ("OPT", {"hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                    "max_position_embeddings": 256, "init_std": 0.2, "word_embed_proj_dim": 32}),
    "bloom": ("Bloom", {"hidden_size": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.2}),
}  # fmt: skip
_HEADS = {"Gemma3Text": "Gemma3ForCausalLM", "Gemma4Text": "Gemma4ForCausalLM", "GPT2": "GPT2LMHeadModel"}


def tokenizer(directory: Path, *, chat: bool, ascii_only: bool, opening: bool) -> Any:
    """Bytes and a few merges; ``<|im_end|>`` ends an answer, and ``opening`` puts ``<|endoftext|>`` before a text.
    Without the bytes that make no character alone, even a
    random model writes text."""
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=[] if ascii_only else pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        show_progress=False,
    )
    model.train_from_iterator([s for s in SENTENCES if s.isascii() or not ascii_only] * 3, trainer)
    if opening:
        model.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", model.token_to_id("<|endoftext|>"))]
        )
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=model, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    fast.chat_template = CHAT if chat else None
    fast.save_pretrained(directory)
    return fast


def language_model(
    directory: Path,
    architecture: str = "qwen2",
    *,
    chat: bool = True,
    ascii_only: bool = False,
    opening: bool = False,
    **changed: Any,
) -> Path:
    """One of ``ARCHITECTURES``; ``changed`` goes into its configuration."""
    torch.manual_seed(7)
    directory.mkdir(parents=True)
    fast = tokenizer(directory, chat=chat, ascii_only=ascii_only, opening=opening)
    name, options = ARCHITECTURES[architecture]
    ids = {"vocab_size": len(fast), "pad_token_id": 0, "bos_token_id": 0, "eos_token_id": fast.eos_token_id}
    with quiet():
        config = getattr(transformers, f"{name}Config")(**{**options, **ids, **changed})
        model = getattr(transformers, _HEADS.get(name, f"{name}ForCausalLM"))(config)
        model.save_pretrained(directory)
    return directory
