"""What every emitting step checks and says: that the counts add up, and why there is nothing in an output."""

from collections.abc import Mapping

from spanferry.corpora.errors import SpanferryError

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
        told = " + ".join(f"{count} {name or 'without a reason'}" for name, count in parts.items())
        raise CountError(
            f"{what} do not add up: {whole} in, {told or 'nothing'} out",
            where=where,
            hint="please report this with the input: it is a fault of Spanferry",
        )


def none_kept(name: str, rows: int, reasons: Mapping[str, int]) -> str:
    """Why an output has no rows, in one line."""
    if not rows:
        return f"{name}: the input has no rows"
    told = ", ".join(f"{count} {reason}" for reason, count in list(reasons.items())[:_SHOWN])
    return f"{name}: none of {rows} rows was kept: {told or 'nothing could be made from them'}"
