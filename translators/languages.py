"""BCP-47 at the interface: how a language tag a user writes meets the languages a model has."""

from __future__ import annotations

from collections.abc import Sequence

from corpora.errors import ModelError, nearest

# The script a bare tag means where models tell scripts of one language apart.
USUAL_SCRIPT = {
    "ar": "Arab", "ace": "Latn", "bjn": "Latn", "bs": "Latn", "kr": "Latn", "ks": "Arab", "min": "Latn", "sr": "Cyrl",
    "tmh": "Latn", "zh": "Hans",
}  # fmt: skip
# Regions that stand for a script.
REGION_SCRIPT = {
    ("zh", "TW"): "Hant",
    ("zh", "HK"): "Hant",
    ("zh", "MO"): "Hant",
    ("zh", "CN"): "Hans",
    ("zh", "SG"): "Hans",
}
# Tags people write, and the tag the tables use for the same language.
ALIASES = {
    "iw": "he",
    "in": "id",
    "ji": "yi",
    "no": "nb",
    "fil": "tl",
    "cmn": "zh",
    "arb": "ar",
    "mo": "ro",
    "jw": "jv",
}


def normal(tag: str) -> str:
    """``tag`` with the usual case of its parts and hyphens: ``ZH_hant`` is ``zh-Hant``."""
    parts = tag.strip().replace("_", "-").split("-")
    language, rest = parts[0].lower(), parts[1:]
    cased = [p.title() if len(p) == 4 and p.isalpha() else p.upper() if len(p) == 2 else p for p in rest]
    return "-".join([language, *cased])


def candidates(tag: str) -> list[str]:
    """The tags that may stand for ``tag`` in a model's table, most exact first."""
    tag = normal(tag)
    language, *rest = tag.split("-")
    language = ALIASES.get(language, language)
    script = next((p for p in rest if len(p) == 4 and p.isalpha()), None)
    region = next((p for p in rest if len(p) == 2), None)
    implied = script or (REGION_SCRIPT.get((language, region)) if region else None) or USUAL_SCRIPT.get(language)
    found = [tag, "-".join([language, *rest])]
    if region and not script:
        found.append(f"{language}-{region}")
    if implied:
        found.append(f"{language}-{implied}")
    # A bare name in the table means the usual script; another script than that is another language.
    if script is None or script == USUAL_SCRIPT.get(language, script):
        found.append(language)
    return list(dict.fromkeys(found))


def choose(tag: str, known: Sequence[str], model: str) -> str:
    """The tag in ``known`` that ``tag`` stands for.

    Raises:
        ModelError: None does; the message names the nearest.
    """
    for candidate in candidates(tag):
        if candidate in known:
            return candidate
    base = normal(tag).split("-")[0]
    close = [k for k in known if k.split("-")[0] == base] or nearest(tag, known) or sorted(known)[:3]
    shown = ", ".join(sorted(known)) if len(known) <= 20 else f"{len(known)} languages; nearest: {', '.join(close)}"
    raise ModelError(
        f"model {model!r} does not know the language {tag!r}",
        valid=shown,
        hint=f"nearest: {', '.join(close)}" if known else "give a model that names its languages",
    )
