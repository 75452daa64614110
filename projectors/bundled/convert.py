"""From a checkpoint of the bundled aligner to the directory that ships: CTranslate2 int8, tokeniser, description.

python -m spanferry.projectors.bundled.convert --out WORK --weights projectors/bundled/weights
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

from spanferry.projectors.aligners.encoder.convert import write_encoder
from spanferry.projectors.bundled.texts import END, MASK, PAD, SPECIALS, START, TOKENIZER, UNKNOWN
from spanferry.projectors.bundled.train import CHECKPOINT
from spanferry.translators.bundled.convert import LICENCE, describe
from spanferry.translators.languages.tags import ANY

NAME = "links"
QUANTIZATION = "int8"
# Our name of each module of a layer and BERT's.
_MODULES = {
    "mix": "attention.output.dense",
    "mixed": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "fed": "output.LayerNorm",
}


def export(folder: Path, out: Path) -> dict[str, Any]:
    """Write the network of the last checkpoint as a Hugging Face BERT directory; returns the facts of its training."""
    import torch
    import transformers
    from tokenizers import Tokenizer

    state = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    own, shape = state["network"], state["shape"]
    config = transformers.BertConfig(
        vocab_size=shape["pieces"],
        hidden_size=shape["width"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        intermediate_size=shape["feed"],
        max_position_embeddings=shape["positions"],
        type_vocab_size=1,
        pad_token_id=PAD,
    )
    model = transformers.BertModel(config)
    weights = {
        "embeddings.word_embeddings.weight": own["pieces.weight"],
        "embeddings.position_embeddings.weight": own["positions.weight"],
        "embeddings.token_type_embeddings.weight": torch.zeros(1, shape["width"]),
        "embeddings.LayerNorm.weight": own["embedded.weight"],
        "embeddings.LayerNorm.bias": own["embedded.bias"],
    }
    for k in range(shape["layers"]):
        ours, theirs = f"layers.{k}.", f"encoder.layer.{k}."
        for kind in ("weight", "bias"):
            thirds = own[f"{ours}queries_keys_values.{kind}"].chunk(3)
            for name, third in zip(("query", "key", "value"), thirds, strict=True):
                weights[f"{theirs}attention.self.{name}.{kind}"] = third
            for module, name in _MODULES.items():
                weights[f"{theirs}{name}.{kind}"] = own[f"{ours}{module}.{kind}"]
    # The pooler is never used.
    weights |= {name: torch.zeros_like(value) for name, value in model.state_dict().items() if name.startswith("pool")}
    model.load_state_dict(weights)
    model.save_pretrained(out)
    names = ("pad_token", PAD), ("unk_token", UNKNOWN), ("cls_token", START), ("sep_token", END), ("mask_token", MASK)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(folder / TOKENIZER)),
        **{name: SPECIALS[number] for name, number in names},
    )
    tokenizer.save_pretrained(out)
    return {name: state[name] for name in ("plan", "shape", "step", "pieces")}


def convert(folder: Path, weights: Path) -> None:
    """Write the directory ``weights`` anew from the checkpoint in ``folder``."""
    model = folder / "hf"
    training = export(folder, model)
    weights.parent.mkdir(parents=True, exist_ok=True)
    if weights.is_dir():
        shutil.rmtree(weights)
    layers = training["shape"]["layers"]
    write_encoder(model, weights, layers, QUANTIZATION)
    facts = {
        "name": NAME,
        "family": "bert",
        "encoder": True,
        "layer": layers,
        "layers": layers,
        "max_tokens": training["shape"]["positions"],
        "empty_word": True,
        "languages": ["en", *sorted(path.stem for path in folder.glob("??.npz"))],
        "source_languages": [ANY],
        "target_languages": [ANY],
        "quantization": QUANTIZATION,
        "licence": LICENCE,
        "training": training,
    }
    describe(weights, facts)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder with the checkpoint")
    parser.add_argument("--weights", type=Path, required=True)
    args = parser.parse_args()
    convert(args.out, args.weights)


if __name__ == "__main__":
    main()
