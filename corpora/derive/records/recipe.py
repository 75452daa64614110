"""A recipe: which fields of which languages a record is made of, and how it is worded.

Recipes are TOML files; those that come with Spanferry are in ``recipes``.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spanferry.corpora.errors import ConfigError, InputError, unknown_name
from spanferry.corpora.text.languages import check_language

RECIPES = Path(__file__).with_name("recipes")
# What the templates of each form consist of, in the order of the columns; ``system`` and ``turns`` need not be there.
PARTS = {
    "prompt": ("prompt", "completion"),
    "chat": ("system", "turns"),
    "preference": ("prompt", "chosen", "rejected"),
}
_CLOSED = ConfigDict(extra="forbid", frozen=True)


class Wording(BaseModel):
    """One template of a record in one language; each text is a Jinja template."""

    model_config = _CLOSED

    prompt: str = ""
    completion: str = ""
    chosen: str = ""
    rejected: str = ""
    system: str = ""
    turns: tuple[str, ...] = ()

    def texts(self, form: str) -> Iterator[tuple[str, str]]:
        """Name and text of each template that a form uses."""
        for part in PARTS[form]:
            if part == "turns":
                yield from ((f"turns[{number}]", text) for number, text in enumerate(self.turns))
            elif part != "system" or self.system:
                yield part, getattr(self, part)


class Recipe(BaseModel):
    """How records are made of rows.

    Attributes:
        about, paper, differs: For the card.
        task: The hub's task category.
        form: ``prompt`` (columns prompt and completion), ``chat`` (messages) or ``preference`` (prompt, chosen and
            rejected).
        languages: What each role is: ``all``, a tag, a list of tags, or another role that is in the same language.
        different: Roles that must not be in the same language.
        pick: ``all`` combinations of languages, or ``one`` for each row, which follows from the seed and its id.
        wording: The role whose language the templates are in.
        fallback: The language of the templates for languages that have none.
        fields: Name in the templates to ``field@role`` or ``field@tag``.
        labels: Language to label to the word for it.
        templates: Language to templates; which one follows from the seed and the id.
    """

    model_config = _CLOSED

    about: str = ""
    paper: str = ""
    differs: str = ""
    task: str = "text-generation"
    form: Literal["prompt", "chat", "preference"] = "prompt"
    languages: dict[str, str | tuple[str, ...]] = Field(min_length=1)
    different: tuple[tuple[str, ...], ...] = ()
    pick: Literal["all", "one"] = "all"
    wording: str = ""
    fallback: str = "en"
    fields: dict[str, str] = Field(min_length=1)
    labels: dict[str, dict[str, str]] = {}
    templates: dict[str, tuple[Wording, ...]] = Field(min_length=1)

    def combinations(self, there: Sequence[str]) -> Iterator[dict[str, str]]:
        """The language of each role, for a row that has the languages ``there``; in the order of ``languages``."""
        free = {role: its for role, its in self.languages.items() if its not in self.languages or its == role}
        choices = [
            [lang for lang in there if its == "all" or lang in ((its,) if isinstance(its, str) else its)]
            for its in free.values()
        ]
        for chosen in product(*choices):
            found = dict(zip(free, chosen, strict=True))
            of_all = {role: found[role if role in free else str(its)] for role, its in self.languages.items()}
            if all(len({of_all[role] for role in group}) == len(group) for group in self.different):
                yield of_all

    def places(self) -> dict[str, tuple[str, str]]:
        """Name in the templates to (field, role or tag)."""
        return {name: (field, where) for name, of in self.fields.items() for field, _, where in [of.rpartition("@")]}


def load_recipe(
    name: str, languages: Mapping[str, Any] | None = None, fields: Mapping[str, str] | None = None
) -> Recipe:
    """The recipe ``name``, with what the user chose in place of its own.

    Args:
        name: Of a recipe that comes with Spanferry, or the path of a TOML file.
        languages: Role to ``all``, a tag, a list of tags, or another role.
        fields: Name in the templates to ``field``, ``field@role`` or ``field@tag``.

    Raises:
        ConfigError: There is no such recipe, or it is not valid.
        InputError: The file can't be read.
    """
    path, where = _place(name)
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"can't be read: {error.strerror}", where=where, hint="give the path of a TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", where=where, hint="https://toml.io shows the syntax") from error
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{place}: {first['msg']}", where=where, hint=_SEE) from error
    recipe = recipe.model_copy(
        update={
            "languages": {**recipe.languages, **_known(languages or {}, recipe.languages, "role")},
            "fields": {**recipe.fields, **_placed(_known(fields or {}, recipe.fields, "field"), recipe.fields)},
        }
    )
    _check(recipe, where)
    return recipe


def recipe_names() -> list[str]:
    """The recipes that come with Spanferry."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


_SEE = "spanferry run derive records --set options.recipe=translation shows a recipe at work; corpora/derive/README.md"


def _place(name: str) -> tuple[Path, str]:
    if name in recipe_names():
        return RECIPES / f"{name}.toml", f"recipe {name}"
    if "/" not in name and not name.endswith(".toml"):
        raise unknown_name("recipe", name, recipe_names())
    return Path(name), name


def _known(chosen: Mapping[str, Any], names: Mapping[str, Any], kind: str) -> dict[str, Any]:
    for name in chosen:
        if name not in names:
            raise unknown_name(f"{kind} of the recipe", name, list(names))
    return {name: tuple(value) if isinstance(value, list) else value for name, value in chosen.items()}


def _placed(chosen: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Fields that the user named, in the role that the recipe has for them where they name none."""
    return {name: of if "@" in of else f"{of}@{own[name].rpartition('@')[2]}" for name, of in chosen.items()}


def _check(recipe: Recipe, where: str) -> None:
    """Raises a ConfigError for what the types do not show."""
    roles = recipe.languages
    for role, its in roles.items():
        if isinstance(its, str) and its != "all" and its in roles:
            if its == role or (isinstance(roles[its], str) and roles[its] in roles):
                raise ConfigError(
                    f"languages.{role} = {its!r} does not lead to a language", where=where, valid="all, tags, a role"
                )
            continue
        for tag in (its,) if isinstance(its, str) else its:
            if tag != "all":
                check_language(tag)
    for name, (field, at) in recipe.places().items():
        if not field:
            raise ConfigError(
                f"fields.{name} = {recipe.fields[name]!r} names no place", where=where, valid="field@role, field@tag"
            )
        if at not in roles:
            check_language(at)
    unknown = [role for group in recipe.different for role in group if role not in roles]
    if recipe.wording and recipe.wording not in roles:
        unknown.append(recipe.wording)
    if unknown:
        raise unknown_name("role of the recipe", unknown[0], list(roles))
    for lang, wordings in recipe.templates.items():
        check_language(lang)
        for number, wording in enumerate(wordings):
            _check_wording(recipe.form, wording, f"{where}: templates.{lang}[{number}]")
    if recipe.fallback not in recipe.templates:
        raise ConfigError(
            f"fallback = {recipe.fallback!r} has no templates", where=where, valid=", ".join(recipe.templates)
        )


def _check_wording(form: str, wording: Wording, where: str) -> None:
    parts = PARTS[form]
    extra = sorted(wording.model_fields_set - set(parts))
    if extra:
        raise ConfigError(f"{extra[0]} is not used in the form {form!r}", where=where, valid=", ".join(parts))
    missing = [part for part in parts if part != "system" and not getattr(wording, part)]
    if missing:
        raise ConfigError(f"{missing[0]} is missing or empty", where=where, valid=", ".join(parts))
    if form == "chat" and len(wording.turns) % 2:
        raise ConfigError(
            f"{len(wording.turns)} turns", where=where, valid="an even number: user and assistant in turn"
        )
