"""From a Hugging Face Marian directory to a CTranslate2 int8 directory that carries its own description.

The directory holds ``model.bin``, ``config.json`` and ``shared_vocabulary.json`` (CTranslate2), ``source.spm`` and
``target.spm`` (sentencepiece) and ``spanferry.json``: languages, language tokens, limits, alignment head, scores
and the hash of every file. Running it needs only ctranslate2 and sentencepiece.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spanferry.translators.bundled.heads import HeadScore, read_gold, score_heads
from spanferry.translators.bundled.vocabulary import language_token

DESCRIPTION = "spanferry.json"
LICENCE = "CC-BY-4.0"
NAME = "mini"
DIRECTIONS = ("en-es", "en-de", "en-fr", "en-nl", "en-zh", "es-en", "de-en")


def head_to_front(attention: Any, head: int, heads: int) -> None:
    """Permute the heads of one attention module in place so that ``head`` becomes head 0.

    The rows of the query, key and value projections and the columns of the output projection move together, so
    the module computes the same function.
    """
    import torch

    order = [head, *(h for h in range(heads) if h != head)]
    size = attention.q_proj.weight.shape[0] // heads
    rows = torch.cat([torch.arange(h * size, (h + 1) * size) for h in order])
    with torch.no_grad():
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
            projection.weight.copy_(projection.weight[rows].clone())
            projection.bias.copy_(projection.bias[rows].clone())
        attention.out_proj.weight.copy_(attention.out_proj.weight[:, rows].clone())


def choose_head(source: Path, gold: Mapping[str, Path]) -> tuple[list[HeadScore], dict[str, float]]:
    """Score the heads of the Marian model in ``source``; see :mod:`spanferry.translators.bundled.heads`.

    Args:
        source: Hugging Face Marian directory.
        gold: Files of gold alignments from English, by target language.

    Returns:
        The heads by their mean F1 over the languages, best first, and the best one's F1 by language.
    """
    import sentencepiece
    from transformers import MarianMTModel

    model = MarianMTModel.from_pretrained(source, attn_implementation="eager").float().eval()
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(source / "source.spm"))
    vocabulary = json.loads((source / "vocab.json").read_text(encoding="utf-8"))
    by_language = {
        language: score_heads(
            model,
            lambda text: pieces.encode(text, out_type=str),
            lambda piece: vocabulary.get(piece, vocabulary["<unk>"]),
            read_gold(path),
            (token,) if (token := language_token(language)) in vocabulary else (),
        )
        for language, path in gold.items()
    }
    f1 = {
        language: {(s.layer, s.head, s.shifted): s.f1 for s in scores}
        for language, scores in sorted(by_language.items())
    }
    mean = [HeadScore(*key, sum(own[key] for own in f1.values()) / len(f1)) for key in next(iter(f1.values()))]
    mean.sort(key=lambda s: (-s.f1, s.layer, s.head, s.shifted))
    best = (mean[0].layer, mean[0].head, mean[0].shifted)
    return mean, {language: round(own[best], 4) for language, own in f1.items()}


def convert_weights(source: Path, out: Path, layer: int, head: int, quantization: str) -> None:
    """Convert a Marian directory, with ``head`` of decoder ``layer`` moved to head 0 and named in the file."""
    import numpy as np
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):
        def load_model(self, model_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
            model = model_class.from_pretrained(model_name_or_path, **kwargs)
            attention = model.model.decoder.layers[layer].encoder_attn
            head_to_front(attention, head, model.config.decoder_attention_heads)
            return model

        def _load(self) -> Any:
            spec = super()._load()
            spec.decoder.alignment_layer = np.dtype("int16").type(layer)
            spec.decoder.alignment_heads = np.dtype("int16").type(1)
            return spec

    with warnings.catch_warnings():
        # The tokenizer of transformers is read for its vocabulary only, so what it recommends does not matter.
        warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
        Converter(str(source)).convert(str(out), quantization=quantization, force=True)


def file_facts(folder: Path) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of every file in ``folder`` but the description, by name."""
    facts: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.iterdir()):
        if path.name != DESCRIPTION and path.is_file():
            data = path.read_bytes()
            facts[path.name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return facts


def describe(folder: Path, facts: dict[str, Any]) -> None:
    """Write ``spanferry.json``: ``facts`` with the hashes of the files beside it."""
    text = json.dumps({**facts, "files": file_facts(folder)}, ensure_ascii=False, indent=2, sort_keys=True)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def convert(
    source: Path,
    out: Path,
    gold: Mapping[str, Path],
    directions: Sequence[tuple[str, str]],
    name: str,
    quantization: str = "int8",
) -> dict[str, Any]:
    """Convert and describe one model.

    Args:
        source: Hugging Face Marian directory.
        out: Directory to write; files of the same names are replaced.
        gold: JSONL of gold alignments from English, by target language; without any, head 0 of the last layer is
            named and no F1 is recorded.
        directions: Pairs (source, target) of BCP-47 tags that the model was trained on.
        name: Name of the model.
        quantization: CTranslate2 quantization.

    Returns:
        The facts written to ``spanferry.json``, without the file hashes.
    """
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    vocabulary = json.loads((source / "vocab.json").read_text(encoding="utf-8"))
    targets = list(dict.fromkeys(target for _, target in directions))
    tokens = {target: token for target in targets if (token := language_token(target)) in vocabulary}
    alignment: dict[str, Any] = {"layer": config["decoder_layers"] - 1, "head": 0, "shifted": False}
    if gold:
        scores, by_language = choose_head(source, gold)
        best = scores[0]
        alignment = {"layer": best.layer, "head": best.head, "shifted": best.shifted, "f1": round(best.f1, 4)}
        alignment["gold"] = {lang: f"{p.parent.parent.name}/{p.parent.name}/{p.name}" for lang, p in gold.items()}
        alignment["f1_by_language"] = by_language
        alignment["f1_by_head"] = [[s.layer, s.head, "t+1" if s.shifted else "t", round(s.f1, 4)] for s in scores]
    convert_weights(source, out, alignment["layer"], alignment["head"], quantization)
    for spm in ("source.spm", "target.spm"):
        shutil.copyfile(source / spm, out / spm)
    facts: dict[str, Any] = {
        "name": name,
        "family": "marian",
        "source_languages": list(dict.fromkeys(source for source, _ in directions)),
        "target_languages": targets,
        "directions": [list(direction) for direction in directions],
        "language_tokens": tokens,
        "source_suffix": ["</s>"],
        "marker_aware": "▁[" in vocabulary and "▁]" in vocabulary,
        "marker_pieces": ["▁[", "▁]"],
        "max_tokens": config["max_position_embeddings"],
        "decoder": {"beam_size": 4},
        "alignment": alignment,
        "quantization": quantization,
        "licence": LICENCE,
    }
    if (source / "training.json").exists():
        facts["training"] = json.loads((source / "training.json").read_text(encoding="utf-8"))
    describe(out, facts)
    return facts


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, required=True, help="Hugging Face Marian directory")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--gold", nargs="*", default=[], help="LANG=FILE: JSONL gold alignments, English to LANG")
    parser.add_argument("--directions", nargs="+", default=list(DIRECTIONS), help="SOURCE-TARGET …")
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--quantization", default="int8")
    args = parser.parse_args()
    gold = {language: Path(path) for language, _, path in (item.partition("=") for item in args.gold)}
    directions = [(source, target) for source, _, target in (item.partition("-") for item in args.directions)]
    facts = convert(args.model, args.out, gold, directions, args.name, args.quantization)
    print(json.dumps(facts["alignment"], indent=2))


if __name__ == "__main__":
    main()
