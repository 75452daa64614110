"""What the translators that stand before another one share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from spanferry.corpora.schema import Translation

_WINDOW_ROWS = 8192


class WrappedTranslator(ABC):
    """Changes how texts are translated; everything else (pieces, scores, attention …) is the inner translator's.

    Args:
        inner: Any translator.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"translate_nbest", "sampled"})
    """What is not the inner translator's to give: its hypotheses would lack what is changed here."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        # ``inner`` is not there yet while it is unpickled.
        if name == "inner" or name.startswith("__") or name in self.hidden:
            raise AttributeError(name)
        return getattr(self.inner, name)

    def supports(self, source: str, target: str) -> bool:
        """Whether the inner translator knows this direction (BCP-47 tags)."""
        return bool(self.inner.supports(source, target))

    @abstractmethod
    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in order."""

    def stream(self, texts: Iterable[str], source: str, target: str) -> Iterator[Translation]:
        """As ``translate``, for any number of texts: a window of them is in memory."""
        window: list[str] = []
        for text in texts:
            window.append(text)
            if len(window) == _WINDOW_ROWS:
                yield from self.translate(window, source, target)
                window = []
        yield from self.translate(window, source, target)

    def pieces_of(self, text: str, target: str) -> tuple[str, ...]:
        """Pieces of a target text; none where the inner translator has no pieces."""
        encode = getattr(self.inner, "encode_target", None)
        return tuple(encode(text, target)) if encode else ()
