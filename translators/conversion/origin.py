"""A model as transformers runs it, for comparison with what was converted from it. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spanferry.translators.conversion.convert import quiet
from spanferry.translators.families.base import Frame, ModelFiles, ModelKind


class Origin:
    """An encoder-decoder in Hugging Face layout, in float32 on the CPU.

    Args:
        directory: Where it lies.
        family: Its family, which knows how its tokeniser is loaded.
        files: What the directory says of itself.
    """

    def __init__(self, directory: Path, family: type[ModelKind], files: ModelFiles) -> None:
        import torch
        from transformers import AutoModelForSeq2SeqLM

        with quiet():
            self.tokenizer = family.load_tokenizer(directory, files)
            self.model = AutoModelForSeq2SeqLM.from_pretrained(directory, dtype=torch.float32).eval()
        # Some configurations force the end where the length limit cuts; that says nothing of the model.
        self.model.generation_config.forced_eos_token_id = None

    def source_ids(self, text: str, frame: Frame, *, language_token: bool) -> list[int]:
        """Source ids of ``text``, as the model's own tokeniser makes them when it knows the languages.

        Args:
            text: One line.
            frame: The direction; its tokens say how the tokeniser learns it.
            language_token: Whether the tokeniser takes a language and puts its token; else it stands in the text.
        """
        if language_token:
            self.tokenizer.src_lang = frame.source_prefix[0].strip("_")
        else:
            opening = "".join(frame.source_prefix).replace("▁", " ").strip()
            text = f"{opening} {text}" if opening else text
        ids: list[int] = self.tokenizer(text)["input_ids"]
        return ids

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The tokeniser's names of ids."""
        found: list[str] = self.tokenizer.convert_ids_to_tokens(list(ids))
        return found

    def logprobs(self, source: Sequence[int], prefix: Sequence[str], target: Sequence[str]) -> np.ndarray:
        """Log-probabilities of ``target`` and the end, float32 (n_target + 1,), in nats.

        ``<pad>``, which no family ever generates and Marian's converted models lack, has no share where the decoder
        starts from it.
        """
        import torch

        config = self.model.config
        start = [config.decoder_start_token_id, *self.tokenizer.convert_tokens_to_ids(list(prefix))]
        ids = [*self.tokenizer.convert_tokens_to_ids(list(target)), config.eos_token_id]
        with torch.no_grad():
            logits = self.model(
                input_ids=torch.tensor([list(source)]), decoder_input_ids=torch.tensor([start + ids[:-1]])
            ).logits[0, len(start) - 1 :]
        if config.model_type == "marian":
            logits[:, config.pad_token_id] = -torch.inf
        found: np.ndarray = torch.log_softmax(logits, -1)[torch.arange(len(ids)), torch.tensor(ids)].numpy()
        return found

    def greedy(self, source: Sequence[int], prefix: Sequence[str], steps: int) -> list[int]:
        """Ids of the greedy output behind ``prefix``, without the end, at most ``steps`` of them."""
        import torch

        forced = self.tokenizer.convert_tokens_to_ids(list(prefix))
        with torch.no_grad(), quiet():
            ids: list[int] = self.model.generate(
                torch.tensor([list(source)]),
                num_beams=1,
                do_sample=False,
                # CTranslate2 never writes an empty output either.
                min_new_tokens=1 + len(forced),
                max_new_tokens=steps + len(forced),
                forced_bos_token_id=forced[0] if forced else None,
            )[0].tolist()
        body = ids[1 + len(forced) :]
        end = self.model.config.eos_token_id
        return body[: body.index(end)] if end in body else body
