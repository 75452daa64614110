"""What holds for every component: its options are declared with a type and a meaning, and wrong ones are refused."""

from typing import Any

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.options import checked_options, options_of
from spanferry.corpora.registry import resolve
from spanferry.flows.components import KINDS

# Filled by the flow, not by a user.
GIVEN = {
    *("path", "lang", "translator", "translators", "seed", "source_lang", "target_lang"),
    *("model", "directory", "facts", "vocabulary", "source", "target", "folder", "targets", "generator"),
}
COMPONENTS = [
    pytest.param(kind.removesuffix("s"), name, path, id=f"{kind}-{name}")
    for kind, table in KINDS.items()
    for name, path in table.items()
    if path.startswith("spanferry.") and ":" in path
]


def _class(kind: str, name: str, path: str) -> Any:
    return resolve(kind, name, {name: path})


@pytest.mark.parametrize(("kind", "name", "path"), COMPONENTS)
def test_every_option_has_a_type_and_a_meaning(kind: str, name: str, path: str) -> None:
    for option in options_of(_class(kind, name, path), GIVEN):
        assert option.meaning, f"{kind} {name}: the docstring says nothing of {option.name}"


@pytest.mark.parametrize(("kind", "name", "path"), COMPONENTS)
def test_unknown_options_are_refused_by_name(kind: str, name: str, path: str) -> None:
    with pytest.raises(ConfigError, match="no_such_option"):
        checked_options(_class(kind, name, path), kind, name, {"no_such_option": 1}, GIVEN)


@pytest.mark.parametrize(("kind", "name", "path"), COMPONENTS)
def test_values_of_another_type_are_refused_with_what_is_valid(kind: str, name: str, path: str) -> None:
    cls = _class(kind, name, path)
    options = options_of(cls, GIVEN)
    needed = {option.name: None for option in options if option.required}
    for option in options:
        if needed or not {"int", "float", "true or false"} & {option.type}:
            continue
        with pytest.raises(ConfigError) as caught:
            checked_options(cls, kind, name, {option.name: "neither"}, GIVEN)
        message = str(caught.value)
        assert option.name in message and option.type in message and "Hint: --set " in message


@pytest.mark.parametrize(("kind", "name", "path"), COMPONENTS)
def test_defaults_are_values_that_options_take(kind: str, name: str, path: str) -> None:
    cls = _class(kind, name, path)
    options = options_of(cls, GIVEN)
    if any(option.required for option in options):
        return
    defaults = {option.name: option.default for option in options}
    assert checked_options(cls, kind, name, defaults, GIVEN) == defaults


def _fits(*, count: int = 1, ratio: float = 0.5, flag: bool = False, names: tuple[str, ...] = ()) -> None:
    """A component.

    Args:
        count: How many.
        ratio: Of what.
        flag: Whether.
        names: Which.
    """


@pytest.mark.parametrize(
    ("option", "given", "taken"),
    [
        ("count", "64", 64),
        ("count", 64, 64),
        ("ratio", "0.25", 0.25),
        ("ratio", 1, 1.0),
        ("flag", "true", True),
        ("flag", False, False),
        ("names", "a,b", ("a", "b")),
        ("names", ["a", "b"], ("a", "b")),
        ("names", "a", ("a",)),
    ],
)
def test_strings_become_what_is_asked_for(option: str, given: object, taken: object) -> None:
    assert checked_options(_fits, "unit", "x", {option: given}) == {option: taken}


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("count", "64.5"),
        ("count", True),
        ("count", 1.5),
        ("ratio", "half"),
        ("flag", 2),
        ("flag", "maybe"),
        ("names", 3),
    ],
)
def test_what_an_option_does_not_take(option: str, given: object) -> None:
    with pytest.raises(ConfigError, match=option):
        checked_options(_fits, "unit", "x", {option: given})
