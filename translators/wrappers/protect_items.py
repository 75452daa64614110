"""What must come through a translation as it is: addresses, placeholders, code, markup, emoji."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from spanferry.corpora.text.copied_items import DOMAIN, EMOJI, ENTITY, MENTION, TAG

# In this order they are tried at each place: what may hold another of them comes first. ASCII only where words of
# other scripts may touch them.
_PATTERNS = {
    # reStructuredText: :role:`…`, :py:class:`…`, `…`_, ``…``, [1]_, |…|; Markdown: ```…```, `…`; Jinja: {% … %}
    "code": r"`{3}(?:(?!`{3}).){1,2000}`{3}"
    r"|(?::[A-Za-z][\w.+-]*){1,3}:`[^`]{1,400}`(?:__?(?!\w))?"
    r"|``(?:(?!``).){1,400}``|`[^`]{1,400}`(?:__?(?!\w))?"
    r"|\[(?:#[\w-]*|\d+|\*)\]_(?!\w)"
    r"|(?<!\w)\|[A-Za-z][\w .-]{0,80}\|(?!\w)"
    r"|\{%.{1,400}?%\}",
    "url": r"(?:(?:https?|ftp)://|www\.)[A-Za-z0-9._~:/?#@!$&()*+,;=%|-]*[A-Za-z0-9_~/#@$&*+=%|-]",
    "email": r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    "markup": r"<!--.{0,2000}?-->|<!\[CDATA\[.{0,2000}?\]\]>|</?[A-Za-z][\w:.-]*(?:\s[^<>]{0,2000})?/?>"
    rf"|{ENTITY}",
    "placeholder": r"\$?\{\{?\s*[\w.$\[\]-]*(?:![rsa])?(?::[^{}\s]*)?\s*\}\}?"
    r"|%\(\w+\)[-+0#]*\d*(?:\.\d+)?[A-Za-z]"
    r"|(?<![\d%])%(?:\d+\$)?[-+0#]*\d*(?:\.\d+)?(?:l{0,2}[diuxX]|[sfgeEcr@])(?![A-Za-z])"
    r"|(?<![\w$])\$[A-Z_][A-Z0-9_]*(?!\w)",
    "mention": MENTION,
    "tag": TAG,
    "domain": DOMAIN,
    "emoji": rf"{EMOJI}+",
    "identifier": r"(?<![\w.])[A-Za-z_][\w.]*\(\)|(?<![\w./-])--?[a-z][\w-]*(?!\w)"
    r"|(?<![\w.])(?:[A-Za-z]\w*\.)*(?:__\w+__|[A-Za-z]\w*_\w*\w)(?!\w)"
    r"|(?<![\w.])(?:[a-z_]\w*\.){2,}[A-Za-z_]\w*(?!\w)",
}
_ITEM = regex.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()), regex.DOTALL)
_SIGNS = regex.compile(rf"[`<&{{%$@#|_\]]|://|www\.|\(\)|-[a-z]|\.[A-Za-z_]|{EMOJI}")


@dataclass(frozen=True, slots=True)
class Item:
    """One protected stretch, half-open in code points of the raw text."""

    start: int
    end: int
    kind: str
    text: str


def protected_items(text: str) -> list[Item]:
    """The stretches of ``text`` that must not change, ascending and disjoint.

    Kinds: ``code`` (reStructuredText roles, literals, references and substitutions; Markdown code), ``url``,
    ``email``, ``markup`` (tags with their attributes, comments, entities), ``placeholder`` (``%s``, ``%(name)d``,
    ``{name}``, ``{{ name }}``, ``${x}``, ``$HOME``), ``mention`` (``@name``), ``tag`` (``#name``), ``domain``,
    ``emoji`` (a run of them is one item) and ``identifier`` (``call()``, ``snake_case``, ``--option``).
    """
    if not _SIGNS.search(text):
        return []
    return [Item(m.start(), m.end(), _kind(m), m[0]) for m in _ITEM.finditer(text) if m[0].strip()]


def _kind(match: regex.Match[str]) -> str:
    return next(name for name in _PATTERNS if match[name] is not None)
