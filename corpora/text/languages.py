"""Language tags and the English names of languages."""

import re
from collections.abc import Sequence
from functools import lru_cache

from spanferry.corpora.errors import ConfigError, nearest

# Subtag:name, one for every language of NLLB, M2M100 and mBART-50 and the larger ones beyond; "_" stands for a space.
_NAMES = """
ace:Acehnese acm:Mesopotamian_Arabic acq:Ta'izzi-Adeni_Arabic aeb:Tunisian_Arabic af:Afrikaans
ajp:South_Levantine_Arabic ak:Akan als:Tosk_Albanian am:Amharic an:Aragonese apc:North_Levantine_Arabic ar:Arabic
ars:Najdi_Arabic ary:Moroccan_Arabic arz:Egyptian_Arabic as:Assamese ast:Asturian av:Avaric awa:Awadhi
ay:Aymara az:Azerbaijani
azb:South_Azerbaijani ba:Bashkir ban:Balinese bar:Bavarian be:Belarusian bem:Bemba ber:Berber bg:Bulgarian bho:Bhojpuri
bi:Bislama bjn:Banjar bm:Bambara bn:Bengali bo:Tibetan br:Breton brx:Bodo bs:Bosnian bug:Buginese ca:Catalan ce:Chechen
ceb:Cebuano ch:Chamorro chr:Cherokee cjk:Chokwe ckb:Central_Kurdish co:Corsican crh:Crimean_Tatar cs:Czech cv:Chuvash
cy:Welsh da:Danish de:German din:Dinka doi:Dogri dv:Divehi dyu:Dyula dz:Dzongkha ee:Ewe el:Greek en:English eo:Esperanto
es:Spanish et:Estonian eu:Basque fa:Persian ff:Fulah fi:Finnish fj:Fijian fo:Faroese fon:Fon fr:French fur:Friulian
fy:Western_Frisian ga:Irish gan:Gan_Chinese gd:Scottish_Gaelic gl:Galician gn:Guarani gom:Goan_Konkani
grc:Ancient_Greek gsw:Swiss_German gu:Gujarati gv:Manx ha:Hausa hak:Hakka_Chinese haw:Hawaiian he:Hebrew hi:Hindi
hil:Hiligaynon hmn:Hmong hne:Chhattisgarhi hr:Croatian ht:Haitian_Creole hu:Hungarian hy:Armenian ia:Interlingua
id:Indonesian ig:Igbo ilo:Ilocano io:Ido is:Icelandic it:Italian iu:Inuktitut ja:Japanese jv:Javanese ka:Georgian
kaa:Karakalpak kab:Kabyle kac:Kachin kam:Kamba kbp:Kabiye kea:Cape_Verdean_Creole kg:Kongo ki:Kikuyu kk:Kazakh
kl:Greenlandic km:Khmer kmb:Kimbundu kn:Kannada ko:Korean kok:Konkani kr:Kanuri ks:Kashmiri ku:Kurdish kv:Komi
kw:Cornish ky:Kyrgyz la:Latin lb:Luxembourgish lg:Ganda li:Limburgish lij:Ligurian lmo:Lombard ln:Lingala lo:Lao
lt:Lithuanian ltg:Latgalian lua:Luba-Lulua luo:Luo lus:Mizo lv:Latvian lzh:Literary_Chinese mag:Magahi mai:Maithili
mg:Malagasy mi:Maori min:Minangkabau mk:Macedonian ml:Malayalam mn:Mongolian mni:Manipuri mos:Mossi mr:Marathi ms:Malay
mt:Maltese my:Burmese nan:Min_Nan_Chinese nb:Norwegian_Bokmål nds:Low_German ne:Nepali new:Newari nl:Dutch
nn:Norwegian_Nynorsk nr:South_Ndebele nso:Northern_Sotho nus:Nuer nv:Navajo ny:Chichewa oc:Occitan om:Oromo or:Odia
os:Ossetian pa:Punjabi pag:Pangasinan pap:Papiamento pl:Polish prs:Dari ps:Pashto pt:Portuguese qu:Quechua rm:Romansh
rn:Rundi ro:Romanian ru:Russian rw:Kinyarwanda sa:Sanskrit sah:Yakut sat:Santali sc:Sardinian scn:Sicilian sd:Sindhi
se:Northern_Sami sg:Sango sh:Serbo-Croatian shn:Shan si:Sinhala sk:Slovak sl:Slovenian sm:Samoan sn:Shona so:Somali
sq:Albanian sr:Serbian ss:Swati st:Southern_Sotho su:Sundanese sv:Swedish sw:Swahili szl:Silesian ta:Tamil te:Telugu
tet:Tetum tg:Tajik th:Thai ti:Tigrinya tk:Turkmen tl:Filipino tlh:Klingon tmh:Tamashek tn:Tswana to:Tongan tpi:Tok_Pisin
tr:Turkish ts:Tsonga tt:Tatar tum:Tumbuka tw:Twi ty:Tahitian tyv:Tuvinian tzm:Central_Atlas_Tamazight udm:Udmurt
ug:Uyghur uk:Ukrainian umb:Umbundu ur:Urdu uz:Uzbek ve:Venda vec:Venetian vi:Vietnamese wa:Walloon war:Waray wo:Wolof
wuu:Wu_Chinese xh:Xhosa yi:Yiddish yo:Yoruba yue:Cantonese zh:Chinese zu:Zulu
"""


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Language subtag to English name."""
    return {tag: name.replace("_", " ") for tag, name in (entry.split(":") for entry in _NAMES.split())}


_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")
# Codes that IANA's language subtag registry replaces, and the individual language that its macrolanguage stands for.
_REPLACED = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro", "cmn": "zh"}
# The bibliographic codes of ISO 639-2, which ICU does not know.
_BIBLIOGRAPHIC = {
    "alb": "sq", "arm": "hy", "baq": "eu", "bur": "my", "chi": "zh", "cze": "cs", "dut": "nl", "fre": "fr", "geo": "ka",
    "ger": "de", "gre": "el", "ice": "is", "mac": "mk", "mao": "mi", "may": "ms", "per": "fa", "rum": "ro", "slo": "sk",
    "tib": "bo", "wel": "cy",
}  # fmt: skip
# Codes of countries that people write for the language spoken there, and that no language has.
_COUNTRIES = {"jp": "ja", "cn": "zh", "gr": "el", "dk": "da", "cz": "cs", "ua": "uk", "kz": "kk", "us": "en"}
_KNOWN_AS = {**_REPLACED, **_BIBLIOGRAPHIC}


def same_language(tag: str, known: Sequence[str]) -> str:
    """The one of ``known`` that means ``tag``, which is in its usual form; ``tag`` where there is none.

    Languages of parallel files stand in file names and headers, in any spelling.
    """
    same = (one for one in known if one == tag or (_TAG.fullmatch(one) and check_language(one) == tag))
    return next(same, tag)


def check_language(tag: str) -> str:
    """The BCP-47 form of a tag: ``eng`` is ``en``, ``zh_cn`` is ``zh-CN``, ``cmn-hans`` is ``zh-Hans``.

    The language is the shortest code of ISO 639 (by ICU), scripts are in title case, regions in capitals; other
    subtags are in small letters.

    Raises:
        ConfigError: It is not a tag: the name of a language, or something else.
    """
    if not _TAG.fullmatch(tag):
        by_name = {name: known for known, name in names().items()}
        close = nearest(tag, list(by_name), 1)
        raise ConfigError(
            f"{tag!r} is not a language tag",
            valid="BCP-47: de, pt-BR, zh-Hant",
            hint=f"{by_name[close[0]]!r} is the tag of {close[0]}" if close else "'es' is the tag of Spanish",
        )
    from icu4py.locale import Locale

    first, *rest = re.split("[-_]", tag)
    if meant := _COUNTRIES.get(first.lower()):
        raise ConfigError(
            f"{tag!r} is not a language tag: {first!r} is the code of a country",
            valid="BCP-47: de, pt-BR, zh-Hant",
            hint=f"{meant!r} is the tag of {names()[meant]}",
        )
    language = str(Locale(first.lower()).language)
    return "-".join([_KNOWN_AS.get(language, language), *map(_subtag, rest)])


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 and part.isalpha() else part.lower()
