"""Languages by their English names: what a prompt calls them, and what a user may write instead of a tag."""

from __future__ import annotations

from spanferry.corpora.text.languages import names
from spanferry.translators.languages.tags import parts, usual_script

_SCRIPTS = {
    "Arab": "Arabic script",
    "Cyrl": "Cyrillic script",
    "Deva": "Devanagari script",
    "Hans": "Simplified",
    "Hant": "Traditional",
    "Latn": "Latin script",
    "Tfng": "Tifinagh script",
}
_REGIONS = {
    "AR": "Argentina", "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BR": "Brazil", "CA": "Canada",
    "CH": "Switzerland", "DE": "Germany", "ES": "Spain", "FR": "France", "GB": "United Kingdom", "IN": "India",
    "MX": "Mexico", "PT": "Portugal", "US": "United States", "419": "Latin America",
}  # fmt: skip


def name_of(tag: str) -> str | None:
    """The English name of a BCP-47 tag, or None where the language has none here.

    ``sr`` is Serbian, ``sr-Latn`` Serbian (Latin script), ``zh-Hant`` Chinese (Traditional), ``pt-BR`` Portuguese
    (Brazil). A script or region without a name here stands as the tag has it.
    """
    language, script, region = parts(tag)
    if (name := names().get(language)) is None:
        return None
    if language == "zh" or script != usual_script(language):
        return f"{name} ({_SCRIPTS.get(script, script)})"
    return f"{name} ({_REGIONS.get(region, region)})" if region else name
