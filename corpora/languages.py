"""Language tags and the English names of languages."""

import re
from functools import lru_cache

from corpora.errors import ConfigError, nearest

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


def check_language(tag: str) -> str:
    """The tag as given, if it looks like one.

    Raises:
        ConfigError: It does not: the name of a language, or something else.
    """
    if not _TAG.fullmatch(tag):
        by_name = {name: known for known, name in names().items()}
        close = nearest(tag, list(by_name), 1)
        raise ConfigError(
            f"{tag!r} is no language tag",
            valid="BCP-47: de, pt-BR, zh-Hant",
            hint=f"{by_name[close[0]]!r} is the tag of {close[0]}" if close else "'es' is the tag of Spanish",
        )
    return tag
