"""What a shell is offered: names of components for the options that take one, keys for ``--set``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import typer

from spanferry.flows.cli.completion.declared import TABLES, options_at, table
from spanferry.flows.configs import CONFIGS, GIVEN

Offer = Callable[[typer.Context, str], list[str]]
# Flows over sets of several languages have readers and writers of their own.
_OF_SETS = frozenset({"parallel", "derive", "code-switch"})
# Key of a configuration to the kind of component that it names, to the option of the command that does so as well,
# and to the component that there is by itself.
_NAMING = {
    "projector.kind": ("projectors", "projector", "default"),
    "align.aligner": ("aligners", "aligner", "lexical"),
    "kind": ("derivations", "kind", ""),
    "unit.kind": ("units", "unit", "word"),
    "counterpart.kind": ("counterparts", "counterpart", "alignment"),
    "constraint.kind": ("constraints", "constraint", "none"),
    "sampler.kind": ("samplers", "sampler", "probability"),
    "preset": ("presets", "preset", ""),
    "translator.model": ("translators", "translator", "bundled"),
}
_CT2 = "spanferry.translators.engine.ct2:CT2Translator"
_ASKED = "spanferry.translators.prompting.prompted:PromptTranslator"


def components(*kinds: str, more: Sequence[str] = (), prefix: str = "") -> Offer:
    """Offers the names of components.

    Args:
        *kinds: As in ``spanferry list``.
        more: Further names.
        prefix: What stands before a name.
    """

    def offer(ctx: typer.Context, incomplete: str) -> list[str]:
        names = dict.fromkeys([*more, *(f"{prefix}{name}" for kind in kinds for name in table(kind))])
        return [name for name in names if name.startswith(incomplete)]

    return offer


def methods(kind: str) -> Offer:
    """Offers the names of components and, behind a bracket, the options of one: ``alignment[rule=``.

    Args:
        kind: As in ``spanferry list``.
    """

    def offer(ctx: typer.Context, incomplete: str) -> list[str]:
        name, bracket, inside = incomplete.partition("[")
        if not bracket:
            return [known for known in table(kind) if known.startswith(name)]
        before, comma, key = inside.rpartition(",")
        chosen = {one.partition("=")[0] for one in before.split(",")}
        return [
            f"{name}[{before}{comma}{option}="
            for option in _own(kind, name)
            if option.startswith(key) and option not in chosen
        ]

    return offer


def reader_setting(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offers the options of the chosen reader, of all readers where none is chosen."""
    chosen = ctx.params.get("format")
    names = [chosen] if chosen else table("readers")
    keys_of_all = dict.fromkeys(option for name in names for option in _own("readers", name))
    return [f"{option}=" for option in keys_of_all if option.startswith(incomplete)]


def kinds(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offers the kinds of components."""
    return [kind for kind in TABLES if kind.startswith(incomplete)]


def setting(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offers the keys that ``--set`` takes, those of the options of the components that are chosen among them."""
    flow = ctx.info_name or ""
    if flow not in CONFIGS:
        return []
    key, sign, value = incomplete.partition("=")
    if sign:
        return [f"{key}={name}" for name in _values(key, flow) if name.startswith(value)]
    return [f"{found}=" for found in dict.fromkeys(keys(flow, ctx.params)) if found.startswith(incomplete)]


def keys(flow: str, chosen: Mapping[str, Any]) -> Iterator[str]:
    """All keys of a flow's configuration, in its order.

    Args:
        flow: Its name.
        chosen: The command's options so far; they name the components whose options are offered.
    """
    config, readers, writers = CONFIGS[flow], _of(flow, "readers"), _of(flow, "writers")
    named = _settings(chosen)
    for key in _leaves(config):
        if key == "flow":
            continue
        if key == "filters" and flow in ("translate-train", "project"):  # elsewhere a list
            yield from (f"filters.{name}.{option}" for name in table("filters") for option in _own("filters", name))
        elif key in ("read.options", "rows.options"):
            formats = [chosen["format"]] if chosen.get("format") else [*table("readers"), *table(readers)]
            yield from (f"{key}.{option}" for name in formats for option in _own_of((readers, "readers"), name))
        elif key == "output.options":
            yield from (f"{key}.{name}.{option}" for name in table(writers) for option in _own(writers, name))
        elif key == "translator.options":
            yield from (f"{key}.{option}" for option in _of_translator(_name("translator.model", chosen, named)))
        elif key == "projector.options":
            yield from _of_projector(key, _name("projector.kind", chosen, named), named)
        elif key == "align.options":
            yield from (f"{key}.{option}" for option in _own("aligners", _name("align.aligner", chosen, named)))
        elif key == "options":
            yield from (f"{key}.{option}" for option in _own("derivations", _name("kind", chosen, named)))
        elif f"{key}.kind" in _NAMING:
            kind = _NAMING[f"{key}.kind"][0]
            yield f"{key}.kind"
            yield from (f"{key}.{option}" for option in _own(kind, _name(f"{key}.kind", chosen, named)))
        else:
            yield key


def _of(flow: str, kind: str) -> str:
    return f"parallel-{kind}" if flow in _OF_SETS else kind


def _leaves(config: str, prefix: str = "") -> Iterator[str]:
    module = config.partition(":")[0]
    for name, annotation in options_at(config).items():
        section = f"{module}:{annotation}"
        if annotation.endswith("Config") and options_at(section):
            yield from _leaves(section, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _own(kind: str, name: str) -> list[str]:
    return [option for option in options_at(table(kind).get(name, "")) if option not in GIVEN and option != "self"]


def _own_of(kinds: Sequence[str], name: str) -> list[str]:
    return [option for kind in dict.fromkeys(kinds) for option in _own(kind, name)]


def _of_projector(key: str, name: str, named: Mapping[str, str]) -> Iterator[str]:
    for option in _own("projectors", name):
        if option == "aligner_options":
            aligner = named.get(f"{key}.aligner", "lexical")
            yield from (f"{key}.{option}.{own}" for own in _own("aligners", aligner))
        else:
            yield f"{key}.{option}"


def _of_translator(name: str) -> list[str]:
    if name.startswith("endpoint"):
        places = [table("translators")["endpoint"], _ASKED]
    elif name.startswith("firefox"):
        places = [table("translators")["firefox"]]
    else:
        places = [_CT2, _ASKED] if name not in ("bundled", "none") else [_CT2]
    # What the command has options for, and what comes from the model's name.
    others = {"directory", "beam", "device", "compute_type", "model", "generator", "source", "target", "folder"}
    return [option for place in places for option in options_at(place) if option not in others]


def _settings(chosen: Mapping[str, Any]) -> dict[str, str]:
    """Those that were given with ``--set`` before."""
    given = (one.partition("=") for one in chosen.get("set") or ())
    return {key: value.strip("'\"") for key, _, value in given}


def _name(key: str, chosen: Mapping[str, Any], named: Mapping[str, str]) -> str:
    _, option, default = _NAMING[key]
    return str(chosen.get(option) or named.get(key) or default)


def _values(key: str, flow: str) -> list[str]:
    """What a key may be set to, where that is a component or a word of a few."""
    if key in _NAMING:
        return list(table(_NAMING[key][0]))
    if key in ("read.format", "rows.format"):
        return list(dict.fromkeys([*table("readers"), *table(_of(flow, "readers"))]))
    if key == "projector.options.aligner":
        return list(table("aligners"))
    annotation = _annotation(CONFIGS[flow], key.split("."))
    if annotation == "bool":
        return ["true", "false"]
    if annotation.startswith("Literal["):
        return [word.strip("'\" ") for word in annotation[len("Literal[") : -1].split(",")]
    return []


def _annotation(config: str, path: Sequence[str]) -> str:
    annotation = options_at(config).get(path[0], "")
    section = f"{config.partition(':')[0]}:{annotation}"
    return _annotation(section, path[1:]) if len(path) > 1 and options_at(section) else annotation
