"""The family check: is a converted model what its origin is? Tokens, language tokens, scores and output."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from spanferry.translators.checking.base import SAMPLES, STEPS, TOLERANCE, CheckResult, files_as_recorded
from spanferry.translators.checking.llm import against_origin
from spanferry.translators.conversion.convert import convert, is_hugging_face, read_files
from spanferry.translators.conversion.hub import hub_id, local_snapshot
from spanferry.translators.conversion.origin import Origin
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.engine.generator import CT2Generator
from spanferry.translators.families import DESCRIPTION, LLM, read_description, read_json, read_vocabulary, recognise
from spanferry.translators.languages.codes import CODES
from spanferry.translators.languages.tags import ANY, parts
from spanferry.translators.loading.load import BUNDLED, bundled_directories, model_directory
from spanferry.translators.pieces import one_line

TARGETS = ("Dos gatos dormían.", "Ist das wahr?", "Anna et Łukasz", "Сегодня идёт снег.", "今天天气很好。", "a 25 %")


def check_model(path_or_name: str) -> list[CheckResult]:
    """Checks one model as far as what is on this machine allows.

    A directory in Hugging Face layout is converted (float32, into a temporary directory) and compared with
    transformers; a converted one in the same way where its origin is in the hub client's cache.

    Args:
        path_or_name: A directory, ``bundled`` (every bundled model), a hub id or a short name, as ``--translator``
            takes it. A hub id is downloaded and converted where it is not here yet.

    Returns:
        What was checked, in a fixed order. The model is as its origin if none has ``passed=False``.

    Raises:
        ModelError: There is no such model, or no family knows it.
        MissingExtraError: It has to be converted and torch is not installed.
    """
    if path_or_name == BUNDLED:
        return [
            replace(result, name=f"{directory.name}: {result.name}")
            for directory in bundled_directories()
            for result in _check_converted(directory)
        ]
    path = Path(path_or_name).expanduser()
    if is_hugging_face(path):
        return [_family_of(path), *_compared(path)]
    return list(_check_converted(model_directory(path_or_name, None, None, "int8")))


def _family_of(source: Path) -> CheckResult:
    files = read_files(source)
    return CheckResult("family", True, f"{recognise(files, str(source)).name}, {files.config.get('model_type')}")


def _check_converted(directory: Path) -> Iterator[CheckResult]:
    facts = read_description(directory)
    quantization = facts.get("quantization", "quantization unknown")
    if facts.get("family") == LLM:
        CT2Generator(directory, device="cpu")  # can it be loaded, with its tokeniser and chat template?
        yield CheckResult("family", True, f"{LLM}, {quantization}")
        yield files_as_recorded(directory, facts)
    else:
        model = CT2Translator(directory, device="cpu")
        yield CheckResult("family", True, f"{model.family.name}, {quantization}")
        yield files_as_recorded(directory, facts)
        yield _language_tokens(model, facts)
        yield _round_trip(model)
    source = _origin_of(facts)
    if source is None:
        yield CheckResult("origin", None, "not compared: what it was converted from is not on this machine")
    else:
        yield from (
            r for r in _compared(source, str(facts["origin"])) if r.name not in ("language tokens", "round trip")
        )


def _origin_of(facts: Mapping[str, Any]) -> Path | None:
    named = hub_id(str(facts.get("origin") or ""))
    return local_snapshot(named[0], str(facts.get("revision")) or None) if named else None


def _compared(source: Path, name: str = "") -> Iterator[CheckResult]:
    """The checks that need transformers, on a fresh conversion of ``source``."""
    missing = [package for package in ("torch", "transformers") if find_spec(package) is None]
    if missing:
        yield CheckResult("origin", None, f"not compared: {' and '.join(missing)} not installed; spanferry[convert]")
        return
    files = read_files(source, name)
    family = recognise(files, str(source))
    with tempfile.TemporaryDirectory() as root:
        made = convert(source, name=name, quantization="float32", root=Path(root))
        if family.name == LLM:
            yield from against_origin(CT2Generator(made, device="cpu", compute_type="float32"), source)
            return
        model = CT2Translator(made, device="cpu", compute_type="float32", beam=1)
        facts = read_json(made / DESCRIPTION)
        yield _language_tokens(model, facts)
        yield _round_trip(model)
        yield from _against(model, Origin(source, family, files), facts)


def _language_tokens(model: CT2Translator, facts: Mapping[str, Any]) -> CheckResult:
    tokens: Mapping[str, str] = facts.get("language_tokens", {})
    vocabulary = set(read_vocabulary(model.directory))
    absent = sorted(token for token in tokens.values() if token not in vocabulary)
    if absent:
        return CheckResult("language tokens", False, f"not in the vocabulary: {', '.join(absent)}")
    table = _table(model, facts)
    known = f", {len(tokens)} of the {len(CODES[table])} codes of {table}" if table else ""
    return CheckResult("language tokens", True, f"{len(tokens)} in the vocabulary{known}")


def _table(model: CT2Translator, facts: Mapping[str, Any]) -> str | None:
    if model.family.name == "m2m100":
        return "small100" if facts.get("target_on_source") else "m2m100"
    if model.family.name == "t5":
        return "madlad" if facts.get("language_tokens") else None
    return model.family.name if model.family.name in CODES else None


def _direction(model: CT2Translator) -> tuple[str, str]:
    """The direction that is compared: from English into a usual language where the model has them."""
    sources, targets = model.family.languages()
    source = "en" if "en" in sources or ANY in sources else sources[0]
    usual = [t for t in ("es", "de", "fr", *targets) if t in targets or ANY in targets]
    return source, next((t for t in usual if parts(t)[0] != parts(source)[0]), usual[0])


def _round_trip(model: CT2Translator) -> CheckResult:
    _, target = _direction(model)
    texts = [one_line(text) for text in SAMPLES if model.unknown(one_line(text), side="target") == 0]
    lost = [text for text in texts if model.decode(model.encode_target(text, target), target) != text]
    if lost:
        return CheckResult("round trip", False, f"comes back otherwise: {lost[0]!r}")
    spelled = [t for t in sorted(model.family.specials) if not model.family.specials.isdisjoint(
        model.encode_target(f"a {t} b", target))]  # fmt: skip
    if spelled:
        return CheckResult("round trip", False, f"a text that spells {spelled[0]!r} steers the model")
    return CheckResult(
        "round trip", True, f"{len(texts)} of {len(SAMPLES)} samples whole, the others have unknown pieces"
    )


def _against(model: CT2Translator, origin: Origin, facts: Mapping[str, Any]) -> Iterator[CheckResult]:
    source, target = _direction(model)
    frame = model.family.frame(source, target)
    takes_language = bool(frame.target_prefix) or bool(facts.get("target_on_source"))
    texts = [one_line(text) for text in SAMPLES]
    ids = [origin.source_ids(text, frame, language_token=takes_language) for text in texts]

    ours = [
        [token if token in model.vocabulary else "<unk>" for token in model.encode_source(text, source, target)]
        for text in texts
    ]
    other = [i for i, row in enumerate(ids) if ours[i] != origin.tokens(row)]
    detail = f"{source} to {target}, {len(texts)} samples"
    if other:
        detail += f"; differs in {texts[other[0]]!r}: {ours[other[0]]} is {origin.tokens(ids[other[0]])} there"
    yield CheckResult("tokens in", not other, detail)

    special = {*origin.tokenizer.all_special_tokens, *facts.get("language_tokens", {}).values()}
    special &= model.vocabulary.keys()
    moved = sorted(t for t in special if origin.tokenizer.convert_tokens_to_ids(t) != model.vocabulary[t])
    detail = f"{len(special)} with the ids they have there" + (f" but {', '.join(moved)}" if moved else "")
    yield CheckResult("special pieces", not moved, detail)

    worst, failed = 0.0, 0
    for row, score in zip(ids, model.score_pairs(texts, list(TARGETS), source, target), strict=True):
        if score.reason:
            failed += 1
            continue
        theirs = origin.logprobs(row, frame.target_prefix, score.pieces)
        worst = max(worst, float(np.abs(theirs - score.logprobs).max()))
    passed = failed == 0 and worst <= TOLERANCE
    detail = f"largest difference {worst:.1e} nats in float32, allowed {TOLERANCE:.0e}"
    yield CheckResult("log-probabilities", passed, detail + (f"; {failed} could not be scored" if failed else ""))

    different = []
    for text, tokens, row in zip(texts, ours, ids, strict=True):
        prefix = list(frame.target_prefix)
        found = model.raw.translate_batch(
            [tokens], [prefix] if prefix else None, beam_size=1, max_decoding_length=STEPS + len(prefix)
        )[0].hypotheses[0][len(prefix) :]
        if [model.vocabulary[token] for token in found[:STEPS]] != origin.greedy(row, prefix, STEPS):
            different.append(text)
    detail = f"{len(texts) - len(different)} of {len(texts)} the same for {STEPS} tokens"
    yield CheckResult("greedy output", not different, detail + (f"; not {different[0]!r}" if different else ""))
