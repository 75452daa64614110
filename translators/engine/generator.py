"""Answers to prompts from one decoder-only CTranslate2 model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import ctranslate2

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.signature import Signature
from spanferry.translators.base import Generation
from spanferry.translators.engine import devices, limits
from spanferry.translators.engine.failures import settle
from spanferry.translators.engine.search import EXACT
from spanferry.translators.families import LLM, read_description, read_json
from spanferry.translators.families.llm import CHAT_TEMPLATE, SETTINGS, SPECIAL_TOKENS, TOKENIZER
from spanferry.translators.families.ready import tokenizer_hash
from spanferry.translators.model_file import weights_hash

EMPTY_OUTPUT = "empty_output"
# What some chat templates ask for besides the messages. A template must not look at the clock: the same prompt has to
# give the same answer tomorrow.
CHAT_VALUES = {"add_generation_prompt": True, "enable_thinking": False, "date_string": "01 Jan 2025"}
_BROKEN = "\ufffd"


class CT2Generator:
    """A converted language model on one device, greedy.

    Where the model has a chat template, a prompt is the user's message of a conversation; else it stands as it is.
    Special tokens that a prompt spells are taken out of it: they may not come from a text.

    Args:
        directory: Holds ``model.bin``, ``tokenizer.json`` and ``spanferry.json``, as ``conversion.convert`` writes it.
        device: ``auto``, ``cpu`` or ``cuda``.
        compute_type: A CTranslate2 type; ``default`` is int8 on cpu and float16 on cuda.
        batch_tokens: Prompt tokens in a batch; 0 chooses by device.
        chat: Whether prompts are put into the model's chat format, if it has one.
        tokenizer: Folder of ``tokenizer.json`` and the chat format; "": they lie in ``directory``.

    Raises:
        ModelError: The model or the device can't be used.
        ConfigError: An option that is not valid.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        device: str = "auto",
        compute_type: str = "default",
        batch_tokens: int = 0,
        chat: bool = True,
        tokenizer: str = "",
    ) -> None:
        if batch_tokens < 0:
            raise ConfigError(f"batch_tokens={batch_tokens}", valid="batch_tokens >= 0", hint="0 chooses by device")
        self.directory = Path(directory)
        self._place = Path(tokenizer).expanduser() if tokenizer else self.directory
        facts = read_description(self.directory, tokenizer=self._place if tokenizer else None)
        if facts.get("family") != LLM:
            raise ModelError(
                f"is of the family {facts.get('family')!r}", where=str(directory), valid=LLM, hint="load_translator(…)"
            )
        self.name: str = facts["name"]
        self.context: int = int(facts["max_tokens"])
        """Tokens that prompt and answer may have together."""
        self.device = devices.resolve_device(device)
        self.compute_type = devices.resolve_compute_type(compute_type, self.device)
        usual = 1024 if self.device == "cpu" else 16384
        self.batch_tokens = batch_tokens or usual
        self._tokenizer, self._special = _open_tokenizer(self._place)
        self._chosen = [("tok", tokenizer_hash(self._place))] if tokenizer else []
        self._own_template = _chat_template(self._place)
        self.template = self._own_template if chat else None
        """The model's chat template, or None where prompts stand as they are."""
        self.raw: ctranslate2.Generator = devices.load(
            self.directory, self.device, self.compute_type, ctranslate2.Generator
        )
        self.ends = _end_ids([self.directory, self._place], self._tokenizer, self._special)
        """Ids of the tokens that end an answer."""
        spelled = [t.content for t in self._tokenizer.get_added_tokens_decoder().values() if t.special]
        self._spelled = re.compile("|".join(map(re.escape, sorted(spelled, key=len, reverse=True))) or r"(?!)")
        self._stops = lru_cache(maxsize=32)(self._stop_ids)
        self.rows_independent = self.device == "cpu" and self.compute_type in EXACT
        """Whether an answer comes out the same, to the last bit of its score, whatever prompts are around it."""
        self.neutral_options = frozenset({"batch_tokens"} if self.rows_independent else ())
        self._batch_mark = [] if batch_tokens in (0, usual) or self.neutral_options else [("batch", str(batch_tokens))]
        self.encode("a")  # a template that can't be rendered is an error before any work

    @property
    def signature(self) -> Signature:
        """``llm:<name>@<first 8 of the weights' SHA-256>|ct2:<type>`` and ``chat:off`` where that was chosen."""
        kind = self.compute_type if self.device == "cpu" else f"{self.compute_type}.{self.device}"
        parts = [("llm", f"{self.name}@{weights_hash(self.directory)[:8]}"), ("ct2", kind), *self._chosen]
        if self.template is None and self._own_template is not None:
            parts.append(("chat", "off"))
        return Signature.of(*parts, *self._batch_mark)

    def encode(self, prompt: str) -> list[str]:
        """The tokens that the model is given for ``prompt``, those of its chat format included.

        Raises:
            ModelError: The model's chat template can't be rendered.
        """
        prompt = self._spelled.sub("", prompt)
        if self.template is None:
            found: list[str] = self._tokenizer.encode(prompt).tokens
        else:
            found = self._tokenizer.encode(self._rendered(prompt), add_special_tokens=False).tokens
        return found

    def _rendered(self, prompt: str) -> str:
        from transformers.utils.chat_template_utils import render_jinja_template

        try:
            chats, *_ = render_jinja_template(
                [[{"role": "user", "content": prompt}]],
                chat_template=self.template,
                **{**self._special, **CHAT_VALUES},
            )
        except Exception as error:  # jinja's own, and whatever a template raises
            raise ModelError(
                f"the chat template can't be rendered: {error}",
                where=str(self._place / CHAT_TEMPLATE),
                hint="translator.options.chat=false gives the prompt as it stands",
            ) from error
        return str(chats[0])

    def length(self, prompt: str) -> int:
        """Tokens of ``prompt`` in the model's chat format; an unpaired surrogate counts as one character."""
        return len(self.encode(prompt.encode("utf-8", "replace").decode("utf-8")))

    def generate(
        self, prompts: Sequence[str], *, max_tokens: int | None = None, stop: Sequence[str] = ()
    ) -> list[Generation]:
        """One answer per prompt, in order.

        A prompt that fails has a reason: ``empty_source``, ``bad_unicode``, ``source_too_long`` (prompt and longest
        answer are more than the context), ``output_truncated``, ``empty_output``, ``broken_output`` or ``model_error``.

        Args:
            prompts: What the user says, one conversation each.
            max_tokens: Longest answer, in tokens; by default a quarter of the context, at most 256.
            stop: Strings that end an answer; they are not part of it.

        Raises:
            ModelError: The model fails on every prompt of several.
        """
        cap = max_tokens or min(256, self.context // 4)
        results: list[Generation | None] = [None] * len(prompts)
        rows: dict[int, list[str]] = {}
        for i, prompt in enumerate(prompts):
            reason = limits.text_reason(prompt)
            if reason in (limits.BAD_UNICODE, limits.EMPTY_SOURCE):
                results[i] = Generation("", reason=reason)
                continue
            rows[i] = self.encode(prompt)
            if len(rows[i]) + cap > self.context:
                results[i] = Generation("", truncated=True, reason=limits.SOURCE_TOO_LONG)
                del rows[i]
        ends = sorted({*self.ends, *(end for text in stop for end in self._stops(text))})
        waiting: dict[int, Any] = {}
        for batch in self._batches(rows):
            try:
                futures = self._submit([rows[i] for i in batch], cap, ends)
            except (RuntimeError, ValueError):
                futures = [None] * len(batch)  # each is tried alone
            waiting.update(zip(batch, futures, strict=True))
        errors: list[str] = []
        for i, future in waiting.items():
            results[i] = self._result(rows[i], future, cap, ends, stop, errors)
        settle(errors, len(rows), "generate", str(self.directory))
        return [found for found in results if found is not None]

    def _batches(self, rows: dict[int, list[str]]) -> Iterator[list[int]]:
        """Longest first. Where sums are exact, a batch holds prompts of one length: see ``engine.search``."""
        batch: list[int] = []
        for i in sorted(rows, key=lambda i: (-len(rows[i]), i)):
            if batch:
                longest = len(rows[batch[0]])
                if longest * (len(batch) + 1) > self.batch_tokens or (
                    self.rows_independent and len(rows[i]) != longest
                ):
                    yield batch
                    batch = []
            batch.append(i)
        if batch:
            yield batch

    def _submit(self, rows: list[list[str]], cap: int, ends: list[int]) -> list[Any]:
        futures: list[Any] = self.raw.generate_batch(
            rows,
            max_length=cap,
            end_token=ends,
            return_end_token=True,
            return_scores=True,
            include_prompt_in_result=False,
            asynchronous=True,
        )
        return futures

    def _result(
        self, row: list[str], future: Any, cap: int, ends: list[int], stop: Sequence[str], errors: list[str]
    ) -> Generation:
        try:
            try:
                if future is None:
                    raise RuntimeError("the batch was refused")
                result = future.result()
            except (RuntimeError, ValueError):
                # A prompt that CTranslate2 refuses takes its whole batch with it; alone it takes only itself.
                result = self._submit([row], cap, ends)[0].result()
        except (RuntimeError, ValueError) as error:
            errors.append(str(error))
            return Generation("", reason=limits.MODEL_ERROR)
        ids = list(result.sequences_ids[0])
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        cuts = [at for at in (text.find(mark) for mark in stop) if at >= 0]
        ended = bool(ids) and ids[-1] in ends
        tokens = len(ids) - ended
        if not ended and not cuts:
            return Generation("", tokens, truncated=True, reason=limits.OUTPUT_TRUNCATED)
        text = text[: min(cuts, default=len(text))].strip()
        if not text or _BROKEN in text:
            return Generation("", tokens, reason=limits.BROKEN_OUTPUT if text else EMPTY_OUTPUT)
        return Generation(text, tokens, float(result.scores[0]))

    def _stop_ids(self, stop: str) -> tuple[int, ...]:
        """Tokens that hold a whole stop string: the model need not go on behind them."""
        decode: Callable[[list[int]], str] = self._tokenizer.decode
        return tuple(i for i in range(self._tokenizer.get_vocab_size()) if stop in decode([i]))


def _chat_template(place: Path) -> str | None:
    """The chat format: a file of its own, or as older versions of transformers wrote it, a setting of the tokenizer."""
    if (path := place / CHAT_TEMPLATE).is_file():
        return path.read_text(encoding="utf-8")
    said = read_json(path).get("chat_template") if (path := place / SETTINGS).is_file() else None
    if isinstance(said, list):  # several, by name
        said = next((one.get("template") for one in said if one.get("name") == "default"), None)
    return said if isinstance(said, str) else None


def _special_tokens(place: Path) -> dict[str, str]:
    """The special tokens by name: of their own file, else of the settings; each is a text or an object with one."""
    path = next(
        (path for name in (SPECIAL_TOKENS, SETTINGS) if (path := place / name).is_file()), place / SPECIAL_TOKENS
    )
    said = {name: token.get("content") if isinstance(token, dict) else token for name, token in read_json(path).items()}
    return {name: token for name, token in said.items() if name.endswith("_token") and isinstance(token, str)}


def _open_tokenizer(directory: Path) -> tuple[Any, dict[str, str]]:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
        special = _special_tokens(directory)
    except Exception as error:  # the library raises plain Exception
        raise ModelError(
            f"no tokeniser can be read ({error})",
            where=str(directory),
            valid=[TOKENIZER, SPECIAL_TOKENS],
            hint="--set translator.options.tokenizer=PLACE: a folder with them, or the hub id of the model's origin",
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, special


def _end_ids(folders: Sequence[Path], tokenizer: Any, special: dict[str, str]) -> set[int]:
    """What ends an answer: the tokens that the model's configuration names, and its end-of-text token."""
    path = next((path for folder in folders if (path := folder / "generation_config.json").is_file()), None)
    named = read_json(path).get("eos_token_id") if path else None
    ends = set(named if isinstance(named, list) else [] if named is None else [named])
    own = tokenizer.token_to_id(special["eos_token"]) if "eos_token" in special else None
    ends |= set() if own is None else {own}
    if not ends:
        raise ModelError(
            "no token ends an answer", where=str(folders[0]), hint="name eos_token_id in generation_config.json"
        )
    return ends
