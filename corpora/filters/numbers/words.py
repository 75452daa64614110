"""Words that stand for numbers, months and powers of ten, by language: what a digit may rightly become.

Entries are beginnings of words, so that endings (Russian cases, ordinals) need no entries of their own. Only languages
of ``NUMBERS`` are checked; in any other language a small number may be any word.
"""

import re
from functools import lru_cache

_VALUES = (*range(2, 21), 30, 40, 50, 60, 70, 80, 90, 100, 1000)
# One column per value of ``_VALUES``; `|` joins the alternatives of one value.
_NUMBERS = {
    "en": "two/second/both/pair/twice/double/twelfth three/third/thrice four/quarter fiv/fifth six seven eight nin ten"
    " eleven twel/dozen thirt fourt fift sixt sevent eight/eighteen ninet twent thirt fort fift sixt sevent eight ninet"
    " hundred thousand",
    "es": "dos/segund/ambos/ambas/par/doble/bi tres/terc/tri/triple cuatr/cuart/cuádr cinc/quint seis/sext/sei siet"
    "/sépt och/octav nuev/noven/noveno diez/décim once/undécim doc/duodécim trec/decimoterc cator quinc/decimoquint"
    " dieci/decimosext diecis/decimosépt diecio/decimoctav diecin/decimonov veint/vigésim treint cuarent cincuent"
    " sesent setent ochent novent cien/centen/ciento mil/millar",
    "de": "zwei/zwo/zweit/beid/paar/doppel drei/dritt vier/viert fünf sechs sieb acht neun zehn elf"
    " zwölf/dutzend dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig"
    " dreißig/dreissig vierzig fünfzig sechzig siebzig achtzig neunzig hundert/einhundert tausend/eintausend",
    "fr": "deux/second/deuxièm/doubl/paire trois/tiers/tripl quatr/quart cinq six/sixi sept huit neuf/neuvi dix/dizain"
    " onz douz treiz quatorz quinz seiz dix-sept/dix dix-huit/dix dix-neuf/dix vingt trent quarant cinquant soixant"
    " soixante-dix/septant quatre-vingt/huitant quatre-vingt-dix/nonant cent mill/millier",
    "pt": "dois/duas/segund/ambos/ambas/par/dupl três/terc/trê/trip quatr/quart cinc/quint seis/sext set/sétim oit"
    "/oitav nov/non dez/décim onz/décim doz/dúz/décim trez/décim catorz/quatorz/décim quinz/décim dezess/dezass/décim"
    " dezess/dezass/décim dezoit/décim dezen/dezan/décim vint/vigésim trint quarent cinquent sessent setent oitent"
    " novent cem/cent mil/milhar",
    "it": "due/second/entramb/coppi/doppi tre/terz/tripl quattr/quart cinqu/quint sei/sest sett ott nov/non dieci/decin"
    "/decim undic dodic/dozzin tredic quattordic quindic sedic diciass diciot diciann vent trent quarant cinquant"
    " sessant settant ottant novant cent mill/mila/migliai",
    "nl": "twee/tweed/beid/paar drie/derd vier vijf zes zeven acht negen tien elf"
    " twaalf/dozijn dertien veertien vijftien zestien zeventien achttien negentien twintig"
    " dertig veertig vijftig zestig zeventig tachtig negentig honderd duizend",
    "ru": "дв/втор/оба/обе/обо/пар три/трё/тре/трем четыр/четвер/четвёр пят шест сем/седьм восем/восьм девят десят"
    " одиннадцат двенадцат/дюжин тринадцат четырнадцат пятнадцат шестнадцат семнадцат восемнадцат девятнадцат двадцат"
    " тридцат сорок пятьдесят/пятидесят шестьдесят/шестидесят семьдесят/семидесят восемьдесят/восьмидесят девяност"
    " сто/сот тысяч",
}
NUMBERS: dict[str, dict[int, str]] = {
    lang: dict(zip(_VALUES, line.split(), strict=True)) for lang, line in _NUMBERS.items()
}
_CHINESE = dict(zip(range(2, 11), ("二|两|兩|双|雙", "三", "四", "五", "六", "七", "八", "九", "十"), strict=True))

_MONTHS = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "es": "ene feb mar abr may jun jul ago sep/set oct nov dic",
    "de": "jan/jän feb mär apr mai jun jul aug sep okt nov dez",
    "fr": "janv févr/fév mars avr mai juin juil août sept oct nov déc",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "nl": "jan feb maa/mrt apr mei jun jul aug sep okt nov dec",
    "ru": "янв фев мар апр мая/май июн июл авг сен окт ноя дек",
}

# Half past; one and a half.
HALF = re.compile(
    r"\b(?:half|medi[oa]|halb|halve|anderthalb|eineinhalb|demi|mei[oa]|mezz[oa]|пол)|einhalb|半", re.IGNORECASE
)
QUARTER = re.compile(
    r"\b(?:quarter|cuarto|(?:drei)?viertel|trois-quarts|quart|quarto|kwart|четверт)|[刻]", re.IGNORECASE
)
NEGATIVE = re.compile(
    r"\b(?:minus|menos|moins|meno|min\b|below|negativ|bajo cero|unter null|abaixo de zero|au-dessous|sous zéro)"
    r"|минус|ниже нуля|отрицательн|мороз|零下|负|負|マイナス|氷点下|영하",
    re.IGNORECASE,
)

# (pattern right behind a number, power of ten in the languages named, power elsewhere); the first that fits counts.
_POWERS: tuple[tuple[str, str, int, int], ...] = (
    (r"mil\s+(?:millones|milhões|mill\.|milhão)|mille\s+milli", "", 9, 9),
    (r"(?:milliard|miliard|millard|mrd|mld|миллиард|млрд)", "", 9, 9),
    (r"(?:bilh(?:ão|ões))", "", 9, 9),
    (r"(?:billion|billón|billones|bilj|bn\b)", "en", 9, 12),
    (r"(?:trillion|trillón|trillones|trilh|триллион|трлн)", "en ru pt", 12, 18),
    (r"(?:milli?on|millón|mill\.|milh|mili?on|milj|миллион|млн|mio\b|mln\b|مليون)", "", 6, 6),
    (r"(?:mil\b|tausend|tsd|thousand|mill?e\b|mila\b|duizend|тысяч|тыс|tysi|bin\b|हज़ार|हजार|ألف)", "", 3, 3),
    (r"(?:lakh|लाख)", "", 5, 5),
    (r"(?:crore|करोड़)", "", 7, 7),
    (r"[kK]\b", "", 3, 3),
)
_POWER = re.compile(r"[\s\u00a0\u202f-]?(?:" + "|".join(f"({pattern})" for pattern, *_ in _POWERS) + ")", re.IGNORECASE)


def power_after(text: str, place: int, language: str) -> tuple[int, ...]:
    """Powers of ten that the word behind a number may stand for; empty where there is none.

    >>> power_after("2.4 million", 3, "en"), power_after("3 Billionen", 1, "de"), power_after("3 men", 1, "en")
    ((6,), (12,), ())
    """
    match = _POWER.match(text, place, place + 24)
    if match is None:
        return ()
    _, languages, here, elsewhere = _POWERS[(match.lastindex or 1) - 1]
    return (here if not languages or language in languages.split() else elsewhere,)


def has_power(text: str, power: int, language: str) -> bool:
    """Whether a word of ``text`` stands for this power of ten: *tres millones* for 3 million, *tres mil* not.

    >>> has_power("tres millones", 6, "es"), has_power("tres mil", 6, "es")
    (True, False)
    """
    places = (m.start() for m in re.finditer(r"(?<=\s)\w", f" {text}"))
    return any(power in power_after(text, place - 1, language) for place in places)


def has_table(language: str) -> bool:
    """Whether number words of the language are known."""
    return language in NUMBERS or language in ("zh", "ja")


def says(text: str, value: int, language: str) -> bool:
    """Whether ``text`` has a word of ``language`` for ``value``; 0 and 1 have too many to be looked for."""
    if value < 2:
        return True
    pattern = _number_pattern(language, value)
    return pattern is not None and pattern.search(text) is not None


@lru_cache(maxsize=4096)
def _number_pattern(language: str, value: int) -> "re.Pattern[str] | None":
    if language in ("zh", "ja"):
        return re.compile(_CHINESE[value]) if value in _CHINESE else None
    known = NUMBERS.get(language, {})
    if value not in known:
        return None
    # German writes «zweiundzwanzig» and «dreimal» as one word; elsewhere a word begins with its number.
    start = "" if language in ("de", "nl") else r"\b"
    return re.compile(start + "(?:" + known[value].replace("/", "|") + ")", re.IGNORECASE)


@lru_cache(maxsize=64)
def months_of(language: str) -> "re.Pattern[str] | None":
    """Names of months; group ``m<number>`` is the one that matched. None for a language whose months are not known."""
    line = _MONTHS.get(language)
    if line is None:
        return None
    groups = (f"(?P<m{n}>(?:{names.replace('/', '|')}))" for n, names in enumerate(line.split(), start=1))
    return re.compile(rf"\b(?:{'|'.join(groups)})\w*\.?", re.IGNORECASE)
