"""From what a user writes after ``--translator`` to a translator."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, ModelError, nearest, unknown_name
from spanferry.corpora.options import checked_options
from spanferry.corpora.registry import resolve
from spanferry.translators import TRANSLATORS
from spanferry.translators.base import Translator
from spanferry.translators.cache import models_root
from spanferry.translators.conversion.convert import convert, is_hugging_face, quantization_for
from spanferry.translators.conversion.hub import NAMES, OPUS, check_languages, download, hub_id, tokenizer_place
from spanferry.translators.endpoints.endpoint import Endpoint
from spanferry.translators.engine import devices
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.engine.generator import CT2Generator
from spanferry.translators.families import DESCRIPTION, LLM, read_description, read_json
from spanferry.translators.families.ready import is_ready
from spanferry.translators.languages.tags import ANY, choose
from spanferry.translators.prompting.prompted import PromptTranslator
from spanferry.translators.prompting.prompts import choose_template

BUNDLED = "bundled"
NO_MODEL = "none"
ENDPOINT = "endpoint:"
FIREFOX = "firefox"
# What has a place of its own in the configuration.
_OWN = frozenset({"beam", "device", "compute_type"})
_BEAM = 4


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that is on this machine.

    Attributes:
        name: Name to give to ``--translator`` (for a converted one: its origin or directory).
        family: Name of its family.
        languages: Both sides, for people.
        quantization: How its weights are stored.
        megabytes: Size of the directory, in 10^6 bytes.
        where: ``bundled`` or the directory.
        directory: The directory.
    """

    name: str
    family: str
    languages: str
    quantization: str
    megabytes: float
    where: str
    directory: str


def load_translator(
    spec: str = BUNDLED,
    *,
    source: str | None = None,
    target: str | None = None,
    device: str = "auto",
    compute_type: str = "default",
    beam: int = _BEAM,
    optional: bool = False,
    **options: Any,
) -> Translator | None:
    """The translator that ``spec`` names; models in Hugging Face layout are converted once, on first use.

    Args:
        spec: ``bundled``; ``none``, where a model is optional; a CTranslate2 directory; a directory in Hugging Face
            layout; a hub id, ``id@revision`` or a short name (``nllb-600m`` …, ``opus-mt``); ``endpoint:MODEL``;
            ``parallel``; or ``package.module:Class``, a class that is made without arguments.
        source: Language to translate from, BCP-47. ``bundled`` and ``opus-mt`` choose their model by it; where both
            languages are given, a model that lacks one is an error.
        target: Language to translate into.
        device: ``auto``, ``cpu`` or ``cuda``.
        compute_type: A CTranslate2 type, or ``default``.
        beam: Hypotheses kept at each step; language models are greedy.
        optional: Return None for ``none``, and where there is no bundled model for the languages.
        **options: Further options of ``CT2Translator``; for a language model ``template`` and
            those of ``PromptTranslator`` and ``CT2Generator`` or
            ``Endpoint``.

    Raises:
        ModelError: No such model, or it lacks a language.
        ConfigError: An option that is not valid.
        MissingExtraError: Converting needs torch.

    >>> model = load_translator("bundled", source="en", target="es")
    >>> [one.text for one in model.translate(["Hello.", ""], "en", "es") if one.reason]
    ['']
    """
    found: Translator
    if spec == NO_MODEL:
        if optional:
            return None
        raise ModelError(
            "translator 'none' makes no translations, and some are needed here",
            hint="--translator bundled, or spanferry run project --target-input FILE with translations you have",
        )
    if spec.startswith(ENDPOINT):
        found = _prompted(spec, device, compute_type, options)
    elif spec == FIREFOX or spec.startswith(f"{FIREFOX}:"):
        found = _firefox(spec, source, target, options)
    elif spec in TRANSLATORS or (":" in spec and not Path(spec).exists()):
        if spec == ENDPOINT.rstrip(":"):
            raise ModelError("the endpoint's model is not named", hint=f"--translator {ENDPOINT}MODEL")
        _sorted_options(options)
        found = resolve("translator", spec, TRANSLATORS)()
    else:
        actual = devices.resolve_device(device)
        if spec == BUNDLED:
            directory = bundled_for(source, target, optional=optional)
        else:
            kind = devices.resolve_compute_type(compute_type, actual) if compute_type != "default" else compute_type
            directory = model_directory(spec, source, target, quantization_for(actual, kind))
        if directory is None:
            return None
        if options.get("tokenizer"):
            options = {**options, "tokenizer": tokenizer_place(str(options["tokenizer"]))}
        if _is_language_model(directory, str(options.get("family", ""))):
            if beam != _BEAM:
                raise ConfigError(
                    f"translator.beam={beam} is not used: a language model answers greedily",
                    hint="leave translator.beam out",
                )
            found = _prompted(str(directory), actual, compute_type, _without(options, "family"))
        else:
            (own,) = _sorted_options(options, CT2Translator)
            found = CT2Translator(directory, beam=beam, device=actual, compute_type=compute_type, **own)
    if source and target and not found.supports(source, target):
        if isinstance(found, CT2Translator):
            found.family.frame(source, target)  # raises the error that names the nearest language
        if isinstance(found, PromptTranslator):
            found.languages(source, target)  # likewise
        raise ModelError(f"translator {spec!r} does not translate {source} to {target}", hint="spanferry models")
    return found


def load_generator(
    spec: str, *, device: str = "auto", compute_type: str = "default", **options: Any
) -> CT2Generator | Endpoint:
    """The language model that ``spec`` names, to be asked whatever one likes.

    Args:
        spec: ``endpoint:MODEL``, or a directory or hub id of a decoder-only model, as for :func:`load_translator`.
        device: ``auto``, ``cpu`` or ``cuda``, for a local one.
        compute_type: A CTranslate2 type, or ``default``, likewise.
        **options: Further options of ``Endpoint``, or of
            ``CT2Generator``.

    Raises:
        ModelError: No such model, or it is not a language model.
        ConfigError: An option that is not valid.
        MissingExtraError: Converting needs torch.
    """
    if spec.startswith(ENDPOINT):
        (own,) = _sorted_options(options, Endpoint)
        return Endpoint(spec.removeprefix(ENDPOINT), **own)
    actual = devices.resolve_device(device)
    kind = devices.resolve_compute_type(compute_type, actual) if compute_type != "default" else compute_type
    directory = model_directory(spec, None, None, quantization_for(actual, kind))
    (own,) = _sorted_options(options, CT2Generator)
    return CT2Generator(directory, device=actual, compute_type=compute_type, **own)


def _firefox(spec: str, source: str | None, target: str | None, options: Mapping[str, Any]) -> Translator:
    from spanferry.translators.firefox.translator import FirefoxTranslator

    if source is None or target is None:
        raise ModelError("Firefox's models are made for one direction each", hint="--source en --target es")
    (chosen,) = _sorted_options(options, FirefoxTranslator)
    folder = spec.removeprefix(FIREFOX).removeprefix(":")
    return FirefoxTranslator(source, target, Path(folder).expanduser() if folder else None, **chosen)


def _prompted(spec: str, device: str, compute_type: str, options: Mapping[str, Any]) -> PromptTranslator:
    engine = Endpoint if spec.startswith(ENDPOINT) else CT2Generator
    chosen = str(options.get("template", "auto"))
    asking, running = _sorted_options(_without(options, "template"), PromptTranslator, engine)
    generator = load_generator(spec, device=device, compute_type=compute_type, **running)
    has_chat = isinstance(generator, Endpoint) or generator.template is not None
    template = choose_template(chosen, generator.name, has_chat=has_chat)
    if isinstance(generator, CT2Generator) and has_chat and not template.chat:
        generator = load_generator(spec, device=device, compute_type=compute_type, **{**running, "chat": False})
    return PromptTranslator(generator, template, **asking)


def _sorted_options(options: Mapping[str, Any], *makers: Callable[..., Any]) -> list[dict[str, Any]]:
    """The options that each of ``makers`` takes by name.

    Raises:
        ConfigError: None of them takes one.
    """
    taken = [
        {name for name, p in inspect.signature(maker).parameters.items() if p.kind is p.KEYWORD_ONLY} - _OWN
        for maker in makers
    ]
    for name in options:
        if not any(name in names for names in taken):
            valid = sorted({*itertools.chain(*taken), *(["template"] if len(makers) > 1 else [])})
            raise unknown_name("option of the translator", name, valid, hint=None if valid else "it takes none")
    return [
        {name: _checked(maker, name, value) for name, value in options.items() if name in names}
        for maker, names in zip(makers, taken, strict=True)
    ]


def _checked(maker: Callable[..., Any], name: str, value: Any) -> Any:
    others = {parameter for parameter in inspect.signature(maker).parameters if parameter != name}
    return checked_options(maker, "translator", maker.__name__, {name: value}, others)[name]


def _is_language_model(directory: Path, family: str) -> bool:
    return read_description(directory, family=family).get("family") == LLM


def _without(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != name}


def model_directory(spec: str, source: str | None, target: str | None, quantization: str) -> Path:
    """The CTranslate2 directory of a model, converted first where it has to be.

    Raises:
        ModelError: There is no such model here and none can be had.
    """
    path = Path(spec).expanduser()
    if (path / "model.bin").is_file():
        return path
    if is_hugging_face(path):
        return convert(path, quantization=quantization)
    if path.is_dir():
        raise ModelError(
            "no model",
            where=str(path),
            valid="model.bin (CTranslate2), or config.json beside *.safetensors or pytorch_model.bin (Hugging Face)",
            hint="spanferry models",
        )
    named = hub_id(spec, source, target)
    if named is None:
        known = [BUNDLED, OPUS, *NAMES, *TRANSLATORS, f"{ENDPOINT}MODEL"]
        close = nearest(spec, known)
        raise ModelError(
            f"no translator {spec!r}",
            valid=f"{', '.join(known)}, {NO_MODEL} where both sides are given, a hub id (owner/name), a directory, "
            "or package.module:Class",
            hint=f"did you mean {close[0]!r}?" if close else "spanferry models",
        )
    repo, revision = named
    # A converted model needs no network, not even to ask whether there is a newer one: pin a revision for that.
    if (here := _converted(repo, revision, quantization)) is not None:
        return here
    check_languages(repo, source, target)
    files, commit = download(repo, revision)
    if is_ready(files):
        return files
    return convert(files, name=repo, origin=repo, revision=commit, quantization=quantization)


def _converted(repo: str, revision: str | None, quantization: str) -> Path | None:
    found = []
    for directory in sorted(models_root().glob(f"{repo.replace('/', '--')}@*-{quantization}")):
        facts = read_json(directory / DESCRIPTION)
        if facts.get("origin") == repo and (revision is None or str(facts.get("revision", "")).startswith(revision)):
            found.append(((directory / DESCRIPTION).stat().st_mtime_ns, directory))
    return max(found)[1] if found else None


def bundled_directories() -> list[Path]:
    """Directories of the models that ship with the package, sorted by name."""
    root = Path(__file__).parents[1] / BUNDLED / "weights"
    return sorted(path.parent for path in root.glob(f"*/{DESCRIPTION}") if (path.parent / "model.bin").is_file())


@lru_cache(maxsize=64)
def bundled_for(source: str | None, target: str | None, *, optional: bool = False) -> Path | None:
    """The first bundled model that knows the languages; a language that is None is not looked at.

    Raises:
        ModelError: None does, and ``optional`` is false.
    """
    pairs = []
    for directory in bundled_directories():
        facts = read_json(directory / DESCRIPTION)
        if _knows(facts, source, target):
            return directory
        pairs += [f"{s} to {t}" for s, t in facts["directions"]]
    if optional:
        return None
    raise ModelError(
        f"no bundled model translates {source or 'any language'} to {target or 'any language'}",
        valid=sorted(pairs) or "none: this installation has no bundled models",
        hint="use a larger model: --translator nllb-600m (needs the network once, and spanferry[convert])",
    )


def _knows(facts: dict[str, Any], source: str | None, target: str | None) -> bool:
    try:
        own = None if source is None else choose(source, [s for s, _ in facts["directions"]], facts["name"])
        if target is not None:
            choose(target, [t for s, t in facts["directions"] if own in (None, s)], facts["name"])
    except ModelError:
        return False
    return True


def list_models() -> list[ModelInfo]:
    """Bundled models, converted ones and Firefox's, each sorted by name. A directory that can't be read is left out."""
    from spanferry.translators.firefox.download import firefox_root
    from spanferry.translators.firefox.files import legs_in

    firefox = [
        ModelInfo(
            FIREFOX,
            FIREFOX,
            f"{leg.source} > {leg.target}",
            "int8",
            leg.bytes / 1e6,
            str(leg.model.parent),
            str(leg.model.parent),
        )
        for leg in legs_in(firefox_root())
    ]
    converted = _infos(sorted(models_root().glob("[!.]*")), None)
    return [*_infos(bundled_directories(), BUNDLED), *converted, *firefox]


def _infos(directories: list[Path], where: str | None) -> Iterator[ModelInfo]:
    for directory in directories:
        try:
            facts = read_json(directory / DESCRIPTION)
            sources, targets = (_shown(sorted(facts[f"{side}_languages"])) for side in ("source", "target"))
            family = str(facts["family"])
        except (ModelError, KeyError):
            continue
        size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
        name = facts["name"] if where else facts.get("origin") or facts["name"]
        quantization = str(facts.get("quantization", "unknown"))
        shown = where or str(directory)
        yield ModelInfo(name, family, f"{sources} > {targets}", quantization, size / 1e6, shown, str(directory))


def _shown(languages: list[str]) -> str:
    if ANY in languages:
        return "any"
    return ", ".join(languages) if len(languages) <= 12 else f"{len(languages)} languages"
