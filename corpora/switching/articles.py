"""Articles, and the words of German that begin with a capital only at the beginning of a sentence."""

_ARTICLES = {
    "en": "the a an",
    "de": "der die das den dem des ein eine einen einem einer eines",
    "es": "el la los las un una unos unas",
    "fr": "le la les un une des l' l’",
    "it": "il lo la i gli le un uno una l' l’ un' un’",
    "pt": "o a os as um uma uns umas",
    "nl": "de het een",
    "ca": "el la els les un una",
    "sv": "en ett den det de",
    "da": "en et den det de",
}
# Prepositions with an article in them.
_FUSED = {
    "de": "zum zur im am beim vom ins ans",
    "es": "del al",
    "fr": "du des au aux",
    "it": "del della dei delle dello degli al alla ai alle allo agli nel nella nei nelle dal dalla dai dalle sul sulla",
    "pt": "do da dos das no na nos nas ao à aos às pelo pela",
}
# Pronouns, prepositions, conjunctions, auxiliaries and frequent adverbs: never nouns.
_GERMAN_SMALL = """
    der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner ich du er sie es wir
    ihr man mich dich ihn uns euch mir dir ihm ihnen mein meine meinen meinem meiner dein deine sein seine seinen
    seinem seiner unser unsere unseren unserem unserer euer eure ihre ihren ihrem ihrer dieser diese dieses diesen
    diesem jeder jede jedes jener jene wer was wen wem wo wann warum wie wieso woher wohin welcher welche welches in
    im an am auf aus bei beim bis durch für gegen mit nach ohne seit trotz über um unter von vom vor während wegen
    zu zum zur zwischen und oder aber denn sondern dass weil wenn ob als also da dann damit daher deshalb doch noch
    nur nun schon sehr so auch hier dort heute gestern morgen jetzt immer nie nicht ist sind war waren wird werden
    wurde wurden hat haben hatte hatten kann können konnte muss müssen soll sollen will wollen darf dürfen möchte
    alle alles viele vielen einige beide andere anderen bitte ja nein
"""


def articles_of(lang: str) -> frozenset[str]:
    """The articles of a language in lower case; none where it has none or is not known."""
    return frozenset(_ARTICLES.get(lang.split("-")[0].lower(), "").split())


def fused_of(lang: str) -> frozenset[str]:
    """Prepositions of a language that have an article in them."""
    return frozenset(_FUSED.get(lang.split("-")[0].lower(), "").split())


def never_a_noun(lang: str) -> frozenset[str] | None:
    """Words that have a capital only where a sentence begins; None where that holds for all words but names."""
    return frozenset(_GERMAN_SMALL.split()) if lang.split("-")[0].lower() == "de" else None
