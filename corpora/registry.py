"""Lazy tables: a name, or a ``package.module:Class`` string, becomes a class when it is first used."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, unknown_name


def resolve_listed(kind: str, name: object, table: Mapping[str, str]) -> Any:
    """The object of ``table`` that ``name`` stands for; for names read from data, models and files found on disk.

    ``package.module:attribute`` is refused: a file must not choose which code runs.

    Raises:
        ConfigError: ``name`` is not a key of ``table``.
    """
    if not isinstance(name, str) or name not in table:
        raise unknown_name(kind, str(name), list(table))
    return resolve(kind, name, table)


def resolve(kind: str, name: str, table: Mapping[str, str]) -> Any:
    """The object that ``name`` stands for, where the user wrote ``name``: command line, ``--config`` file or Python.

    A name that comes from a file on disk goes to :func:`resolve_listed`.

    Args:
        kind: What is looked for, for messages: ``reader``, ``filter`` …
        name: A key of ``table``, or ``package.module:attribute`` for something from outside.
        table: Names to ``package.module:attribute``.

    Raises:
        ConfigError: No such name, module or attribute.
    """
    path = table.get(name, name)
    module_name, _, attribute = path.partition(":")
    if not attribute:
        raise unknown_name(kind, name, list(table))
    if path == name:
        _look_here(module_name)
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise ConfigError(
                f"no module {error.name!r} for {kind} {name!r}",
                valid=sorted(table),
                hint="a class from outside is written package.module:Class and must be importable",
            ) from error
        raise
    if not hasattr(module, attribute):
        raise ConfigError(
            f"module {module_name!r} has no {attribute!r} for {kind} {name!r}",
            hint="a class from outside is written package.module:Class",
        )
    return getattr(module, attribute)


def _look_here(module_name: str) -> None:
    """Makes a user's module in the current folder importable, here and by the workers that take its objects.

    The folder is searched last, and only once a user names a module in it: a file ``torch.py`` beside somebody's data
    must not run because torch is not installed.
    """
    package, here = module_name.partition(".")[0], str(Path.cwd())
    if not package or here in sys.path or "" in sys.path or package in sys.modules or find_spec(package) is not None:
        return
    if Path(here, package).is_dir() or Path(here, f"{package}.py").is_file():
        sys.path.append(here)
