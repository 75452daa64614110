"""The plan of the folders, held by reading the code: no import circle, no crowded folder, one installed name."""

import ast
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("corpora", "translators", "projectors", "flows")
# Files beside sub-folders that a reader can take in at a glance.
MOST_FILES = 18


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# ``flows/api`` is installed as ``spanferry`` itself: it stands above all others.
FILES = {_module(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}


def _imported(path: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}".removeprefix("spanferry.")
                yield whole if whole in FILES else node.module.removeprefix("spanferry.")
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("spanferry.") for alias in node.names)


GRAPH = {module: {name for name in _imported(path) if name in FILES} - {module} for module, path in FILES.items()}


def _circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one node (Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            place = stack.index(node)
            if len(stack) - place > 1:
                found.append(sorted(stack[place:]))
            del stack[place:]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def test_no_files_import_each_other_in_a_circle() -> None:
    assert _circles(GRAPH) == []


def test_no_folders_import_each_other_in_a_circle() -> None:
    folders: dict[str, set[str]] = defaultdict(set)
    for module, names in GRAPH.items():
        here = str(FILES[module].parent.relative_to(ROOT))
        folders[here] |= {str(FILES[name].parent.relative_to(ROOT)) for name in names} - {here}
    assert _circles(folders) == []


def test_no_folder_is_crowded() -> None:
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in FILES.values() if path.name != "__init__.py")
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_nothing_but_spanferry_is_imported_by_our_names() -> None:
    for path in [*FILES.values(), *(ROOT / "tests").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [n for n in names if n.split(".")[0] in PACKAGES], f"{path}: import spanferry.…"


def test_every_folder_is_installed() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["tool"]["setuptools"]["packages"]
    folders = {str(path.parent.relative_to(ROOT)).replace("/", ".") for path in FILES.values()} - {"flows.api"}
    assert sorted(listed) == sorted({"spanferry"} | {f"spanferry.{folder}" for folder in folders})


def test_tests_mirror_the_folders() -> None:
    for package in PACKAGES:
        for path in (ROOT / "tests" / package).rglob("test_*.py"):
            folder = path.parent.relative_to(ROOT / "tests")
            assert (ROOT / folder).is_dir(), f"{path}: there is no folder {folder} to test"
            siblings = {entry.name for entry in (ROOT / folder).iterdir() if any(entry.glob("*.py"))}
            subject = path.stem.removeprefix("test_").split("_")[0]
            assert subject not in siblings, f"{path}: belongs into tests/{folder}/{subject}"
