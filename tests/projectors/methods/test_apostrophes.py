"""Apostrophes that set off endings, and those that stand for a vowel: found from the texts alone."""

import pytest

from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.apostrophes import has_suffixes, with_suffixes
from spanferry.projectors.base import ProjectionInput, words_in
from spanferry.projectors.methods.default import DefaultProjector

TURKISH = [
    ("set an alarm in Ankara", "Ankara'da alarm kur", "Ankara"),
    ("what is the weather in Izmir", "İzmir'de hava nasıl", "Izmir"),
    ("play a song by Tarkan", "Tarkan'ın şarkısını çal", "Tarkan"),
    ("go to Bursa", "Bursa'ya git", "Bursa"),
    ("weather in Berlin today", "bugün Berlin'de hava", "Berlin"),
    ("music by Sezen", "Sezen'in müziği", "Sezen"),
]
ITALIAN = [
    ("the weather in Aquila", "il tempo all'Aquila", "Aquila"),
    ("the hour of art", "l'ora dell'arte", "art"),
    ("the water", "l'acqua", "water"),
    ("the friend of Anna", "l'amico d'Anna", "Anna"),
    ("the island", "l'isola", "island"),
]


def inputs(rows: list[tuple[str, str, str]], language: str) -> list[ProjectionInput]:
    return [
        ProjectionInput(
            f"{k}", source, target, (Span(source.index(q), source.index(q) + len(q), "X", "s"),), "en", language
        )
        for k, (source, target, q) in enumerate(rows)
    ]


def test_endings_and_elisions_are_distinguished() -> None:
    assert has_suffixes(target for _, target, _ in TURKISH)
    assert not has_suffixes(target for _, target, _ in ITALIAN)
    assert not has_suffixes(["Anna's house", "Tom's car", "they're here", "we'll go"])
    assert not has_suffixes(["Ankara'da"])  # one proves nothing


def test_an_ending_stays_with_its_word() -> None:
    text = "bugün Ankara'da 'x' l’"
    assert [text[a:b] for a, b in with_suffixes(text, words(text))][:2] == ["bugün", "Ankara'da"]


def test_turkish_words_stay_whole_and_italian_articles_apart() -> None:
    for rows, language, wanted in (
        (TURKISH, "tr", ["Ankara'da", "İzmir'de", "Tarkan'ın", "Bursa'ya", "Berlin'de", "Sezen'in"]),
        (ITALIAN, "it", ["Aquila", "arte", "acqua", "Anna", "isola"]),
    ):
        items = inputs(rows, language)
        fitted = DefaultProjector().fit(items)
        found = [own[0].span for own in fitted.project(items)]
        quotes = [s and item.target_text[s.start : s.end] for s, item in zip(found, items, strict=True)]
        assert sum(a == b for a, b in zip(quotes, wanted, strict=True)) >= len(wanted) - 1, quotes
        again = DefaultProjector().with_state(fitted.state()).project(items)
        assert [own[0].span for own in again] == found


def test_given_words_are_taken_as_they_are() -> None:
    items = inputs(TURKISH, "tr")
    aligner = LexicalAligner().fit(items)
    text = items[0].target_text
    given = ProjectionInput("g", items[0].source_text, text, (), "en", "tr", (), words(text))
    assert aligner.align([given])[0].target_words == words(text)
    assert text[slice(*aligner.align(items[:1])[0].target_words[0])] == "Ankara'da"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("addó sta 'o cinema 'e Napule", "addó sta 'o cinema 'e Napule"),  # what lost its first letters
        ("miette 'na sveglia pe' dimane", "miette 'na sveglia pe' dimane"),  # both, not a quotation
        ("che tiempo fa' ogge", "che tiempo fa' ogge"),  # what lost its last letters
        ("un po' di vino", "un po' di vino"),
        ("п'ять об’єктів м'яча", "п'ять об’єктів м'яча"),  # Ukrainian: part of the word
        ("пошта iPhone'ға", "пошта iPhone'ға"),  # an ending of another script
        ("dice 'casa bella' a Maria", "dice ' casa bella ' a Maria"),  # a quotation
        ("the dogs' tails", "the dogs ' tails"),  # a genitive
        ("l'eau d’or", "l' eau d’ or"),  # an elision
        ("‚das Haus‘", "‚ das Haus ‘"),
    ],
)
def test_apostrophes_that_belong_to_a_word_in_any_text(text: str, wanted: str) -> None:
    assert " ".join(text[a:b] for a, b in words_in(text)) == wanted


UZBEK = [
    ("play the song of Otabek", "Otabekning qo'shig'ini qo'y", "Otabek"),
    ("the weather in Uzbekistan", "O'zbekiston ob-havosi", "Uzbekistan"),
    ("an alarm for four", "to'rtga uyg'otgich", "four"),
    ("the road to Bukhara", "Buxoroga yo'l", "road"),
    ("many children", "ko'p bolalar", "many"),
]


@pytest.mark.parametrize("mark", ["'", "’", "‘", "`", "ʻ"])
def test_an_apostrophe_that_is_part_of_a_letter_cuts_no_word(mark: str) -> None:
    rows = [(source, target.replace("'", mark), quote) for source, target, quote in UZBEK]
    items = inputs(rows, "uz")
    aligned = LexicalAligner().fit(items).align(items)
    for item, alignment in zip(items, aligned, strict=True):
        assert [item.target_text[a:b] for a, b in alignment.target_words] == item.target_text.split()
    spans = [own[0].span for own in DefaultProjector().fit(items).project(items)]
    for span, item in zip(spans, items, strict=True):
        if span:
            assert f" {item.target_text} ".count(f" {span.quote(item.target_text)} ") == 1


def test_what_follows_an_apostrophe_distinguishes_letters_from_elisions() -> None:
    assert has_suffixes(["o'zbek bo'lgan", "yo'q ko'p"])
    assert not has_suffixes(["l'eau d'or", "qu'elle j'ai", "aujourd'hui n'est"])
    swahili = [f"ng'{word}" for word in ("ombe", "ambo", "aa", "oa", "amua", "arisha", "atua", "oka", "oleka")]
    assert not has_suffixes(swahili)  # one front proves nothing in so few words
    ends = [f"{a}{b}" for a in "aeiou" for b in ("mba", "ngo", "ka", "ta", "ra")]
    assert has_suffixes(f"ng'{end} kule" for end in ends)
    assert not has_suffixes([*(f"l'{end} là" for end in ends), "un amba"])


def test_the_edges_of_neapolitan_spans_hold_their_apostrophes() -> None:
    rows = [
        ("the weather for tomorrow", "'o tiempo pe' dimane", "tomorrow"),
        ("the sun of today", "'o sole 'e ogge", "sun"),
        ("an alarm for seven", "na sveglia pe' 'e sette", "seven"),
        ("the alarm for today", "'a sveglia pe' ogge", "alarm"),
    ]
    items = inputs(rows, "nap")
    fitted = DefaultProjector().fit(items)
    for item, own in zip(items, fitted.project(items), strict=True):
        if (span := own[0].span) is not None:
            assert set(span.quote(item.target_text).split()) <= set(item.target_text.split())
    assert fitted.with_state(fitted.state()).project(items) == fitted.project(items)
