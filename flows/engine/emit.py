"""What every emitting step checks and says: that the counts add up, and why there is nothing in an output."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from spanferry.corpora.errors import SpanferryError
from spanferry.corpora.signature import Signature, neutral_options, settings

_SHOWN = 3


class CountError(SpanferryError):
    """Rows or spans that are neither kept nor lost with a reason: a fault of ours, and never passed over."""


def check_sum(what: str, whole: int, parts: Mapping[str, int], where: str) -> None:
    """Holds ``rows in = kept + rejected`` and ``spans in = placed + not placed with a reason``.

    Args:
        what: ``rows`` or ``spans``.
        whole: How many there were.
        parts: What became of them, each with a name.
        where: Which output, for the message.

    Raises:
        CountError: The parts are not the whole, or one has no name.
    """
    if sum(parts.values()) != whole or any(not name or name == "None" for name in parts):
        parts_shown = " + ".join(f"{count} {name or 'without a reason'}" for name, count in parts.items())
        raise CountError(
            f"{what} do not add up: {whole} in, {parts_shown or 'nothing'} out",
            where=where,
            hint="please report this with the input: it is a fault of Spanferry",
        )


def none_kept(name: str, rows: int, reasons: Mapping[str, int]) -> str:
    """Why an output has no rows, in one line."""
    if not rows:
        return f"{name}: the input has no rows"
    shown = ", ".join(f"{count} {reason}" for reason, count in list(reasons.items())[:_SHOWN])
    return f"{name}: none of {rows} rows was kept: {shown or 'nothing could be made from them'}"


def output_entry(writer: Any, name: str, options: Mapping[str, Any]) -> Signature:
    """The entry of a writer in the key of an ``emit`` step: its name and its options.

    Args:
        writer: As it was made; where its options are its fields, defaults are stated too.
        name: Its name.
        options: Those that were chosen.
    """
    stated = {f.name: getattr(writer, f.name) for f in fields(writer)} if is_dataclass(writer) else options
    return Signature.of(("emit", f"{name}{settings(stated, neutral_options(writer))}"))
