"""The commands of a page, and what is wrong with one that is not run."""

import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from spanferry.flows.cli.main import app
from tests.write_reference import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:spanferry|python|make|pip)\s[^`]+)`")
# A command at the start of a line, or behind a heading of its own in what a command printed.
_COMMAND = re.compile(r"(?:^|(?<=  ))\s*((?:spanferry|python|make|pip|less) .*)")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page.

    Attributes:
        words: Its words, the program's name first; what a page leaves out (``…``) is not among them.
        block: Whether it stands in a code block, rather than in running text.
    """

    words: tuple[str, ...]
    block: bool

    def __str__(self) -> str:
        return shlex.join(self.words)


def blocks_of(text: str, language: str) -> list[str]:
    """The code blocks of a page in a language; "" for those without a name."""
    return [body for found, body in FENCE.findall(text) if found == language]


def commands_of(text: str) -> list[Command]:
    """Every command of a page in order, those of code blocks before those in running text."""
    lines = [
        line
        for language in ("", "bash", "sh")
        for block in blocks_of(text, language)
        for line in block.replace("\\\n", " ").splitlines()
    ]
    blocks = [match[1] for line in lines if (match := _COMMAND.search(line))]
    prose = [" ".join(found.split()) for found in _INLINE.findall(FENCE.sub("", text))]
    return [Command(_words(line), True) for line in blocks] + [Command(_words(line), False) for line in prose]


def _words(line: str) -> tuple[str, ...]:
    words = (word.rstrip("…") for word in shlex.split(line, comments=True))
    return tuple(word for word in words if word)


def is_mention(command: Command) -> bool:
    """Whether it is the name of a command in running text (``spanferry run derive``), with nothing to work on."""
    return not command.block and all(re.fullmatch(r"[a-z][a-z-]*", word) for word in command.words)


def problem_of(command: Command) -> str | None:
    """What is wrong with the names in a command, or None. Nothing runs; what a page leaves out may be missing."""
    program, *rest = command.words
    if program == "spanferry":
        return _problem_of_ours(rest)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return next((f"no target {word!r}" for word in rest if word not in targets), None)
    if program == "pip":
        return _problem_of_extras(rest)
    if program == "python" and rest[0] in ("-m", "-c"):
        return _problem_of_module(rest[1], rest[2:]) if rest[0] == "-m" and rest[1:] else None
    return _problem_of_script(ROOT / rest[0], rest[1:]) if program == "python" else None


def _problem_of_ours(arguments: list[str]) -> str | None:
    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="spanferry")
    rest = list(arguments)
    try:
        while hasattr(command, "list_commands"):
            if not rest or rest[0].startswith("-"):
                break
            name, command, rest = command.resolve_command(context, rest)
            context = command.context_class(command, info_name=name, parent=context)
        # Typer brings a copy of click, whose parser returns values, the rest, and the order.
        _, left, _ = command.make_parser(context).parse_args(args=rest)
        if left:
            return f"unexpected argument {left[0]!r}"
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return str(error.format_message())
    return None


def _problem_of_extras(arguments: list[str]) -> str | None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extra in re.findall(r"spanferry\[(.*?)\]", " ".join(arguments)):
        if extra not in project["optional-dependencies"]:
            return f"no extra {extra!r}"
    return None


def _problem_of_module(name: str, arguments: list[str]) -> str | None:
    if not name.startswith("spanferry."):
        return None
    return _problem_of_script(ROOT / Path(*name.split(".")[1:]).with_suffix(".py"), arguments)


def _problem_of_script(script: Path, arguments: list[str]) -> str | None:
    if not script.is_file():
        return f"no file {script.relative_to(ROOT)}"
    code = script.read_text()
    # Options that are declared one by one, and those made of the fields of a class.
    known = set(re.findall(r'"--([\w-]+)"', code))
    if 'f"--{' in code:
        known |= {name.replace("_", "-") for name in re.findall(r"^    (\w+): ", code, re.MULTILINE)}
    for word in arguments:
        if word.startswith("--") and word[2:].partition("=")[0] not in known:
            return f"{script.relative_to(ROOT)} has no option {word!r}"
    return None
