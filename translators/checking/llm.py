"""The check of a language model against its origin in transformers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spanferry.translators.checking.base import SAMPLES, STEPS, TOLERANCE, CheckResult
from spanferry.translators.conversion.convert import quiet
from spanferry.translators.engine.generator import CHAT_VALUES, CT2Generator


def against_origin(ours: CT2Generator, source: Path) -> Iterator[CheckResult]:
    """Compares tokens, scores and greedy output on a few prompts.

    Args:
        ours: The converted model, in float32.
        source: What it was converted from, in Hugging Face layout.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32).eval()
    rows = [_ids(ours, tokenizer, prompt) for prompt in SAMPLES]

    other = [i for i, row in enumerate(rows) if ours.encode(SAMPLES[i]) != tokenizer.convert_ids_to_tokens(row)]
    form = "in its chat format" if ours.template else "without a chat format"
    detail = f"{len(rows)} prompts {form}" + (f"; differs in {SAMPLES[other[0]]!r}" if other else "")
    yield CheckResult("tokens in", not other, detail)

    vocabulary = json.loads((ours.directory / "vocabulary.json").read_text(encoding="utf-8"))
    special = {token: tokenizer.convert_tokens_to_ids(token) for token in tokenizer.all_special_tokens}
    moved = sorted(token for token, i in special.items() if i >= len(vocabulary) or vocabulary[i] != token)
    detail = f"{len(special)} with the ids they have there" + (f" but {', '.join(moved)}" if moved else "")
    yield CheckResult("special pieces", not moved, detail)

    worst = 0.0
    different = []
    for prompt, row in zip(SAMPLES, rows, strict=True):
        ids = torch.tensor([row])
        tokens = tokenizer.convert_ids_to_tokens(row)
        with torch.no_grad(), quiet():
            logits = torch.log_softmax(model(ids).logits[0], -1)
            out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=STEPS)
        theirs = logits[torch.arange(len(row) - 1), ids[0, 1:]].numpy()
        worst = max(worst, float(np.abs(theirs - ours.raw.score_batch([tokens])[0].log_probs).max()))
        found = ours.raw.generate_batch(
            [tokens],
            max_length=STEPS,
            end_token=sorted(ours.ends),
            return_end_token=True,
            include_prompt_in_result=False,
        )[0]
        if found.sequences_ids[0] != out[0, len(row) :].tolist():
            different.append(prompt)
    detail = f"largest difference {worst:.1e} nats in float32, allowed {TOLERANCE:.0e}"
    yield CheckResult("log-probabilities", worst <= TOLERANCE, detail)
    detail = f"{len(rows) - len(different)} of {len(rows)} the same for {STEPS} tokens"
    yield CheckResult("greedy output", not different, detail + (f"; not {different[0]!r}" if different else ""))


def _ids(ours: CT2Generator, tokenizer: Any, prompt: str) -> list[int]:
    """What transformers gives the model for a prompt."""
    if ours.template is None:
        plain: list[int] = tokenizer(prompt)["input_ids"]
        return plain
    chat = [{"role": "user", "content": prompt}]
    found: list[int] = tokenizer.apply_chat_template(chat, **CHAT_VALUES)["input_ids"]
    return found
