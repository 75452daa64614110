"""The row that can't become an example."""

from dataclasses import dataclass

from spanferry.corpora.errors import RowError
from spanferry.corpora.schema import TEXT, Example, Pair


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be an example; it is emitted among the rejected rows.

    Attributes:
        id: The row's id, or its number, counted from 1.
        reason: Stable snake_case name under which it is counted.
        message: What is wrong, with the place.
        raw: The row as it stood in the file.
        split: Dataset split it would have been in.

    >>> BadRow("7", "empty_text", "no field holds any text", "{}").as_pair("en").reasons
    ('read:empty_text',)
    """

    id: str
    reason: str
    message: str
    raw: str
    split: str = "train"

    def as_pair(self, lang: str, signature: str = "") -> Pair:
        """The rejected pair that stands for it: the raw row as text, the message in ``meta``."""
        source = Example(self.id, lang, {TEXT: self.raw}, meta={"error": self.message}, split=self.split)
        return Pair(source, None, kept=False, reasons=(f"read:{self.reason}",), signature=signature)


def bad_row(error: RowError, row_id: str, where: str, raw: str, split: str) -> BadRow:
    """The bad row that ``error`` makes of a row; ``where`` is its place in the file."""
    message = f"{where}: {error.message}" + (f" (valid: {error.valid})" if error.valid else "")
    message += f" (hint: {error.hint})" if error.hint else ""
    # The row may be bad for its surrogates, and the message must still be one that can be stored.
    return BadRow(row_id, error.reason, message.encode("utf-8", "backslashreplace").decode(), raw, split)
