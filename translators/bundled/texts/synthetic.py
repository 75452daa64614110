"""Made-up sentence pairs that teach copying: names, numbers, addresses and placeholders inside simple sentences.

Everything here was written for this recipe. A small model trained on everyday sentences alone knows a handful of
names; these pairs show it hundreds more, and strings that were never a word at all.
"""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

_LISTS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

# A column for English and each of WRITTEN. {city}, {city2}, {day} and {month} are translated from the lists of the same
# file; every other slot is copied.
TEMPLATES: list[list[str]] = _LISTS["templates"]
EMOJI: list[str] = _LISTS["emoji"]
WRITTEN = {"es": 1, "de": 2, "fr": 3, "nl": 4, "zh": 5}
"""Languages with templates, and their column."""


def made_up_name(rng: random.Random) -> str:
    """A capitalised word of two or three syllables that is in no dictionary."""
    syllables = (
        rng.choice(_LISTS["onsets"]) + rng.choice(_LISTS["vowels"]) + rng.choice(_LISTS["codas"])
        for _ in range(rng.choice((2, 2, 3)))
    )
    return "".join(syllables).capitalize()


def person(rng: random.Random) -> str:
    """A first name, a full name, or a made-up one."""
    kind = rng.random()
    first = rng.choice(_LISTS["first"]) if kind < 0.8 else made_up_name(rng)
    last = rng.choice(_LISTS["last"]) if rng.random() < 0.7 else made_up_name(rng)
    return first if rng.random() < 0.4 else f"{first} {last}"


def _code(rng: random.Random) -> str:
    letters = "".join(rng.choice(string.ascii_letters) for _ in range(rng.randint(2, 6)))
    digits = str(rng.randint(1, 99999))
    return rng.choice(
        (f"{letters}_{digits}", f"{letters}-{digits}", f"{letters.lower()}.txt", f"/{letters}/{digits}.log")
    )


def _number(rng: random.Random) -> str:
    """Small, up to four digits, or round: models lose count of zeros unless they have seen many."""
    kind = rng.random()
    if kind < 0.5:
        return str(rng.randint(2, 31))
    return str(rng.randint(32, 9999) if kind < 0.8 else rng.randint(1, 999) * 10 ** rng.randint(1, 5))


def _fill(rng: random.Random) -> list[dict[str, str]]:
    """One value for every slot, in English and the languages of ``WRITTEN``."""
    word = made_up_name(rng).lower()
    cities, day, month = rng.sample(_LISTS["cities"], 2), rng.choice(_LISTS["days"]), rng.choice(_LISTS["months"])
    copied = {
        "person": person(rng),
        "person2": person(rng),
        "org": rng.choice(_LISTS["organisations"]) if rng.random() < 0.6 else made_up_name(rng),
        "org2": rng.choice(_LISTS["organisations"]) if rng.random() < 0.6 else made_up_name(rng),
        "name": " ".join(made_up_name(rng) for _ in range(rng.choice((1, 1, 2)))),
        "num": _number(rng),
        "year": str(rng.randint(1800, 2030)),
        "time": f"{rng.randint(1, 23)}:{rng.choice(('00', '15', '30', '45'))}",
        "phone": " ".join(str(rng.randint(100, 999)) for _ in range(3)),
        "email": f"{word}@{made_up_name(rng).lower()}.{rng.choice(('com', 'org', 'de', 'es'))}",
        "url": f"https://{word}.{rng.choice(('com', 'org', 'net'))}/{_code(rng).strip('/')}",
        "code": _code(rng),
        "hole": rng.choice(("{0}", "{name}", "%s", "{{user}}", "<b>" + word + "</b>", "$NAME")),
        "hole2": rng.choice(("{1}", "{count}", "%d", "{{n}}", str(rng.randint(2, 99)))),
        "emoji": rng.choice(EMOJI),
    }
    return [
        {**copied, "city": cities[0][i], "city2": cities[1][i], "day": day[i], "month": month[i]}
        for i in range(1 + len(WRITTEN))
    ]


def synthetic_pairs(count: int, language: str, seed: int) -> list[tuple[str, str]]:
    """``count`` pairs of English and ``language`` (of ``WRITTEN``), the same for the same seed."""
    column = WRITTEN[language]
    rng = random.Random(f"synthetic-{language}-{seed}")
    pairs = []
    for _ in range(count):
        template, slots = rng.choice(TEMPLATES), _fill(rng)
        # Plain replacement, because slot values may themselves hold braces.
        source, target = template[0], template[column]
        for name in slots[0]:
            source = source.replace("{" + name + "}", "\0" + name + "\0", 1)
            target = target.replace("{" + name + "}", "\0" + name + "\0", 1)
        for name in slots[0]:
            source = source.replace("\0" + name + "\0", slots[0][name])
            target = target.replace("\0" + name + "\0", slots[column][name])
        pairs.append((source, target))
    return pairs


def rename(source: str, target: str, rng: random.Random) -> tuple[str, str]:
    """Replace a name that stands once on both sides (Tom, Mary, ...) by a random person's name."""
    for name in ("Tom", "Mary", "Maria", "María", "John", "Jim", "Ken", "Bob", "Jack", "Bill", "Mike", "Jane"):
        left, right = source.split(name), target.split(name)
        if len(left) == len(right) == 2 and not any(part[:1].isalpha() for part in (left[1], right[1])):
            new = person(rng)
            return left[0] + new + left[1], right[0] + new + right[1]
    return source, target
