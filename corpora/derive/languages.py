"""English names of languages, for prompts."""

from functools import lru_cache

from corpora.errors import ConfigError

_NAMES = """
af Afrikaans|am Amharic|ar Arabic|as Assamese|az Azerbaijani|ba Bashkir|be Belarusian|bg Bulgarian|bn Bengali
bo Tibetan|br Breton|bs Bosnian|ca Catalan|ceb Cebuano|ckb Central Kurdish|cs Czech|cv Chuvash|cy Welsh|da Danish
de German|dv Dhivehi|el Greek|en English|eo Esperanto|es Spanish|et Estonian|eu Basque|fa Persian|ff Fula|fi Finnish
fil Filipino|fo Faroese|fr French|fy Frisian|ga Irish|gd Scottish Gaelic|gl Galician|gn Guarani|gu Gujarati|ha Hausa
he Hebrew|hi Hindi|hr Croatian|ht Haitian Creole|hu Hungarian|hy Armenian|id Indonesian|ig Igbo|ilo Ilocano
is Icelandic|it Italian|ja Japanese|jv Javanese|ka Georgian|kk Kazakh|km Khmer|kn Kannada|ko Korean|ku Kurdish
ky Kirghiz|la Latin|lb Luxembourgish|lg Ganda|ln Lingala|lo Lao|lt Lithuanian|lv Latvian|mg Malagasy|mi Maori
mk Macedonian|ml Malayalam|mn Mongolian|mr Marathi|ms Malay|mt Maltese|my Burmese|nb Norwegian Bokmål|ne Nepali
nl Dutch|nn Norwegian Nynorsk|no Norwegian|nso Northern Sotho|ny Chichewa|oc Occitan|om Oromo|or Odia|pa Punjabi
pl Polish|ps Pashto|pt Portuguese|qu Quechua|rm Romansh|ro Romanian|ru Russian|rw Kinyarwanda|sa Sanskrit|sc Sardinian
sd Sindhi|si Sinhala|sk Slovak|sl Slovenian|sm Samoan|sn Shona|so Somali|sq Albanian|sr Serbian|ss Swati
st Southern Sotho|su Sundanese|sv Swedish|sw Swahili|ta Tamil|te Telugu|tg Tajik|th Thai|ti Tigrinya|tk Turkmen
tl Tagalog|tn Tswana|tr Turkish|ts Tsonga|tt Tatar|ug Uyghur|uk Ukrainian|ur Urdu|uz Uzbek|vi Vietnamese|wo Wolof
xh Xhosa|yi Yiddish|yo Yoruba|yue Cantonese|zh Chinese|zu Zulu
"""
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


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    entries = (entry for line in _NAMES.strip().splitlines() for entry in line.split("|"))
    return {tag: name for tag, _, name in (entry.partition(" ") for entry in entries)}


def language_name(tag: str) -> str:
    """The English name of a BCP-47 tag: ``Spanish``, ``Traditional Chinese``, ``Serbian in Latin script``.

    Raises:
        ConfigError: A language without a name here.
    """
    if tag in _WHOLE:
        return _WHOLE[tag]
    language, *rest = tag.replace("_", "-").split("-")
    name = _names().get(language.lower())
    if name is None:
        raise ConfigError(
            f"no English name for the language {tag!r}, which the prompt needs",
            valid=f"{len(_names())} languages, among them {', '.join(list(_names())[:8])} …",
            hint=f"add a line for {language!r} to corpora/derive/languages.py, or choose options.directions without it",
        )
    script = next((_SCRIPTS[part] for part in rest if part in _SCRIPTS), None)
    return f"{name} {script}" if script else name
