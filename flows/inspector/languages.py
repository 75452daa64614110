"""How a language is written: the direction of its script, and whether it has spaces between words."""

import unicodedata

# Scripts from right to left, with the languages that are usually written so; a script subtag (``az-Arab``, ``ku-Latn``)
# goes before it.
_RIGHT_TO_LEFT = {
    "arab": [
        "ar",
        "arc",
        "arz",
        "ary",
        "apc",
        "ajp",
        "acm",
        "aeb",
        "azb",
        "bal",
        "ckb",
        "fa",
        "glk",
        "khw",
        "ks",
        "lrc",
        "mzn",
        "pes",
        "pnb",
        "prs",
        "ps",
        "sd",
        "skr",
        "ug",
        "ur",
    ],
    "hebr": ["he", "iw", "ji", "yi"],
    "thaa": ["dv"],
    "nkoo": ["nqo"],
    "syrc": ["syr"],
    **dict.fromkeys(("adlm", "aran", "mand", "mend", "rohg", "samr", "syre", "syrj", "syrn", "yezi"), ()),
}
_LANGUAGES = frozenset(language for languages in _RIGHT_TO_LEFT.values() for language in languages)
# What hides in a text: a person must know that it is there.
_HIDDEN = frozenset("\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def direction(lang: str) -> str:
    """``rtl`` or ``ltr`` by a BCP-47 tag; it never depends on the text, since a line of two scripts would flip.

    NLLB's tags (``arb_Arab``) are understood too.
    """
    language, *others = lang.replace("_", "-").split("-")
    script = next((part.lower() for part in others if len(part) == 4 and part.isalpha()), None)
    if script is not None:
        return "rtl" if script in _RIGHT_TO_LEFT else "ltr"
    return "rtl" if language.lower() in _LANGUAGES else "ltr"


def hidden_characters(text: str) -> list[str]:
    """The names of what can't be seen in a text: bidirectional controls, null bytes, zero-width characters.

    Joiners are left out where they do their usual work, between letters or emoji.
    """
    found: dict[str, int] = {}
    for place, char in enumerate(text):
        joins = char in "\u200c\u200d" and 0 < place < len(text) - 1 and not text[place - 1].isspace()
        control = unicodedata.category(char) == "Cc" and char not in "\n\t"
        if (char in _HIDDEN and not joins) or char in _BIDI or control:
            name = f"U+{ord(char):04X} {unicodedata.name(char, 'CONTROL')}"
            found[name] = found.get(name, 0) + 1
    return [f"{name} ×{count}" if count > 1 else name for name, count in found.items()]


def shown(text: str, length: int) -> str:
    """At most ``length`` characters of a text on one line, with pictures for control characters."""
    cut = text[:length]
    visible = "".join(chr(0x2400 + ord(c)) if c < " " and c not in "\n\t\r" else c for c in cut)
    return " ".join(visible.split()) + ("…" if len(text) > length else "")
