"""Jinja templates in a sandbox: they see the texts of a row and a few filters, and nothing else."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from spanferry.corpora.derive.records.texts import Text, as_json, bio, marked
from spanferry.corpora.errors import ConfigError, unknown_name

# What templates see besides the recipe's fields: the row's label in the words of the template's language, all such
# words, the row's id, and the name of each role's language.
GIVEN = ("label", "labels", "id", "languages")


class NothingThereError(Exception):
    """A row lacks what a template shows, such as the first span of a text without spans."""


def _quotes(text: Text, label: str | None = None) -> list[str]:
    """The texts of the spans, of one label if it is given."""
    return [span.text for span in text.spans if label is None or span.label == label]


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    found = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )
    found.filters |= {"marked": marked, "bio": bio, "json": as_json, "quotes": _quotes}
    return found


@lru_cache(maxsize=4096)
def template_of(text: str) -> Template:
    """The template of a text that ``check_template`` accepts."""
    return _environment().from_string(text)


def check_template(text: str, names: Iterable[str], where: str) -> None:
    """Raises a ConfigError if ``text`` is not a template, or shows what is neither in ``names`` nor in ``GIVEN``.

    Args:
        text: The template.
        names: The fields of the recipe.
        where: For the message.
    """
    try:
        used = meta.find_undeclared_variables(_environment().parse(text))
        template_of(text)
    except TemplateSyntaxError as error:
        raise ConfigError(
            f"not a template: {error.message}", where=where, hint="{{ name }} shows a field; {% if %} needs {% endif %}"
        ) from error
    known = [*names, *GIVEN]
    for name in sorted(used):
        if name not in known:
            raise unknown_name(f"name in the template {where}", name, known)


def rendered(text: str, values: Mapping[str, Any]) -> str:
    """What a template makes of a row, without white space at its ends.

    Raises:
        NothingThereError: The row lacks something that the template shows.
    """
    try:
        return template_of(text).render(values).strip()
    except (UndefinedError, SecurityError, TypeError, ValueError, ArithmeticError, LookupError, OverflowError) as error:
        raise NothingThereError(str(error)) from error
