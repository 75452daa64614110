"""Derived sets: one file per kind, found through ``DERIVATIONS``."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from corpora.derive.base import Derivation
from corpora.options import checked_options, option_defaults
from corpora.registry import resolve

DERIVATIONS = {
    "instructions": "corpora.derive.instructions:Instructions",
    "multilingual-prompts": "corpora.derive.multilingual_prompts:MultilingualPrompts",
    "dictionary-chains": "corpora.derive.dictionary_chains:DictionaryChains",
    "interleaved": "corpora.derive.interleaved:Interleaved",
    "cross-qa": "corpora.derive.cross_qa:CrossQa",
    "sentence-pairs": "corpora.derive.sentence_pairs:SentencePairs",
    "realignment": "corpora.derive.realignment:Realignment",
    "dictionary": "corpora.derive.dictionary:BilingualDictionary",
    "preferences": "corpora.derive.preferences:Preferences",
    "sampled": "corpora.derive.sampled:Sampled",
}

__all__ = ["DERIVATIONS", "Derivation", "derivation_options", "open_derivation"]

# What the flow gives to a derivation; everything else is the user's to set.
_GIVEN = ("seed", "translators")


def open_derivation(
    name: str, options: Mapping[str, Any] | None = None, *, seed: int = 0, translators: Any = None
) -> Derivation:
    """The derivation ``name`` (of ``DERIVATIONS``, or ``package.module:Class``) with ``options``.

    Args:
        name: Its name.
        options: Its options.
        seed: For those that draw.
        translators: For those that translate: a function from (source, target) language to a translator.

    Raises:
        ConfigError: Unknown name or option, or a value the option does not take.
    """
    cls = resolve("derivation", name, DERIVATIONS)
    chosen = checked_options(cls, "derivation", name, options or {}, _GIVEN)
    names = {f.name for f in fields(cls)}
    given = {key: value for key, value in (("seed", seed), ("translators", translators)) if key in names}
    derivation: Derivation = cls(**given, **chosen)
    return derivation


def derivation_options(name: str) -> dict[str, Any]:
    """The options of a derivation and their defaults."""
    return option_defaults(resolve("derivation", name, DERIVATIONS), _GIVEN)
