"""Options of projectors and aligners: checked against their constructors before anything is made of them."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from corpora.errors import ConfigError, nearest


def checked_options(kind: str, name: str, cls: Any, options: Mapping[str, Any], given: Iterable[str]) -> dict[str, Any]:
    """The options as the constructor of ``cls`` takes them; of an option that is a list, a string is its only item.

    Args:
        kind: ``projector`` or ``aligner``, for messages.
        name: Its name, for messages.
        cls: The class.
        options: What the user chose.
        given: Parameters that are no options.

    Raises:
        ConfigError: An option it does not have or one it can't do without, or a value of the wrong kind.
    """
    parameters = {p.name: p for p in inspect.signature(cls).parameters.values() if p.name not in given}
    for option in options:
        if option not in parameters:
            close = nearest(option, list(parameters), 1)
            hint = f"did you mean {close[0]!r}?" if close else f"spanferry list {kind}s"
            raise ConfigError(f"unknown option {option!r} of {kind} {name!r}", valid=parameters or "none", hint=hint)
    for option, parameter in parameters.items():
        if parameter.default is parameter.empty and option not in options:
            raise ConfigError(
                f"{kind} {name!r} needs the option {option!r}", valid=parameters, hint=f"spanferry list {kind}s"
            )
    try:
        types = get_type_hints(cls if inspect.isfunction(cls) else cls.__init__)
    except NameError:  # a class from outside, whose types are imported for a type checker alone
        types = {}
    return {o: _checked(f"{kind} {name!r}", parameters[o], types.get(o, Any), value) for o, value in options.items()}


def _checked(whose: str, parameter: inspect.Parameter, wanted: Any, value: Any) -> Any:
    try:
        takes = TypeAdapter(wanted, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:
        # A dataclass or the like brings a configuration of its own.
        takes = TypeAdapter(wanted)
    tries = [value, [value]] if isinstance(value, str) else [value]
    problem = ""
    for candidate in tries:
        try:
            takes.validate_python(candidate, strict=True)
            return candidate
        except ValidationError as error:
            problem = problem or error.errors()[0]["msg"]
    default = parameter.default is not parameter.empty
    raise ConfigError(
        f"{whose} does not take {parameter.name}={value!r}",
        valid=problem,
        hint=f"leave {parameter.name} out for its default" if default else "see its row in the README",
    )
