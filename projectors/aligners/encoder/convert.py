"""BERT-like encoders from Hugging Face layout to CTranslate2, cut off after the layer that aligns best."""

import json
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, MissingExtraError, ModelError
from spanferry.translators.cache import models_root, require_space, written_once
from spanferry.translators.conversion.convert import QUANTIZATIONS, WEIGHTS, fingerprint, is_hugging_face, quiet
from spanferry.translators.conversion.hub import download, hub_id
from spanferry.translators.families import DESCRIPTION, read_json
from spanferry.translators.languages.tags import ANY

NAMES = {
    "mbert": "google-bert/bert-base-multilingual-cased",
    "xlmr": "FacebookAI/xlm-roberta-base",
    "labse": "sentence-transformers/LaBSE",
}
"""Short names of encoders on the hub."""
BUNDLED = "bundled"
_BUNDLED_WEIGHTS = Path(__file__).parents[2] / "bundled" / "weights"

# Tokens that a layout's positions have room for beyond max_position_embeddings: XLM-R counts from its padding id on.
_LAYOUTS = {"bert": 0, "xlm-roberta": -2}
# mBERT and XLM-R: SimAlign, section 4.1, and AWESOME, section 3.1; LaBSE: Wang et al. (NAACL 2022, section 4).
_LAYERS = {"labse": 6}
_SHARE = 2 / 3
TOKENIZER = "tokenizer.json"


def encoder_directory(model: str, layer: int | None, quantization: str) -> Path:
    """The CTranslate2 directory of an encoder, converted first where it has to be.

    Args:
        model: ``bundled``, a converted directory, one in Hugging Face layout, a name of ``NAMES`` or a hub id.
        layer: Layer whose output is used, counted from 1; None takes LaBSE's sixth and two thirds of the layers of
            others, which is the eighth of twelve. A converted directory has one already.
        quantization: One of ``spanferry.translators.conversion.convert.QUANTIZATIONS``.

    Raises:
        ModelError: There is no such model, or it is not an encoder of a known layout.
        ConfigError: The layer or the quantization is not one that can be had.
        MissingExtraError: Converting needs torch.
    """
    path = _BUNDLED_WEIGHTS if model == BUNDLED else Path(model).expanduser()
    if (path / "model.bin").is_file():
        made_for = encoder_facts(path)["layer"]
        if layer not in (None, made_for):
            raise ConfigError(
                f"layer = {layer}, and {Path(model).name} was cut off after layer {made_for}",
                hint="name the model in Hugging Face layout, from which any layer can be made",
            )
        return path
    if is_hugging_face(path):
        return convert_encoder(path, layer=layer, quantization=quantization)
    named = None if path.is_dir() else hub_id(NAMES.get(model.lower(), model))
    if named is None:
        raise ModelError(
            f"no encoder {model!r}",
            valid=f"{BUNDLED}, {', '.join(NAMES)}, a hub id (owner/name), or a directory with an encoder",
            hint="aligner 'lexical' needs no model",
        )
    repo, revision = named
    # What is converted needs no network, not even to ask for a newer one.
    for directory in sorted(models_root().glob(f"{repo.replace('/', '--')}@*-l*-{quantization}")):
        facts = read_json(directory / DESCRIPTION)
        wanted = default_layer(repo, int(facts["layers"])) if layer is None else layer
        if facts["layer"] == wanted and str(facts["revision"]).startswith(revision or ""):
            return directory
    files, commit = download(repo, revision)
    return convert_encoder(files, name=repo, revision=commit, layer=layer, quantization=quantization)


def is_encoder(model: str) -> bool:
    """Whether ``model`` is a short name of an encoder or a directory with one, converted or not. A hub id is not looked
    up."""
    path = Path(model).expanduser()
    if (path / DESCRIPTION).is_file():
        return bool(read_json(path / DESCRIPTION).get("encoder"))
    if is_hugging_face(path):
        return read_json(path / "config.json").get("model_type") in _LAYOUTS
    return model.lower() in NAMES and not path.is_dir()


def convert_encoder(
    source: Path, *, name: str = "", revision: str = "", layer: int | None = None, quantization: str = "int8"
) -> Path:
    """Convert an encoder once; the second call finds what the first one made.

    Args:
        source: Directory in Hugging Face layout: BERT (LaBSE too) or XLM-R.
        name: Hub id, by default the directory's name.
        revision: Commit it was downloaded at, if it was; else the weights distinguish versions.
        layer: See ``encoder_directory``.
        quantization: One of ``spanferry.translators.conversion.convert.QUANTIZATIONS``.

    Returns:
        ``<cache>/models/<name>@<hash>-l<layer>-<quantization>``.

    Raises:
        ModelError: Not an encoder of a known layout, or it can't be converted.
        ConfigError: No such layer or quantization.
        MissingExtraError: torch is not installed.
    """
    if quantization not in QUANTIZATIONS:
        raise ConfigError(f"unknown quantization {quantization!r}", valid=QUANTIZATIONS, hint="compute_type=default")
    config = read_json(source / "config.json")
    layout, layers = str(config.get("model_type")), int(config.get("num_hidden_layers", 0))
    if layout not in _LAYOUTS:
        raise ModelError(
            f"a model of type {layout!r} is not an encoder that can align"
            + (", and CTranslate2 4.8 has no converter for it" if layout == "modernbert" else ""),
            where=str(source),
            valid=sorted(_LAYOUTS),
            hint=f"name one of {', '.join(NAMES)}",
        )
    stored = name or source.resolve().name
    chosen = default_layer(stored, layers) if layer is None else layer
    if not 1 <= chosen <= layers:
        raise ConfigError(f"layer = {chosen}", where=str(source), valid=f"1 to {layers}", hint="leave layer out")
    weights = sorted(path for pattern in WEIGHTS for path in source.glob(pattern))
    version = revision[:8] or fingerprint(source, weights)
    final = models_root() / f"{stored.replace('/', '--')}@{version}-l{chosen}-{quantization}"
    if final.is_dir():
        return final
    require_space(final, sum(path.stat().st_size for path in weights) + (64 << 20), f"converting {stored}")
    with written_once(final) as partial:
        if partial is not None:
            write_encoder(source, partial, chosen, quantization)
            facts = {
                "name": stored.rpartition("/")[2],
                "family": layout,
                "encoder": True,
                "layer": chosen,
                "layers": layers,
                "max_tokens": int(config["max_position_embeddings"]) + _LAYOUTS[layout],
                "source_languages": [ANY],
                "target_languages": [ANY],
                "origin": name,
                "revision": revision,
                "quantization": quantization,
            }
            text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
            (partial / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
    return final


def default_layer(name: str, layers: int) -> int:
    """The layer that aligns best, as far as it was published; two thirds of the way up for other encoders."""
    known = next((layer for part, layer in _LAYERS.items() if part in name.lower()), None)
    return min(layers, known) if known else max(1, round(layers * _SHARE))


def encoder_facts(directory: Path) -> dict[str, Any]:
    """The description of a converted encoder.

    Raises:
        ModelError: The directory holds something else.
    """
    described = directory / DESCRIPTION
    facts = read_json(described) if described.is_file() else {}
    if not facts.get("encoder") or not (directory / TOKENIZER).is_file():
        raise ModelError(
            "is not a converted encoder",
            where=str(directory),
            valid=f"model.bin, {TOKENIZER} and {DESCRIPTION} with the layer",
            hint="name the encoder in Hugging Face layout: it is converted on first use",
        )
    return facts


def write_encoder(source: Path, out: Path, layer: int, quantization: str) -> None:
    """The weights up to a layer, their vocabulary and the tokeniser, from Hugging Face layout into ``out``.

    Raises:
        ModelError: It can't be converted.
        MissingExtraError: torch is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError.of(error.name or "torch", "convert", f"converting {source.name}") from error
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):
        def load_model(self, *args: Any, **kwargs: Any) -> Any:
            model = super().load_model(*args, **kwargs)
            # ctranslate2 4.8 asks for a field that configurations of transformers 5 have no more.
            model.config.position_embedding_type = "absolute"
            base = getattr(model, "roberta", model)
            base.encoder.layer = base.encoder.layer[:layer]
            model.config.num_hidden_layers = layer
            if base.pooler is not None:
                # Unused, and random where the checkpoint has none: the same model must give the same file.
                with torch.no_grad():
                    for values in base.pooler.parameters():
                        values.zero_()
            return model

    with quiet():
        try:
            Converter(str(source)).convert(str(out), quantization=quantization)
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(source)).backend_tokenizer
            # Without its files transformers makes one that knows the specials alone.
            known, rows = tokenizer.get_vocab_size(), int(read_json(source / "config.json")["vocab_size"])
            if 2 * known < rows:
                raise ValueError(f"the tokeniser has {known} pieces, the model {rows}")
            tokenizer.no_truncation()
            tokenizer.no_padding()
            tokenizer.save(str(out / TOKENIZER))
        except Exception as error:  # readers of weights and tokenisers raise classes of their own
            raise ModelError(
                f"can't be converted: {type(error).__name__}: {error}",
                where=str(source),
                hint="check that the directory is complete: config.json, weights and tokeniser",
            ) from error
