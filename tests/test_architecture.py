"""The house's rules, held by reading the code: imports point one way, heavy packages load late, files stay short."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("corpora", "translators", "projectors", "flows")
FILES = sorted(path for package in ORDER for path in (ROOT / package).rglob("*.py"))
# Subclasses of torch's own classes can't be written without it. Only the training imports them, inside functions.
TRAINING = ("projectors.bundled.network", "translators.bundled.network", "translators.bundled.muon")
LATE = {"torch", "transformers", "simalign", "spacy", "datasets", "lingua", "eflomal"}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("spanferry.") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.removeprefix("spanferry.")


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: all but the bodies of functions."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            continue  # never runs
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _at_import([s for s in getattr(statement, name, []) if isinstance(s, ast.stmt)])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_file_keeps_the_rules(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    package = path.relative_to(ROOT).parts[0]
    allowed = ORDER[: ORDER.index(package) + 1]

    wrong_way = [name for name in _imports(tree) if name.split(".")[0] in ORDER and name.split(".")[0] not in allowed]
    assert not wrong_way, "imports point corpora <- translators <- projectors <- flows"

    names = {name.split(".")[0] for name in _imports(tree)}
    if package != "flows":
        assert "prefect" not in names, "only flows/ knows Prefect"
    if package not in ("translators",) and "aligners" not in path.parts:
        assert "ctranslate2" not in names, "only translators/ and the encoder aligner know ctranslate2"

    top = [s for s in _at_import(tree.body) if isinstance(s, ast.Import | ast.ImportFrom)]
    early = [name for statement in top for name in _imports(ast.Module([statement], []))]
    if ".".join(path.relative_to(ROOT).with_suffix("").parts) not in TRAINING:
        assert not {name.split(".")[0] for name in early} & LATE, "imported inside the functions that need them"
        assert not set(early) & set(TRAINING), "what needs torch is imported inside the functions that need it"
    assert source.count("\n") <= 400, "one file, one idea"
    # What is on a disk may come from others: nothing that is read from there may run code.
    assert not names & {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}, "reads code with the data"
    risky = r"weights_only=False|allow_pickle=True|trust_remote_code=True|yaml\.(unsafe_|full_)?load\("
    assert not re.search(risky, source), "reads code with the data"


def test_every_table_entry_resolves() -> None:
    from spanferry.corpora.registry import resolve
    from spanferry.flows.components import KINDS

    for kind, table in KINDS.items():
        for name, path in table.items():
            if ":" in path:
                assert resolve(kind, name, table).__doc__, f"{kind} {name} says nothing of itself"


def test_version_is_the_same_everywhere() -> None:
    from spanferry.flows.version import VERSION

    declared = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert declared and declared[1] == VERSION
