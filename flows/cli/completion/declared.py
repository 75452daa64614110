"""Tables and options as source files declare them, without importing the files.

Completion answers between two key strokes, and a component's module brings numpy, pyarrow or a model's engine along.
``tests/flows/cli/completion/test_completion.py`` compares what is read here with what the imported components declare.
"""

import ast
from functools import lru_cache
from importlib import import_module
from pathlib import Path

# Where the tables of components stand, by kind as in ``spanferry list``.
TABLES = {
    "flows": ("spanferry.flows.components", "FLOWS"),
    "readers": ("spanferry.corpora.readers", "READERS"),
    "writers": ("spanferry.corpora.writers", "WRITERS"),
    "parallel-readers": ("spanferry.corpora.readers.multiway", "PARALLEL_READERS"),
    "parallel-writers": ("spanferry.corpora.writers.parallel", "PARALLEL_WRITERS"),
    "derivations": ("spanferry.corpora.derive", "DERIVATIONS"),
    "units": ("spanferry.corpora.switching", "UNITS"),
    "counterparts": ("spanferry.corpora.switching", "COUNTERPARTS"),
    "constraints": ("spanferry.corpora.switching", "CONSTRAINTS"),
    "samplers": ("spanferry.corpora.switching", "SAMPLERS"),
    "presets": ("spanferry.corpora.switching.presets", "PRESETS"),
    "projectors": ("spanferry.projectors", "PROJECTORS"),
    "aligners": ("spanferry.projectors.aligners", "ALIGNERS"),
    "filters": ("spanferry.corpora.filters.known", "FILTERS"),
    "translators": ("spanferry.translators", "TRANSLATORS"),
    "families": ("spanferry.translators.families", "FAMILIES"),
    "samples": ("spanferry.flows.components", "SAMPLES"),
}


def table(kind: str) -> dict[str, str]:
    """Name to ``package.module:Class``, or to what is said of it, of all components of a kind."""
    module, name = TABLES[kind]
    found = _assigned(module, name)
    if not isinstance(found, ast.Dict):
        return {}
    return {
        key.value: value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
        for key, value in zip(found.keys, found.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def options_at(place: str) -> dict[str, str]:
    """The options of ``package.module:Class``, each with its annotation as it is written; none of a class from outside.

    They are the parameters of its constructor, else its fields and those of the classes that it extends.
    """
    module, _, name = place.partition(":")
    return dict(_options(module, name)) if module.startswith("spanferry.") and name else {}


@lru_cache(maxsize=256)
def _options(module: str, name: str) -> tuple[tuple[str, str], ...]:
    found = _class(module, name)
    if found is None:
        return ()
    module, cls = found
    for node in cls.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return tuple(_parameters(node))
    fields: dict[str, str] = {}
    for base in cls.bases:
        if isinstance(base, ast.Name):
            fields |= dict(_options(module, base.id))
    for node in cls.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            annotation = ast.unparse(node.annotation)
            if not annotation.startswith("ClassVar") and not _is_no_argument(node.value):
                fields[node.target.id] = annotation
    return tuple(fields.items())


def _parameters(function: ast.FunctionDef) -> list[tuple[str, str]]:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs][1:]
    return [(a.arg, ast.unparse(a.annotation) if a.annotation else "") for a in arguments]


def _is_no_argument(value: ast.expr | None) -> bool:
    """Whether a dataclass says ``field(init=False)`` of a field."""
    return isinstance(value, ast.Call) and any(
        word.arg == "init" and isinstance(word.value, ast.Constant) and word.value.value is False
        for word in value.keywords
    )


def _class(module: str, name: str) -> tuple[str, ast.ClassDef] | None:
    """The class that ``name`` stands for in a module of ours, followed through imports."""
    for node in _tree(module).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spanferry."):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _class(str(node.module), alias.name)
    return None


def _assigned(module: str, name: str) -> ast.expr | None:
    for node in _tree(module).body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node.value
    return None


@lru_cache(maxsize=128)
def _tree(module: str) -> ast.Module:
    """The source of a module; only its top package, which holds nothing, is imported to learn where it is."""
    parts = module.split(".")
    top = Path(str(import_module(".".join(parts[:2])).__file__)).parent
    path = top.joinpath(*parts[2:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
