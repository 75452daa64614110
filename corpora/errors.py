"""The errors a user meets. Each message says what, the value, where, what is valid, and ends with a hint."""

from collections.abc import Iterable, Sequence

from rapidfuzz import process


class SpanferryError(Exception):
    """Base of all errors that are the input's, the configuration's or the environment's fault.

    The command line prints these without a traceback; anything else is a bug of ours and keeps its traceback.

    Args:
        message: What happened, with the value.
        where: Place of the fault, such as ``path:line`` or an example id.
        valid: What would have been accepted.
        hint: A command or an option that helps.

    >>> print(SpanferryError("no such file", where="train.jsonl", hint="check the path"))
    train.jsonl: no such file
    Hint: check the path
    """

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        valid: Iterable[str] | str | None = None,
        hint: str | None = None,
    ) -> None:
        self.message = _printable(message)
        self.where = None if where is None else _printable(where)
        self.hint = None if hint is None else _printable(hint)
        self.valid = None if valid is None else _printable(valid if isinstance(valid, str) else ", ".join(valid))
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.valid:
            lines.append(f"Valid: {self.valid}")
        if self.hint:
            lines.append(f"Hint: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only fields would be lost by the default pickling, and errors cross process borders.
        return (_rebuild, (type(self), self.message, self.where, self.valid, self.hint))


def _printable(text: str) -> str:
    """The text with unpaired surrogates written out: data and names of files may hold bytes of no encoding."""
    return text.encode("utf-8", "backslashreplace").decode()


def _rebuild(
    cls: type[SpanferryError], message: str, where: str | None, valid: str | None, hint: str | None
) -> SpanferryError:
    return cls(message, where=where, valid=valid, hint=hint)


class ConfigError(SpanferryError):
    """An option, a name or a combination of options that is not valid.

    >>> str(ConfigError("unknown reader 'conl'", valid=["conll"]))
    "unknown reader 'conl'\\nValid: conll"
    """


class InputError(SpanferryError):
    """Input data that can't be read as what it was said to be.

    >>> InputError("empty file", where="train.jsonl").where
    'train.jsonl'
    """


class OutputError(SpanferryError):
    """Output that can't be written: the format can't hold the data, or the place is taken or full.

    >>> OutputError("no room left", where="OUT").message
    'no room left'
    """


class ModelError(SpanferryError):
    """A model that is missing, broken, or does not know a language that was asked for.

    >>> isinstance(ModelError("no weights"), SpanferryError)
    True
    """


class MissingExtraError(SpanferryError):
    """An optional package that is not installed."""

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> "MissingExtraError":
        """The error for ``package``, which ``purpose`` needs and the extra ``extra`` brings."""
        return cls(
            f"{purpose} needs the package {package!r}, which is not installed",
            hint=f"pip install 'spanferry[{extra}]'",
        )


class RowError(SpanferryError):
    """One row that failed. Carries the reason under which the row is rejected; never stops a shard.

    Args:
        reason: A stable snake_case name, the key under which rejected rows are counted.
        message: What happened to this row.
        where: Place of the fault, such as ``path:line`` or an example id.
        valid: What would have been accepted.
        hint: A command or an option that helps.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        where: str | None = None,
        valid: Iterable[str] | str | None = None,
        hint: str | None = None,
    ) -> None:
        self.reason = reason
        super().__init__(message, where=where, valid=valid, hint=hint)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_row, (self.reason, self.message, self.where, self.valid, self.hint))


def _rebuild_row(reason: str, message: str, where: str | None, valid: str | None, hint: str | None) -> RowError:
    return RowError(reason, message, where=where, valid=valid, hint=hint)


def nearest(name: str, valid: Sequence[str], count: int = 3) -> list[str]:
    """The names in ``valid`` most like ``name``, best first, at most ``count``."""
    matches = process.extract(name.lower(), {v: v.lower() for v in valid}, limit=count, score_cutoff=50)
    return [key for _, _, key in matches]


def unknown_name(kind: str, name: str, valid: Sequence[str], hint: str | None = None) -> ConfigError:
    """The error for a ``name`` that no ``kind`` (reader, filter, option …) goes by; suggests the nearest."""
    close = nearest(name, valid)
    return ConfigError(
        f"unknown {kind} {name!r}",
        valid=sorted(valid),
        hint=hint or (f"did you mean {close[0]!r}?" if close else "spanferry list"),
    )
