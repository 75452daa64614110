"""Derived sets: one file per kind, found through ``DERIVATIONS``."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from spanferry.corpora.derive.base import Derivation
from spanferry.corpora.options import build_component, option_defaults
from spanferry.corpora.registry import resolve

DERIVATIONS = {
    "instructions": "spanferry.corpora.derive.instructions:Instructions",
    "multilingual-prompts": "spanferry.corpora.derive.multilingual_prompts:MultilingualPrompts",
    "dictionary-chains": "spanferry.corpora.derive.dictionary_chains:DictionaryChains",
    "interleaved": "spanferry.corpora.derive.interleaved:Interleaved",
    "cross-qa": "spanferry.corpora.derive.cross_qa:CrossQa",
    "sentence-pairs": "spanferry.corpora.derive.sentence_pairs:SentencePairs",
    "realignment": "spanferry.corpora.derive.realignment:Realignment",
    "dictionary": "spanferry.corpora.derive.dictionary:BilingualDictionary",
    "preferences": "spanferry.corpora.derive.preferences:Preferences",
    "records": "spanferry.corpora.derive.records.derivation:Records",
    "sampled": "spanferry.corpora.derive.sampled:Sampled",
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
    names = {f.name for f in fields(cls)}
    given = {key: value for key, value in (("seed", seed), ("translators", translators)) if key in names}
    derivation: Derivation = build_component(cls, "derivation", name, options or {}, given=given, filled=_GIVEN)
    return derivation


def derivation_options(name: str) -> dict[str, Any]:
    """The options of a derivation and their defaults."""
    return option_defaults(resolve("derivation", name, DERIVATIONS), _GIVEN)
