"""English names of languages, for prompts."""

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.text.languages import names

# What prompts call otherwise than ``spanferry.corpora.text.languages``, or have apart.
_CALLED = {
    "dv": "Dhivehi",
    "ff": "Fula",
    "fil": "Filipino",
    "fy": "Frisian",
    "ky": "Kirghiz",
    "no": "Norwegian",
    "tl": "Tagalog",
}
_SCRIPTS = {
    "Latn": "in Latin script",
    "Cyrl": "in Cyrillic script",
    "Arab": "in Arabic script",
    "Deva": "in Devanagari script",
    "Hebr": "in Hebrew script",
}
_WHOLE = {
    "zh-Hans": "Simplified Chinese",
    "zh-Hant": "Traditional Chinese",
    "zh-CN": "Simplified Chinese",
    "zh-TW": "Traditional Chinese",
    "pt-BR": "Brazilian Portuguese",
    "pt-PT": "European Portuguese",
    "es-LA": "Latin American Spanish",
    "es-419": "Latin American Spanish",
    "en-GB": "British English",
    "en-US": "American English",
    "fr-CA": "Canadian French",
}


def language_name(tag: str) -> str:
    """The English name of a BCP-47 tag: ``Spanish``, ``Traditional Chinese``, ``Serbian in Latin script``.

    Raises:
        ConfigError: A language without a name here.
    """
    if tag in _WHOLE:
        return _WHOLE[tag]
    language, *rest = tag.replace("_", "-").split("-")
    name = _CALLED.get(language.lower()) or names().get(language.lower())
    if name is None:
        raise ConfigError(
            f"no English name for the language {tag!r}, which the prompt needs",
            valid=f"{len(names())} languages, among them af, am, ar, az, be, bg, bn, ca …",
            hint=f"add a name for {language!r} to corpora/text/languages.py, or choose options.directions without it",
        )
    script = next((_SCRIPTS[part] for part in rest if part in _SCRIPTS), None)
    return f"{name} {script}" if script else name
