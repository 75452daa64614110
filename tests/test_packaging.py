"""What an installation outside the repository holds: everything that the code reads, and nothing but ``spanferry``."""

import subprocess
import tomllib
from pathlib import Path

from tests.conftest import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
FOLDERS = ("corpora", "translators", "projectors", "flows")


def _folder(package: str) -> Path:
    """Where a package lies in the repository: the longest name that is mapped to a folder decides."""
    name, rest = package, []
    while name not in SETTINGS["package-dir"]:
        name, _, last = name.rpartition(".")
        rest.insert(0, last)
    return ROOT.joinpath(SETTINGS["package-dir"][name], *rest)


def _shipped() -> set[str]:
    """The files of the packages' folders that are installed, as setuptools finds them."""
    patterns = ("*.py", *SETTINGS["package-data"]["*"])
    folders = [_folder(package) for package in SETTINGS["packages"]]
    return {str(path.relative_to(ROOT)) for folder in folders for pattern in patterns for path in folder.glob(pattern)}


def test_everything_that_the_packages_hold_is_installed() -> None:
    listed = subprocess.run(
        ["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "translators/bundled/weights/mini/model.bin" in listed
    assert sorted(set(listed) - _shipped()) == []


def test_nothing_but_spanferry_is_installed_at_top_level() -> None:
    assert {package.partition(".")[0] for package in SETTINGS["packages"]} == {"spanferry"}
