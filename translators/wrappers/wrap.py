"""What may stand before a translator: a glossary, protection of what must not change, the memory of earlier runs."""

from __future__ import annotations

from typing import Any

from spanferry.corpora.text.glossary import read_glossary
from spanferry.translators.wrappers.glossary import GlossaryTranslator
from spanferry.translators.wrappers.memory import RememberingTranslator, memory_path, open_memory
from spanferry.translators.wrappers.protect import ProtectedTranslator


def wrap(translator: Any, *, protect: bool = False, glossary: str = "", memory_mb: int = 0) -> Any:
    """``translator`` with what is asked for around it.

    Args:
        translator: Any translator, or None, which stays None.
        protect: Carry placeholders, URLs, code and markup through.
        glossary: Path of a glossary, see :func:`spanferry.corpora.text.glossary.read_glossary`; empty: none.
        memory_mb: 10^6 bytes of translations to keep across runs; 0: none.

    Raises:
        InputError: The glossary can't be read.
        ConfigError: A size below zero.
    """
    if translator is None:
        return None
    if glossary:
        translator = GlossaryTranslator(translator, read_glossary(glossary))
    # Outside the glossary, so that its terms are looked for beside the items, not in them.
    if protect:
        translator = ProtectedTranslator(translator)
    if memory_mb:
        translator = RememberingTranslator(translator, open_memory(memory_mb, memory_path()))
    return translator
