"""Which models there are for a pair of languages: what they cost, what they are allowed for, and the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spanferry.corpora.errors import ModelError
from spanferry.translators.conversion.hub import NAMES, OPUS, check_languages
from spanferry.translators.firefox.files import PIVOT, firefox_code
from spanferry.translators.loading.load import BUNDLED, bundled_for

# Languages of Firefox's released models, each with English (Firefox's release notes, 2023 to 2025). The download asks
# Mozilla's server, which may have more by now.
_FIREFOX = frozenset(
    [
        "ar",
        "az",
        "bg",
        "bn",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "fa",
        "fi",
        "fr",
        "gu",
        "he",
        "hi",
        "hr",
        "hu",
        "id",
        "is",
        "it",
        "ja",
        "kn",
        "ko",
        "lt",
        "lv",
        "ml",
        "ms",
        "nl",
        "no",
        "pl",
        "pt",
        "ro",
        "ru",
        "sk",
        "sl",
        "sq",
        "sr",
        "sv",
        "ta",
        "te",
        "tr",
        "uk",
        "vi",
        "zh",
    ]
)
# chrF on ntrex128 (news, 1,997 sentences), measured here: the commands are in translators/README.md.
_MEASURED: Mapping[tuple[str, str, str], float] = {
    (BUNDLED, "en", "es"): 42.2,
    (BUNDLED, "en", "de"): 35.3,
    (BUNDLED, "en", "fr"): 38.0,
    (BUNDLED, "en", "nl"): 35.4,
    (BUNDLED, "en", "zh"): 7.3,
    (BUNDLED, "es", "en"): 40.8,
    (BUNDLED, "de", "en"): 35.0,
    ("firefox", "en", "pt"): 58.7,
    ("firefox", "pt", "en"): 62.7,
}


@dataclass(frozen=True, slots=True)
class _Model:
    """Facts of a released model: megabytes to download, megabytes in memory with int8, and the licence of its card."""

    download: int
    memory: int
    licence: str
    devices: tuple[str, ...] = ("cpu", "cuda")


# Sizes are those of the files on the hub, memory that of the int8 weights (a byte a parameter) and buffers.
_RELEASED: Mapping[str, _Model] = {
    "firefox": _Model(40, 150, "MPL-2.0", ("cpu",)),
    OPUS: _Model(310, 150, "CC-BY-4.0 or Apache-2.0"),
    "small100": _Model(1_330, 500, "MIT"),
    "m2m100-418m": _Model(1_940, 700, "MIT"),
    "nllb-600m": _Model(2_460, 900, "CC-BY-NC-4.0"),
    "nllb-1.3b": _Model(5_480, 1_600, "CC-BY-NC-4.0"),
    "madlad-3b": _Model(11_800, 3_200, "Apache-2.0"),
    "nllb-3.3b": _Model(17_600, 3_700, "CC-BY-NC-4.0", ("cuda",)),
}
_NEEDS = {"firefox": "pip install 'spanferry[firefox]'"}
_CONVERT = "pip install 'spanferry[convert]'"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model for a pair of languages.

    Attributes:
        name: What ``--translator`` takes.
        download: Megabytes to download; 0: it is here.
        memory: Megabytes of memory with int8, about.
        licence: Licence of its weights.
        chrf: chrF on news measured by us, or None.
        note: What limits it.
        commands: What to type, in order.
    """

    name: str
    download: int
    memory: int
    licence: str
    chrf: float | None
    note: str
    commands: tuple[str, ...]


def suggest(source: str, target: str, device: str = "cpu") -> list[Suggestion]:
    """The models that know a pair of languages, the cheapest first.

    Args:
        source: BCP-47.
        target: BCP-47.
        device: ``cpu`` or ``cuda``: what is too slow there, or does not run there, is left out.

    Raises:
        ModelError: None knows the pair.
    """
    run = f"--translator {{}} --source {source} --target {target}"
    found = []
    if bundled_for(source, target, optional=True) is not None:
        note = "small: for trying things and short everyday sentences"
        found.append(
            Suggestion(BUNDLED, 0, 60, "CC BY 4.0", _chrf(BUNDLED, source, target), note, (run.format(BUNDLED),))
        )
    for name, facts in _RELEASED.items():
        if device not in facts.devices or not _knows(name, source, target):
            continue
        legs = 2 if name == "firefox" and PIVOT not in (firefox_code(source), firefox_code(target)) else 1
        note = "by way of English" if legs == 2 else "where a model of that pair was published" if name == OPUS else ""
        install = _NEEDS.get(name, _CONVERT)
        found.append(
            Suggestion(
                name,
                legs * facts.download,
                legs * facts.memory,
                facts.licence,
                _chrf(name, source, target),
                note,
                (install, run.format(name)),
            )
        )
    if not found:
        raise ModelError(
            f"no released model knows {source} to {target}",
            hint="--translator endpoint:MODEL asks a language model; madlad-3b knows 450 languages as targets",
        )
    return found


def _knows(name: str, source: str, target: str) -> bool:
    if name == "firefox":
        return {firefox_code(source), firefox_code(target)} <= _FIREFOX
    if name == OPUS:
        return True
    try:
        check_languages(NAMES[name], source, target)
    except ModelError:
        return False
    return True


def _chrf(name: str, source: str, target: str) -> float | None:
    return _MEASURED.get((name, firefox_code(source), firefox_code(target)))
