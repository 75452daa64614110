"""Examples for a prompt: the pairs of a translation memory whose source is most like the text."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rapidfuzz import fuzz, process

from spanferry.corpora.errors import InputError
from spanferry.corpora.signature import Signature
from spanferry.translators.pieces import one_line


class ExampleMemory:
    """Pairs of a source and its translation in a file, found by likeness.

    Fuzzy matches from a translation memory as examples: Moslem et al., EAMT 2023 (there by sentence
    embeddings; here by the ratio of matching characters, which needs no model).

    Args:
        path: A TSV file, one pair a line: source, target; further columns are not read.

    Raises:
        InputError: The file can't be read, or a line is not a pair.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        try:
            data = self.path.read_bytes()
            lines = data.decode("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"no examples can be read ({error})", where=str(self.path), hint="a TSV file in UTF-8: source, target"
            ) from error
        self.signature = Signature(hashlib.sha256(data).hexdigest()[:8])
        """First 8 of the file's SHA-256."""
        pairs: dict[tuple[str, str], None] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            columns = [one_line(column) for column in line.split("\t")]
            if len(columns) < 2 or not all(columns[:2]):
                raise InputError(
                    "is not a pair of texts", where=f"{self.path}:{number}", valid="source<TAB>target",
                    hint="leave a line empty to skip it",
                )  # fmt: skip
            pairs[columns[0], columns[1]] = None
        self._pairs = list(pairs)
        self._sources = [source for source, _ in self._pairs]

    def __len__(self) -> int:
        return len(self._pairs)

    def similar(self, text: str, count: int, *, least: float = 0.0) -> list[tuple[str, str]]:
        """At most ``count`` pairs, the most alike last, next to where the text stands in the prompt.

        Args:
            text: One line.
            count: How many.
            least: Smallest likeness, 0 to 1: twice the matching characters over all characters of both.
        """
        found = process.extract(text, self._sources, scorer=fuzz.ratio, limit=count, score_cutoff=100 * least)
        # Equally alike ones in the order of the file, whatever the library does.
        best = sorted(found, key=lambda match: (-match[1], match[2]))
        return [self._pairs[index] for _, _, index in reversed(best)]
