"""Names become classes; a name that a file brings can only be one of our tables, and rows keep what went wrong."""

import ast
import json
import pickle
import shutil
import sys
from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError, ModelError, RowError
from spanferry.corpora.registry import resolve, resolve_listed
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.families import FAMILIES, open_family
from spanferry.translators.loading.load import load_translator

ROOT = Path(__file__).parents[3]
# Where a name that the user wrote becomes a class: (file, kind, expression of the name). Every other name comes from a
# file and goes to `resolve_listed`; a new place belongs here only if no file on disk can choose the name.
WRITTEN_BY_THE_USER = {
    ("corpora/derive/__init__.py", "'derivation'", "name"),
    ("corpora/filters/apply.py", "'filter'", "kind"),
    ("corpora/readers/__init__.py", "'reader'", "name"),
    ("corpora/readers/multiway.py", "'parallel reader'", "name"),
    ("corpora/writers/__init__.py", "'writer'", "name"),
    ("corpora/writers/parallel.py", "'parallel writer'", "name"),
    ("flows/reference.py", "kind", "name"),
    ("flows/reference.py", "'flow'", "name"),
    ("flows/switch/plan.py", "name", "kind"),
    ("projectors/aligners/build.py", "'aligner'", "kind"),
    ("projectors/methods/build.py", "'projector'", "kind"),
    ("translators/loading/load.py", "'translator'", "spec"),
}
OUR_TABLES = {
    ("corpora/registry.py", "kind", "name"),
    ("translators/families/__init__.py", "'model family'", "name"),
}


def test_every_place_that_resolves_is_known() -> None:
    found = set()
    for folder in ("corpora", "translators", "projectors", "flows"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "resolve":
                    kind, name = (ast.unparse(argument) for argument in node.args[:2])
                    found.add((path.relative_to(ROOT).as_posix(), kind, name))
    assert found == WRITTEN_BY_THE_USER | OUR_TABLES


def test_only_the_registry_imports_by_name() -> None:
    importing = {
        path.relative_to(ROOT).as_posix()
        for folder in ("corpora", "translators", "projectors", "flows")
        for path in (ROOT / folder).rglob("*.py")
        if "import_module" in (text := path.read_text(encoding="utf-8")) or "__import__(" in text
    }
    # The others import what their own constants name.
    assert importing == {
        "corpora/registry.py",
        "flows/api/__init__.py",
        "flows/cli/completion/declared.py",
        "flows/cli/main.py",
    }


@pytest.mark.parametrize(
    "name", ["shutil:rmtree", "os:system", "spanferry.corpora.registry:resolve", "", "Marian", None, 3, ["t5"]]
)
def test_a_file_names_only_what_is_in_the_table(name: object) -> None:
    with pytest.raises(ConfigError, match="unknown model family"):
        resolve_listed("model family", name, FAMILIES)


def test_listed_names_and_the_users_own_resolve() -> None:
    assert resolve_listed("model family", "t5", FAMILIES) is resolve("model family", FAMILIES["t5"], {})


@pytest.mark.parametrize("kind", ["cohere", "hunyuan_v1_dense", "modernbert"])
def test_an_architecture_without_a_converter_is_named(kind: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}), encoding="utf-8")
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ModelError, match=f"'{kind}' are not supported by CTranslate2 4.8") as caught:
        load_translator(str(tmp_path))
    assert str(caught.value).endswith("Hint: serve the model behind an endpoint: --translator endpoint:MODEL")


@pytest.mark.parametrize("family", ["shutil:rmtree", "pathlib:Path", "marian2", None, {"a": 1}])
def test_a_model_directory_runs_no_code(model_directory: Path, tmp_path: Path, family: object) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model_directory, copy)
    facts = json.loads((copy / "spanferry.json").read_text(encoding="utf-8"))
    (copy / "spanferry.json").write_text(json.dumps({**facts, "family": family}), encoding="utf-8")
    before = sorted(path.name for path in copy.iterdir())
    for opened in (open_family, CT2Translator, lambda place: load_translator(str(place))):
        with pytest.raises(ModelError, match="unknown model family") as caught:
            opened(copy)
        assert "marian" in str(caught.value) and "spanferry.json" in str(caught.value)
    assert sorted(path.name for path in copy.iterdir()) == before


def test_a_row_keeps_its_details_and_refuses_others() -> None:
    error = RowError("bad_span", "outside", where="a.jsonl:3", valid=["0", "1"], hint="end=inclusive")
    again = pickle.loads(pickle.dumps(error))
    for one in (error, again):
        assert (one.reason, one.where, one.valid, one.hint) == ("bad_span", "a.jsonl:3", "0, 1", "end=inclusive")
    with pytest.raises(TypeError, match="wher"):
        RowError("bad_span", "outside", wher="a.jsonl:3")  # type: ignore[call-arg]


def test_only_what_a_user_names_is_looked_for_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spanferry_own.py").write_text("VALUE = 7\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    assert resolve("reader", "json:loads", {}) is json.loads
    with pytest.raises(ConfigError, match="spanferry_own"):
        resolve("reader", "own", {"own": "spanferry_own:VALUE"})
    assert resolve("reader", "spanferry_own:VALUE", {}) == 7
