"""BCP-47 at the interface: how the tag a user writes meets the languages a model has.

The languages of a model are read from its own vocabulary (``translators.languages.codes`` has the lists it is checked
against); here is how its codes (``deu_Latn``, ``__zh__``, ``<2sr>``,
``>>srp_Latn<<``) become tags, and how tags are matched. Two tags name the same language for us when language and
script agree; regions are a preference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from spanferry.corpora.errors import ModelError, nearest
from spanferry.corpora.text.languages import names

ANY = "*"
"""In a model's list: it does not say which languages it knows, so every one is let through."""

# ISO 639-3 (and the individual languages that model vocabularies use for a macrolanguage) to the BCP-47 subtag.
_SUBTAGS = """
aar:aa abk:ab afr:af aka:ak als:sq amh:am ara:ar arb:ar arg:an asm:as ava:av ave:ae ayr:ay aym:ay aze:az azj:az bak:ba
bam:bm bel:be ben:bn bis:bi bod:bo bos:bs bre:br bul:bg cat:ca ces:cs cha:ch che:ce chu:cu chv:cv cmn:zh cor:kw cos:co
cre:cr cym:cy dan:da deu:de div:dv dzo:dz ekk:et ell:el eng:en epo:eo est:et eus:eu ewe:ee fao:fo fas:fa fij:fj fin:fi
fra:fr fry:fy ful:ff fuv:ff gaz:om gla:gd gle:ga glg:gl glv:gv grn:gn guj:gu hat:ht hau:ha hbs:sh heb:he her:hz hin:hi
hmo:ho hrv:hr hun:hu hye:hy ibo:ig ido:io iii:ii iku:iu ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl
kan:kn kas:ks kat:ka kau:kr kaz:kk khk:mn khm:km kik:ki kin:rw kir:ky kmr:ku knc:kr kom:kv kon:kg kor:ko kua:kj kur:ku
lao:lo lat:la lav:lv lvs:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg mah:mh mal:ml mar:mr mkd:mk mlg:mg mlt:mt mon:mn
mri:mi msa:ms mya:my nau:na nav:nv nbl:nr nde:nd ndo:ng nep:ne npi:ne nld:nl nno:nn nob:nb nor:nb nya:ny oci:oc oji:oj
ori:or ory:or orm:om oss:os pan:pa pbt:ps pes:fa pli:pi plt:mg pol:pl por:pt pus:ps que:qu quy:qu roh:rm ron:ro run:rn
rus:ru sag:sg san:sa sin:si slk:sk slv:sl sme:se smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss
sun:su swa:sw swh:sw swe:sv tah:ty tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr
twi:tw uig:ug ukr:uk urd:ur uzb:uz uzn:uz ven:ve vie:vi vol:vo wln:wa wol:wo xho:xh ydd:yi yid:yi yor:yo zha:za zho:zh
zsm:ms zul:zu
iw:he in:id ji:yi jw:jv mo:ro no:nb fil:tl dik:din ns:nso quz:qu taq:tmh
"""
# The script a bare tag means; every language that is not here is written in Latin script.
_SCRIPTS = {
    "Arab": "acm acq aeb ajp apc ar ars ary arz azb bal bgp ckb fa glk ks lrc mzn pnb prs ps sd skr ug ur",
    "Armn": "hy hyw",
    "Beng": "as bn bpy mni sat",
    "Cans": "cr iu oj",
    "Cher": "chr",
    "Cyrl": "ab ady alt av ba be bg bua ce chm crh cu cv kaa kbd kjh kk koi krc kum kv ky lez mdf mhr mk mn mrj myv "
    "nog os ru rue sah sr tg tt tyv udm uk xal",
    "Deva": "anp awa bgc bho brx doi gbm gom hi hne kok mag mai mr mwr ne new raj sa",
    "Ethi": "am ti",
    "Geor": "ka xmf",
    "Grek": "el grc pnt",
    "Gujr": "gu",
    "Guru": "pa",
    "Hang": "ko",
    "Hans": "zh wuu",
    "Hant": "gan hak lzh nan yue",
    "Hebr": "he lad yi",
    "Jpan": "ja",
    "Khmr": "km",
    "Knda": "kn tcy",
    "Laoo": "kjg lo",
    "Mlym": "ml",
    "Mymr": "ksw mnw my rki shn",
    "Orya": "or",
    "Sinh": "si",
    "Syrc": "aii arc syc syr",
    "Taml": "ta",
    "Telu": "te",
    "Tfng": "ber tzm zgh",
    "Thaa": "dv",
    "Thai": "th",
    "Tibt": "bo dz",
}
_REGIONS = {("zh", "TW"): "Hant", ("zh", "HK"): "Hant", ("zh", "MO"): "Hant"}
_CODE = re.compile(r"[a-z]{2,3}([_-][A-Z][a-z]{3})?([_-]([A-Z]{2}|[0-9]{3}))?")


@lru_cache(maxsize=1)
def _subtags() -> Mapping[str, str]:
    return dict(entry.split(":") for entry in _SUBTAGS.split())


@lru_cache(maxsize=1)
def _usual_scripts() -> Mapping[str, str]:
    return {language: script for script, languages in _SCRIPTS.items() for language in languages.split()}


def usual_script(language: str) -> str:
    """The script that a bare language subtag means."""
    return _usual_scripts().get(language, "Latn")


def parts(tag: str, *, merged: bool = True) -> tuple[str, str, str]:
    """Language, script and region of a tag or code; the script is filled in, the region may be ``""``.

    Args:
        tag: The tag or code.
        merged: Whether an individual language counts as the macrolanguage it is the usual form of (``arb`` as ``ar``).
    """
    first, *rest = tag.strip().replace("_", "-").split("-")
    language = _subtags().get(first.lower(), first.lower()) if merged else first.lower()
    script = next((p.title() for p in rest if len(p) == 4 and p.isalpha()), "")
    region = next((p.upper() for p in rest if len(p) == 2 or (len(p) == 3 and p.isdigit())), "")
    if not script:
        script = _REGIONS.get((language, region)) or usual_script(_subtags().get(language, language))
    return language, script, region


def tag_of(code: str, *, merged: bool = True) -> str | None:
    """The shortest BCP-47 tag of a model's language code, or None where it is not the form of one.

    ``deu_Latn`` is ``de``, ``srp_Latn`` is ``sr-Latn``, ``zho_Hans`` is ``zh-Hans`` (both scripts of Chinese are
    always named), ``pt_BR`` is ``pt-BR``.
    """
    if not _CODE.fullmatch(code):
        return None
    language, script, region = parts(code, merged=merged)
    named = language == "zh" or script != usual_script(_subtags().get(language, language))
    return "-".join([language, *([script] if named else []), *([region] if region and language != "zh" else [])])


def tags_of(codes: Iterable[str]) -> dict[str, str]:
    """Tags to codes, sorted by tag. Of two codes with one tag (``ff`` and ``fuv``) the shorter has it, then the first
    in the alphabet; the other has the tag of its own language, where it has one."""
    found: dict[str, str] = {}
    for code in sorted(codes, key=lambda code: (len(code), code)):
        tag = tag_of(code)
        if tag in found:
            tag = tag_of(code, merged=False)
        if tag:
            found.setdefault(tag, code)
    return dict(sorted(found.items()))


def choose(tag: str, known: Sequence[str], model: str) -> str:
    """The tag in ``known`` that ``tag`` stands for: same language and script, best the same region, else none.

    Raises:
        ModelError: None does; the message names the nearest.
    """
    if tag in known or ANY in known:
        return tag
    language, script, region = parts(tag)
    same = [k for k in known if parts(k)[:2] == (language, script)]
    if same:
        return min(same, key=lambda k: (parts(k)[2] != region, parts(k)[2] != "", k))
    shown = ", ".join(sorted(known)) if len(known) <= 20 else f"{len(known)} languages, spanferry models lists them"
    close = nearest_tags(tag, known)
    raise ModelError(
        f"model {model!r} does not know the language {tag!r}",
        valid=shown,
        hint=f"nearest: {', '.join(close)}" if close else "the model's description names no language",
    )


def nearest_tags(tag: str, known: Sequence[str]) -> list[str]:
    """The tags of ``known`` that ``tag`` may have meant: other scripts of the language, else a language of that name
    (``german``, ``Brazilian Portuguese``), else tags spelled alike; never none where there is one."""
    language = parts(tag)[0]
    named = [subtag for name, subtag in tags_by_name().items() if tag.lower() in name or name in tag.lower()]
    for wanted in ([language], named):
        if same := sorted(k for k in known if parts(k)[0] in wanted):
            return same[:5]
    spelled = nearest(tag, [*sorted(known), *(n for n, t in tags_by_name().items() if t in known)])
    return list(dict.fromkeys(tags_by_name().get(n, n) for n in spelled)) or sorted(known)[:3]


@lru_cache(maxsize=1)
def tags_by_name() -> dict[str, str]:
    """English name in lower case to subtag."""
    return {name.lower(): tag for tag, name in names().items()}
